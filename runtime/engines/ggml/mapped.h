/* mapped.h: packed weights in files of `lutc pack`. */
#ifndef LUTC_GGML_MAPPED_H
#define LUTC_GGML_MAPPED_H

#include "plugin.h"

enum { LUTC_MOST_MAPPED = 64, LUTC_MOST_NAME = 96 };

/* Opens LUTC_FILE, or what lies beside the files that the process has open; how many. What is no such file is
   left out, with a reason in the log. A file is mapped once, however often it is opened. */
size_t lutc_open_mapped(lutc_mapped *files[LUTC_MOST_MAPPED]);
void lutc_close_mapped(lutc_mapped *mapped);

typedef struct lutc_mapped_matrix {
  const uint8_t *packed;
  uint64_t source; /* as in its record */
} lutc_mapped_matrix;

extern const char *const lutc_lacking; /* the reason where the file has no such tensor */

/* A matrix of a tensor, as `kernel` takes it. Null, or why the file does not have it. */
const char *lutc_find_packed(const lutc_mapped *mapped, const ggml_tensor *tensor, size_t matrix,
                             const lutc_kernel *kernel, lutc_mapped_matrix *found);

#endif
