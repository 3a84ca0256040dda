/* variables.h: the variables of the environment that plug-ins know. */
#ifndef LUTC_VARIABLES_H
#define LUTC_VARIABLES_H

#include "line.h"
#include "lutc.h"

#include <stdbool.h>
#include <stdlib.h>

/* Whether a variable says yes: neither is it empty nor 0. */
static inline bool lutc_is_set(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

/* Takes the variant that LUTC_VARIANT names, else the best one. Null, or what is wrong as part of a sentence,
   which may be in `line`. */
static inline const char *lutc_take_variant(const lutc_library *library, char line[LUTC_LINE]) {
  const char *name = lutc_is_set("LUTC_VARIANT") ? getenv("LUTC_VARIANT") : NULL;
  const lutc_status status = lutc_use_variant(library, name);
  if (status == LUTC_OK)
    return NULL;
  if (name == NULL || status != LUTC_UNKNOWN_VARIANT)
    return lutc_status_string(status);
  line[0] = '\0';
  lutc_append(line, "LUTC_VARIANT=%s is none of", name);
  for (size_t i = 0; i < library->variant_count; ++i)
    lutc_append(line, "%s %s", i == 0 ? "" : ",", library->variants[i]);
  return line;
}

#endif
