/* run.c: one kernel call: checks, then blocks of tokens, each prepared and then multiplied in parallel. */
#include "internal.h"

/* Tasks for each thread: enough to even out threads that start late or run on slower cores. */
enum { TASKS_PER_THREAD = 4 };

/* Scratch: [tokens][prepared_bytes]. */
static size_t scratch_bytes_of(const lutc_variant_code *code, size_t m) {
  return lutc_round_up(lutc_min(m, code->token_block) * code->prepared_bytes, LUTC_ALIGNMENT);
}

size_t lutc_packed_bytes(const lutc_kernel *kernel) {
  const lutc_variant_info *variant = lutc_kernel_variant(kernel);
  return variant != NULL ? variant->packed_bytes : 0;
}

size_t lutc_scratch_bytes(const lutc_kernel *kernel, size_t m) {
  const lutc_variant_code *code = kernel != NULL ? lutc_kernel_code(kernel) : NULL;
  return code != NULL ? scratch_bytes_of(code, m) : 0;
}

/* One block of tokens on its way through a kernel. */
typedef struct block {
  const lutc_variant_code *code;
  size_t m;
  const float *x;
  size_t ldx;
  const uint8_t *payload;
  float *y;
  size_t ldy;
  uint8_t *prepared;
  size_t items, tasks; /* what the current phase divides: tokens or tiles; into how many tasks */
} block;

static void prepare_task(void *argument, size_t task) {
  const block *b = argument;
  const size_t begin = b->items * task / b->tasks, end = b->items * (task + 1) / b->tasks;
  b->code->prepare(b->x + begin * b->ldx, b->ldx, end - begin, b->prepared + begin * b->code->prepared_bytes);
}

static void compute_task(void *argument, size_t task) {
  const block *b = argument;
  const size_t begin = b->items * task / b->tasks, end = b->items * (task + 1) / b->tasks;
  b->code->compute(b->prepared, b->m, b->payload, b->y, b->ldy, begin, end);
}

static void spread(block *b, size_t items, void (*task)(void *, size_t), const lutc_parallel *parallel) {
  const size_t threads = parallel != NULL ? parallel->threads : 1;
  b->items = items;
  if (threads <= 1)
    b->tasks = 1;
  else
    b->tasks = threads < items / TASKS_PER_THREAD ? threads * TASKS_PER_THREAD : items;
  if (b->tasks == 1)
    task(b, 0);
  else
    parallel->run(parallel->context, b->tasks, task, b);
}

/* Everything but the kernel and m, in the order of lutc_status. */
static lutc_status check_call(const lutc_kernel *kernel, const lutc_variant_code *code, const block *call,
                              size_t scratch_bytes, const lutc_parallel *parallel) {
  const lutc_kernel_info *info = &kernel->info;
  const void *packed = call->payload, *scratch = call->prepared;
  if (call->x == NULL || packed == NULL || call->y == NULL || scratch == NULL ||
      (parallel != NULL && parallel->run == NULL))
    return LUTC_NULL_POINTER;
  if (!lutc_is_aligned(packed, LUTC_ALIGNMENT) || !lutc_is_aligned(scratch, LUTC_ALIGNMENT) ||
      !lutc_is_aligned(call->x, sizeof(float)) || !lutc_is_aligned(call->y, sizeof(float)))
    return LUTC_MISALIGNED;
  if (!lutc_rows_fit(call->x, call->m, info->k, call->ldx, sizeof(float)) ||
      !lutc_rows_fit(call->y, call->m, info->n, call->ldy, sizeof(float)))
    return LUTC_BAD_STRIDE;
  if (code == NULL)
    return LUTC_UNSUPPORTED_CPU;
  if (scratch_bytes < scratch_bytes_of(code, call->m))
    return LUTC_BUFFER_TOO_SMALL;
  return lutc_check_header(info, code, packed);
}

lutc_status lutc_run(const lutc_kernel *kernel, size_t m, const float *x, size_t ldx, const void *packed,
                     float *y, size_t ldy, void *scratch, size_t scratch_bytes,
                     const lutc_parallel *parallel) {
  if (kernel == NULL)
    return LUTC_NULL_POINTER;
  if (m == 0)
    return LUTC_OK;
  const lutc_variant_code *code = lutc_kernel_code(kernel);
  block b = {code, m, x, ldx, packed, y, ldy, scratch, 0, 0};
  const lutc_status status = check_call(kernel, code, &b, scratch_bytes, parallel);
  if (status != LUTC_OK)
    return status;

  const size_t tiles = lutc_divide_up(kernel->info.n, code->layout.tile_rows);
  b.payload += sizeof(lutc_packed_header);
  for (size_t token = 0; token < m; token += b.m) {
    b.m = lutc_min(m - token, code->token_block);
    b.x = x + token * ldx;
    b.y = y + token * ldy;
    spread(&b, b.m, prepare_task, parallel);
    spread(&b, tiles, compute_task, parallel);
  }
  return LUTC_OK;
}
