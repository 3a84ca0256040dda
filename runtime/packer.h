/* packer.h: weights on their way into the stream that kernel.h describes: pack.c (the stream, scales, tails)
   and chunk.c (the codes of a chunk); and back, unpack.c. The layout drives everything: they know no format
   and no instruction set. */
#ifndef LUTC_PACKER_H
#define LUTC_PACKER_H

#include "book.h"
#include "internal.h"
#include "shape.h"

#include <string.h>

typedef struct lutc_packer {
  const lutc_kernel_info *info;
  const lutc_layout *layout;
  const lutc_weights *weights;
  size_t stride, groups; /* row strides of the codes, and of scales and zero points */
  size_t rows;           /* n_padded */
  size_t tiles, panel;
  uint8_t *out;            /* the next byte of the stream */
  int32_t *negatives;      /* BASE3: [rows], in the tail */
  const uint16_t *numbers; /* BOOK: 1 + that of a vector, by its digits as a number; 0: no vector */
  int is_bad;              /* BOOK: weights were no vectors of the book */
  uint8_t padded[32];      /* a chunk of one row that reaches over the edge of the matrix */
} lutc_packer;

enum { LUTC_BOOK_KEYS = 6561 }; /* 3^8; 8^4 are fewer */

/* Of functions that take the bits of codes as a constant, where loops over them unroll. */
#define LUTC_INLINED static inline __attribute__((always_inline))

static inline uint64_t lutc_load64(const uint8_t *codes) {
  uint64_t word;
  memcpy(&word, codes, sizeof word);
  return word;
}

/* The k of a chunk. */
static inline size_t lutc_chunk_k(const lutc_layout *layout) {
  return lutc_layout_kinds[layout->kind].chunk_k;
}

static inline lutc_packer make_packer(const lutc_kernel_info *info, const lutc_layout *layout,
                                      const lutc_weights *weights) {
  lutc_packer p = {info, layout, weights, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, {0}};
  p.stride = weights != NULL && weights->codes_stride ? weights->codes_stride : info->k;
  p.groups = layout->group ? lutc_divide_up(info->k, layout->group) : 1;
  p.rows = lutc_round_up(info->n, layout->tile_rows);
  p.tiles = p.rows / layout->tile_rows;
  p.panel = lutc_panel_tiles(p.tiles, lutc_divide_up(layout->k_padded, layout->k_block));
  return p;
}

/* Bytes of one tile: the codes of a chunk; scales, zero points and minimums of a group; its multiples. */
static inline size_t code_bytes(const lutc_packer *p) {
  const lutc_layout *layout = p->layout;
  return (size_t)layout->bits * layout->row_vectors * lutc_layout_kinds[layout->kind].chunk_quarters *
         (layout->vector_bytes / 4);
}

static inline size_t group_bytes(const lutc_packer *p) {
  return p->layout->tile_rows * (lutc_type_bytes(p->info->scale_type) * (p->info->has_minimums ? 2u : 1u) +
                                 (p->info->has_zero_points ? 1u : 0u));
}

/* Of a row and group. */
static inline size_t multiple_count(const lutc_packer *p) {
  const size_t subgroup = p->info->subgroup;
  return subgroup ? p->layout->group / subgroup * (p->info->has_minimums ? 2u : 1u) : 0;
}

/* Whether they lie beside the codes. */
static inline int multiples_are_inside(const lutc_packer *p) {
  return p->info->book != NULL && lutc_book_multiple_bits(p->info->book, p->info->subgroup) != 0;
}

static inline size_t multiple_bytes(const lutc_packer *p) {
  if (multiples_are_inside(p))
    return 0;
  return multiple_count(p) * p->layout->tile_rows * p->info->multiple_bits / 8;
}

/* A multiple as bits, none of them negative, and back. */
static inline int multiple_bias(const lutc_kernel_info *info) {
  return info->has_minimums || info->multiple_bits == 8 ? 0 : 1 << (info->multiple_bits - 1);
}
static inline unsigned multiple_code(const lutc_kernel_info *info, int multiple) {
  return (unsigned)(info->book != NULL ? (multiple - 1) / 2 : multiple + multiple_bias(info));
}
static inline int multiple_of(const lutc_kernel_info *info, int code) {
  return info->book != NULL ? 2 * code + 1 : code - multiple_bias(info);
}

/* Of one tile in k_length of k, of whole blocks or one block. */
static inline size_t tile_bytes(const lutc_packer *p, size_t k_length) {
  const size_t groups = p->layout->group ? lutc_divide_up(k_length, p->layout->group) : 0;
  return k_length / lutc_chunk_k(p->layout) * code_bytes(p) + groups * (group_bytes(p) + multiple_bytes(p));
}

/* Of the k block that begins at `k`. */
static inline size_t block_length(const lutc_packer *p, size_t k) {
  return lutc_min(p->layout->k_block, p->layout->k_padded - k);
}

/* Where a tile's k block lies that begins at `k`. */
static inline size_t stream_offset(const lutc_packer *p, size_t tile, size_t k) {
  const size_t first = tile - tile % p->panel, together = lutc_min(p->panel, p->tiles - first);
  return first * tile_bytes(p, p->layout->k_padded) + together * tile_bytes(p, k) +
         (tile - first) * tile_bytes(p, block_length(p, k));
}

static inline size_t stream_bytes(const lutc_packer *p) {
  return p->tiles * tile_bytes(p, p->layout->k_padded);
}

/* Arrays of one word for each row, in the tail. */
static inline size_t tail_columns(const lutc_packer *p) {
  if (p->layout->group)
    return 0;
  return 1u + (p->info->has_zero_points != 0) + (p->layout->kind == LUTC_LAYOUT_BASE3);
}

static inline size_t tail_bytes(const lutc_packer *p) { return p->rows * 4 * tail_columns(p); }

/* Where the order of the columns lies, and what it takes there. */
static inline size_t order_offset(const lutc_packer *p) { return stream_bytes(p) + tail_bytes(p); }

static inline size_t order_bytes(const lutc_packer *p) {
  return p->info->has_columns ? 4 * (size_t)p->layout->k_padded : 0;
}

/* The bits of split quads in DOT, the high ones of all quads first: where bit number `i` belongs. */
typedef struct lutc_split_bit {
  unsigned quad, bit;
} lutc_split_bit;

static inline lutc_split_bit split_bit(unsigned i, unsigned bits) {
  const unsigned rest = 8 % bits, high = rest * rest, low = i - high; /* wraps where i is of the high bits */
  const lutc_split_bit place = {8 - rest + (i < high ? i / rest : low / (bits - rest)),
                                i < high ? bits - rest + i % rest : low % (bits - rest)};
  return place;
}

/* Packs the codes of a tile's rows at the chunk that begins at `k`. */
void lutc_pack_chunk(lutc_packer *packer, size_t first_row, size_t k);
/* The codes of row `row` of a tile, read back from the chunk at `chunk`. */
void lutc_unpack_chunk(const lutc_layout *layout, const uint8_t *chunk, size_t row, uint8_t codes[32]);

/* book.c: `numbers` [LUTC_BOOK_KEYS] of a book; a chunk of a tile, 0 where codes are not in the book; the
   codes of a row, and its multiple. */
void lutc_index_book(const lutc_book *book, uint16_t *numbers);
int lutc_pack_book(lutc_packer *packer, size_t first_row, size_t k);
int lutc_unpack_book(const lutc_packer *packer, const uint8_t *chunk, size_t row, uint8_t codes[32]);

#endif
