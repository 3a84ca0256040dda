/* pack.c: blocks of GGUF to codes, scales and minimums. */
#include "internal.h"
#include "plugin.h"

#include "bands.h"

typedef struct source {
  const lutc_kernel_info *info;
  const lutc_block_type *type;
  const uint8_t *blocks;
  size_t row_blocks; /* blocks of a row */
  bool is_shared;    /* scales lie outside of groups: w158 */
} source;

/* Trits whose scale lies outside the blocks: a block of zeros may have scale 0. */
static void read_shared_scale(const source *s, const uint8_t *block, size_t row, uint8_t *codes,
                              lutc_band *b) {
  uint16_t half;
  memcpy(&half, block + s->type->scale_at, sizeof half);
  const float scale = lutc_widen(half);
  if ((half & 0x7fff) == 0)
    memset(codes, 1, s->type->elements);
  else
    memcpy(b->scales + sizeof scale * (s->info->scales_per_tensor ? 0 : row), &scale, sizeof scale);
}

static void read_block(const source *s, const uint8_t *block, size_t row, size_t index, lutc_band *b) {
  const lutc_block_type *type = s->type;
  const size_t at = row * s->row_blocks + index;
  uint8_t *codes = b->codes + at * type->elements;
  type->codes(block, codes);
  if (s->is_shared) {
    read_shared_scale(s, block, row, codes, b);
    return;
  }
  for (uint32_t i = 0; type->is_ternary && i < type->elements; ++i)
    ++codes[i]; /* w2: code 1 of -1 */
  lutc_unpack_scales(type, block, b->scales + at * type->scales * type->scale_bytes);
  if (s->info->has_zero_points)
    b->zero_points[at] = (uint8_t)type->zero_point;
  if (type->minimum_at >= 0) {
    const uint16_t minimum = lutc_block_minimum(type, block);
    memcpy(b->minimums + at * sizeof minimum, &minimum, sizeof minimum);
  }
  if (type->multiples != NULL) {
    const size_t first = at * (type->elements / type->subgroup);
    type->multiples(block, b->scale_multiples + first, b->minimum_multiples + first);
  }
}

static void read_band(const void *context, lutc_band *b) {
  const source *s = context;
  const uint8_t *block = s->blocks + (b->matrix * s->info->n + b->first) * s->row_blocks * s->type->bytes;
  for (size_t row = 0; row < b->rows; ++row)
    for (size_t i = 0; i < s->row_blocks; ++i, block += s->type->bytes)
      read_block(s, block, row, i, b);
}

lutc_status lutc_pack_blocks(const lutc_product *product, const lutc_block_type *type, size_t matrices,
                             const uint8_t *blocks, uint8_t *packed) {
  const lutc_kernel_info *info = lutc_kernel_describe(product->kernel);
  const bool is_shared = lutc_kernel_code(product->kernel)->layout.group == 0;
  const source s = {info, type, blocks, info->k / type->elements, is_shared};
  return lutc_pack_bands(product->kernel, matrices, read_band, &s, packed, product->matrix_bytes);
}
