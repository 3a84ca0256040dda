/* table.c: tables of partial sums, and what follows the sums over them: zero points and scales. */
#include "convert.h"

/* ---- Tables ---- */

/* +1, -1 or 0: what entry `entry` of a table multiplies activation `e` by. */
static int factor_of(uint8_t type, size_t entry, unsigned e) {
  static const unsigned powers[] = {1, 3, 9};
  if (type != LMMA_T3)
    return e < 3 && (entry >> e & 1) ? 1 : -1;
  /* the digit of 3^e in balanced ternary: that of entry + 13 = 1 + 3 + 9 more than it, less one */
  return (int)((entry + 13) / powers[e] % 3) - 1;
}

static void put_integer(uint8_t *fragment, uint8_t type, size_t index, int32_t value) {
  const int32_t most = type == LMMA_I8 ? INT8_MAX : INT16_MAX;
  value = value > most ? most : value < -most - 1 ? -most - 1 : value;
  const int16_t word = (int16_t)value;
  if (type == LMMA_I8)
    fragment[index] = (uint8_t)value;
  else
    memcpy(fragment + 2 * index, &word, sizeof word);
}

static int32_t integer_entry(const int32_t *a, uint8_t type, size_t entry) {
  int32_t sum = 0;
  for (unsigned e = 0; e < lmma_group(type); ++e)
    sum += factor_of(type, entry, e) * a[e];
  return sum;
}

static float signed_term(float a, int factor) { return factor == 0 ? 0.0f : factor < 0 ? -a : a; }

static float float_entry(const float *a, uint8_t type, size_t entry, uint8_t rounding) {
  float term[4];
  for (unsigned e = 0; e < lmma_group(type); ++e)
    term[e] = signed_term(a[e], factor_of(type, entry, e));
  const float first = lmma_round(term[0] + term[1], rounding);
  const float second = type == LMMA_T3 ? term[2] : lmma_round(term[2] + term[3], rounding);
  return first + second;
}

void lmma_table(const lmma_instruction *i, uint8_t *const reg[4]) {
  const uint8_t from = i->type[0], to = i->type[1], type = i->type[2];
  const size_t group = lmma_group(type), entries = lmma_entries(type);
  const size_t tables = (size_t)i->imm[0] * ((size_t)i->imm[1] / group);
  for (size_t table = 0; table < tables; ++table)
    for (size_t entry = 0; entry < entries; ++entry) {
      const size_t at = table * entries + entry;
      const int empty = type == LMMA_T3 && entry > 13;
      if (from == LMMA_I8 || from == LMMA_I16) {
        int32_t a[4];
        for (size_t e = 0; e < group; ++e)
          a[e] = lmma_get_integer(reg[1], from, table * group + e);
        put_integer(reg[0], to, at, empty ? 0 : integer_entry(a, type, entry));
      } else {
        float a[4];
        for (size_t e = 0; e < group; ++e)
          a[e] = lmma_get(reg[1], from, table * group + e);
        lmma_put(reg[0], to, at, empty ? 0.0f : float_entry(a, type, entry, to));
      }
    }
}

/* ---- Zero points and scales ---- */

static uint32_t zero_point(const lmma_instruction *i, const uint8_t *zeros, size_t n) {
  uint32_t zero;
  if (i->type[0] == LMMA_U8)
    return zeros[n];
  if (i->type[0] == LMMA_NONE)
    return (uint32_t)i->imm[3];
  memcpy(&zero, zeros + 4 * n, sizeof zero);
  return zero;
}

/* Towards minus infinity, of the 32-bit number in two's complement. */
static uint32_t half_of(uint32_t value) { return value >> 1 | (value & UINT32_C(0x80000000)); }

void lmma_correct(const lmma_instruction *i, uint8_t *const reg[4]) {
  const size_t m = (size_t)i->imm[0], n = (size_t)i->imm[1];
  uint32_t shift[256]; /* 2z + 1 - 2^bits */
  for (size_t column = 0; column < n; ++column)
    shift[column] = 2 * zero_point(i, reg[2], column) + 1 - (UINT32_C(1) << i->imm[2]);
  for (size_t row = 0; row < m; ++row) {
    uint32_t activations;
    memcpy(&activations, reg[1] + 4 * row, sizeof activations);
    for (size_t column = 0; column < n; ++column) {
      uint8_t *at = reg[0] + 4 * (row * n + column);
      uint32_t sum;
      memcpy(&sum, at, sizeof sum);
      sum = half_of(sum - shift[column] * activations);
      memcpy(at, &sum, sizeof sum);
    }
  }
}

void lmma_scale(const lmma_instruction *i, uint8_t *const reg[4]) {
  const size_t m = (size_t)i->imm[0], n = (size_t)i->imm[1];
  float scales[256];
  for (size_t column = 0; column < n; ++column)
    scales[column] = lmma_get(reg[3], i->type[1], column);
  for (size_t row = 0; row < m; ++row) {
    const float step = i->type[2] == LMMA_F32 ? lmma_get(reg[2], LMMA_F32, row) : 1.0f;
    for (size_t column = 0; column < n; ++column) {
      const size_t at = row * n + column;
      const float y = lmma_get(reg[0], LMMA_F32, at), p = lmma_get(reg[1], i->type[0], at);
      lmma_put(reg[0], LMMA_F32, at, y + p * (step * scales[column]));
    }
  }
}
