/* engine.c: what is asked of ONNX Runtime. */
#include "internal.h"
#include "node.h"

bool lutc_is_ok(const ort_api *ort, ort_status *status) {
  if (status != NULL)
    ort->release_status(status);
  return status == NULL;
}

bool lutc_get_elements(const ort_api *ort, const ort_value *value, lutc_elements *elements) {
  ort_shape *shape;
  if (!lutc_is_ok(ort, ort->get_shape(value, &shape)))
    return false;
  const bool is_known = lutc_is_ok(ort, ort->get_element_type(shape, &elements->type)) &&
                        lutc_is_ok(ort, ort->get_count(shape, &elements->count)) &&
                        lutc_is_ok(ort, ort->get_data(value, &elements->data));
  ort->release_shape(shape);
  return is_known;
}

/* Inputs that a node leaves out have no name. */
bool lutc_has_input(const ort_api *ort, const ort_kernel_info *info, size_t index) {
  size_t count, bytes = 0;
  return lutc_is_ok(ort, ort->get_input_count(info, &count)) && index < count &&
         lutc_is_ok(ort, ort->get_input_name(info, index, NULL, &bytes)) && bytes > 1;
}

bool lutc_get_constant(const ort_api *ort, const ort_kernel_info *info, size_t index,
                       lutc_elements *elements) {
  int is_constant = 0;
  const ort_value *value = NULL;
  return lutc_is_ok(ort, ort->get_constant_input(info, index, &is_constant, &value)) && is_constant &&
         value != NULL && lutc_get_elements(ort, value, elements);
}

ort_status *lutc_get_dimensions(const ort_api *ort, const ort_value *value, lutc_dimensions *dimensions) {
  ort_shape *shape;
  ort_status *status = ort->get_shape(value, &shape);
  if (status != NULL)
    return status;
  status = ort->get_rank(shape, &dimensions->rank);
  if (status == NULL && dimensions->rank > LUTC_MOST_RANK)
    status =
        ort->create_status(ORT_INVALID_ARGUMENT, "lutc: MatMulNBits has an input of too many dimensions");
  if (status == NULL)
    status = ort->get_dimensions(shape, dimensions->sizes, dimensions->rank);
  ort->release_shape(shape);
  return status;
}

ort_status *lutc_take_scratch(const lutc_runtime *runtime, const ort_context *context, size_t bytes,
                              lutc_scratch *scratch) {
  const ort_api *ort = &runtime->ort;
  *scratch = (lutc_scratch){NULL, NULL, NULL};
  ort_status *status = ort->get_allocator(context, runtime->memory, &scratch->allocator);
  if (status == NULL)
    status = ort->allocate(scratch->allocator, bytes + LUTC_ALIGNMENT, &scratch->allocated);
  if (status == NULL && scratch->allocated == NULL)
    status = ort->create_status(ORT_FAIL, "lutc: no memory");
  scratch->memory = (uint8_t *)lutc_round_up((uintptr_t)scratch->allocated, LUTC_ALIGNMENT);
  return status;
}

void lutc_free_scratch(const lutc_runtime *runtime, lutc_scratch *scratch) {
  const ort_api *ort = &runtime->ort;
  if (scratch->allocated != NULL)
    lutc_is_ok(ort, ort->free(scratch->allocator, scratch->allocated));
  if (scratch->allocator != NULL)
    ort->release_allocator(scratch->allocator);
}
