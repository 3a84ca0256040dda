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

static void read_row(const source *s, const uint8_t *blocks, size_t row, lutc_band *b) {
  const lutc_block_type *type = s->type;
  const size_t count = s->row_blocks, first = row * count,
               subgroups = s->info->subgroup ? count * type->elements / type->subgroup : 0;
  uint8_t *codes = b->codes + row * b->stride;
  type->codes(blocks, count, codes);
  if (s->is_shared) {
    for (size_t i = 0; i < count; ++i)
      read_shared_scale(s, blocks + i * type->bytes, row, codes + i * type->elements, b);
    return;
  }
  if (type->traits & LUTC_TERNARY)
    for (size_t i = 0, k = s->info->k; i < k; ++i)
      ++codes[i]; /* w2: code 1 of -1 */
  lutc_unpack_scales(type, blocks, count, b->scales + first * type->scales * type->scale_bytes);
  if (type->minimum_at >= 0)
    lutc_unpack_minimums(type, blocks, count, (uint16_t *)(void *)b->minimums + first);
  if (type->multiples != NULL)
    type->multiples(blocks, count, b->scale_multiples + row * subgroups,
                    b->minimum_multiples + row * subgroups);
}

static void read_band(const void *context, lutc_band *b) {
  const source *s = context;
  const size_t row_bytes = s->row_blocks * s->type->bytes;
  const uint8_t *blocks = s->blocks + (b->matrix * s->info->n + b->first) * row_bytes;
  for (size_t row = 0; row < b->rows; ++row)
    read_row(s, blocks + row * row_bytes, row, b);
}

lutc_status lutc_pack_blocks(const lutc_product *product, const lutc_block_type *type, size_t matrices,
                             const uint8_t *blocks, uint8_t *packed) {
  const lutc_kernel_info *info = lutc_kernel_describe(product->kernel);
  const bool is_shared = lutc_kernel_code(product->kernel)->layout.group == 0;
  const source s = {info, type, blocks, info->k / type->elements, is_shared};
  return lutc_pack_bands(product->kernel, matrices, read_band, &s, packed, product->matrix_bytes);
}
