/* log.c: what the plug-in says, and what it has taken. */
#include "mapped.h"

#include "line.h"
#include "variables.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INFO = 2, WARNING = 3 }; /* ggml_log_level */

static void write_line(int level, const char *format, va_list arguments) {
  char line[LUTC_LINE];
  if (lutc_is_set("LUTC_QUIET"))
    return;
  vsnprintf(line, sizeof line, format, arguments);
  if (lutc_ggml.log != NULL)
    lutc_ggml.log(level, "lutc: %s\n", line);
  else
    fprintf(stderr, "lutc: %s\n", line);
}

void lutc_say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_line(INFO, format, arguments);
  va_end(arguments);
}

void lutc_warn(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_line(WARNING, format, arguments);
  va_end(arguments);
}

enum { TYPES = 64 };

static struct {
  pthread_mutex_t lock;
  _Atomic size_t all; /* tensors taken */
  size_t taken[TYPES], stored_bytes, packed_bytes, mapped_bytes;
  uint64_t left;
  const char *variant;
  size_t different; /* from those of a file */
  const char *reason;
  char name[LUTC_MOST_NAME]; /* of the first */
} counts = {.lock = PTHREAD_MUTEX_INITIALIZER};

void lutc_count_taken(const ggml_tensor *weights, const lutc_product *product, bool is_mapped) {
  if (!lutc_ggml.is_tried)
    return;
  pthread_mutex_lock(&counts.lock);
  ++counts.all;
  ++counts.taken[weights->type];
  counts.stored_bytes += lutc_ggml.nbytes(weights);
  *(is_mapped ? &counts.mapped_bytes : &counts.packed_bytes) +=
      product->matrix_bytes * (size_t)(weights->ne[2] * weights->ne[3]);
  counts.variant = lutc_kernel_variant(product->kernel)->variant;
  pthread_mutex_unlock(&counts.lock);
}

void lutc_count_different(const ggml_tensor *weights, const char *reason) {
  pthread_mutex_lock(&counts.lock);
  if (counts.different++ == 0) {
    snprintf(counts.name, sizeof counts.name, "%s", weights->name);
    counts.reason = reason;
  }
  pthread_mutex_unlock(&counts.lock);
}

void lutc_count_left(int type) {
  pthread_mutex_lock(&counts.lock);
  if (type >= 0 && type < TYPES)
    counts.left |= UINT64_C(1) << type;
  pthread_mutex_unlock(&counts.lock);
}

static void say_counts(void) {
  char line[LUTC_LINE] = "";
  const char *separator = "";
  for (int type = 0; type < TYPES; ++type)
    if (counts.taken[type] != 0) {
      lutc_append(line, "%s%zu %s", separator, counts.taken[type], lutc_ggml.type_name(type));
      separator = ", ";
    }
  lutc_append(line, " tensors");
  separator = ", ";
  if (counts.mapped_bytes != 0) {
    lutc_append(line, ", %.1f MiB mapped", (double)counts.mapped_bytes / 0x1p20);
    separator = " and ";
  }
  if (counts.packed_bytes != 0)
    lutc_append(line, "%s%.1f MiB packed", separator, (double)counts.packed_bytes / 0x1p20);
  lutc_append(line, " of %.1f MiB in the file, variant %s", (double)counts.stored_bytes / 0x1p20,
              counts.variant);
  separator = "; left to ggml, having no kernel: ";
  for (int type = 0; type < TYPES; ++type)
    if (counts.left >> type & 1) {
      lutc_append(line, "%s%s", separator, lutc_ggml.type_name(type));
      separator = ", ";
    }
  lutc_say("multiplies %s", line);
  if (counts.different != 0)
    lutc_warn("the packed file does not serve %zu tensors, such as %s: %s", counts.different, counts.name,
              counts.reason);
}

void lutc_say_counts(void) {
  if (counts.all == 0)
    return;
  pthread_mutex_lock(&counts.lock);
  if (counts.all != 0)
    say_counts();
  counts.all = counts.stored_bytes = counts.packed_bytes = counts.mapped_bytes = counts.left = 0;
  counts.different = 0;
  memset(counts.taken, 0, sizeof counts.taken);
  pthread_mutex_unlock(&counts.lock);
}
