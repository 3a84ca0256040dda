/* log.c: what the plug-in has taken, and what it left. */
#include "node.h"

#include "line.h"
#include "variables.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASONS = 16 };

static struct {
  pthread_mutex_t lock;
  _Atomic size_t all; /* nodes */
  size_t packed, packed_bytes, waiting, reason_count;
  struct {
    const char *text;
    size_t nodes;
  } reasons[REASONS];
  const char *variant;
} counts = {.lock = PTHREAD_MUTEX_INITIALIZER};

void lutc_count_packed(const lutc_node *node) {
  pthread_mutex_lock(&counts.lock);
  ++counts.all;
  ++counts.packed;
  counts.packed_bytes += lutc_packed_bytes(node->kernel);
  counts.variant = lutc_kernel_variant(node->kernel)->variant;
  pthread_mutex_unlock(&counts.lock);
}

void lutc_count_waiting(int change) {
  pthread_mutex_lock(&counts.lock);
  counts.waiting += (size_t)change;
  counts.all += change > 0;
  pthread_mutex_unlock(&counts.lock);
}

void lutc_count_left(const char *reason) {
  pthread_mutex_lock(&counts.lock);
  size_t i = 0;
  while (i < counts.reason_count && strcmp(counts.reasons[i].text, reason) != 0)
    ++i;
  if (i < REASONS) {
    counts.reasons[i].text = reason;
    ++counts.reasons[i].nodes;
    counts.reason_count += i == counts.reason_count;
    ++counts.all;
  }
  pthread_mutex_unlock(&counts.lock);
}

static void write_counts(char line[LUTC_LINE]) {
  lutc_append(line, "lutc: multiplies %zu MatMulNBits", counts.packed);
  if (counts.packed != 0)
    lutc_append(line, ", %.1f MiB packed, variant %s", (double)counts.packed_bytes / 0x1p20, counts.variant);
  if (counts.waiting != 0)
    lutc_append(line, "; %zu more when they are used first", counts.waiting);
  for (size_t i = 0; i < counts.reason_count; ++i)
    lutc_append(line, "%s%zu with %s", i == 0 ? "; left to ONNX Runtime's own: " : ", ",
                counts.reasons[i].nodes, counts.reasons[i].text);
}

void lutc_say_counts(const ort_api *ort, const ort_context *context) {
  const ort_logger *logger;
  char line[LUTC_LINE] = "";
  if (counts.all == 0)
    return;
  pthread_mutex_lock(&counts.lock);
  if (counts.all != 0)
    write_counts(line);
  counts.all = counts.packed = counts.packed_bytes = counts.reason_count = 0;
  memset(counts.reasons, 0, sizeof counts.reasons);
  pthread_mutex_unlock(&counts.lock);
  if (line[0] != 0 && !lutc_is_set("LUTC_QUIET") && lutc_is_ok(ort, ort->get_logger(context, &logger)))
    lutc_is_ok(ort, ort->log(logger, ORT_INFO, line, "lutc", 0, "MatMulNBits"));
}

void lutc_say_left_out(const char *reason) {
  if (!lutc_is_set("LUTC_QUIET"))
    fprintf(stderr, "lutc: left out: %s\n", reason);
}
