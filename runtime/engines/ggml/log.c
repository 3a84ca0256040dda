/* log.c: what the plug-in says, and what it has taken. */
#include "plugin.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INFO = 2, WARNING = 3, LINE = 1024 }; /* ggml_log_level */

static void write_line(int level, const char *format, va_list arguments) {
  char line[LINE];
  if (getenv("LUTC_QUIET") != NULL)
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
  _Atomic size_t all; /* packed tensors */
  size_t packed[TYPES], stored_bytes, packed_bytes;
  uint64_t left;
  const char *variant;
} counts = {.lock = PTHREAD_MUTEX_INITIALIZER};

void lutc_count_packed(const ggml_tensor *weights) {
  const lutc_product *product = weights->extra;
  if (!lutc_ggml.is_tried)
    return;
  pthread_mutex_lock(&counts.lock);
  ++counts.all;
  ++counts.packed[weights->type];
  counts.stored_bytes += lutc_ggml.nbytes(weights);
  counts.packed_bytes += product->matrix_bytes * (size_t)(weights->ne[2] * weights->ne[3]);
  counts.variant = lutc_kernel_variant(product->kernel)->variant;
  pthread_mutex_unlock(&counts.lock);
}

void lutc_count_left(int type) {
  pthread_mutex_lock(&counts.lock);
  if (type >= 0 && type < TYPES)
    counts.left |= UINT64_C(1) << type;
  pthread_mutex_unlock(&counts.lock);
}

/* Appends to a line what fits. */
__attribute__((format(printf, 2, 3))) static void append(char line[LINE], const char *format, ...) {
  const size_t length = strlen(line);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line + length, LINE - length, format, arguments);
  va_end(arguments);
}

static void say_counts(void) {
  char line[LINE] = "";
  const char *separator = "";
  for (int type = 0; type < TYPES; ++type)
    if (counts.packed[type] != 0) {
      append(line, "%s%zu %s", separator, counts.packed[type], lutc_ggml.type_name(type));
      separator = ", ";
    }
  append(line, " tensors, %.1f MiB packed of %.1f MiB in the file, variant %s",
         (double)counts.packed_bytes / 0x1p20, (double)counts.stored_bytes / 0x1p20, counts.variant);
  separator = "; left to ggml, having no kernel: ";
  for (int type = 0; type < TYPES; ++type)
    if (counts.left >> type & 1) {
      append(line, "%s%s", separator, lutc_ggml.type_name(type));
      separator = ", ";
    }
  lutc_say("multiplies %s", line);
}

void lutc_say_counts(void) {
  if (counts.all == 0)
    return;
  pthread_mutex_lock(&counts.lock);
  if (counts.all != 0)
    say_counts();
  counts.all = counts.stored_bytes = counts.packed_bytes = counts.left = 0;
  memset(counts.packed, 0, sizeof counts.packed);
  pthread_mutex_unlock(&counts.lock);
}
