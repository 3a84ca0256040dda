/* multiply.c: sums over tables. */
#include "convert.h"

enum { MAX_N = 256, MAX_ENTRIES = 32, TOKENS = 8 /* that are summed side by side */ };

/* The operands of a multiply. */
typedef struct product {
  size_t n, groups, planes, entries; /* entries: of a table, without their negatives */
  uint8_t table_type, sum_type, result_type, weights;
  const uint8_t *tables, *codes, *sums;
  uint8_t *results;
} product;

/* Lookups of one group and plane, as entries of a table that its negative follows. */
static void indices_of(const product *p, size_t group, size_t plane, uint8_t *index) {
  const uint8_t *nibbles = p->codes + (plane * p->groups + group) * p->n / 2;
  for (size_t pair = 0; pair < p->n / 2; ++pair) {
    index[2 * pair] = nibbles[pair] & 15;
    index[2 * pair + 1] = nibbles[pair] >> 4;
  }
  if (p->weights != LMMA_T3)
    return;
  const uint8_t *signs = p->codes + p->groups * p->n / 2 + group * p->n / 8;
  for (size_t n = 0; n < p->n; ++n)
    index[n] |= (uint8_t)((signs[n / 8] >> n % 8 & 1) << 4);
}

/* ---- Integers, modulo 2^32 ---- */

/* The table of one group of `tokens` tokens, from the first on, and its negative: [entry][token]. */
static void read_tables(const product *p, size_t first, size_t tokens, size_t group, uint32_t *table) {
  for (size_t token = 0; token < tokens; ++token) {
    const size_t at = ((first + token) * p->groups + group) * p->entries;
    for (size_t entry = 0; entry < p->entries; ++entry) {
      const uint32_t value = (uint32_t)lmma_get_integer(p->tables, p->table_type, at + entry);
      table[entry * tokens + token] = value;
      table[(p->entries + entry) * tokens + token] = 0 - value;
    }
  }
}

/* sums[n][token] += table[index[n]][token]; inlined for each number of tokens. */
static inline void add_lookups(uint32_t *restrict sums, const uint32_t *restrict table,
                               const uint8_t *restrict index, size_t n, size_t tokens) {
  for (size_t column = 0; column < n; ++column)
    for (size_t token = 0; token < tokens; ++token)
      sums[column * tokens + token] += table[index[column] * tokens + token];
}

static void add_lookups_of(uint32_t *sums, const uint32_t *table, const uint8_t *index, size_t n,
                           size_t tokens) {
  switch (tokens) {
  case 1:
    add_lookups(sums, table, index, n, 1);
    break;
  case 2:
    add_lookups(sums, table, index, n, 2);
    break;
  case 4:
    add_lookups(sums, table, index, n, 4);
    break;
  default:
    add_lookups(sums, table, index, n, TOKENS);
    break;
  }
}

static void add_sums(const product *p, size_t first, size_t tokens, const uint32_t *sums) {
  for (size_t token = 0; token < tokens; ++token)
    for (size_t column = 0; column < p->n; ++column) {
      const size_t at = 4 * ((first + token) * p->n + column);
      uint32_t sum;
      memcpy(&sum, p->sums + at, sizeof sum);
      sum += sums[column * tokens + token];
      memcpy(p->results + at, &sum, sizeof sum);
    }
}

/* `tokens` is 1, 2, 4 or 8. */
static void multiply_integers(const product *p, size_t first, size_t tokens) {
  uint32_t sums[MAX_N * TOKENS] = {0}, table[MAX_ENTRIES * TOKENS];
  uint8_t index[MAX_N];
  for (size_t group = 0; group < p->groups; ++group) {
    read_tables(p, first, tokens, group, table);
    for (size_t plane = 0; plane < p->planes; ++plane) {
      indices_of(p, group, plane, index);
      add_lookups_of(sums, table, index, p->n, tokens);
      for (size_t entry = 0; entry < 2 * p->entries * tokens; ++entry)
        table[entry] *= 2;
    }
  }
  add_sums(p, first, tokens, sums);
}

/* ---- Floats ---- */

static void multiply_floats(const product *p, size_t token) {
  float sums[MAX_N], table[MAX_ENTRIES];
  uint8_t index[MAX_N];
  for (size_t column = 0; column < p->n; ++column)
    sums[column] = lmma_get(p->sums, p->sum_type, token * p->n + column);
  for (size_t group = 0; group < p->groups; ++group) {
    const size_t at = (token * p->groups + group) * p->entries;
    for (size_t entry = 0; entry < p->entries; ++entry) {
      table[entry] = lmma_get(p->tables, p->table_type, at + entry);
      table[p->entries + entry] = -table[entry];
    }
    for (size_t plane = 0; plane < p->planes; ++plane) {
      indices_of(p, group, plane, index);
      for (size_t column = 0; column < p->n; ++column)
        sums[column] = lmma_round(sums[column] + table[index[column]], p->sum_type);
      for (size_t entry = 0; entry < 2 * p->entries; ++entry)
        table[entry] *= 2;
    }
  }
  for (size_t column = 0; column < p->n; ++column)
    lmma_put(p->results, p->result_type, token * p->n + column, sums[column]);
}

/* ---- 16-bit floats as the published RTL adds them ---- */

/* A float of the adder: no subnormals, and no NaN: with the highest exponent all are infinite. */
static float rtl_operand(uint16_t bits) {
  const unsigned exponent = bits >> 10 & 31;
  return lutc_widen(bits & (exponent == 0 ? 0x8000 : exponent == 31 ? 0xfc00 : 0xffff));
}

static uint16_t rtl_add(uint16_t a, uint16_t b) {
  const float sum = rtl_operand(a) + rtl_operand(b);
  if (sum != sum) /* of opposite infinities */
    return 0x7c00;
  const uint16_t bits = lutc_narrow(sum);
  return (bits & 0x7c00) == 0 ? bits & 0x8000 : bits;
}

/* 2^plane * entry, or its negative, by an addition to the 5 bits of the exponent. */
static uint16_t rtl_entry(uint16_t entry, size_t plane, int negative) {
  const unsigned exponent = ((entry >> 10) + (unsigned)plane) & 31;
  const unsigned sign = (entry ^ (negative ? 0x8000 : 0)) & 0x8000;
  return (uint16_t)(sign | exponent << 10 | (entry & 0x3ff));
}

static void multiply_rtl(const product *p, size_t token) {
  uint16_t sums[MAX_N], half[MAX_ENTRIES / 2], table[MAX_ENTRIES];
  uint8_t index[MAX_N];
  memcpy(sums, p->sums + 2 * token * p->n, 2 * p->n);
  for (size_t group = 0; group < p->groups; ++group) {
    memcpy(half, p->tables + 2 * (token * p->groups + group) * p->entries, 2 * p->entries);
    for (size_t plane = 0; plane < p->planes; ++plane) {
      for (size_t entry = 0; entry < 2 * p->entries; ++entry)
        table[entry] = rtl_entry(half[entry % p->entries], plane, entry >= p->entries);
      indices_of(p, group, plane, index);
      for (size_t column = 0; column < p->n; ++column)
        sums[column] = rtl_add(table[index[column]], sums[column]);
    }
  }
  memcpy(p->results + 2 * token * p->n, sums, 2 * p->n);
}

void lmma_multiply(const lmma_instruction *i, uint8_t *const reg[4], int rtl_compatible) {
  const size_t m = (size_t)i->imm[0], tokens = lutc_min(m, TOKENS);
  const uint8_t weights = i->type[1];
  const product p = {.n = (size_t)i->imm[1],
                     .groups = (size_t)i->imm[2] / lmma_group(weights),
                     .planes = lmma_planes(weights),
                     .entries = lmma_entries(weights),
                     .table_type = i->type[0],
                     .sum_type = i->type[2],
                     .result_type = i->type[3],
                     .weights = weights,
                     .tables = reg[1],
                     .codes = reg[2],
                     .sums = reg[3],
                     .results = reg[0]};
  const int is_rtl =
      rtl_compatible && p.table_type == LMMA_F16 && p.result_type == p.sum_type && p.sum_type == LMMA_F16;
  if (p.sum_type == LMMA_I32) {
    for (size_t first = 0; first < m; first += tokens)
      multiply_integers(&p, first, tokens);
    return;
  }
  for (size_t token = 0; token < m; ++token)
    if (is_rtl)
      multiply_rtl(&p, token);
    else
      multiply_floats(&p, token);
}
