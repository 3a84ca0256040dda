/* scales.h: numbers of scales.def as f32, for the compiler, the runtime and what engines load. Not for users.
 */
#ifndef LUTC_SCALES_H
#define LUTC_SCALES_H

#include "lutc.h"

#include <string.h>

typedef struct lutc_scale_type {
  lutc_type number;
  uint32_t bits, fraction, bias, none;
} lutc_scale_type;

static inline uint32_t lutc_float_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float lutc_bits_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Of a row of scales.def; of no scale: f32. */
static inline const lutc_scale_type *lutc_find_scale_type(lutc_type number) {
  static const lutc_scale_type types[] = {
#define LUTC_SCALE_TYPE(name, letter, alone, ...) {__VA_ARGS__},
#include "scales.def"
  };
  const lutc_scale_type *type = types, *last = types + sizeof types / sizeof *types - 1;
  while (type != last && type->number != number)
    ++type;
  return type;
}

static inline uint32_t lutc_largest_fraction(const lutc_scale_type *type) {
  return (UINT32_C(1) << type->fraction) - 1;
}

/* All bits but the sign. */
static inline uint32_t lutc_magnitude_mask(const lutc_scale_type *type) {
  return (2 * type->bias + 1) << type->fraction | lutc_largest_fraction(type);
}

static inline int lutc_is_finite_scale(const lutc_scale_type *type, uint32_t bits) {
  return (bits & type->none) != type->none;
}

/* Exactly: the bits of a magnitude as those of f32 are it times 2^(bias - 127), also where it is subnormal.
   What is not finite becomes infinity or NaN. */
static inline float lutc_widen_bits(const lutc_scale_type *type, uint32_t bits) {
  const uint32_t magnitude = bits & lutc_magnitude_mask(type);
  const uint32_t sign = (bits ^ magnitude) << (32 - type->bits), placed = magnitude << (23 - type->fraction);
  if (!lutc_is_finite_scale(type, bits))
    return lutc_bits_float(sign | 0x7f800000 | placed);
  if (type->fraction == 0)
    return lutc_bits_float(placed != 0 ? placed : UINT32_C(1) << 22);
  return lutc_bits_float(sign | placed) * lutc_bits_float((254 - type->bias) << 23);
}

/* The number that begins at `scale`. */
static inline uint32_t lutc_load_scale(const lutc_scale_type *type, const void *scale) {
  uint16_t half;
  uint32_t word;
  if (type->bits == 8)
    return *(const uint8_t *)scale;
  if (type->bits == 16)
    return memcpy(&half, scale, sizeof half), half;
  return memcpy(&word, scale, sizeof word), word;
}

static inline float lutc_widen_scale(lutc_type number, const void *scale) {
  const lutc_scale_type *type = lutc_find_scale_type(number);
  return lutc_widen_bits(type, lutc_load_scale(type, scale));
}

#endif
