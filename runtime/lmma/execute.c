/* execute.c: blocks of a grid, their warps in turn from barrier to barrier. */
#include "machine.h"

/* A loop that a warp is in. */
typedef struct loop {
  size_t body; /* its first instruction */
  int64_t end; /* of its counter */
  uint8_t counter;
} loop;

typedef enum warp_state { RUNNING, WAITING, ENDED } warp_state;

typedef struct warp {
  uint64_t scalars[LMMA_SCALARS];
  loop loops[LMMA_MAX_LOOP_DEPTH];
  size_t depth, next; /* next: instruction */
  uint64_t steps;     /* instructions run or skipped */
  warp_state state;
  uint8_t *registers;
} warp;

typedef struct machine {
  lmma_header header;
  const uint8_t *instructions;
  const lmma_launch *launch;
  uint64_t limit;
  uint8_t *registers, *scratchpad; /* registers: of all warps */
  lmma_counters counters;
  int counts;         /* whether somebody asks for them */
  size_t column, row; /* of the block */
  warp warps[LMMA_MAX_WARPS];
} machine;

static lmma_instruction fetch_instruction(const machine *machine, size_t index) {
  lmma_instruction i;
  memcpy(&i, machine->instructions + index * sizeof i, sizeof i);
  return i;
}

/* The immediate as 64 bits in two's complement. */
static uint64_t extended(int32_t immediate) { return (uint64_t)(int64_t)immediate; }

static uint8_t *fragment(const warp *w, uint16_t reg) {
  return w->registers + (size_t)reg * LMMA_REGISTER_BYTES;
}

/* ---- Memory ---- */

/* Rows of bytes of a buffer; what lies past its edges has no address. */
typedef struct window {
  const lmma_buffer *buffer;
  uint64_t row, byte;
  size_t rows, bytes;
} window;

static lmma_status open_window(const machine *machine, const warp *w, const lmma_instruction *i,
                               window *window) {
  window->buffer = &machine->launch->buffers[i->reg[1]];
  window->row = w->scalars[i->scalar[0]] + extended(i->imm[0]);
  window->byte = w->scalars[i->scalar[1]] + extended(i->imm[1]);
  window->rows = (size_t)i->imm[2];
  window->bytes = (size_t)i->imm[3];
  return window->row <= INT64_MAX && window->byte <= INT64_MAX ? LMMA_OK : LMMA_BAD_ADDRESS;
}

/* Bytes of a row of the window that are inside the buffer, and where they start. */
static size_t inside(const window *window, size_t row, uint8_t **start) {
  const lmma_buffer *buffer = window->buffer;
  if (window->row + row >= buffer->rows || window->byte >= buffer->row_bytes)
    return 0;
  *start = (uint8_t *)buffer->data + (size_t)(window->row + row) * buffer->stride + (size_t)window->byte;
  return lutc_min(window->bytes, buffer->row_bytes - (size_t)window->byte);
}

static void copy_in(machine *machine, const window *window, uint8_t *to) {
  for (size_t row = 0; row < window->rows; ++row, to += window->bytes) {
    uint8_t *from = NULL;
    const size_t bytes = inside(window, row, &from);
    if (bytes != 0)
      memcpy(to, from, bytes);
    if (bytes != window->bytes)
      memset(to + bytes, 0, window->bytes - bytes);
    machine->counters.memory_read += bytes;
  }
}

static void copy_out(machine *machine, const window *window, const uint8_t *from) {
  for (size_t row = 0; row < window->rows; ++row, from += window->bytes) {
    uint8_t *to = NULL;
    const size_t bytes = inside(window, row, &to);
    if (bytes != 0)
      memcpy(to, from, bytes);
    machine->counters.memory_written += bytes;
  }
}

/* `bytes` of the scratchpad from `offset` on; null where they are not inside it. */
static uint8_t *scratchpad_at(const machine *machine, uint64_t offset, size_t bytes) {
  const size_t size = machine->header.scratchpad;
  return bytes <= size && offset <= size - bytes ? machine->scratchpad + offset : NULL;
}

/* load, store and fetch. */
static lmma_status move(machine *machine, warp *w, const lmma_instruction *i) {
  window window;
  const lmma_status status = open_window(machine, w, i, &window);
  if (status != LMMA_OK)
    return status;
  if (i->opcode == LMMA_STORE) {
    if (!window.buffer->writable)
      return LMMA_READ_ONLY;
    copy_out(machine, &window, fragment(w, i->reg[0]));
    return LMMA_OK;
  }
  uint8_t *to = fragment(w, i->reg[0]);
  if (i->opcode == LMMA_FETCH) {
    const size_t bytes = window.rows * window.bytes;
    to = scratchpad_at(machine, w->scalars[i->scalar[2]], bytes);
    if (to == NULL)
      return LMMA_BAD_ADDRESS;
    machine->counters.scratchpad_written += bytes;
  }
  copy_in(machine, &window, to);
  return LMMA_OK;
}

/* read and write. */
static lmma_status share(machine *machine, warp *w, const lmma_instruction *i) {
  const size_t bytes = (size_t)i->imm[1];
  uint8_t *at = scratchpad_at(machine, w->scalars[i->scalar[0]] + extended(i->imm[0]), bytes);
  if (at == NULL)
    return LMMA_BAD_ADDRESS;
  if (i->opcode == LMMA_READ) {
    memcpy(fragment(w, i->reg[0]), at, bytes);
    machine->counters.scratchpad_read += bytes;
  } else {
    memcpy(at, fragment(w, i->reg[0]), bytes);
    machine->counters.scratchpad_written += bytes;
  }
  return LMMA_OK;
}

/* ---- Arithmetic ---- */

static void compute(machine *machine, warp *w, const lmma_instruction *i) {
  uint8_t *const reg[4] = {fragment(w, i->reg[0]), fragment(w, i->reg[1]), fragment(w, i->reg[2]),
                           fragment(w, i->reg[3])};
  switch (i->opcode) {
  case LMMA_CLEAR:
    memset(reg[0], 0, (size_t)i->imm[0] * LMMA_REGISTER_BYTES);
    break;
  case LMMA_TABLE:
    lmma_table(i, reg);
    break;
  case LMMA_MULTIPLY:
    lmma_multiply(i, reg, machine->launch->rtl_compatible);
    break;
  case LMMA_CORRECT:
    lmma_correct(i, reg);
    break;
  case LMMA_SCALE:
    lmma_scale(i, reg);
    break;
  case LMMA_SHIFT:
    lmma_shift(i, reg);
    break;
  case LMMA_CONVERT:
    lmma_convert(i, reg);
    break;
  default:
    lmma_combine(i, reg);
    break;
  }
}

/* ---- Control ---- */

/* Goes past the end of a loop that does not run. What it skips counts as steps. */
static void skip_loop(const machine *machine, warp *w) {
  for (size_t depth = 1; depth != 0; ++w->next, ++w->steps) {
    const uint8_t opcode = machine->instructions[w->next * sizeof(lmma_instruction)];
    if (opcode == LMMA_LOOP)
      ++depth;
    else if (opcode == LMMA_END)
      --depth;
  }
}

static void begin_loop(const machine *machine, warp *w, const lmma_instruction *i) {
  const int64_t end = (int64_t)(w->scalars[i->scalar[1]] + extended(i->imm[0]));
  w->scalars[i->scalar[0]] = 0;
  if (end < 1)
    skip_loop(machine, w);
  else
    w->loops[w->depth++] = (loop){w->next, end, i->scalar[0]};
}

static void end_loop(warp *w) {
  const loop *loop = &w->loops[w->depth - 1];
  if ((int64_t)++w->scalars[loop->counter] < loop->end)
    w->next = loop->body;
  else
    --w->depth;
}

static lmma_status step(machine *machine, warp *w, const lmma_instruction *i) {
  switch (i->opcode) {
  case LMMA_EXIT:
    w->state = ENDED;
    return LMMA_OK;
  case LMMA_BARRIER:
    w->state = WAITING;
    return LMMA_OK;
  case LMMA_LOOP:
    begin_loop(machine, w, i);
    return LMMA_OK;
  case LMMA_END:
    end_loop(w);
    return LMMA_OK;
  case LMMA_AFFINE:
    w->scalars[i->scalar[0]] =
        w->scalars[i->scalar[1]] * extended(i->imm[0]) + w->scalars[i->scalar[2]] + extended(i->imm[1]);
    return LMMA_OK;
  case LMMA_LOAD:
  case LMMA_STORE:
  case LMMA_FETCH:
    return move(machine, w, i);
  case LMMA_READ:
  case LMMA_WRITE:
    return share(machine, w, i);
  default:
    compute(machine, w, i);
    return LMMA_OK;
  }
}

/* ---- Counters ---- */

/* Of a table of 4 k: 2 pairs of sums of two, then 8 of those; of 3 k: 2 sums of two, then 8 of three. */
static void count_tables(lmma_counters *counters, const lmma_instruction *i) {
  const uint64_t tables = (uint64_t)i->imm[0] * ((uint64_t)i->imm[1] / lmma_group(i->type[2]));
  counters->table_entries += tables * lmma_entries(i->type[2]);
  counters->table_additions += tables * (i->type[2] == LMMA_T3 ? 10 : 12);
}

/* An array looks up 2 tokens by 64 rows of one group and plane in a cycle. */
static void count_lookups(lmma_counters *counters, const lmma_instruction *i) {
  const size_t m = (size_t)i->imm[0], n = (size_t)i->imm[1];
  const uint64_t passes = (uint64_t)i->imm[2] / lmma_group(i->type[1]) * lmma_planes(i->type[1]);
  counters->lookups += m * n * passes;
  counters->array_cycles += lutc_divide_up(m, 2) * lutc_divide_up(n, 64) * passes;
}

/* What the fields of an instruction say; `move` and `share` count what they find. */
static void count(lmma_counters *counters, const lmma_instruction *i) {
  uint64_t bytes[4];
  lmma_fragments(i, bytes);
  ++counters->instructions;
  counters->registers += bytes[0] + bytes[1] + bytes[2] + bytes[3];
  if (i->opcode == LMMA_TABLE)
    count_tables(counters, i);
  else if (i->opcode == LMMA_MULTIPLY)
    count_lookups(counters, i);
}

/* ---- Warps, blocks, grids ---- */

/* Up to a barrier or the end. On a fault, `next` is the instruction past the one that failed. */
static lmma_status run_warp(machine *machine, warp *w) {
  w->state = RUNNING;
  while (w->state == RUNNING) {
    const lmma_instruction i = fetch_instruction(machine, w->next++);
    if (w->steps++ >= machine->limit)
      return LMMA_ENDLESS;
    if (machine->counts)
      count(&machine->counters, &i);
    const lmma_status status = step(machine, w, &i);
    if (status != LMMA_OK)
      return status;
  }
  return LMMA_OK;
}

static void begin_block(machine *machine) {
  const size_t bytes = (size_t)machine->header.registers * LMMA_REGISTER_BYTES;
  memset(machine->registers, 0, bytes * machine->header.warps);
  memset(machine->scratchpad, 0, machine->header.scratchpad);
  for (size_t index = 0; index < machine->header.warps; ++index) {
    warp *w = &machine->warps[index];
    memset(w, 0, sizeof *w);
    w->registers = machine->registers + index * bytes;
    w->scalars[LMMA_BLOCK_COLUMN] = machine->column;
    w->scalars[LMMA_BLOCK_ROW] = machine->row;
    w->scalars[LMMA_WARP] = index;
    w->scalars[LMMA_TOKENS] = machine->launch->tokens;
  }
}

static lmma_status failed(const machine *machine, size_t warp, lmma_status status, lmma_fault *fault) {
  *fault = (lmma_fault){status, machine->warps[warp].next - 1, machine->column, machine->row, warp};
  return status;
}

static lmma_status run_block(machine *machine, lmma_fault *fault) {
  const warp *first = &machine->warps[0];
  begin_block(machine);
  do {
    for (size_t index = 0; index < machine->header.warps; ++index) {
      warp *w = &machine->warps[index];
      const lmma_status status = run_warp(machine, w);
      if (status != LMMA_OK)
        return failed(machine, index, status, fault);
      if (w->next != first->next)
        return failed(machine, index, LMMA_DIVERGED, fault);
    }
    machine->counters.barriers += first->state == WAITING;
  } while (first->state == WAITING);
  return LMMA_OK;
}

static lmma_status run_grid(machine *machine, lmma_fault *fault) {
  const lmma_launch *launch = machine->launch;
  const size_t rows = lutc_divide_up(launch->tokens, machine->header.tile_m);
  for (machine->column = launch->column_begin; machine->column < launch->column_end; ++machine->column)
    for (machine->row = 0; machine->row < rows; ++machine->row) {
      const lmma_status status = run_block(machine, fault);
      if (status != LMMA_OK)
        return status;
    }
  return LMMA_OK;
}

static lmma_status check_launch(const lmma_header *header, const lmma_launch *launch, size_t workspace) {
  if (launch->buffer_count < header->buffers)
    return LMMA_BAD_BUFFER;
  for (size_t index = 0; index < header->buffers; ++index) {
    const lmma_buffer *buffer = &launch->buffers[index];
    if (buffer->data == NULL && buffer->rows != 0 && buffer->row_bytes != 0)
      return LMMA_BAD_BUFFER;
  }
  if (launch->workspace == NULL || launch->workspace_bytes < workspace ||
      !lutc_is_aligned(launch->workspace, 64))
    return LMMA_SMALL_WORKSPACE;
  return LMMA_OK;
}

static void add_counters(lmma_counters *to, const lmma_counters *from) {
  to->instructions += from->instructions;
  to->array_cycles += from->array_cycles;
  to->lookups += from->lookups;
  to->table_entries += from->table_entries;
  to->table_additions += from->table_additions;
  to->memory_read += from->memory_read;
  to->memory_written += from->memory_written;
  to->scratchpad_read += from->scratchpad_read;
  to->scratchpad_written += from->scratchpad_written;
  to->registers += from->registers;
  to->barriers += from->barriers;
}

/* Bytes of the registers of all warps. */
static size_t register_bytes(const lmma_header *header) {
  return (size_t)header->warps * header->registers * LMMA_REGISTER_BYTES;
}

size_t lmma_workspace_bytes(const void *program) {
  lmma_header header;
  memcpy(&header, program, sizeof header);
  return register_bytes(&header) + header.scratchpad;
}

lmma_status lmma_run(const void *program, const lmma_launch *launch, lmma_counters *counters,
                     lmma_fault *fault) {
  machine machine;
  lmma_fault found = {LMMA_OK, 0, 0, 0, 0};
  memcpy(&machine.header, program, sizeof machine.header);
  memset(&machine.counters, 0, sizeof machine.counters);
  found.status = check_launch(&machine.header, launch, lmma_workspace_bytes(program));
  if (found.status == LMMA_OK) {
    machine.instructions = (const uint8_t *)program + sizeof machine.header;
    machine.launch = launch;
    machine.counts = counters != NULL;
    machine.limit = launch->instruction_limit != 0 ? launch->instruction_limit : UINT64_C(1) << 32;
    machine.registers = launch->workspace;
    machine.scratchpad = machine.registers + register_bytes(&machine.header);
    run_grid(&machine, &found);
  }
  if (counters != NULL)
    add_counters(counters, &machine.counters);
  if (fault != NULL)
    *fault = found;
  return found.status;
}
