/* kblocks.c: blocks of 256 with scales on two levels. */
#include "kblocks.h"

#include <string.h>

/* Each 64 elements take 32 bytes: elements l and l + 32 in the nibbles of byte l. */
static inline void unpack_nibble_pairs(const uint8_t *restrict bytes, uint8_t *restrict codes) {
  for (int part = 0; part < 4; ++part)
    for (int l = 0; l < 32; ++l) {
      codes[64 * part + l] = bytes[32 * part + l] & 15;
      codes[64 * part + 32 + l] = bytes[32 * part + l] >> 4;
    }
}

/* Bit s of high[l] is bit `bit` of element 32 s + l. */
static inline void add_high_bits(const uint8_t *high, int bit, uint8_t *codes) {
  for (int s = 0; s < 8; ++s)
    for (int l = 0; l < 32; l += 8) {
      uint64_t bits, eight;
      memcpy(&bits, high + l, sizeof bits);
      memcpy(&eight, codes + 32 * s + l, sizeof eight);
      eight |= (bits >> s & UINT64_C(0x0101010101010101)) << bit;
      memcpy(codes + 32 * s + l, &eight, sizeof eight);
    }
}

/* scales[16] (low nibble scale, high nibble minimum), codes[64], d, dmin */
static inline void codes_q2_k(const uint8_t *block, uint8_t *codes) { lutc_unpack_pairs(block + 16, codes); }

static inline void multiples_q2_k(const uint8_t *block, int8_t *scales, int8_t *minimums) {
  for (int group = 0; group < 16; ++group) {
    scales[group] = (int8_t)(block[group] & 15);
    minimums[group] = (int8_t)(block[group] >> 4);
  }
}

/* high[32], codes[64], scales[12], d */
static inline void codes_q3_k(const uint8_t *block, uint8_t *codes) {
  lutc_unpack_pairs(block + 32, codes);
  add_high_bits(block, 2, codes);
}

/* 16 scales of 6 bits: the low 4 of the first 8 in low nibbles of 8 bytes, those of the others in the high
   nibbles; the high 2 at bits 2 (group / 4) of four bytes more. */
static inline void multiples_q3_k(const uint8_t *block, int8_t *scales, int8_t *minimums) {
  const uint8_t *bytes = block + 96;
  (void)minimums;
  for (int group = 0; group < 16; ++group) {
    const int low = group < 8 ? bytes[group] & 15 : bytes[group - 8] >> 4;
    scales[group] = (int8_t)((low | (bytes[8 + group % 4] >> 2 * (group / 4) & 3) << 4) - 32);
  }
}

/* d, dmin, scales[12], codes[128] */
static inline void codes_q4_k(const uint8_t *block, uint8_t *codes) {
  unpack_nibble_pairs(block + 16, codes);
}

/* 8 scales and 8 minimums of 6 bits. Those of groups 0..3 are the low bits of bytes 0..3 and 4..7; of the
   others, the low 4 bits are nibbles of bytes 8..11, and the high 2 lie above the former. */
static inline void multiples_q4_k(const uint8_t *block, int8_t *scales, int8_t *minimums) {
  const uint8_t *bytes = block + 4;
  for (int group = 0; group < 4; ++group) {
    scales[group] = (int8_t)(bytes[group] & 63);
    minimums[group] = (int8_t)(bytes[group + 4] & 63);
    scales[group + 4] = (int8_t)((bytes[group + 8] & 15) | bytes[group] >> 6 << 4);
    minimums[group + 4] = (int8_t)(bytes[group + 8] >> 4 | bytes[group + 4] >> 6 << 4);
  }
}

/* d, dmin, scales[12], high[32], codes[128] */
static inline void codes_q5_k(const uint8_t *block, uint8_t *codes) {
  unpack_nibble_pairs(block + 48, codes);
  add_high_bits(block + 16, 4, codes);
}

/* low[128], high[64], scales[16] (signed), d. In each half of 128, elements l, l + 32, l + 64, l + 96 have
   their low 4 bits in the nibbles of low[l] and low[l + 32], and their high 2 bits at 0, 2, 4, 6 of high[l].
 */
static inline void codes_q6_k(const uint8_t *restrict block, uint8_t *restrict codes) {
  for (int half = 0; half < 2; ++half)
    for (int part = 0; part < 4; ++part)
      for (int l = 0; l < 32; ++l) {
        const int low = block[64 * half + 32 * (part & 1) + l], high = block[128 + 32 * half + l];
        codes[128 * half + 32 * part + l] =
            (uint8_t)((low >> 4 * (part / 2) & 15) | (high >> 2 * part & 3) << 4);
      }
}

static inline void multiples_q6_k(const uint8_t *block, int8_t *scales, int8_t *minimums) {
  (void)minimums;
  for (int group = 0; group < 16; ++group)
    scales[group] = (int8_t)block[192 + group];
}

/* d, high[2], low[4], codes[128]: each 32 elements take 16 bytes, elements l and l + 16 in the nibbles of
   byte l. Scales have 6 bits: nibbles of `low`, and above them pairs of `high`. */
static inline void codes_iq4_xs(const uint8_t *restrict block, uint8_t *restrict codes) {
  for (int part = 0; part < 8; ++part)
    for (int l = 0; l < 16; ++l) {
      codes[32 * part + l] = block[8 + 16 * part + l] & 15;
      codes[32 * part + 16 + l] = block[8 + 16 * part + l] >> 4;
    }
}

static inline void multiples_iq4_xs(const uint8_t *block, int8_t *scales, int8_t *minimums) {
  (void)minimums;
  for (int group = 0; group < 8; ++group) {
    const int low = block[4 + group / 2] >> 4 * (group % 2) & 15,
              high = block[2 + group / 4] >> 2 * (group % 4) & 3;
    scales[group] = (int8_t)((low | high << 4) - 32);
  }
}

/* `count` blocks of a type: their codes, and multiples of their subgroups. */
#define LUTC_BLOCKS(type, bytes, subgroups, multiples)                                                       \
  void lutc_codes_##type(const uint8_t *block, size_t count, uint8_t *codes) {                               \
    for (; count-- > 0; block += (bytes), codes += 256)                                                      \
      codes_##type(block, codes);                                                                            \
  }                                                                                                          \
  void lutc_multiples_##type(const uint8_t *block, size_t count, int8_t *scales, int8_t *minimums) {         \
    for (; count-- > 0; block += (bytes), scales += (subgroups), minimums += (subgroups))                    \
      multiples(block, scales, minimums);                                                                    \
  }

LUTC_BLOCKS(q2_k, 84, 16, multiples_q2_k)
LUTC_BLOCKS(q3_k, 110, 16, multiples_q3_k)
LUTC_BLOCKS(q4_k, 144, 8, multiples_q4_k)
LUTC_BLOCKS(q5_k, 176, 8, multiples_q4_k)
LUTC_BLOCKS(q6_k, 210, 16, multiples_q6_k)
LUTC_BLOCKS(iq4_xs, 136, 8, multiples_iq4_xs)
