/* rows.c: rows of any tensor of a packed model, as floats. */
#include "internal.h"

#include <string.h>

/* Loads an element of type `T`, which a cast makes a float. */
#define LOAD(T)                                                                                              \
  do {                                                                                                       \
    T value;                                                                                                 \
    memcpy(&value, data, sizeof value);                                                                      \
    return (float)value;                                                                                     \
  } while (0)

static float element(lutc_type type, const uint8_t *data) {
  switch (type) {
  case LUTC_F32:
    LOAD(float);
  case LUTC_F64:
    LOAD(double);
  case LUTC_I8:
    LOAD(int8_t);
  case LUTC_U8:
    LOAD(uint8_t);
  case LUTC_I16:
    LOAD(int16_t);
  case LUTC_U16:
    LOAD(uint16_t);
  case LUTC_I32:
    LOAD(int32_t);
  case LUTC_U32:
    LOAD(uint32_t);
  case LUTC_I64:
    LOAD(int64_t);
  case LUTC_U64:
    LOAD(uint64_t);
  case LUTC_F8_E5M2: /* the upper half of an f16 */
    return lutc_widen((uint16_t)(*data << 8));
  case LUTC_F16:
  case LUTC_BF16:
  case LUTC_F8_E4M3:
  case LUTC_F8_E8M0:
    return lutc_widen_scale(type, data);
  }
  return 0;
}

lutc_status lutc_check_rows(size_t n, size_t row, size_t first, size_t count, const float *rows,
                            size_t stride) {
  if (!lutc_is_aligned(rows, sizeof *rows))
    return LUTC_MISALIGNED;
  if (first > n || count > n - first)
    return LUTC_BAD_RANGE;
  return count == 0 || lutc_rows_fit(rows, count, row, stride, sizeof *rows) ? LUTC_OK : LUTC_BAD_STRIDE;
}

lutc_status lutc_read_rows(const lutc_tensor *tensor, size_t first, size_t count, float *rows,
                           size_t stride) {
  if (tensor == NULL || rows == NULL || tensor->data == NULL)
    return LUTC_NULL_POINTER;
  if (tensor->role == LUTC_PACKED)
    return lutc_unpack_rows(tensor->kernel, tensor->data, tensor->bytes, first, count, rows, stride);
  const size_t bytes = lutc_type_bytes(tensor->type);
  const size_t row = tensor->rank != 0 ? tensor->shape[tensor->rank - 1] : 1;
  const size_t n = bytes != 0 && row != 0 ? tensor->bytes / bytes / row : 0;
  const lutc_status status = lutc_check_rows(n, row, first, count, rows, stride);
  if (status != LUTC_OK)
    return status;
  const uint8_t *data = (const uint8_t *)tensor->data + first * row * bytes;
  for (size_t i = 0; i < count; ++i)
    for (size_t column = 0; column < row; ++column, data += bytes)
      rows[i * stride + column] = element(tensor->type, data);
  return LUTC_OK;
}
