/* convert.h: 8- and 16-bit floats. Every number of theirs is one of float, so that sums of two, rounded to
   float and then to 16 bits or less, are rounded once: 24 >= 2 * 11 + 2 bits. */
#ifndef LMMA_CONVERT_H
#define LMMA_CONVERT_H

#include "machine.h"

static inline float lmma_from_f8(uint8_t bits) {
  const uint32_t sign = (uint32_t)(bits & 0x80) << 24, exponent = bits >> 3 & 15, fraction = bits & 7;
  if ((bits & 0x7f) == 0x7f)
    return lutc_bits_float(0x7fc00000);
  if (exponent == 0)
    return (sign ? -0x1p-9f : 0x1p-9f) * (float)fraction;
  return lutc_bits_float(sign | (exponent + 120) << 23 | fraction << 20);
}

/* To nearest even; NaN, and what rounds to more than 448, as 0x7f. */
static inline uint8_t lmma_to_f8(float value) {
  const uint32_t sign = lutc_float_bits(value) >> 24 & 0x80, magnitude = lutc_float_bits(value) & 0x7fffffff;
  if (magnitude > 0x43e80000) /* 464, halfway from 448 to 480 */
    return 0x7f;
  if (magnitude < 0x3c800000) /* 2^-6; floats from 2^14 on are 2^-9 apart, as subnormals are */
    return (uint8_t)(sign | (lutc_float_bits(lutc_bits_float(magnitude) + 0x1p14f) - 0x46800000));
  return (uint8_t)(sign | (magnitude + 0x7ffff + (magnitude >> 20 & 1) - 0x3c000000) >> 20);
}

/* Element `index` of a fragment of floats, or of integers that are rounded to nearest even. */
static inline float lmma_get(const uint8_t *fragment, uint8_t type, size_t index) {
  uint32_t word;
  uint16_t half;
  switch (type) {
  case LMMA_F8:
    return lmma_from_f8(fragment[index]);
  case LMMA_F16:
    memcpy(&half, fragment + 2 * index, sizeof half);
    return lutc_widen(half);
  case LMMA_BF16:
    memcpy(&half, fragment + 2 * index, sizeof half);
    return lutc_bits_float((uint32_t)half << 16);
  case LMMA_E8M0:
    return lutc_bits_float(fragment[index] == 0 ? UINT32_C(1) << 22 : (uint32_t)fragment[index] << 23);
  default:
    memcpy(&word, fragment + 4 * index, sizeof word);
    return type == LMMA_F32 ? lutc_bits_float(word) : (float)(int32_t)word;
  }
}

/* One NaN is written in each type. */
static inline void lmma_put(uint8_t *fragment, uint8_t type, size_t index, float value) {
  if (type == LMMA_F8) {
    fragment[index] = lmma_to_f8(value);
  } else if (type == LMMA_F16) {
    const uint16_t half = lutc_narrow(value);
    memcpy(fragment + 2 * index, &half, sizeof half);
  } else {
    const uint32_t word = value != value ? 0x7fc00000 : lutc_float_bits(value);
    memcpy(fragment + 4 * index, &word, sizeof word);
  }
}

/* The number of the type nearest to `value`. */
static inline float lmma_round(float value, uint8_t type) {
  switch (type) {
  case LMMA_F8:
    return lmma_from_f8(lmma_to_f8(value));
  case LMMA_F16:
    return lutc_widen(lutc_narrow(value));
  default:
    return value;
  }
}

/* Element `index` of a fragment of I8 or I16. */
static inline int32_t lmma_get_integer(const uint8_t *fragment, uint8_t type, size_t index) {
  int16_t word;
  if (type == LMMA_I8)
    return (int8_t)fragment[index];
  memcpy(&word, fragment + 2 * index, sizeof word);
  return word;
}

#endif
