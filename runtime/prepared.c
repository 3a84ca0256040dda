/* prepared.c: a kernel in two calls: activations, then products that share them. */
#include "program.h"

#include <string.h>

/* Of the operands and stages of a kernel: what prepares comes first (lutc_program.stages). */
static const lutc_stage *stage_of(const lutc_program *program, int prepares) {
  return &program->stages[prepares ? 0 : 1];
}

static const lutc_slot *slot_of(const lutc_program *program, const lutc_stage *stage, int place) {
  return &program->slots[stage->slots[place]];
}

/* Prepared activations of m tokens; the rows of a source follow those of a block. */
static size_t activations_bytes(const lutc_program *program, size_t m) {
  const lutc_slot *prepared = slot_of(program, stage_of(program, 1), LUTC_STAGE_RESULT);
  return lutc_round_up(m * prepared->size + prepared->fixed, LUTC_ALIGNMENT);
}

static size_t prepared_bytes_of(const lutc_program *program, size_t m) {
  const lutc_slot *buffer = slot_of(program, stage_of(program, 1), LUTC_STAGE_BUFFER);
  const int is_own = buffer != slot_of(program, stage_of(program, 1), LUTC_STAGE_RESULT);
  return activations_bytes(program, m) + (is_own ? lutc_min(m, program->token_block) * buffer->size : 0);
}

size_t lutc_prepared_bytes(const lutc_kernel *kernel, size_t m) {
  const lutc_variant_code *code = kernel != NULL && !lutc_is_open(kernel) ? lutc_kernel_code(kernel) : NULL;
  return code != NULL && m != 0 ? prepared_bytes_of(code->program, m) : 0;
}

int lutc_shares_prepared(const lutc_kernel *kernel, const lutc_kernel *other) {
  if (kernel == NULL || other == NULL || kernel->info.k != other->info.k || lutc_is_open(kernel) ||
      lutc_is_open(other))
    return 0;
  const lutc_variant_code *a = lutc_kernel_code(kernel), *b = lutc_kernel_code(other);
  if (a == NULL || b == NULL)
    return 0;
  const lutc_stage *first = stage_of(a->program, 1), *second = stage_of(b->program, 1);
  return a->body->prepared_id == b->body->prepared_id && first->run == second->run && !a->body->has_columns &&
         !b->body->has_columns && a->program->token_block == b->program->token_block &&
         first->shape->k_padded == second->shape->k_padded &&
         (!a->body->reorders || first->shape->unpack_tokens == second->shape->unpack_tokens);
}

/* An operand of a stage, which advances by the tokens of each block. */
typedef struct moving_operand {
  int place;
  const void *data;
  size_t stride;      /* elements */
  size_t token_bytes; /* 0: the same for every block */
} moving_operand;

static lutc_status run_stage(const lutc_program *program, const lutc_stage *stage, size_t m,
                             const moving_operand *moving, size_t count, const lutc_parallel *parallel) {
  lutc_call c;
  memset(&c, 0, sizeof c);
  c.program = program;
  c.parallel = parallel;
  c.stages = stage;
  c.stages_end = stage + 1;
  for (size_t token = 0; token < m && c.status == LUTC_OK; token += c.m) {
    c.m = lutc_min(m - token, program->token_block);
    for (size_t i = 0; i < count; ++i)
      c.operands[stage->slots[moving[i].place]] =
          (lutc_operand){(const uint8_t *)moving[i].data + token * moving[i].token_bytes, moving[i].stride};
    lutc_run_phase(&c);
  }
  return c.status;
}

static lutc_status check_call(const lutc_kernel *kernel, const lutc_variant_code **code) {
  if (lutc_is_open(kernel))
    return LUTC_BAD_SHAPE;
  *code = lutc_kernel_code(kernel);
  return *code != NULL ? LUTC_OK : LUTC_UNSUPPORTED_CPU;
}

static lutc_status check_rows(const void *rows, size_t m, size_t row, size_t stride) {
  if (!lutc_is_aligned(rows, sizeof(float)))
    return LUTC_MISALIGNED;
  return lutc_rows_fit(rows, m, row, stride, sizeof(float)) ? LUTC_OK : LUTC_BAD_STRIDE;
}

static lutc_status check_weights(const lutc_kernel *kernel, const lutc_variant_code *code,
                                 const void *packed) {
  if (packed == NULL)
    return LUTC_NULL_POINTER;
  if (!lutc_is_aligned(packed, LUTC_ALIGNMENT))
    return LUTC_MISALIGNED;
  return lutc_check_header(&kernel->info, code, packed);
}

lutc_status lutc_prepare(const lutc_kernel *kernel, size_t m, const float *x, size_t ldx, const void *packed,
                         void *prepared, size_t prepared_bytes, const lutc_parallel *parallel) {
  if (kernel == NULL)
    return LUTC_NULL_POINTER;
  if (m == 0)
    return LUTC_OK;
  if (x == NULL || prepared == NULL || (parallel != NULL && parallel->run == NULL))
    return LUTC_NULL_POINTER;
  const lutc_variant_code *code;
  lutc_status status = check_call(kernel, &code);
  if (status == LUTC_OK && !lutc_is_aligned(prepared, LUTC_ALIGNMENT))
    status = LUTC_MISALIGNED;
  if (status == LUTC_OK)
    status = check_rows(x, m, kernel->info.k, ldx);
  if (status == LUTC_OK && prepared_bytes < prepared_bytes_of(code->program, m))
    status = LUTC_BUFFER_TOO_SMALL;
  if (status == LUTC_OK && code->body->has_columns)
    status = check_weights(kernel, code, packed);
  if (status != LUTC_OK)
    return status;
  const lutc_program *program = code->program;
  const lutc_stage *stage = stage_of(program, 1);
  const size_t token_bytes = slot_of(program, stage, LUTC_STAGE_RESULT)->size;
  const uint8_t *columns = packed != NULL ? (const uint8_t *)packed + sizeof(lutc_packed_header) : NULL;
  const moving_operand operands[] = {{LUTC_STAGE_BUFFER, (uint8_t *)prepared + activations_bytes(program, m),
                                      slot_of(program, stage, LUTC_STAGE_BUFFER)->size / sizeof(float), 0},
                                     {LUTC_STAGE_RESULT, prepared, token_bytes / sizeof(float), token_bytes},
                                     {LUTC_STAGE_X, x, ldx, ldx * sizeof(float)},
                                     {LUTC_STAGE_X + 1, columns, 0, 0}};
  return run_stage(program, stage, m, operands, code->body->has_columns ? 4 : 3, parallel);
}

lutc_status lutc_run_prepared(const lutc_kernel *kernel, size_t m, const void *prepared,
                              size_t prepared_bytes, const void *packed, float *y, size_t ldy, void *scratch,
                              size_t scratch_bytes, const lutc_parallel *parallel) {
  if (kernel == NULL)
    return LUTC_NULL_POINTER;
  if (m == 0)
    return LUTC_OK;
  if (prepared == NULL || packed == NULL || y == NULL || scratch == NULL ||
      (parallel != NULL && parallel->run == NULL))
    return LUTC_NULL_POINTER;
  const lutc_variant_code *code;
  lutc_status status = check_call(kernel, &code);
  if (status == LUTC_OK &&
      (!lutc_is_aligned(prepared, LUTC_ALIGNMENT) || !lutc_is_aligned(scratch, LUTC_ALIGNMENT)))
    status = LUTC_MISALIGNED;
  if (status == LUTC_OK)
    status = check_rows(y, m, kernel->info.n, ldy);
  if (status == LUTC_OK &&
      (prepared_bytes < prepared_bytes_of(code->program, m) || scratch_bytes < lutc_scratch_bytes(kernel, m)))
    status = LUTC_BUFFER_TOO_SMALL;
  if (status == LUTC_OK)
    status = check_weights(kernel, code, packed);
  if (status != LUTC_OK)
    return status;
  const lutc_program *program = code->program;
  const lutc_stage *stage = stage_of(program, 0);
  const lutc_slot *carried = slot_of(program, stage, LUTC_STAGE_BUFFER);
  const size_t token_bytes = slot_of(program, stage, LUTC_STAGE_X)->size;
  const moving_operand operands[] = {
      {LUTC_STAGE_BUFFER, scratch, carried->size / sizeof(float), 0},
      {LUTC_STAGE_RESULT, y, ldy, ldy * sizeof(float)}, /* which may be where sums are carried */
      {LUTC_STAGE_X, prepared, token_bytes / sizeof(float), token_bytes},
      {LUTC_STAGE_WEIGHTS, (const uint8_t *)packed + sizeof(lutc_packed_header), 0, 0}};
  return run_stage(program, stage, m, operands, 4, parallel);
}
