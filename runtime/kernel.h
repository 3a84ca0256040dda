/* kernel.h: the contract between generated code and the runtime. Not for users. The compiler fills these
   structs, one lutc_kernel for each kernel, and emits them as constant data. */
#ifndef LUTC_KERNEL_H
#define LUTC_KERNEL_H

#include "lutc.h"

/* CPU features a variant needs; bits of lutc_cpu_features(). */
enum {
  LUTC_CPU_AVX2 = 1u << 0,       /* AVX2, F16C */
  LUTC_CPU_AVX512BW = 1u << 1,   /* F, BW, VL, DQ and the above */
  LUTC_CPU_AVX512VBMI = 1u << 2, /* VBMI, VNNI, GFNI and the above */
};

/* How the bits of weights are placed in the vectors of the packed stream. A vector has `vector_bytes` = V
   bytes; a chunk covers `chunk_k` consecutive k of V/4 (DOT, QUAD) or V (COLUMN, BASE3) rows.
     DOT     byte b: row b/4, k = 4q + b%4 for the 8 quads q of a chunk. chunk_k = 32, one vector for each bit
             of a code. With c = 8/bits and r = 8%bits: bits [0, 8-r) of vector v are the whole codes of quads
             cv .. cv+c-1. The r highest bits of all vectors, in ascending order, hold the last r quads: first
             the r highest bits of each, then the bits-r lower ones of each.
     QUAD    byte b: row b/4; bit f: k = 16(f/4) + 4(b%4) + f%4 of one bit plane. chunk_k = 32, one vector
             a plane.
     COLUMN  byte b: row (V/4)(b%4) + b/4; bit f: k = f of one bit plane. chunk_k = 8, one vector a plane.
     BASE3   byte b: row as COLUMN; bits 0..6 = |v|, bit 7 = v < 0, v = sum_{e<5} 3^e w[5t + e].
             chunk_k = 5.
     BOOK    vectors of a code book, of V/4 rows for each row vector, one row vector after the other: u32 of
             the numbers of vectors 0 .. 3, their lower 8 bits; with vectors of four k another one of 4 .. 7;
             with signs u32, bit q of byte j: k = 4q + j; the rest of u8 or u16: the numbers' higher bits,
             vector after vector, the shifts, where book.h says so the multiple. Of even signs the last of
             eight is left out, and these four bits have the rest. chunk_k = 32, `bits` bytes a row.
   On a LUT-instruction machine (lmma/lmma.h) a chunk holds the fragments of R warps, one after the other,
   each of 2V rows, two rows a byte, the lower row in the lower half: NIBBLES [plane][8 units of 4 k]: bit 3 =
   the bit s of the last k, bits 0..2 = those of the others, inverted where s = 1. chunk_k = 32. TRITS   [8
   units of 3 k]: |v|, v = sum_{e<3} 3^e w[3t + e]; then a bit for each unit and row, v < 0, eight rows a
   byte. chunk_k = 24. */
typedef enum lutc_layout_kind {
#define LUTC_LAYOUT_ROW(KIND, ...) LUTC_LAYOUT_##KIND,
#include "layouts.def"
  LUTC_LAYOUT_KINDS
} lutc_layout_kind;

typedef struct lutc_layout_facts {
  uint32_t chunk_k, chunk_quarters, quarter_rows, trits;
} lutc_layout_facts;

extern const lutc_layout_facts lutc_layout_kinds[LUTC_LAYOUT_KINDS]; /* chunk.c */

/* Stream: [panel][k block][tile of tile_rows rows][group][chunk][vector of the chunk, or plane][row vector
   r]. A panel is a few tiles (lutc_panel_tiles in shape.h).
   In grouped formats each group is followed by tile_rows scales of the kernel's scale_type, then, in formats
   that have them, tile_rows u8 zero points or minimums of that type. Two groups of 16 share a chunk: what
   follows it is the first group's, then the second's. Where the whole row shares a scale, the k of one block
   stand in place of a group. With subgroups the chunks of a group come after their multiples:
   value v = [subgroup][scale, then minimum][row of the tile], V of them, each of the format's bits,
   signed ones plus 2^(bits - 1), odd ones halved; none of them where layout BOOK has them. Of 8 bits a byte
   each. Else V/2 bytes have the four lower bits, byte v mod V/2 from bit 4 (v div V/2) on; then, of 6 bits,
   V/4 bytes the two upper ones, byte v mod V/4 from bit 2 (v div V/4) on. Tail, after the stream, where the
   whole row shares a scale: f32 scale[n_padded], then, with zero points, i32 zero[n_padded]; then, in BASE3,
   i32 negatives[n_padded] (bytes of the row with bit 7 set). At the end, where columns are permuted: i32
   columns[k_padded], 0 from k on. n_padded = n rounded up to tile_rows; k is padded with code 0 (BASE3: trit
   0) to k_padded. The last k block and the last group end there. Padded rows, and groups and subgroups behind
   the last, have code 0 (BASE3: trit 0); their scales, zero points, minimums and multiples are bytes of 0. */
typedef struct lutc_layout {
  uint32_t kind;         /* lutc_layout_kind */
  uint32_t vector_bytes; /* V: 16, 32 or 64 */
  uint32_t row_vectors;  /* vectors of rows in a tile: R */
  uint32_t tile_rows;    /* R * V/4, R * V or R * 2V */
  uint32_t bits;         /* of a code; BASE3, TRITS: 1; BOOK: bytes of a row and chunk. Vectors of a chunk for
                            each row vector, but for BOOK */
  uint32_t group;        /* weights that share a scale; 0: the whole row, scales in the tail */
  uint32_t k_block;  /* k of one block; a multiple of chunk_k, and of group where there are several blocks */
  uint32_t k_padded; /* a multiple of chunk_k */
} lutc_layout;

/* What the stages of a program read and write, by index: the caller's operands, and scratch. Stages get the
   address of weights past their header. */
enum { LUTC_SCRATCH = LUTC_EXPERTS + 1 /* `size` bytes for each token of a block, and `fixed` bytes */ };

typedef struct lutc_slot {
  uint32_t kind;   /* lutc_operand_kind or LUTC_SCRATCH */
  uint32_t routed; /* scratch: 1: for each pair of a token and one of its experts */
  uint32_t type;   /* lutc_type, of a result */
  size_t size;
  const lutc_kernel *kernel;
  size_t fixed; /* a few tokens may take more than `size` bytes each */
} lutc_slot;

/* Where the prepared activations of a token lie, in bytes from their start: integers, f32 scales of groups,
   i32 sums of groups, i32 or i16 of subgroups; tables come first. */
typedef struct lutc_prepared {
  uint64_t values, scales, sums, bytes;
} lutc_prepared;

/* What the code of a product knows: nothing of n and k. Bytes unless said otherwise. */
typedef struct lutc_body {
  lutc_layout layout; /* k_block: of most blocks, 0: all of k; k_padded: k is padded to multiples of it */
  uint32_t chunk_k, chunk_bytes; /* of a tile */
  uint32_t span; /* k: whole chunks with the scales behind them, a group or two of half a chunk; 0: a row */
  uint32_t row_scale_bytes; /* scale, zero point and minimum of a row and group */
  uint32_t subgroup;        /* k that share a multiple of the scale; 0: there are none */
  uint32_t multiple_bytes;  /* of a tile and group */
  uint32_t has_zero_points, has_negatives, has_columns;
  uint32_t unit, table_bytes; /* k of a table; all its digits. 0: no tables */
  uint32_t value_bytes;       /* of a prepared integer */
  int32_t sum_factor; /* of the sum of activations in a sum of unpacked codes: the smallest value of a code */
  uint32_t reorders;  /* 1: blocks of unpacked codes need a copy of the integers in place of the tables */
  uint32_t prepared_id;             /* equal ids and k: the same prepared bytes */
  uint32_t most_k;                  /* of a row whose sums fit 32 bits; 0: any */
  uint32_t token_block;             /* tokens that are prepared, then multiplied */
  uint32_t unpack_tokens, unpack_k; /* codes are unpacked in blocks of so many tokens or more (0: never), of
                                       so many k at a time */
} lutc_body;

/* What code reads of a product's n and k, and of what formats that share code differ in (lutc_shape_of in
   shape.h). Bytes unless said otherwise. */
typedef struct lutc_shape {
  uint64_t n, k, k_padded;
  uint64_t row_k; /* k_padded rounded up to whole vectors: what preparing a token reads */
  uint64_t k_block, k_blocks;
  uint64_t groups;       /* of prepared activations; 1 where the whole row shares a scale */
  uint64_t tiles, panel; /* tiles of a panel; the last one may have fewer */
  uint64_t tile_bytes, last_tile_bytes,
      tile_stream; /* of a tile in a k block, in the last one, in all of k */
  uint64_t scale_offset, zero_offset, negatives_offset, columns_offset, payload_bytes;
  uint64_t span, spans, block_spans;     /* k of a span; of the row and of a k block; 0: spans are rows */
  uint64_t span_bytes, span_scales;      /* of a tile; the scales of a span: from its begin on */
  uint64_t sum_factor;                   /* of lutc_body, an int64_t */
  uint64_t unpack_tokens;                /* UINT64_MAX: never */
  uint64_t unpack_blocks, unpack_rounds; /* k blocks at a time, and how many times */
  lutc_prepared few, many;               /* of a token in blocks of fewer than unpack_tokens, and of others */
} lutc_shape;

typedef struct lutc_stage lutc_stage;

/* A stage prepares the activations of tokens [begin, end) of a block of m tokens, or computes the rows of
   tiles [begin, end) of one panel for all of them. Operands of tokens point to the block's first; parallel
   calls write what belongs to their own range. Generated code for a CPU returns LUTC_OK. */
typedef lutc_status lutc_stage_function(const lutc_operand *operands, const lutc_stage *stage, size_t m,
                                        size_t begin, size_t end);
/* The activations of a token as f32 [row_k], 0 from k on, in the stage's buffer. */
typedef const float *lutc_source_function(const lutc_operand *operands, const lutc_stage *stage,
                                          size_t token);
/* What follows a product: finishes the results of rows [row, row + rows) of `count` tokens from `token` on,
   which lie `stride` elements apart, and stores them. */
typedef void lutc_finish_function(const lutc_operand *operands, const lutc_stage *stage, const float *results,
                                  size_t stride, size_t token, size_t count, size_t row, size_t rows);

/* Operands of a stage, by place in `slots`. */
enum {
  LUTC_STAGE_RESULT,   /* prepared activations; Y */
  LUTC_STAGE_BUFFER,   /* a source's; a product's sums between k blocks, which may be Y */
  LUTC_STAGE_X,        /* activations, then what else a source reads; of a product prepared activations */
  LUTC_STAGE_WEIGHTS,  /* of a product */
  LUTC_STAGE_OPERANDS, /* of what follows a product, from here on */
  LUTC_STAGE_SLOTS = 48
};

struct lutc_stage {
  lutc_stage_function *run;
  lutc_source_function *source; /* null: rows of x are as preparing reads them, and k is row_k */
  lutc_finish_function *finish; /* of a product */
  const lutc_shape *shape;
  uint32_t prepares; /* 1: the range is of tokens; 0: of tiles */
  uint32_t plain;    /* 1: results are stored as f32 and nothing else; whole tiles do without `finish` */
  uint32_t phase; /* ascending; stages of one phase may run at the same time, after those of the one before */
  uint32_t routed; /* 1: for pairs of tokens and experts, sorted by expert; tiles: those of each segment of
                      pairs */
  uint8_t slots[LUTC_STAGE_SLOTS]; /* of the program */
};

#define LUTC_NO_SLOT UINT32_MAX

/* Prepared activations of tokens, and the slot where those of pairs are put. */
typedef struct lutc_gather {
  uint32_t from, to;
} lutc_gather;

/* How tokens are sent to experts before the first routed stage, and come back after the last one. */
typedef struct lutc_routing {
  size_t expert_count, top;                            /* top: experts of each token */
  size_t segment_tokens;                               /* pairs of one expert that a stage takes at a time */
  uint32_t experts, gates, combined, result, residual; /* slots; residual may be LUTC_NO_SLOT */
  uint32_t gather_count;
  const lutc_gather *gathers;
} lutc_routing;

/* Blocks of tokens pass through all stages. */
typedef struct lutc_program {
  size_t token_block, scratch_bytes; /* scratch: of one token, all slots together */
  size_t fixed_bytes;                /* of any call besides: of slots, then counters of experts */
  size_t slot_count, stage_count;
  const lutc_slot
      *slots; /* at most LUTC_MAX_SLOTS; the caller's operands are all but scratch, in this order */
  const lutc_stage *stages;
  const lutc_routing *routing; /* null: nothing is routed */
} lutc_program;

#define LUTC_MAX_SLOTS LUTC_STAGE_SLOTS

/* One kernel in one variant. Where n and k are open, there are neither slots nor a shape,
   and `few` is the code for fewer than LUTC_FEW_ROWS rows, which may not pay for tables; null: the same. */
#define LUTC_FEW_ROWS 2048
typedef struct lutc_variant_code {
  lutc_variant_info info;
  lutc_layout layout;
  uint32_t layout_id; /* equal ids: interchangeable packed weights */
  const lutc_program *program;
  const lutc_body *body;
  const struct lutc_variant_code *few;
} lutc_variant_code;

typedef struct lutc_library_state {
  uint32_t chosen; /* atomic: 1 + index of the variant in use, 0 before the first choice */
} lutc_library_state;

struct lutc_kernel {
  lutc_kernel_info info;
  const lutc_library *library;
  const uint32_t *variant_features;         /* [library->variant_count] LUTC_CPU_* bits */
  const lutc_variant_code *const *variants; /* [library->variant_count], best first */
};

struct lutc_group {
  lutc_group_info info;
  const lutc_library *library;
  const lutc_program *const *programs; /* [library->variant_count], best first */
};

#ifdef __cplusplus
extern "C" {
#endif
uint32_t lutc_cpu_features(void);
/* Equal layouts have equal ids. */
uint32_t lutc_layout_id(const lutc_layout *layout);
#ifdef __cplusplus
}
#endif

/* Header of packed weights, LUTC_ALIGNMENT bytes, little-endian. */
typedef struct lutc_packed_header {
  uint8_t magic[8]; /* "LUTCPACK" */
  uint32_t version; /* LUTC_PACKED_VERSION */
  uint32_t layout_id;
  uint32_t n, k;
  char format[16]; /* "w2g128z", zero-padded; no format has a longer name */
  uint64_t payload_bytes;
  uint64_t payload_checksum;
  uint64_t header_checksum; /* of the bytes before this field */
} lutc_packed_header;

#define LUTC_PACKED_VERSION 5u

#endif
