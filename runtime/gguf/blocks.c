/* blocks.c: types of GGUF whose blocks have one scale, and the table of all types. */
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
  static void name(const uint8_t *block, size_t count, uint8_t *codes) {                                     \
    for (; count-- > 0; block += (bytes), codes += (elements))                                               \
      statement;                                                                                             \
  }

static inline void unpack_q1_0(const uint8_t *bytes, uint8_t *codes) {
  for (int j = 0; j < 16; ++j) {
    const uint64_t eight = spread_bits(bytes[j]);
    memcpy(codes + 8 * j, &eight, sizeof eight);
  }
}

static inline void unpack_q2_0(const uint8_t *bytes, uint8_t *codes) {
  for (int j = 0; j < 16; ++j) {
    const uint32_t four = spread_pairs(bytes[j]);
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

LUTC_CODES(codes_q1_0, 18, 128, unpack_q1_0(block + 2, codes))
LUTC_CODES(codes_q2_0, 18, 64, unpack_q2_0(block + 2, codes))
LUTC_CODES(codes_q4_0, 18, 32, unpack_nibbles(block + 2, 16, codes)) /* IQ4_NL, too */
LUTC_CODES(codes_q4_1, 20, 32, unpack_nibbles(block + 4, 16, codes))
LUTC_CODES(codes_q5_0, 22, 32, unpack_five_bits(block + 2, codes))
LUTC_CODES(codes_q5_1, 24, 32, unpack_five_bits(block + 4, codes))
LUTC_CODES(codes_q8_0, 34, 32, unpack_q8_0(block + 2, codes))
LUTC_CODES(codes_mxfp4, 17, 32, unpack_nibbles(block + 1, 16, codes))
LUTC_CODES(codes_tq1_0, 54, 256, unpack_tq1_0(block, codes))
LUTC_CODES(codes_tq2_0, 66, 256, lutc_unpack_pairs(block, codes))
LUTC_CODES(codes_nvfp4, 36, 64, unpack_nvfp4(block, codes))

/* An unsigned e4m3 (bias 7) as f16, which holds it; its NaN, 0x7f, counts as zero, as in ggml. */
static uint16_t half_of_ue4m3(uint8_t bits) {
  static const uint16_t subnormal[] = {0, 0x1800, 0x1c00, 0x1e00, 0x2000, 0x2100, 0x2200, 0x2300};
  if (bits == 0x7f)
    return 0;
  if ((bits & 0x78) == 0)
    return subnormal[bits & 7]; /* j * 2^-9 */
  return (uint16_t)(((bits >> 3 & 15) + 8) << 10 | (bits & 7) << 7);
}

static const lutc_block_type types[] = {
    {41, "Q1_0", 128, 18, codes_q1_0, 0, -1, NULL, 0, 0, 2, 1, 0},
    {42, "Q2_0", 64, 18, codes_q2_0, 0, -1, NULL, 0, 1, 2, 1, 0},
    {2, "Q4_0", 32, 18, codes_q4_0, 0, -1, NULL, 0, 0, 2, 1, 0},
    {3, "Q4_1", 32, 20, codes_q4_1, 0, 2, NULL, 0, 0, 2, 1, 0},
    {6, "Q5_0", 32, 22, codes_q5_0, 0, -1, NULL, 0, 0, 2, 1, 0},
    {7, "Q5_1", 32, 24, codes_q5_1, 0, 2, NULL, 0, 0, 2, 1, 0},
    {8, "Q8_0", 32, 34, codes_q8_0, 0, -1, NULL, 0, 0, 2, 1, 0},
    {34, "TQ1_0", 256, 54, codes_tq1_0, 52, -1, NULL, 0, 0, 2, 1, 1},
    {35, "TQ2_0", 256, 66, codes_tq2_0, 64, -1, NULL, 0, 0, 2, 1, 1},
    {10, "Q2_K", 256, 84, lutc_codes_q2_k, 80, 82, lutc_multiples_q2_k, 16, 0, 2, 1, 0},
    {11, "Q3_K", 256, 110, lutc_codes_q3_k, 108, -1, lutc_multiples_q3_k, 16, 0, 2, 1, 0},
    {12, "Q4_K", 256, 144, lutc_codes_q4_k, 0, 2, lutc_multiples_q4_k, 32, 0, 2, 1, 0},
    {13, "Q5_K", 256, 176, lutc_codes_q5_k, 0, 2, lutc_multiples_q5_k, 32, 0, 2, 1, 0},
    {14, "Q6_K", 256, 210, lutc_codes_q6_k, 208, -1, lutc_multiples_q6_k, 16, 0, 2, 1, 0},
    {20, "IQ4_NL", 32, 18, codes_q4_0, 0, -1, NULL, 0, 0, 2, 1, 0},
    {39, "MXFP4", 32, 17, codes_mxfp4, 0, -1, NULL, 0, 0, 1, 1, 0},
    {40, "NVFP4", 64, 36, codes_nvfp4, 0, -1, NULL, 0, 0, 2, 4, 0},
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

void lutc_unpack_scales(const lutc_block_type *type, const uint8_t *blocks, size_t count, uint8_t *scales) {
  const uint8_t *from = blocks + type->scale_at;
  for (size_t i = 0; i < count; ++i, from += type->bytes)
    if (type->scale_bytes == 1) {
      scales[i] = from[0];
    } else if (type->scales == 1) {
      memcpy(scales + 2 * i, from, 2);
    } else {
      for (uint32_t part = 0; part < type->scales; ++part) {
        const uint16_t half = half_of_ue4m3(from[part]);
        memcpy(scales + 2 * (i * type->scales + part), &half, sizeof half);
      }
    }
}

void lutc_unpack_minimums(const lutc_block_type *type, const uint8_t *blocks, size_t count,
                          uint16_t *minimums) {
  const unsigned sign = type->subgroup ? 0x8000 : 0;
  for (size_t i = 0; i < count; ++i)
    minimums[i] = (uint16_t)(load16(blocks + i * type->bytes + (uint32_t)type->minimum_at) ^ sign);
}
