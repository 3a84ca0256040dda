/* blocks.h: the blocks of GGUF that a format of lutc holds losslessly, by ggml-common.h and ggml-quants.c of
   ggml: their codes, scales and minimums as lutc_weights has them. Shared by the compiler's readers and by
   engines/ggml; no part of generated libraries. */
#ifndef LUTC_BLOCKS_H
#define LUTC_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The codes of `count` blocks. Of TQ2_0 they may be 3, which is no trit. */
typedef void lutc_unpack_codes(const uint8_t *blocks, size_t count, uint8_t *codes);
/* The multiples of blocks' scales and, where they have them, minimums: one for each subgroup. */
typedef void lutc_unpack_multiples(const uint8_t *blocks, size_t count, int8_t *scales, int8_t *minimums);

enum {
  LUTC_TERNARY = 1,  /* codes 0 to 2 stand for -1, 0, 1; in the format they are 1 more */
  LUTC_NEGATED = 2,  /* the format holds the negative weights times negative scales */
  LUTC_UNSIGNED = 4, /* the sign of scales does not count */
  LUTC_SCATTERED = 8 /* nibble i of the scale is the highest of word i from scale_at on */
};

/* A type. */
typedef struct lutc_block_type {
  uint32_t number; /* of ggml, and in files */
  const char *name;
  uint32_t elements, bytes; /* of a block */
  const char *format;       /* of ternary types the finest: w158 and w158r hold weights that share scales */
  lutc_unpack_codes *codes;
  uint32_t scale_at;                /* bytes from the begin of a block */
  uint32_t scale_bytes, scales;     /* bytes of one; of a block */
  int32_t minimum_at;               /* of an f16; -1: there is none */
  lutc_unpack_multiples *multiples; /* null: there are no subgroups */
  uint32_t subgroup;
  uint32_t traits; /* LUTC_TERNARY .. */
} lutc_block_type;

/* The type with ggml's number; null where no format holds it. */
const lutc_block_type *lutc_find_block_type(uint32_t number);
/* All of them. */
const lutc_block_type *lutc_block_types(size_t *count);

/* The scales of blocks, of the type that their format has. */
void lutc_unpack_scales(const lutc_block_type *type, const uint8_t *blocks, size_t count, uint8_t *scales);
/* The f16 minimums of blocks whose type has them: K-blocks subtract theirs, so that they are negated. */
void lutc_unpack_minimums(const lutc_block_type *type, const uint8_t *blocks, size_t count,
                          uint16_t *minimums);

#ifdef __cplusplus
}
#endif
#endif
