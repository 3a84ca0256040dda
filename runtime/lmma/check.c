/* check.c: what can be known of a program without running it. */
#include "machine.h"

#include <string.h>

_Static_assert(sizeof(lmma_header) == 64 && sizeof(lmma_instruction) == 32, "the encoding has no padding");
_Static_assert(LMMA_I1 == 1 && LMMA_I4 == 4, "a type of bit planes is their number");

static const char *const sentences[] = {
    [LMMA_OK] = "success",
    [LMMA_TRUNCATED] = "the program has fewer or more bytes than its header says",
    [LMMA_NOT_A_PROGRAM] = "the bytes do not start as a program does",
    [LMMA_WRONG_VERSION] = "the program was encoded by an incompatible version of lutc",
    [LMMA_BAD_CHECKSUM] = "the program does not match its checksum",
    [LMMA_BAD_HEADER] = "a size in the header is 0 or above its limit, or a reserved field is not 0",
    [LMMA_BAD_OPCODE] = "there is no such opcode",
    [LMMA_BAD_FIELD] = "a field that the instruction does not use is not 0",
    [LMMA_BAD_TYPE] = "the instruction does not take these types",
    [LMMA_BAD_SHAPE] = "the instruction does not take this shape",
    [LMMA_BAD_REGISTER] = "a fragment ends past the registers, or overlaps the one that is written",
    [LMMA_BAD_SCALAR] = "there is no such scalar, or s31 is written",
    [LMMA_BAD_LOOP] = "a loop is not closed, not opened, too deep, or its counter is written inside it",
    [LMMA_BAD_EXIT] = "the program does not end with its only exit",
    [LMMA_BAD_BUFFER] = "the program or the launch has no such buffer",
    [LMMA_BAD_ADDRESS] = "an address is negative or past the end of the scratchpad",
    [LMMA_READ_ONLY] = "a buffer that is written is read-only",
    [LMMA_ENDLESS] = "a warp ran more instructions than the launch allows",
    [LMMA_DIVERGED] = "the warps of a block do not wait at the same barrier",
    [LMMA_SMALL_WORKSPACE] = "the workspace is too small, or not aligned to 64 bytes",
};

const char *lmma_status_string(lmma_status status) {
  const size_t index = (size_t)status;
  return index < sizeof sentences / sizeof *sentences ? sentences[index] : "unknown status";
}

uint64_t lmma_checksum(const void *program, size_t bytes) {
  const uint8_t *data = program;
  const size_t field = offsetof(lmma_header, checksum);
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < bytes; ++i) {
    const uint8_t byte = i - field < sizeof(uint64_t) ? 0 : data[i];
    hash = (hash ^ byte) * UINT64_C(0x100000001b3);
  }
  return hash;
}

/* ---- Fragments ---- */

/* n is a multiple of 8. */
static uint64_t weight_bytes(uint8_t type, uint64_t n, uint64_t k) {
  return k / lmma_group(type) * n * (type == LMMA_T3 ? 5 : 4 * lmma_planes(type)) / 8;
}

void lmma_fragments(const lmma_instruction *i, uint64_t bytes[4]) {
  const uint64_t a = (uint32_t)i->imm[0], b = (uint32_t)i->imm[1], c = (uint32_t)i->imm[2];
  memset(bytes, 0, 4 * sizeof *bytes);
  switch (i->opcode) {
  case LMMA_LOAD:
  case LMMA_STORE:
    bytes[0] = c * (uint32_t)i->imm[3];
    break;
  case LMMA_READ:
  case LMMA_WRITE:
    bytes[0] = b;
    break;
  case LMMA_CLEAR:
    bytes[0] = a * LMMA_REGISTER_BYTES;
    break;
  case LMMA_TABLE:
    bytes[0] = a * (b / lmma_group(i->type[2])) * lmma_entries(i->type[2]) * lmma_type_bytes(i->type[1]);
    bytes[1] = a * b * lmma_type_bytes(i->type[0]);
    break;
  case LMMA_MULTIPLY:
    bytes[0] = a * b * lmma_type_bytes(i->type[3]);
    bytes[1] = a * (c / lmma_group(i->type[1])) * lmma_entries(i->type[1]) * lmma_type_bytes(i->type[0]);
    bytes[2] = weight_bytes(i->type[1], b, c);
    bytes[3] = a * b * lmma_type_bytes(i->type[2]);
    break;
  case LMMA_CORRECT:
    bytes[0] = a * b * lmma_type_bytes(LMMA_I32);
    bytes[1] = a * lmma_type_bytes(LMMA_I32);
    bytes[2] = b * lmma_type_bytes(i->type[0]);
    break;
  case LMMA_SCALE:
    bytes[0] = a * b * lmma_type_bytes(LMMA_F32);
    bytes[1] = a * b * lmma_type_bytes(i->type[0]);
    bytes[2] = a * lmma_type_bytes(i->type[2]);
    bytes[3] = b * lmma_type_bytes(i->type[1]);
    break;
  case LMMA_ADD:
  case LMMA_TIMES:
    bytes[0] = a * b * lmma_type_bytes(LMMA_F32);
    bytes[1] = (c == LMMA_FULL ? a * b : c == LMMA_VECTOR ? b : 1) * lmma_type_bytes(LMMA_F32);
    break;
  case LMMA_SHIFT:
    bytes[0] = a * b * lmma_type_bytes(LMMA_F32);
    bytes[1] = a * lmma_type_bytes(LMMA_I32);
    bytes[2] = a * lmma_type_bytes(LMMA_F32);
    bytes[3] = b * lmma_type_bytes(i->type[0]);
    break;
  case LMMA_CONVERT:
    bytes[0] = a * b * lmma_type_bytes(i->type[0]);
    bytes[1] = a * b * lmma_type_bytes(LMMA_F32);
    break;
  default:
    break;
  }
}

/* ---- Instructions ---- */

/* Bits of the fields that an opcode uses; a scalar that it writes is scalar[0]. */
typedef struct rule {
  uint8_t types, scalars, regs, imms;
  int writes_scalar;
} rule;

static const rule rules[LMMA_OPCODES] = {
    [LMMA_EXIT] = {0, 0, 0, 0, 0},       [LMMA_BARRIER] = {0, 0, 0, 0, 0},  [LMMA_LOOP] = {0, 3, 0, 1, 1},
    [LMMA_END] = {0, 0, 0, 0, 0},        [LMMA_AFFINE] = {0, 7, 0, 3, 1},   [LMMA_LOAD] = {0, 3, 3, 15, 0},
    [LMMA_STORE] = {0, 3, 3, 15, 0},     [LMMA_FETCH] = {0, 7, 2, 15, 0},   [LMMA_READ] = {0, 1, 1, 3, 0},
    [LMMA_WRITE] = {0, 1, 1, 3, 0},      [LMMA_CLEAR] = {0, 0, 1, 1, 0},    [LMMA_TABLE] = {7, 0, 3, 3, 0},
    [LMMA_MULTIPLY] = {15, 0, 15, 7, 0}, [LMMA_CORRECT] = {3, 0, 7, 15, 0}, [LMMA_SCALE] = {7, 0, 15, 7, 0},
    [LMMA_ADD] = {0, 0, 3, 7, 0},        [LMMA_TIMES] = {0, 0, 3, 7, 0},    [LMMA_CONVERT] = {1, 0, 3, 3, 0},
    [LMMA_SHIFT] = {1, 0, 15, 3, 0},
};

static lmma_status check_fields(const lmma_instruction *i) {
  const rule *used = &rules[i->opcode];
  for (unsigned field = 0; field < 4; ++field)
    if ((!(used->types >> field & 1) && i->type[field] != 0) ||
        (!(used->regs >> field & 1) && i->reg[field] != 0) ||
        (!(used->imms >> field & 1) && i->imm[field] != 0))
      return LMMA_BAD_FIELD;
  for (unsigned field = 0; field < 3; ++field)
    if (!(used->scalars >> field & 1) && i->scalar[field] != 0)
      return LMMA_BAD_FIELD;
  return LMMA_OK;
}

static lmma_status check_scalars(const lmma_instruction *i) {
  for (unsigned field = 0; field < 3; ++field)
    if (i->scalar[field] >= LMMA_SCALARS)
      return LMMA_BAD_SCALAR;
  return rules[i->opcode].writes_scalar && i->scalar[0] == LMMA_ZERO ? LMMA_BAD_SCALAR : LMMA_OK;
}

/* Whether (first, second) is one of the pairs. */
static int has_pair(const uint8_t (*pairs)[2], size_t count, uint8_t first, uint8_t second) {
  for (size_t pair = 0; pair < count; ++pair)
    if (pairs[pair][0] == first && pairs[pair][1] == second)
      return 1;
  return 0;
}

static int are_weights(uint8_t type) {
  return (type >= LMMA_I1 && type <= LMMA_T3) || type == LMMA_I5 || type == LMMA_I6 || type == LMMA_I8;
}

static int are_minimums(uint8_t type) { return type == LMMA_F16 || type == LMMA_BF16 || type == LMMA_F32; }
static int are_scales(uint8_t type) { return are_minimums(type) || type == LMMA_E8M0; }

static int has_legal_types(const lmma_instruction *i) {
  static const uint8_t tables[][2] = {{LMMA_I8, LMMA_I8}, {LMMA_I8, LMMA_I16}, {LMMA_I16, LMMA_I16},
                                      {LMMA_F8, LMMA_F8}, {LMMA_F8, LMMA_F16}, {LMMA_F16, LMMA_F16}};
  static const uint8_t floats[][2] = {
      {LMMA_F16, LMMA_F16}, {LMMA_F32, LMMA_F32}, {LMMA_F32, LMMA_F16}}; /* C, D */
  const uint8_t *type = i->type;
  switch (i->opcode) {
  case LMMA_TABLE:
    return has_pair(tables, sizeof tables / sizeof *tables, type[0], type[1]) &&
           (type[2] == LMMA_NONE || type[2] == LMMA_T3);
  case LMMA_MULTIPLY:
    if (type[0] == LMMA_I8 || type[0] == LMMA_I16)
      return are_weights(type[1]) && type[2] == LMMA_I32 && type[3] == LMMA_I32;
    return (type[0] == LMMA_F8 || type[0] == LMMA_F16) && are_weights(type[1]) &&
           has_pair(floats, sizeof floats / sizeof *floats, type[2], type[3]);
  case LMMA_CORRECT:
    return (type[0] == LMMA_NONE || type[0] == LMMA_U8 || type[0] == LMMA_I32) &&
           (type[1] == LMMA_NONE || type[1] == LMMA_I32);
  case LMMA_SCALE:
    return (type[0] == LMMA_I32 || type[0] == LMMA_F16 || type[0] == LMMA_F32) && are_scales(type[1]) &&
           (type[2] == LMMA_NONE || type[2] == LMMA_F32);
  case LMMA_SHIFT:
    return are_minimums(type[0]);
  case LMMA_CONVERT:
    return i->type[0] == LMMA_F16 || i->type[0] == LMMA_BF16 || i->type[0] == LMMA_I8;
  default:
    return 1;
  }
}

static int is_power_of_two(int32_t value) { return value > 0 && (value & (value - 1)) == 0; }
static int is_m(int32_t m) { return is_power_of_two(m) && m <= 64; }
static int is_n(int32_t n) { return is_power_of_two(n) && n >= 8 && n <= 256; }
static int is_k(int32_t k, uint8_t type) { return k > 0 && k <= 128 && k % (int32_t)lmma_group(type) == 0; }

static int has_legal_shape(const lmma_instruction *i, uint32_t scratchpad) {
  const int32_t *imm = i->imm;
  switch (i->opcode) {
  case LMMA_LOAD:
  case LMMA_STORE:
    return imm[2] > 0 && imm[3] > 0;
  case LMMA_FETCH:
    return imm[2] > 0 && imm[3] > 0 && (int64_t)imm[2] * imm[3] <= (int64_t)scratchpad;
  case LMMA_READ:
  case LMMA_WRITE:
    return imm[1] > 0 && imm[1] <= (int64_t)scratchpad;
  case LMMA_CLEAR:
    return imm[0] > 0;
  case LMMA_TABLE:
    return is_m(imm[0]) && is_k(imm[1], i->type[2]);
  case LMMA_MULTIPLY:
    return is_m(imm[0]) && is_n(imm[1]) && is_k(imm[2], i->type[1]);
  case LMMA_CORRECT:
    return is_m(imm[0]) && is_n(imm[1]) && imm[2] >= 1 && imm[2] <= 8;
  case LMMA_ADD:
  case LMMA_TIMES:
    return is_m(imm[0]) && is_n(imm[1]) && imm[2] >= LMMA_FULL && imm[2] <= LMMA_ONE;
  case LMMA_SCALE:
    return is_m(imm[0]) && is_n(imm[1]) && (imm[2] == 0 || imm[2] == 1);
  case LMMA_CONVERT:
  case LMMA_SHIFT:
    return is_m(imm[0]) && is_n(imm[1]);
  default:
    return 1;
  }
}

/* An operand that the types leave out. */
static int has_unused_operand(const lmma_instruction *i) {
  if (i->opcode == LMMA_CORRECT)
    return i->type[0] == LMMA_NONE ? i->reg[2] != 0 : i->imm[3] != 0;
  return i->opcode == LMMA_SCALE && i->type[2] == LMMA_NONE && i->reg[2] != 0;
}

static lmma_status check_registers(const lmma_instruction *i, uint32_t registers) {
  uint64_t bytes[4], end[4];
  lmma_fragments(i, bytes);
  for (unsigned f = 0; f < 4; ++f) {
    end[f] = i->reg[f] + (bytes[f] + LMMA_REGISTER_BYTES - 1) / LMMA_REGISTER_BYTES;
    if (bytes[f] != 0 && end[f] > registers)
      return LMMA_BAD_REGISTER;
  }
  for (unsigned f = 1; f < 4; ++f) {
    const int updated =
        i->opcode == LMMA_MULTIPLY && f == 3 && i->reg[3] == i->reg[0] && bytes[3] == bytes[0];
    if (bytes[f] != 0 && !updated && i->reg[f] < end[0] && i->reg[0] < end[f])
      return LMMA_BAD_REGISTER;
  }
  return LMMA_OK;
}

static int uses_buffer(uint8_t opcode) {
  return opcode == LMMA_LOAD || opcode == LMMA_STORE || opcode == LMMA_FETCH;
}

/* All but how it stands to other instructions. */
static lmma_status check_instruction(const lmma_header *header, const lmma_instruction *i) {
  if (i->opcode >= LMMA_OPCODES)
    return LMMA_BAD_OPCODE;
  lmma_status status = check_fields(i);
  if (status == LMMA_OK)
    status = check_scalars(i);
  if (status != LMMA_OK)
    return status;
  if (!has_legal_types(i))
    return LMMA_BAD_TYPE;
  if (has_unused_operand(i))
    return LMMA_BAD_FIELD;
  if (!has_legal_shape(i, header->scratchpad))
    return LMMA_BAD_SHAPE;
  if (uses_buffer(i->opcode) && i->reg[1] >= header->buffers)
    return LMMA_BAD_BUFFER;
  return check_registers(i, header->registers);
}

/* ---- Programs ---- */

/* Counters of the loops around an instruction. */
typedef struct nest {
  uint8_t counters[LMMA_MAX_LOOP_DEPTH];
  size_t depth;
} nest;

static int counts(const nest *loops, uint8_t scalar) {
  for (size_t loop = 0; loop < loops->depth; ++loop)
    if (loops->counters[loop] == scalar)
      return 1;
  return 0;
}

static lmma_status check_nesting(nest *loops, const lmma_instruction *i, int last) {
  if ((i->opcode == LMMA_EXIT) != last)
    return LMMA_BAD_EXIT;
  if (rules[i->opcode].writes_scalar && counts(loops, i->scalar[0]))
    return LMMA_BAD_LOOP;
  if (i->opcode == LMMA_LOOP) {
    if (loops->depth == LMMA_MAX_LOOP_DEPTH)
      return LMMA_BAD_LOOP;
    loops->counters[loops->depth++] = i->scalar[0];
  } else if (i->opcode == LMMA_END) {
    if (loops->depth == 0)
      return LMMA_BAD_LOOP;
    --loops->depth;
  }
  return last && loops->depth != 0 ? LMMA_BAD_LOOP : LMMA_OK;
}

static lmma_status check_header(const uint8_t *program, size_t bytes, lmma_header *header) {
  if (bytes < sizeof *header)
    return LMMA_TRUNCATED;
  memcpy(header, program, sizeof *header);
  if (memcmp(header->magic, "LMMAPROG", sizeof header->magic) != 0)
    return LMMA_NOT_A_PROGRAM;
  if (header->version != LMMA_VERSION)
    return LMMA_WRONG_VERSION;
  if (header->instructions == 0 || header->instructions > LMMA_MAX_INSTRUCTIONS || header->registers == 0 ||
      header->registers > LMMA_MAX_REGISTERS || header->scratchpad > LMMA_MAX_SCRATCHPAD ||
      header->warps == 0 || header->warps > LMMA_MAX_WARPS || header->buffers > LMMA_MAX_BUFFERS ||
      header->tile_m == 0 || header->tile_n == 0)
    return LMMA_BAD_HEADER;
  for (unsigned word = 0; word < 4; ++word)
    if (header->zero[word] != 0)
      return LMMA_BAD_HEADER;
  if (bytes != sizeof *header + header->instructions * sizeof(lmma_instruction))
    return LMMA_TRUNCATED;
  return header->checksum == lmma_checksum(program, bytes) ? LMMA_OK : LMMA_BAD_CHECKSUM;
}

lmma_status lmma_check(const void *program, size_t bytes, lmma_fault *fault) {
  const uint8_t *data = program;
  lmma_header header;
  lmma_status status = check_header(data, bytes, &header);
  nest loops = {{0}, 0};
  size_t index = 0;
  for (; status == LMMA_OK && index < header.instructions; ++index) {
    lmma_instruction i;
    memcpy(&i, data + sizeof header + index * sizeof i, sizeof i);
    status = check_instruction(&header, &i);
    if (status == LMMA_OK)
      status = check_nesting(&loops, &i, index + 1 == header.instructions);
  }
  if (fault != NULL)
    *fault = (lmma_fault){status, status != LMMA_OK && index != 0 ? index - 1 : 0, 0, 0, 0};
  return status;
}
