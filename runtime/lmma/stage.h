/* stage.h: a stage of a library whose code is programs of the LUT-instruction machine. The compiler emits one
   lutc_lmma_stage per stage as constant data. */
#ifndef LUTC_LMMA_STAGE_H
#define LUTC_LMMA_STAGE_H

#include "lutc.h"

/* A buffer of the programs: rows for the tokens, or one row for all. */
typedef struct lutc_lmma_buffer {
  uint32_t slot; /* of the stage's operands */
  uint32_t per_token, writable;
  uint32_t element_bytes; /* of the operand's stride */
  uint64_t row_bytes;
} lutc_lmma_buffer;

typedef struct lutc_lmma_stage {
  uint64_t program_count, buffer_count;
  const void *const *programs; /* by ascending tile_m */
  const lutc_lmma_buffer *buffers;
} lutc_lmma_stage;

/* Registers of all warps and scratchpad of such a program, which lie on the stack. */
enum { LUTC_LMMA_WORKSPACE = 128 << 10 };

/* Runs block columns [begin, end) for m tokens with the last program whose tile they fill, or with the first.
 */
lutc_status lutc_lmma_run_stage(const lutc_lmma_stage *stage, const lutc_operand *operands, size_t m,
                                size_t begin, size_t end);

#endif
