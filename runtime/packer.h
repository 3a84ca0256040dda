/* packer.h: weights on their way into the stream that kernel.h describes: pack.c (the stream, scales, tails)
   and chunk.c (the codes of a chunk). The layout drives everything: they know no format and no instruction
   set. */
#ifndef LUTC_PACKER_H
#define LUTC_PACKER_H

#include "internal.h"

#include <string.h>

typedef struct lutc_packer {
  const lutc_kernel_info *info;
  const lutc_layout *layout;
  const lutc_weights *weights;
  size_t stride, groups; /* row strides of the codes, and of scales and zero points */
  size_t rows;           /* n_padded */
  uint8_t *out;          /* the next byte of the stream */
  int32_t *negatives;    /* BASE3: [rows], in the tail */
  uint8_t padded[32];    /* a chunk of one row that reaches over the edge of the matrix */
} lutc_packer;

static inline uint64_t lutc_load64(const uint8_t *codes) {
  uint64_t word;
  memcpy(&word, codes, sizeof word);
  return word;
}

/* The k of a chunk. */
static inline size_t lutc_chunk_k(const lutc_layout *layout) {
  return lutc_layout_kinds[layout->kind].chunk_k;
}

/* Packs the codes of a tile's rows at the chunk that begins at `k`. */
void lutc_pack_chunk(lutc_packer *packer, size_t first_row, size_t k);

#endif
