/* weights.c: which weights are taken, in which format, and their way into it. */
#include "internal.h"
#include "node.h"

#include "bands.h"
#include "matmulnbits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Zero points that are not 2^(bits-1): bytes, or a minimum -scale * zero point where they are not whole. */
enum { SYMMETRIC, WHOLE, FRACTIONS };

typedef struct source {
  const lutc_node *node;
  const lutc_inputs *inputs;
  size_t blocks;        /* of a row */
  lutc_type scale_type; /* of the format */
  int zeros;
} source;

static float float_at(const lutc_elements *elements, size_t index) {
  if (elements->type == ORT_FLOAT16)
    return lutc_widen(((const uint16_t *)elements->data)[index]);
  return ((const float *)elements->data)[index];
}

/* Packed zero points fill the bytes of a row from their lowest bits on. */
static float zero_at(const source *s, size_t row, size_t block) {
  const size_t bits = s->node->bits;
  if (s->inputs->zero_points.data == NULL)
    return (float)(1u << (bits - 1));
  if (s->inputs->zero_points.type != ORT_UINT8)
    return float_at(&s->inputs->zero_points, row * s->blocks + block);
  const uint8_t *bytes =
      (const uint8_t *)s->inputs->zero_points.data + row * lutc_divide_up(s->blocks * bits, 8);
  return (float)(bytes[block * bits / 8] >> block * bits % 8 & ((1u << bits) - 1));
}

static bool is_f16(float value) { return lutc_widen(lutc_narrow(value)) == value; }

/* Looks at all scales and zero points. Whether they and the minimums are finite. */
static bool survey(source *s) {
  bool are_f16 = true, are_symmetric = true, are_whole = true;
  const float middle = (float)(1u << (s->node->bits - 1));
  for (size_t row = 0, i = 0; row < s->node->n; ++row)
    for (size_t block = 0; block < s->blocks; ++block, ++i) {
      const float scale = float_at(&s->inputs->scales, i), zero = zero_at(s, row, block);
      if (!isfinite(scale * zero) || !isfinite(scale) || !isfinite(zero))
        return false;
      are_f16 = are_f16 && is_f16(scale);
      are_symmetric = are_symmetric && zero == middle;
      are_whole = are_whole && zero >= 0.0f && zero <= 255.0f && zero == (float)(uint8_t)zero;
    }
  s->scale_type = are_f16 ? LUTC_F16 : LUTC_F32;
  s->zeros = are_symmetric ? SYMMETRIC : are_whole ? WHOLE : FRACTIONS;
  return true;
}

/* Codes are packed like zero points; a row's last block is filled up. */
static void unpack_codes(const source *s, size_t row, uint8_t *codes) {
  const size_t k = s->node->k, bits = s->node->bits, each = 8 / bits, mask = (1u << bits) - 1;
  const uint8_t *bytes =
      (const uint8_t *)s->inputs->codes.data + row * (s->blocks * s->node->block * bits / 8);
  if (bits == 8) {
    memcpy(codes, bytes, k);
    return;
  }
  size_t i = 0;
  for (; i + each <= k; i += each, ++bytes)
    for (size_t j = 0; j < each; ++j)
      codes[i + j] = (uint8_t)(*bytes >> j * bits & mask);
  for (size_t j = 0; i + j < k; ++j)
    codes[i + j] = (uint8_t)(*bytes >> j * bits & mask);
}

static void put_float(lutc_type type, uint8_t *all, size_t index, float value) {
  const uint16_t half = lutc_narrow(value);
  if (type == LUTC_F16)
    memcpy(all + index * sizeof half, &half, sizeof half);
  else
    memcpy(all + index * sizeof value, &value, sizeof value);
}

static void read_band(const void *context, lutc_band *band) {
  const source *s = context;
  for (size_t row = 0, i = 0; row < band->rows; ++row) {
    const size_t from = band->first + row;
    unpack_codes(s, from, band->codes + row * band->stride);
    for (size_t block = 0; block < s->blocks; ++block, ++i) {
      const float scale = float_at(&s->inputs->scales, from * s->blocks + block),
                  zero = zero_at(s, from, block);
      put_float(s->scale_type, band->scales, i, scale);
      if (s->zeros == WHOLE)
        band->zero_points[i] = (uint8_t)zero;
      else if (s->zeros == FRACTIONS)
        put_float(s->scale_type, band->minimums, i, -scale * zero);
    }
  }
}

static const lutc_kernel *find_format(const char *format) {
  for (size_t i = 0; i < matmulnbits_library.kernel_count; ++i)
    if (strcmp(lutc_kernel_describe(matmulnbits_library.kernels[i])->format, format) == 0)
      return matmulnbits_library.kernels[i];
  return NULL;
}

/* The format of the weights, with f16 scales where they are and it exists. */
static const lutc_kernel *choose_format(source *s) {
  static const char *const letters[] = {"", "z", "m"};
  char format[32];
  const lutc_kernel *kernel = NULL;
  if (s->scale_type == LUTC_F16) {
    snprintf(format, sizeof format, "w%zug%zu%s", s->node->bits, s->node->block, letters[s->zeros]);
    kernel = find_format(format);
  }
  if (kernel == NULL) {
    s->scale_type = LUTC_F32;
    snprintf(format, sizeof format, "w%zug%zu%ss", s->node->bits, s->node->block, letters[s->zeros]);
    kernel = find_format(format);
  }
  return kernel;
}

static bool has_sizes(const source *s) {
  const lutc_node *node = s->node;
  const size_t zero_row =
      s->inputs->zero_points.type == ORT_UINT8 ? lutc_divide_up(s->blocks * node->bits, 8) : s->blocks;
  return s->inputs->codes.count == node->n * s->blocks * (node->block * node->bits / 8) &&
         s->inputs->scales.count == node->n * s->blocks &&
         (s->inputs->zero_points.data == NULL || s->inputs->zero_points.count == node->n * zero_row);
}

const char *lutc_refuse_node(const lutc_node *node, const ort_kernel_info *info) {
  if (node->prepacked != 0)
    return "weights in the order of another device";
  if ((node->bits != 2 && node->bits != 4 && node->bits != 8) || node->block < 16 || node->block > 256 ||
      (node->block & (node->block - 1)) != 0)
    return "bits or a block size without a kernel";
  if (node->n == 0 || node->k == 0 || node->n > INT32_MAX || node->k > INT32_MAX)
    return "a shape without a kernel";
  return lutc_has_input(&node->runtime->ort, info, INPUT_G_IDX) ? "g_idx" : NULL;
}

/* An int8 term keeps 7 bits of the activations below the largest of its block, the next one 8 more. */
static size_t terms_of(int64_t accuracy) {
  switch (accuracy) {
  case 4: /* int8 */
    return 1;
  case 3: /* bf16 */
  case 2: /* f16 */
    return 2;
  default: /* f32 */
    return 3;
  }
}

static const char *make_weights(lutc_node *node, const lutc_kernel *open, const source *s) {
  const size_t bytes = lutc_made_kernel_bytes(open);
  node->kernel_memory = aligned_alloc(LUTC_ALIGNMENT, bytes);
  if (node->kernel_memory == NULL)
    return "no memory";
  if (lutc_make_kernel(open, node->n, node->k, node->kernel_memory, bytes, &node->kernel) != LUTC_OK)
    return "a shape without a kernel";
  node->packed =
      aligned_alloc(LUTC_ALIGNMENT, lutc_round_up(lutc_packed_bytes(node->kernel), LUTC_ALIGNMENT));
  if (node->packed == NULL)
    return "no memory";
  const lutc_status status = lutc_pack_bands(node->kernel, 1, read_band, s, node->packed, 0);
  node->terms = terms_of(node->accuracy);
  node->threads = lutc_cores(); /* ONNX Runtime does not tell how many it has */
  return status == LUTC_OK                 ? NULL
         : status == LUTC_BUFFER_TOO_SMALL ? "no memory"
                                           : lutc_status_string(status);
}

const char *lutc_pack_weights(lutc_node *node, const lutc_inputs *inputs) {
  source s = {node, inputs, lutc_divide_up(node->k, node->block), LUTC_F32, SYMMETRIC};
  const int zero_type = inputs->zero_points.data != NULL ? inputs->zero_points.type : ORT_UINT8;
  if (inputs->scales.type != node->type || (zero_type != ORT_UINT8 && zero_type != node->type))
    return "scales or zero points of another type";
  if (!has_sizes(&s))
    return "weights of another size";
  if (!survey(&s))
    return "scales or zero points that are not finite";
  const lutc_kernel *open = choose_format(&s);
  return open != NULL ? make_weights(node, open, &s) : "bits or a block size without a kernel";
}
