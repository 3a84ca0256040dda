/* multiply.c: sums over tables. */
#include "convert.h"

enum {
  MAX_N = 256,
  MAX_ENTRIES = 32,
  TOKENS = 8,         /* that are summed side by side */
  WORDS = TOKENS / 2, /* of 64 bits, for two tokens each */
  GROUPS = 8          /* that are summed in registers */
};

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

/* ---- Integers, modulo 2^32 ----

   A word of 64 bits is a + 2^32 b, for the sums a and b of two tokens. They are added and shifted as one:
   within a multiply |a| is at most 2^15 * 32 * 255, less than 2^31. */

/* Half a table of one token. */
static void read_table(const product *p, size_t token, size_t group, int16_t *entries) {
  const size_t at = (token * p->groups + group) * p->entries;
  if (p->table_type == LMMA_I16) {
    memcpy(entries, p->tables + 2 * at, 8 * sizeof *entries);
    if (p->entries == 16)
      memcpy(entries + 8, p->tables + 2 * at + 16, 8 * sizeof *entries);
    return;
  }
  for (size_t entry = 0; entry < p->entries; ++entry)
    entries[entry] = (int8_t)p->tables[at + entry];
}

/* The tables of `groups` groups from `group` on for the words of `tokens` tokens from `first` on, with their
   negatives: [group][entry][word]. */
static inline void read_tables(const product *p, size_t first, size_t tokens, size_t group, size_t groups,
                               size_t words, uint64_t *restrict table) {
  for (size_t g = 0; g < groups; ++g)
    for (size_t word = 0; word < words; ++word) {
      int16_t a[MAX_ENTRIES / 2], b[MAX_ENTRIES / 2] = {0};
      uint64_t *to = table + g * MAX_ENTRIES * words + word;
      read_table(p, first + 2 * word, group + g, a);
      if (tokens > 1)
        read_table(p, first + 2 * word + 1, group + g, b);
      for (size_t entry = 0; entry < p->entries; ++entry) {
        const uint64_t value = (uint64_t)(int64_t)a[entry] + ((uint64_t)(int64_t)b[entry] << 32);
        to[entry * words] = value;
        to[(p->entries + entry) * words] = 0 - value;
      }
    }
}

/* sums[n] += 2^plane * the sum over groups of table[group][index[group][n]] */
static inline void add_lookups(uint64_t *restrict sums, const uint64_t *restrict table,
                               const uint8_t *restrict index, size_t n, size_t groups, size_t words,
                               size_t plane) {
  for (size_t column = 0; column < n; ++column) {
    uint64_t sum[WORDS] = {0};
    for (size_t g = 0; g < groups; ++g)
      for (size_t word = 0; word < words; ++word)
        sum[word] += table[(g * MAX_ENTRIES + index[g * MAX_N + column]) * words + word];
    for (size_t word = 0; word < words; ++word)
      sums[column * words + word] += sum[word] << plane;
  }
}

/* The same, inlined for numbers of words and groups. */
static void add_lookups_of(uint64_t *sums, const uint64_t *table, const uint8_t *index, size_t n,
                           size_t groups, size_t words, size_t plane) {
  if (groups != GROUPS)
    add_lookups(sums, table, index, n, groups, words, plane);
  else if (words == 1)
    add_lookups(sums, table, index, n, GROUPS, 1, plane);
  else if (words == 2)
    add_lookups(sums, table, index, n, GROUPS, 2, plane);
  else
    add_lookups(sums, table, index, n, GROUPS, WORDS, plane);
}

/* The sums of one token of a word. A negative a has taken one from b. */
static inline void add_sums(const product *p, size_t token, const uint64_t *sums, size_t words, int second) {
  const uint64_t sign = second ? UINT64_C(0x80000000) : 0;
  const size_t row = 4 * token * p->n;
  for (size_t column = 0; column < p->n; ++column) {
    const uint64_t pair = sums[column * words];
    uint32_t sum;
    memcpy(&sum, p->sums + row + 4 * column, sizeof sum);
    sum += (uint32_t)((pair + 2 * (pair & sign)) >> (second ? 32 : 0));
    memcpy(p->results + row + 4 * column, &sum, sizeof sum);
  }
}

/* `tokens` is 1, 2, 4 or 8. */
static void multiply_integers(const product *p, size_t first, size_t tokens) {
  uint64_t sums[MAX_N * WORDS], table[GROUPS * MAX_ENTRIES * WORDS];
  uint8_t index[GROUPS * MAX_N];
  const size_t words = (tokens + 1) / 2;
  memset(sums, 0, p->n * words * sizeof *sums);
  for (size_t group = 0; group < p->groups; group += GROUPS) {
    const size_t groups = lutc_min(GROUPS, p->groups - group);
    if (words == 1)
      read_tables(p, first, tokens, group, groups, 1, table);
    else
      read_tables(p, first, tokens, group, groups, words, table);
    for (size_t plane = 0; plane < p->planes; ++plane) {
      for (size_t g = 0; g < groups; ++g)
        indices_of(p, group + g, plane, index + g * MAX_N);
      add_lookups_of(sums, table, index, p->n, groups, words, plane);
    }
  }
  if (words > 1)
    for (size_t token = 0; token < tokens; ++token)
      add_sums(p, first + token, sums + token / 2, words, token % 2 != 0);
  else
    add_sums(p, first, sums, 1, 0);
  if (tokens == 2)
    add_sums(p, first + 1, sums, 1, 1);
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
