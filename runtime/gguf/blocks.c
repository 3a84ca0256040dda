/* blocks.c: types of GGUF with one scale for an element, and what all types share. */
#include "kblocks.h"

#include <string.h>

static uint16_t load16(const uint8_t *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }

/* Byte j of `half` holds element j in its low nibble and element j + half in its high one. */
static inline void unpack_nibbles(const uint8_t *restrict bytes, int half, uint8_t *restrict codes) {
  for (int j = 0; j < half; ++j)
    codes[j] = bytes[j] & 15;
  for (int j = 0; j < half; ++j)
    codes[j + half] = bytes[j] >> 4;
}

/* Bit i of a byte in byte i: bit 7 of each byte is set where another one is. */
static inline uint64_t spread_bits(uint8_t byte) {
  const uint64_t ones = UINT64_C(0x0101010101010101), bits = byte * ones & UINT64_C(0x8040201008040201);
  return (bits + 0x7f * ones) >> 7 & ones;
}

/* Bits 2i and 2i + 1 of a byte in byte i. */
static inline uint32_t spread_pairs(uint8_t byte) {
  const uint32_t halves = byte | (uint32_t)byte << 12;
  return (halves | halves << 6) & 0x03030303u;
}

/* Q5_0 and Q5_1: bit 4 of element j is bit j of a word. */
static inline void unpack_five_bits(const uint8_t *high, uint8_t *codes) {
  unpack_nibbles(high + 4, 16, codes);
  for (int j = 0; j < 4; ++j) {
    uint64_t eight;
    memcpy(&eight, codes + 8 * j, sizeof eight);
    eight |= spread_bits(high[j]) << 4;
    memcpy(codes + 8 * j, &eight, sizeof eight);
  }
}

/* A byte is ceil(256 v / 243) of five trits v in base 3, the first the most significant; trit n of byte m is
   element n * count + m. */
static inline void unpack_trits(const uint8_t *restrict bytes, int count, int trits,
                                uint8_t *restrict codes) {
  static const uint8_t powers[] = {1, 3, 9, 27, 81};
  for (int n = 0; n < trits; ++n)
    for (int m = 0; m < count; ++m)
      codes[n * count + m] = (uint8_t)((uint8_t)(bytes[m] * powers[n]) * 3 >> 8);
}

/* Defines `name`: what unpacks `count` blocks, each by a statement. */
#define LUTC_CODES(name, bytes, elements, statement)                                                         \
  void name(const uint8_t *block, size_t count, uint8_t *codes) {                                            \
    for (; count-- > 0; block += (bytes), codes += (elements))                                               \
      statement;                                                                                             \
  }

static inline void unpack_q1_0(const uint8_t *bytes, uint8_t *codes) {
  for (int j = 0; j < 16; ++j) {
    const uint64_t eight = spread_bits(bytes[j]);
    memcpy(codes + 8 * j, &eight, sizeof eight);
  }
}

/* d (q - 1) is -d ((3 - q) - 2). */
static inline void unpack_q2_0(const uint8_t *bytes, uint8_t *codes) {
  for (int j = 0; j < 16; ++j) {
    const uint32_t four = spread_pairs((uint8_t)~bytes[j]);
    memcpy(codes + 4 * j, &four, sizeof four);
  }
}

/* Signed bytes plus 128. */
static inline void unpack_q8_0(const uint8_t *restrict bytes, uint8_t *restrict codes) {
  for (int j = 0; j < 32; ++j)
    codes[j] = bytes[j] ^ 0x80;
}

static inline void unpack_tq1_0(const uint8_t *block, uint8_t *codes) {
  unpack_trits(block, 32, 5, codes);
  unpack_trits(block + 32, 16, 5, codes + 160);
  unpack_trits(block + 48, 4, 4, codes + 240);
}

/* Four groups of 16 in eight bytes each. */
static inline void unpack_nvfp4(const uint8_t *block, uint8_t *codes) {
  for (int group = 0; group < 4; ++group)
    unpack_nibbles(block + 4 + 8 * group, 8, codes + 16 * group);
}

LUTC_CODES(lutc_codes_q1_0, 18, 128, unpack_q1_0(block + 2, codes))
LUTC_CODES(lutc_codes_q2_0, 18, 64, unpack_q2_0(block + 2, codes))
LUTC_CODES(lutc_codes_q4_0, 18, 32, unpack_nibbles(block + 2, 16, codes)) /* IQ4_NL, too */
LUTC_CODES(lutc_codes_q4_1, 20, 32, unpack_nibbles(block + 4, 16, codes))
LUTC_CODES(lutc_codes_q5_0, 22, 32, unpack_five_bits(block + 2, codes))
LUTC_CODES(lutc_codes_q5_1, 24, 32, unpack_five_bits(block + 4, codes))
LUTC_CODES(lutc_codes_q8_0, 34, 32, unpack_q8_0(block + 2, codes))
LUTC_CODES(lutc_codes_mxfp4, 17, 32, unpack_nibbles(block + 1, 16, codes))
LUTC_CODES(lutc_codes_tq1_0, 54, 256, unpack_tq1_0(block, codes))
LUTC_CODES(lutc_codes_tq2_0, 66, 256, lutc_unpack_pairs(block, codes))
LUTC_CODES(lutc_codes_nvfp4, 36, 64, unpack_nvfp4(block, codes))

static const lutc_block_type types[] = {
#define LUTC_BLOCK_TYPE(name, number, ...) {number, #name, __VA_ARGS__},
#include "types.def"
};

const lutc_block_type *lutc_block_types(size_t *count) {
  *count = sizeof types / sizeof *types;
  return types;
}

const lutc_block_type *lutc_find_block_type(uint32_t number) {
  for (size_t i = 0; i < sizeof types / sizeof *types; ++i)
    if (types[i].number == number)
      return &types[i];
  return NULL;
}

/* Its NaN counts as zero in ggml. Of bytes that no quantizer writes, 0xff stays NaN. */
static uint8_t unsigned_e4m3(uint8_t scale) { return scale == 0x7f ? 0 : scale & 0x7f; }

void lutc_unpack_scales(const lutc_block_type *type, const uint8_t *blocks, size_t count, uint8_t *scales) {
  const size_t bytes = type->scales * type->scale_bytes;
  const uint8_t *from = blocks + type->scale_at;
  for (size_t i = 0; i < count; ++i, from += type->bytes, scales += bytes) {
    memcpy(scales, from, bytes);
    if (type->traits & LUTC_SCATTERED) {
      scales[0] = (uint8_t)(from[1] >> 4 | (from[3] & 0xf0));
      scales[1] = (uint8_t)(from[5] >> 4 | (from[7] & 0xf0));
    }
    if (type->traits & LUTC_NEGATED)
      scales[bytes - 1] ^= 0x80;
    for (size_t part = 0; part < bytes && type->traits & LUTC_UNSIGNED; ++part)
      scales[part] = unsigned_e4m3(scales[part]);
  }
}

void lutc_unpack_minimums(const lutc_block_type *type, const uint8_t *blocks, size_t count,
                          uint16_t *minimums) {
  const unsigned sign = type->subgroup ? 0x8000 : 0;
  for (size_t i = 0; i < count; ++i)
    minimums[i] = (uint16_t)(load16(blocks + i * type->bytes + (uint32_t)type->minimum_at) ^ sign);
}
