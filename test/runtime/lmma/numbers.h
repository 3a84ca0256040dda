// Numbers of the machine's types as doubles, which hold them and the sums of two of them exactly but for F32,
// and their rounding: by units in the last place, not by bits.
#ifndef LUT_TEST_RUNTIME_LMMA_NUMBERS_H
#define LUT_TEST_RUNTIME_LMMA_NUMBERS_H

#include "lmma/lmma.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace lut::lmma {

// A binary float without its infinities and NaNs.
struct FloatFormat {
  int fraction, lowest; // bits after the point; exponent of the smallest normal number
  double largest;
};

inline FloatFormat formatOf(lmma_type type) {
  if (type == LMMA_F8)
    return {3, -6, 448};
  if (type == LMMA_BF16)
    return {7, -126, std::ldexp(255.0, 120)};
  return type == LMMA_F16 ? FloatFormat{10, -14, 65504}
                          : FloatFormat{23, -126, double(std::numeric_limits<float>::max())};
}

// To nearest even; past the largest number infinity, in F8 NaN.
inline double roundTo(lmma_type type, double value) {
  if (!std::isfinite(value) || value == 0)
    return type == LMMA_F8 && std::isinf(value) ? std::numeric_limits<double>::quiet_NaN() : value;
  const FloatFormat format = formatOf(type);
  const double unit = std::ldexp(1.0, std::max(std::ilogb(value), format.lowest) - format.fraction);
  const double rounded = std::nearbyint(value / unit) * unit;
  if (std::fabs(rounded) <= format.largest)
    return rounded;
  return type == LMMA_F8 ? std::numeric_limits<double>::quiet_NaN() : std::copysign(INFINITY, value);
}

// Fields of `exponentBits` and `fractionBits`.
inline double decodeFields(uint32_t bits, int exponentBits, int fractionBits) {
  const int bias = (1 << (exponentBits - 1)) - 1;
  const int exponent = int(bits >> fractionBits) & ((1 << exponentBits) - 1);
  const uint32_t fraction = bits & ((1u << fractionBits) - 1);
  const double sign = bits >> (exponentBits + fractionBits) & 1 ? -1 : 1;
  if (exponent == 0)
    return sign * std::ldexp(double(fraction), 1 - bias - fractionBits);
  return sign * std::ldexp(1 + double(fraction) / (1u << fractionBits), exponent - bias);
}

inline int bytesOf(lmma_type type) {
  return type == LMMA_I32 || type == LMMA_F32                        ? 4
         : type == LMMA_I16 || type == LMMA_F16 || type == LMMA_BF16 ? 2
                                                                     : 1;
}

// Element `index` of type `type`.
inline double decode(lmma_type type, const uint8_t *data, size_t index) {
  uint32_t bits = 0;
  std::memcpy(&bits, data + index * size_t(bytesOf(type)), size_t(bytesOf(type)));
  switch (type) {
  case LMMA_F8:
    return (bits & 0x7f) == 0x7f ? std::numeric_limits<double>::quiet_NaN() : decodeFields(bits, 4, 3);
  case LMMA_F16:
    if ((bits & 0x7c00) == 0x7c00)
      return bits & 0x3ff ? std::numeric_limits<double>::quiet_NaN() : bits & 0x8000 ? -INFINITY : INFINITY;
    return decodeFields(bits, 5, 10);
  case LMMA_BF16:
    if ((bits & 0x7f80) == 0x7f80)
      return bits & 0x7f ? std::numeric_limits<double>::quiet_NaN() : bits & 0x8000 ? -INFINITY : INFINITY;
    return decodeFields(bits, 8, 7);
  case LMMA_E8M0:
    return bits == 255 ? INFINITY : std::ldexp(1.0, int(bits) - 127);
  case LMMA_F32:
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return double(value);
  case LMMA_I8:
    return double(int8_t(bits));
  case LMMA_I16:
    return double(int16_t(bits));
  case LMMA_I32:
    return double(int32_t(bits));
  default:
    return double(bits);
  }
}

// The bits of a number that the float type has; each type has one NaN.
inline uint32_t floatBits(lmma_type type, double value) {
  const FloatFormat format = formatOf(type);
  const int exponentBits = 8 * bytesOf(type) - 1 - format.fraction;
  const uint32_t infinity = ((1u << exponentBits) - 1) << format.fraction;
  if (std::isnan(value))
    return type == LMMA_F8 ? 0x7f : infinity | 1u << (format.fraction - 1);
  const uint32_t sign = uint32_t(std::signbit(value)) << (8 * bytesOf(type) - 1);
  if (std::isinf(value))
    return sign | infinity;
  const int exponent = value == 0 ? format.lowest : std::max(std::ilogb(value), format.lowest);
  // A normal number's leading 1 adds to the exponent's field, which counts from 1.
  const auto significand = uint32_t(std::ldexp(std::fabs(value), format.fraction - exponent));
  return sign | ((uint32_t(exponent - format.lowest) << format.fraction) + significand);
}

inline void encode(lmma_type type, uint8_t *data, size_t index, double value) {
  const bool isFloat = type == LMMA_F8 || type == LMMA_F16 || type == LMMA_BF16 || type == LMMA_F32;
  const uint32_t bits = isFloat ? floatBits(type, value) : uint32_t(int64_t(value));
  std::memcpy(data + index * size_t(bytesOf(type)), &bits, size_t(bytesOf(type)));
}

} // namespace lut::lmma

#endif
