/* builtin.c: ONNX Runtime's own MatMulNBits, for nodes that are left to it. */
#include "node.h"

enum { ATTRIBUTES = 6 };

/* The type of zero points as far as it is known; kernels are chosen by it. */
static int zero_point_type(const lutc_node *node, const ort_kernel_info *info) {
  lutc_elements zero_points;
  return lutc_get_constant(&node->runtime->ort, info, INPUT_ZERO_POINTS, &zero_points) ? zero_points.type
                                                                                       : ORT_UINT8;
}

static ort_status *create_attributes(const lutc_node *node, ort_attribute **attributes, int *count) {
  const ort_api *ort = &node->runtime->ort;
  const struct {
    const char *name;
    int64_t value;
  } values[ATTRIBUTES] = {{"N", (int64_t)node->n},
                          {"K", (int64_t)node->k},
                          {"bits", (int64_t)node->bits},
                          {"block_size", (int64_t)node->block},
                          {"accuracy_level", node->accuracy},
                          {"weight_prepacked", node->prepacked}};
  const int used = node->prepacked != 0 ? ATTRIBUTES : ATTRIBUTES - 1; /* older versions do not know it */
  ort_status *status = NULL;
  for (; *count < used && status == NULL; *count += status == NULL)
    status =
        ort->create_attribute(values[*count].name, &values[*count].value, 1, ORT_INT, &attributes[*count]);
  return status;
}

ort_status *lutc_create_builtin(lutc_node *node, const ort_kernel_info *info) {
  const ort_api *ort = &node->runtime->ort;
  const char *names[] = {"T1", "T2", "T3", "T4"};
  const int types[] = {node->type, ORT_UINT8, zero_point_type(node, info), ORT_INT32};
  ort_attribute *attributes[ATTRIBUTES];
  int count = 0;
  ort_status *status = create_attributes(node, attributes, &count);
  if (status == NULL)
    status = ort->create_op(info, "MatMulNBits", "com.microsoft", 1, names, types, 4,
                            (const ort_attribute *const *)attributes, count, INPUTS, 1, &node->builtin);
  while (count > 0)
    ort->release_attribute(attributes[--count]);
  return status;
}

ort_status *lutc_compute_builtin(const lutc_node *node, ort_context *context, const ort_value *const *inputs,
                                 ort_value *y) {
  return node->runtime->ort.invoke_op(context, node->builtin, inputs, INPUTS, &y, 1);
}
