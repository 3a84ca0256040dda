/* run.c: kernels and groups: checks, then blocks of tokens through the stages of a program, in parallel. */
#include "program.h"

#include <string.h>

/* Tasks for each thread: enough to even out threads that start late or run on slower cores. */
enum { TASKS_PER_THREAD = 4 };

static size_t scratch_bytes_of(const lutc_program *program, size_t m) {
  return lutc_min(m, program->token_block) * program->scratch_bytes + program->fixed_bytes;
}

size_t lutc_packed_bytes(const lutc_kernel *kernel) {
  const lutc_variant_info *variant = lutc_kernel_variant(kernel);
  return variant != NULL ? variant->packed_bytes : 0;
}

size_t lutc_scratch_bytes(const lutc_kernel *kernel, size_t m) {
  const lutc_variant_code *code = kernel != NULL && !lutc_is_open(kernel) ? lutc_kernel_code(kernel) : NULL;
  return code != NULL ? scratch_bytes_of(code->program, m) : 0;
}

size_t lutc_group_scratch_bytes(const lutc_group *group, size_t m) {
  const lutc_program *program = group != NULL ? lutc_group_program(group) : NULL;
  return program != NULL ? scratch_bytes_of(program, m) : 0;
}

size_t lutc_library_scratch_bytes(const lutc_library *library, size_t m) {
  size_t bytes = 0;
  for (size_t i = 0; library != NULL && i < library->kernel_count; ++i)
    bytes = lutc_max(bytes, lutc_scratch_bytes(library->kernels[i], m));
  for (size_t i = 0; library != NULL && i < library->group_count; ++i)
    bytes = lutc_max(bytes, lutc_group_scratch_bytes(library->groups[i], m));
  return bytes;
}

/* What a stage's range runs over. */
static size_t items_of(const lutc_call *c, const lutc_stage *stage) {
  if (!stage->routed)
    return stage->prepares ? c->m : stage->shape->tiles;
  return stage->prepares ? c->pairs.count : stage->shape->tiles * c->pairs.segment_count;
}

/* Tiles [begin, end) of a product, panel by panel. */
static lutc_status run_tiles(const lutc_operand *operands, const lutc_stage *stage, size_t m, size_t begin,
                             size_t end) {
  const size_t panel = stage->shape->panel;
  lutc_status status = LUTC_OK;
  while (begin < end && status == LUTC_OK) {
    const size_t last = lutc_min(end, begin - begin % panel + panel);
    status = stage->run(operands, stage, m, begin, last);
    begin = last;
  }
  return status;
}

/* A routed product: the tiles of each segment. */
static lutc_status run_segments(const lutc_call *c, const lutc_stage *stage, size_t begin, size_t end) {
  lutc_operand operands[LUTC_MAX_SLOTS];
  lutc_status status = LUTC_OK;
  const size_t tiles = stage->shape->tiles;
  while (begin < end && status == LUTC_OK) {
    const lutc_segment *segment = &c->pairs.segments[begin / tiles];
    const size_t first = begin % tiles, last = lutc_min(first + (end - begin), tiles);
    lutc_segment_operands(c, segment, operands);
    status = run_tiles(operands, stage, segment->count, first, last);
    begin += last - first;
  }
  return status;
}

static void keep_status(lutc_call *c, lutc_status status) {
  if (status != LUTC_OK)
    __atomic_store_n(&c->status, status, __ATOMIC_RELAXED);
}

/* Where two tasks meet in the tiles of a product: between panels, where there is one for each thread. */
static size_t meet(const lutc_call *c, const lutc_stage *stage, size_t tile) {
  const size_t tiles = stage->shape->tiles, panel = stage->shape->panel;
  const size_t threads = c->parallel != NULL ? c->parallel->threads : 1;
  if (tile >= tiles)
    return tiles;
  return lutc_divide_up(tiles, panel) >= threads ? tile - tile % panel : tile;
}

/* The part of each stage that falls in the task's share of all items. */
static void phase_task(void *argument, size_t task) {
  lutc_call *c = argument;
  size_t begin = lutc_share(c, task), end = lutc_share(c, task + 1);
  for (const lutc_stage *stage = c->stages; stage != c->stages_end && end != 0; ++stage) {
    const size_t items = items_of(c, stage);
    if (begin < items && stage->routed && !stage->prepares)
      keep_status(c, run_segments(c, stage, begin, lutc_min(end, items)));
    else if (begin < items && stage->prepares)
      keep_status(c, stage->run(c->operands, stage, c->m, begin, lutc_min(end, items)));
    else if (begin < items)
      keep_status(c, run_tiles(c->operands, stage, c->m, meet(c, stage, begin), meet(c, stage, end)));
    begin -= lutc_min(begin, items);
    end -= lutc_min(end, items);
  }
}

void lutc_spread(lutc_call *c, size_t items, void (*task)(void *, size_t)) {
  const size_t threads = c->parallel != NULL ? c->parallel->threads : 1;
  c->items = items;
  if (threads <= 1) {
    c->tasks = 1;
    task(c, 0);
  } else { /* also for one task: threads that all make the call stay in step */
    c->tasks = threads < items / TASKS_PER_THREAD ? threads * TASKS_PER_THREAD : items;
    c->parallel->run(c->parallel->context, c->tasks, task, c);
  }
}

void lutc_run_phase(lutc_call *c) {
  size_t items = 0;
  for (const lutc_stage *stage = c->stages; stage != c->stages_end; ++stage)
    items += items_of(c, stage);
  lutc_spread(c, items, phase_task);
}

/* Of rows and vectors. */
static size_t element_bytes(const lutc_slot *slot) { return lutc_type_bytes((lutc_type)slot->type); }

static int has_rows(const lutc_slot *slot) {
  return slot->kind == LUTC_ROWS || slot->kind == LUTC_RESULT || slot->kind == LUTC_ROUTES;
}

/* Operands for the block that starts at `token`. */
static void place_operands(lutc_call *c, size_t token) {
  const lutc_operand *given = c->given;
  uint8_t *scratch = c->scratch;
  for (size_t i = 0; i < c->program->slot_count; ++i) {
    const lutc_slot *slot = &c->program->slots[i];
    lutc_operand *operand = &c->operands[i];
    if (slot->kind == LUTC_SCRATCH) {
      *operand = (lutc_operand){scratch, slot->size / sizeof(float)};
      scratch += c->m * slot->size * (slot->routed ? c->program->routing->top : 1) + slot->fixed;
      continue;
    }
    *operand = *given++;
    if (slot->kind == LUTC_WEIGHTS)
      operand->data = (const uint8_t *)operand->data + sizeof(lutc_packed_header);
    else if (has_rows(slot))
      operand->data = (const uint8_t *)operand->data + token * operand->stride * element_bytes(slot);
  }
}

static lutc_status run_block(lutc_call *c, size_t token) {
  const lutc_stage *end = c->program->stages + c->program->stage_count;
  int routed = 0;
  place_operands(c, token);
  for (c->stages = c->program->stages; c->stages != end; c->stages = c->stages_end) {
    if (c->stages->routed && !routed) {
      const lutc_status status = lutc_route(c);
      if (status != LUTC_OK)
        return status;
      routed = 1;
    }
    c->stages_end = c->stages;
    while (c->stages_end != end && c->stages_end->phase == c->stages->phase)
      ++c->stages_end;
    lutc_run_phase(c);
    if (c->status != LUTC_OK)
      return c->status;
  }
  if (routed)
    lutc_combine(c);
  return LUTC_OK;
}

/* One check of every operand that the caller gives. */
typedef lutc_status (*operand_check)(const lutc_slot *slot, const lutc_operand *operand, size_t m);

static lutc_status check_null(const lutc_slot *slot, const lutc_operand *operand, size_t m) {
  (void)slot, (void)m;
  return operand->data != NULL ? LUTC_OK : LUTC_NULL_POINTER;
}

static lutc_status check_alignment(const lutc_slot *slot, const lutc_operand *operand, size_t m) {
  (void)m;
  const size_t alignment = slot->kind == LUTC_WEIGHTS   ? LUTC_ALIGNMENT
                           : slot->kind == LUTC_EXPERTS ? sizeof(void *)
                                                        : element_bytes(slot);
  return lutc_is_aligned(operand->data, alignment) ? LUTC_OK : LUTC_MISALIGNED;
}

static lutc_status check_stride(const lutc_slot *slot, const lutc_operand *operand, size_t m) {
  if (!has_rows(slot))
    return LUTC_OK;
  return lutc_rows_fit(operand->data, m, slot->size, operand->stride, element_bytes(slot)) ? LUTC_OK
                                                                                           : LUTC_BAD_STRIDE;
}

static lutc_status check_weights(const lutc_slot *slot, const lutc_operand *operand, size_t m) {
  (void)m;
  if (slot->kind != LUTC_WEIGHTS)
    return LUTC_OK;
  return lutc_check_header(&slot->kernel->info, lutc_kernel_code(slot->kernel), operand->data);
}

static lutc_status check_operands(const lutc_call *c, operand_check check, size_t m) {
  const lutc_operand *operand = c->given;
  for (size_t i = 0; i < c->program->slot_count; ++i) {
    const lutc_slot *slot = &c->program->slots[i];
    if (slot->kind == LUTC_SCRATCH)
      continue;
    const lutc_status status = check(slot, operand++, m);
    if (status != LUTC_OK)
      return status;
  }
  return LUTC_OK;
}

/* What the caller gives for a slot. */
static const lutc_operand *given_operand(const lutc_call *c, uint32_t slot) {
  const lutc_operand *operand = c->given;
  for (uint32_t i = 0; i < slot; ++i)
    operand += c->program->slots[i].kind != LUTC_SCRATCH;
  return operand;
}

/* In the order of lutc_status, but that routes are read last. */
static lutc_status check_call(const lutc_call *c, size_t m) {
  lutc_status status = check_operands(c, check_null, m);
  if (status != LUTC_OK)
    return status;
  if (c->scratch == NULL || (c->parallel != NULL && c->parallel->run == NULL))
    return LUTC_NULL_POINTER;
  status = check_operands(c, check_alignment, m);
  if (status != LUTC_OK)
    return status;
  if (!lutc_is_aligned(c->scratch, LUTC_ALIGNMENT))
    return LUTC_MISALIGNED;
  status = check_operands(c, check_stride, m);
  if (status != LUTC_OK)
    return status;
  if (c->scratch_bytes < scratch_bytes_of(c->program, m))
    return LUTC_BUFFER_TOO_SMALL;
  status = check_operands(c, check_weights, m);
  if (status != LUTC_OK || c->program->routing == NULL)
    return status;
  return lutc_check_routes(c->program->routing, given_operand(c, c->program->routing->experts), m);
}

static lutc_status run_program(const lutc_program *program, size_t m, const lutc_operand *operands,
                               void *scratch, size_t scratch_bytes, const lutc_parallel *parallel) {
  lutc_call c;
  memset(&c, 0, sizeof c);
  c.program = program;
  c.given = operands;
  c.scratch = scratch;
  c.scratch_bytes = scratch_bytes;
  c.parallel = parallel;
  lutc_status status = check_call(&c, m);
  for (size_t token = 0; token < m && status == LUTC_OK; token += c.m) {
    c.m = lutc_min(m - token, program->token_block);
    status = run_block(&c, token);
  }
  return status;
}

lutc_status lutc_run(const lutc_kernel *kernel, size_t m, const float *x, size_t ldx, const void *packed,
                     float *y, size_t ldy, void *scratch, size_t scratch_bytes,
                     const lutc_parallel *parallel) {
  if (kernel == NULL)
    return LUTC_NULL_POINTER;
  if (m == 0)
    return LUTC_OK;
  if (lutc_is_open(kernel))
    return LUTC_BAD_SHAPE;
  const lutc_variant_code *code = lutc_kernel_code(kernel);
  if (code == NULL)
    return LUTC_UNSUPPORTED_CPU;
  const lutc_operand operands[] = {{x, ldx}, {packed, 0}, {y, ldy}};
  return run_program(code->program, m, operands, scratch, scratch_bytes, parallel);
}

lutc_status lutc_run_group(const lutc_group *group, size_t m, const lutc_operand *operands, void *scratch,
                           size_t scratch_bytes, const lutc_parallel *parallel) {
  if (group == NULL || operands == NULL)
    return LUTC_NULL_POINTER;
  if (m == 0)
    return LUTC_OK;
  const lutc_program *program = lutc_group_program(group);
  if (program == NULL)
    return LUTC_UNSUPPORTED_CPU;
  return run_program(program, m, operands, scratch, scratch_bytes, parallel);
}
