/* iq.c: blocks of 256 whose weights are vectors of a code book, with multiples 2 s + 1. */
#include "books.h"
#include "kblocks.h"

static uint16_t load16(const uint8_t *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }
static uint32_t load32(const uint8_t *bytes) { return load16(bytes) | (uint32_t)load16(bytes + 2) << 16; }

static int8_t odd(unsigned s) { return (int8_t)(2 * s + 1); }

/* Seven signs and the one that makes them even. */
static unsigned even_signs(unsigned seven) {
  unsigned sum = seven ^ seven >> 4;
  sum ^= sum >> 2;
  return seven | ((sum ^ sum >> 1) & 1) << 7;
}

/* Vector `number`; bit i of `signs` is set where weight i has a minus. */
static inline void put_signed(const lutc_book *book, unsigned number, unsigned signs, uint8_t *codes) {
  const uint8_t *digits = book->digits + number * book->length;
  const unsigned levels = (unsigned)book->levels;
  for (size_t i = 0; i < book->length; ++i)
    codes[i] = (uint8_t)(signs >> i & 1 ? levels - 1 - digits[i] : levels + digits[i]);
}

static inline void put_shifted(const lutc_book *book, unsigned number, unsigned shift, uint8_t *codes) {
  const uint8_t *digits = book->digits + number * book->length;
  for (size_t i = 0; i < book->length; ++i)
    codes[i] = (uint8_t)(2 * digits[i] + shift);
}

/* d; for each 32: numbers[4], a word of four times seven signs and s. */
static void codes_iq2_xxs(const lutc_book *book, const uint8_t *block, uint8_t *codes) {
  for (int part = 0; part < 8; ++part)
    for (int v = 0; v < 4; ++v, codes += 8)
      put_signed(book, block[2 + 8 * part + v], even_signs(load32(block + 6 + 8 * part) >> 7 * v & 127),
                 codes);
}

static void multiples_iq2_xxs(const uint8_t *block, int8_t *scales) {
  for (int part = 0; part < 8; ++part)
    scales[part] = odd(load32(block + 6 + 8 * part) >> 28);
}

/* d, words[32] of a number and seven signs, scales[8] */
static void codes_iq2_xs(const lutc_book *book, const uint8_t *block, uint8_t *codes) {
  for (int v = 0; v < 32; ++v, codes += 8) {
    const unsigned word = load16(block + 2 + 2 * v);
    put_signed(book, word & 511, even_signs(word >> 9), codes);
  }
}

/* s of 16 weights in each nibble. */
static void multiples_of_nibbles(const uint8_t *bytes, int8_t *scales) {
  for (int group = 0; group < 16; ++group)
    scales[group] = odd(bytes[group / 2] >> 4 * (group % 2) & 15);
}

static void multiples_iq2_xs(const uint8_t *block, int8_t *scales) {
  multiples_of_nibbles(block + 66, scales);
}

/* d, low[32], signs[32], high[8], scales[8] */
static void codes_iq2_s(const lutc_book *book, const uint8_t *block, uint8_t *codes) {
  for (int v = 0; v < 32; ++v, codes += 8) {
    const unsigned high = block[66 + v / 4] >> 2 * (v % 4) & 3;
    put_signed(book, block[2 + v] | high << 8, block[34 + v], codes);
  }
}

static void multiples_iq2_s(const uint8_t *block, int8_t *scales) {
  multiples_of_nibbles(block + 74, scales);
}

/* d, numbers[64], for each 32 a word as in IQ2_XXS. */
static void codes_iq3_xxs(const lutc_book *book, const uint8_t *block, uint8_t *codes) {
  for (int v = 0; v < 64; ++v, codes += 4) {
    const unsigned seven = load32(block + 66 + v / 8 * 4) >> 7 * (v % 8 / 2) & 127;
    put_signed(book, block[2 + v], even_signs(seven) >> 4 * (v % 2), codes);
  }
}

static void multiples_iq3_xxs(const uint8_t *block, int8_t *scales) {
  for (int part = 0; part < 8; ++part)
    scales[part] = odd(load32(block + 66 + 4 * part) >> 28);
}

/* d, low[64], high[8], signs[32], scales[4] */
static void codes_iq3_s(const lutc_book *book, const uint8_t *block, uint8_t *codes) {
  for (int v = 0; v < 64; ++v, codes += 4) {
    const unsigned high = block[66 + v / 8] >> v % 8 & 1;
    put_signed(book, block[2 + v] | high << 8, block[74 + v / 2] >> 4 * (v % 2), codes);
  }
}

static void multiples_iq3_s(const uint8_t *block, int8_t *scales) {
  for (int group = 0; group < 8; ++group)
    scales[group] = odd(block[106 + group / 2] >> 4 * (group % 2) & 15);
}

/* d, low[32], for each 32 a word: four times three high bits, s of three bits, whether the shift is down. */
static void codes_iq1_s(const lutc_book *book, const uint8_t *block, uint8_t *codes) {
  for (int v = 0; v < 32; ++v, codes += 8) {
    const unsigned word = load16(block + 34 + v / 4 * 2), high = word >> 3 * (v % 4) & 7;
    put_shifted(book, block[2 + v] | high << 8, !(word >> 15), codes);
  }
}

static void multiples_iq1_s(const uint8_t *block, int8_t *scales) {
  for (int part = 0; part < 8; ++part)
    scales[part] = odd(load16(block + 34 + 2 * part) >> 12 & 7);
}

/* low[32], high[16] of nibbles: three bits, and whether the shift is down; words[4] of four times three bits
   of s, and a nibble of d. */
static void codes_iq1_m(const lutc_book *book, const uint8_t *block, uint8_t *codes) {
  for (int v = 0; v < 32; ++v, codes += 8) {
    const unsigned nibble = block[32 + v / 2] >> 4 * (v % 2) & 15;
    put_shifted(book, block[v] | (nibble & 7) << 8, !(nibble >> 3), codes);
  }
}

static void multiples_iq1_m(const uint8_t *block, int8_t *scales) {
  for (int group = 0; group < 16; ++group)
    scales[group] = odd(load16(block + 48 + group / 4 * 2) >> 3 * (group % 4) & 7);
}

/* `count` blocks of a type: their codes, and multiples of their subgroups. */
#define LUTC_BLOCKS(type, book, bytes, subgroups)                                                            \
  void lutc_codes_##type(const uint8_t *block, size_t count, uint8_t *codes) {                               \
    const lutc_book *vectors = lutc_find_book(LUTC_BOOK_##book);                                             \
    for (; count-- > 0; block += (bytes), codes += 256)                                                      \
      codes_##type(vectors, block, codes);                                                                   \
  }                                                                                                          \
  void lutc_multiples_##type(const uint8_t *block, size_t count, int8_t *scales, int8_t *minimums) {         \
    (void)minimums;                                                                                          \
    for (; count-- > 0; block += (bytes), scales += (subgroups))                                             \
      multiples_##type(block, scales);                                                                       \
  }

LUTC_BLOCKS(iq2_xxs, iq2xxs, 66, 8)
LUTC_BLOCKS(iq2_xs, iq2xs, 74, 16)
LUTC_BLOCKS(iq2_s, iq2s, 82, 16)
LUTC_BLOCKS(iq3_xxs, iq3xxs, 98, 8)
LUTC_BLOCKS(iq3_s, iq3s, 110, 8)
LUTC_BLOCKS(iq1_s, iq1s, 50, 8)
LUTC_BLOCKS(iq1_m, iq1m, 56, 16)
