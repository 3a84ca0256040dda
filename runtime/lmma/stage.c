/* stage.c: stages of a library that are programs of the LUT-instruction machine. */
#include "stage.h"
#include "lmma.h"

#include <stdalign.h>
#include <string.h>

static uint32_t tile_tokens(const void *program) {
  lmma_header header;
  memcpy(&header, program, sizeof header);
  return header.tile_m;
}

static lmma_buffer bind(const lutc_lmma_buffer *buffer, const lutc_operand *operands, size_t m) {
  const lutc_operand *operand = &operands[buffer->slot];
  lmma_buffer bound;
  memset(&bound, 0, sizeof bound);
  memcpy(&bound.data, &operand->data, sizeof bound.data); /* results are const in lutc_operand */
  bound.rows = buffer->per_token ? m : 1;
  bound.row_bytes = (size_t)buffer->row_bytes;
  bound.stride = operand->stride * buffer->element_bytes;
  bound.writable = (int)buffer->writable;
  return bound;
}

lutc_status lutc_lmma_run_stage(const lutc_lmma_stage *stage, const lutc_operand *operands, size_t m,
                                size_t begin, size_t end) {
  alignas(64) uint8_t workspace[LUTC_LMMA_WORKSPACE];
  lmma_buffer buffers[LMMA_MAX_BUFFERS];
  lmma_launch launch;
  const void *program = stage->programs[0];
  for (uint64_t i = 1; i < stage->program_count && tile_tokens(stage->programs[i]) <= m; ++i)
    program = stage->programs[i];
  for (uint64_t i = 0; i < stage->buffer_count; ++i)
    buffers[i] = bind(&stage->buffers[i], operands, m);
  memset(&launch, 0, sizeof launch);
  launch.buffers = buffers;
  launch.buffer_count = (size_t)stage->buffer_count;
  launch.tokens = m;
  launch.column_begin = begin;
  launch.column_end = end;
  launch.workspace = workspace;
  launch.workspace_bytes = sizeof workspace;
  return lmma_run(program, &launch, NULL, NULL) == LMMA_OK ? LUTC_OK : LUTC_MACHINE_FAULT;
}
