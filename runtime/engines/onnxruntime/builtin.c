/* builtin.c: ONNX Runtime's own MatMulNBits, for nodes that are left to it. */
#include "internal.h"
#include "node.h"
#include "terms.h"

enum { ATTRIBUTES = 6 };

/* Kernels are chosen by types; zero points that are not constant are looked at by the kernel itself. */
static int zero_point_type(const lutc_node *node, const ort_kernel_info *info) {
  lutc_elements zero_points;
  const bool is_known = lutc_get_constant(&node->runtime->ort, info, INPUT_ZERO_POINTS, &zero_points);
  return is_known && zero_points.type == node->type ? ORT_FLOAT : ORT_UINT8;
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
  const int types[] = {ORT_FLOAT, ORT_UINT8, zero_point_type(node, info), ORT_INT32};
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

/* The tensors of a call that are f16, as f32. */
typedef struct copies {
  const lutc_runtime *runtime;
  lutc_scratch scratch;
  size_t used;                   /* floats */
  ort_value *values[INPUTS + 1]; /* inputs, Y; null: taken as they are */
} copies;

enum { Y = INPUTS };

static ort_status *get_halves(const copies *c, const ort_value *value, lutc_elements *elements) {
  const ort_api *ort = &c->runtime->ort;
  elements->count = 0;
  if (value == NULL)
    return NULL;
  if (!lutc_get_elements(ort, value, elements))
    return ort->create_status(ORT_FAIL, "lutc: an input of MatMulNBits is no tensor");
  if (elements->type != ORT_FLOAT16)
    elements->count = 0;
  return NULL;
}

static ort_status *copy(copies *c, size_t index, const ort_value *value) {
  const ort_api *ort = &c->runtime->ort;
  lutc_elements halves;
  lutc_dimensions shape;
  ort_status *status = get_halves(c, value, &halves);
  if (status != NULL || halves.count == 0)
    return status;
  status = lutc_get_dimensions(ort, value, &shape);
  if (status != NULL)
    return status;
  float *floats = (float *)(void *)c->scratch.memory + c->used;
  c->used += halves.count;
  if (index != Y)
    lutc_widen_all(halves.data, halves.count, floats);
  return ort->create_tensor(c->runtime->memory, floats, halves.count * sizeof *floats, shape.sizes,
                            shape.rank, ORT_FLOAT, &c->values[index]);
}

static ort_status *count_floats(const copies *c, const ort_value *const tensors[INPUTS + 1], size_t *floats) {
  ort_status *status = NULL;
  *floats = 0;
  for (size_t i = 0; i <= Y && status == NULL; ++i) {
    lutc_elements halves;
    status = get_halves(c, tensors[i], &halves);
    *floats += halves.count;
  }
  return status;
}

static ort_status *invoke_on_copies(const lutc_node *node, ort_context *context, copies *c,
                                    const ort_value *const tensors[INPUTS + 1]) {
  const ort_api *ort = &node->runtime->ort;
  const ort_value *inputs[INPUTS];
  ort_status *status = NULL;
  for (size_t i = 0; i <= Y && status == NULL; ++i)
    status = copy(c, i, tensors[i]);
  if (status != NULL)
    return status;
  for (size_t i = 0; i < INPUTS; ++i)
    inputs[i] = c->values[i] != NULL ? c->values[i] : tensors[i];
  status = ort->invoke_op(context, node->builtin, inputs, INPUTS, &c->values[Y], 1);
  lutc_elements floats, halves;
  if (status == NULL && lutc_get_elements(ort, c->values[Y], &floats) &&
      lutc_get_elements(ort, tensors[Y], &halves))
    lutc_narrow_all(floats.data, halves.count, halves.data);
  return status;
}

static ort_status *compute_as_floats(const lutc_node *node, ort_context *context,
                                     const ort_value *const tensors[INPUTS + 1]) {
  copies c = {.runtime = node->runtime};
  size_t floats;
  ort_status *status = count_floats(&c, tensors, &floats);
  if (status != NULL)
    return status;
  status = lutc_take_scratch(node->runtime, context, floats * sizeof(float), &c.scratch);
  if (status == NULL)
    status = invoke_on_copies(node, context, &c, tensors);
  for (size_t i = 0; i <= Y; ++i)
    if (c.values[i] != NULL)
      node->runtime->ort.release_value(c.values[i]);
  lutc_free_scratch(node->runtime, &c.scratch);
  return status;
}

ort_status *lutc_compute_builtin(const lutc_node *node, ort_context *context, const ort_value *const *inputs,
                                 ort_value *y) {
  const ort_value *tensors[INPUTS + 1];
  if (node->type == ORT_FLOAT)
    return node->runtime->ort.invoke_op(context, node->builtin, inputs, INPUTS, &y, 1);
  memcpy(tensors, inputs, INPUTS * sizeof *inputs);
  tensors[Y] = y;
  return compute_as_floats(node, context, tensors);
}
