/* variable.c: weights that ONNX Runtime does not call constant: outputs of other nodes and, in versions
   before 1.30 (1.26 among them), weights of the outer graph in branches of If and bodies of loops. They are
   packed in the first call, and taken as long as all their bytes are the same; once they are not, the node is
   left to the built-in op. */
#include "internal.h"
#include "node.h"

enum { PARTS = 64 };

/* Codes are many: parts of them on several threads. */
typedef struct summation {
  const uint8_t *data;
  size_t bytes, part_bytes;
  uint64_t sums[PARTS];
} summation;

static void sum_part(void *argument, size_t part) {
  summation *s = argument;
  const size_t begin = lutc_min(part * s->part_bytes, s->bytes),
               end = lutc_min(begin + s->part_bytes, s->bytes);
  s->sums[part] = lutc_checksum(s->data + begin, end - begin);
}

static size_t bytes_of(const lutc_elements *elements) {
  static const size_t sizes[] = {[ORT_FLOAT] = 4, [ORT_UINT8] = 1, [ORT_FLOAT16] = 2};
  const size_t count = elements->data != NULL ? elements->count : 0;
  return (size_t)elements->type < sizeof sizes / sizeof *sizes ? count * sizes[elements->type] : 0;
}

static uint64_t checksum_of(const lutc_inputs *inputs, const lutc_parallel *parallel) {
  const size_t bytes = bytes_of(&inputs->codes);
  summation s = {inputs->codes.data, bytes, lutc_round_up(lutc_divide_up(bytes, PARTS), LUTC_ALIGNMENT), {0}};
  parallel->run(parallel->context, PARTS, sum_part, &s);
  const uint64_t sums[] = {lutc_checksum(s.sums, sizeof s.sums),
                           lutc_checksum(inputs->scales.data, bytes_of(&inputs->scales)),
                           lutc_checksum(inputs->zero_points.data, bytes_of(&inputs->zero_points))};
  return lutc_checksum(sums, sizeof sums);
}

static bool get_inputs(const lutc_node *node, const ort_value *const *values, lutc_inputs *inputs) {
  const ort_api *ort = &node->runtime->ort;
  *inputs = (lutc_inputs){0};
  return lutc_get_elements(ort, values[INPUT_B], &inputs->codes) &&
         lutc_get_elements(ort, values[INPUT_SCALES], &inputs->scales) &&
         (values[INPUT_ZERO_POINTS] == NULL ||
          lutc_get_elements(ort, values[INPUT_ZERO_POINTS], &inputs->zero_points));
}

static void leave(lutc_node *node, const char *reason) {
  lutc_count_left(reason);
  node->state = LUTC_LEFT; /* others may still read what was packed: it stays */
}

static void look_at(lutc_node *node, const lutc_inputs *inputs, uint64_t checksum) {
  if (node->state == LUTC_TAKEN && node->checksum != checksum)
    leave(node, "weights that change");
  if (node->state != LUTC_WAITING)
    return;
  lutc_count_waiting(-1);
  const char *reason = lutc_pack_weights(node, inputs);
  if (reason != NULL) {
    leave(node, reason);
    return;
  }
  node->checksum = checksum;
  node->state = LUTC_TAKEN;
  lutc_count_packed(node);
}

bool lutc_has_packed(lutc_node *node, const ort_value *const *values, const lutc_parallel *parallel) {
  lutc_inputs inputs;
  if (node->builtin == NULL)
    return true;
  if (node->state == LUTC_LEFT || !get_inputs(node, values, &inputs))
    return false;
  const uint64_t checksum = checksum_of(&inputs, parallel);
  pthread_mutex_lock(&node->lock);
  look_at(node, &inputs, checksum);
  const bool is_taken = node->state == LUTC_TAKEN;
  pthread_mutex_unlock(&node->lock);
  return is_taken;
}
