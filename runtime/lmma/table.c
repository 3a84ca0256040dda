/* table.c: tables of partial sums, and what follows the sums over them: zero points and scales. */
#include "convert.h"

/* ---- Tables ---- */

/* What entry v of a table multiplies activation e by: [e][v]. Of signs bit e of v, of trits digit e of v in
   balanced ternary. */
static const int16_t signs[4][16] = {{-1, 1, -1, 1, -1, 1, -1, 1},
                                     {-1, -1, 1, 1, -1, -1, 1, 1},
                                     {-1, -1, -1, -1, 1, 1, 1, 1},
                                     {-1, -1, -1, -1, -1, -1, -1, -1}};
static const int16_t trits[3][16] = {{0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1},
                                     {0, 0, 1, 1, 1, -1, -1, -1, 0, 0, 0, 1, 1, 1},
                                     {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1}};

static void put_integer(uint8_t *fragment, uint8_t type, size_t index, int32_t value) {
  const int32_t most = type == LMMA_I8 ? INT8_MAX : INT16_MAX;
  value = value > most ? most : value < -most - 1 ? -most - 1 : value;
  const int16_t word = (int16_t)value;
  if (type == LMMA_I8)
    fragment[index] = (uint8_t)value;
  else
    memcpy(fragment + 2 * index, &word, sizeof word);
}

/* Each bit that is 1 turns -a_e into a_e. */
static void sign_sums(const int32_t *a, int32_t *t) {
  t[0] = -(a[0] + a[1] + a[2] + a[3]);
  for (size_t e = 0; e < 3; ++e)
    for (size_t i = 0; i < (size_t)1 << e; ++i)
      t[i + ((size_t)1 << e)] = t[i] + 2 * a[e];
}

/* The sums without a_2 are 0..4 and their negatives. */
static void trit_sums(const int32_t *a, int32_t *t) {
  const int32_t few[] = {0, a[0], a[1] - a[0], a[1], a[1] + a[0]};
  for (size_t v = 0; v < 16; ++v)
    t[v] = v < 5 ? few[v] : v < 9 ? a[2] - few[9 - v] : v < 14 ? a[2] + few[v - 9] : 0;
}

static void integer_tables(const lmma_instruction *i, uint8_t *const reg[4], size_t tables) {
  const size_t group = lmma_group(i->type[2]), entries = lmma_entries(i->type[2]);
  for (size_t table = 0; table < tables; ++table) {
    int32_t a[4], t[16];
    for (size_t e = 0; e < group; ++e)
      a[e] = lmma_get_integer(reg[1], i->type[0], table * group + e);
    if (i->type[2] == LMMA_T3)
      trit_sums(a, t);
    else
      sign_sums(a, t);
    for (size_t entry = 0; entry < entries; ++entry)
      put_integer(reg[0], i->type[1], table * entries + entry, t[entry]);
  }
}

/* Entries of 16 bits hold every sum of 8-bit activations. Inlined for each shape. */
static inline void exact_tables(const uint8_t *a, uint8_t *to, size_t tables, size_t group, size_t entries,
                                const int16_t factors[][16]) {
  for (size_t table = 0; table < tables; ++table) {
    int16_t t[16] = {0};
    for (size_t e = 0; e < group; ++e)
      for (size_t entry = 0; entry < entries; ++entry)
        t[entry] = (int16_t)(t[entry] + (int8_t)a[table * group + e] * factors[e][entry]);
    memcpy(to + table * entries * sizeof *t, t, entries * sizeof *t);
  }
}

static float signed_term(float a, int16_t factor) { return factor == 0 ? 0.0f : factor < 0 ? -a : a; }

static float float_entry(const float *a, uint8_t type, size_t entry, uint8_t rounding) {
  float term[4];
  for (unsigned e = 0; e < lmma_group(type); ++e)
    term[e] = signed_term(a[e], type == LMMA_T3 ? trits[e][entry] : signs[e][entry]);
  const float first = lmma_round(term[0] + term[1], rounding);
  const float second = type == LMMA_T3 ? term[2] : lmma_round(term[2] + term[3], rounding);
  return first + second;
}

static void float_tables(const lmma_instruction *i, uint8_t *const reg[4], size_t tables) {
  const size_t group = lmma_group(i->type[2]), entries = lmma_entries(i->type[2]);
  for (size_t table = 0; table < tables; ++table) {
    float a[4];
    for (size_t e = 0; e < group; ++e)
      a[e] = lmma_get(reg[1], i->type[0], table * group + e);
    for (size_t entry = 0; entry < entries; ++entry) {
      const int empty = i->type[2] == LMMA_T3 && entry > 13;
      const float sum = empty ? 0.0f : float_entry(a, i->type[2], entry, i->type[1]);
      lmma_put(reg[0], i->type[1], table * entries + entry, sum);
    }
  }
}

void lmma_table(const lmma_instruction *i, uint8_t *const reg[4]) {
  const size_t tables = (size_t)i->imm[0] * ((size_t)i->imm[1] / lmma_group(i->type[2]));
  if (i->type[0] == LMMA_I8 && i->type[1] == LMMA_I16 && i->type[2] == LMMA_T3)
    exact_tables(reg[1], reg[0], tables, 3, 16, trits);
  else if (i->type[0] == LMMA_I8 && i->type[1] == LMMA_I16)
    exact_tables(reg[1], reg[0], tables, 4, 8, signs);
  else if (i->type[0] == LMMA_I8 || i->type[0] == LMMA_I16)
    integer_tables(i, reg, tables);
  else
    float_tables(i, reg, tables);
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
      sum -= shift[column] * activations;
      if (i->type[1] == LMMA_NONE)
        sum = half_of(sum);
      memcpy(at, &sum, sizeof sum);
    }
  }
}

/* Elements from `first` on. */
static void read_floats(const uint8_t *fragment, uint8_t type, size_t first, size_t count, float *to) {
  if (type == LMMA_I32)
    for (size_t i = 0; i < count; ++i)
      to[i] = lmma_get(fragment, LMMA_I32, first + i);
  else
    for (size_t i = 0; i < count; ++i)
      to[i] = lmma_get(fragment, type, first + i);
}

void lmma_scale(const lmma_instruction *i, uint8_t *const reg[4]) {
  const size_t m = (size_t)i->imm[0], n = (size_t)i->imm[1];
  float scales[256], sums[256];
  read_floats(reg[3], i->type[1], 0, n, scales);
  for (size_t row = 0; row < m; ++row) {
    const float whole = i->type[2] == LMMA_F32 ? lmma_get(reg[2], LMMA_F32, row) : 1.0f;
    const float step = i->imm[2] != 0 ? whole * 0.5f : whole;
    read_floats(reg[1], i->type[0], row * n, n, sums);
    for (size_t column = 0; column < n; ++column) {
      const size_t at = row * n + column;
      const float y = lmma_get(reg[0], LMMA_F32, at);
      lmma_put(reg[0], LMMA_F32, at, y + sums[column] * (step * scales[column]));
    }
  }
}

void lmma_shift(const lmma_instruction *i, uint8_t *const reg[4]) {
  const size_t m = (size_t)i->imm[0], n = (size_t)i->imm[1];
  float minimums[256];
  read_floats(reg[3], i->type[0], 0, n, minimums);
  for (size_t row = 0; row < m; ++row) {
    const float sum = lmma_get(reg[1], LMMA_I32, row) * lmma_get(reg[2], LMMA_F32, row);
    for (size_t column = 0; column < n; ++column) {
      const size_t at = row * n + column;
      const float y = lmma_get(reg[0], LMMA_F32, at);
      lmma_put(reg[0], LMMA_F32, at, y + sum * minimums[column]);
    }
  }
}
