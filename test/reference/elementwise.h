// What lies between products: norms, activation functions, rotations. Sums have one order and exp one
// polynomial, so that every target gets the same bits. f32 throughout, never fused: compile with
// -ffp-contract=off.
#ifndef LUT_REFERENCE_ELEMENTWISE_H
#define LUT_REFERENCE_ELEMENTWISE_H

#include "reference.h"

namespace lut::reference {

// 16 sums of every 16th term, then the upper half is added to the lower one.
inline float laneSum(const std::vector<float> &terms) {
  float lanes[16] = {};
  for (size_t i = 0; i < terms.size(); ++i)
    lanes[i % 16] = lanes[i % 16] + terms[i];
  for (size_t half = 8; half >= 1; half /= 2)
    for (size_t i = 0; i < half; ++i)
      lanes[i] = lanes[i] + lanes[i + half];
  return lanes[0];
}

inline float meanSquare(const std::vector<float> &x) {
  std::vector<float> squares(x);
  for (float &value : squares)
    value = value * value;
  return laneSum(squares) / float(x.size());
}

// x / sqrt(mean(x^2) + epsilon) * weight
inline void rmsNorm(std::vector<float> &x, const float *weight, float epsilon) {
  const float factor = 1.0f / std::sqrt(meanSquare(x) + epsilon);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = x[i] * factor * weight[i];
}

// The same of x - mean(x), + bias
inline void layerNorm(std::vector<float> &x, const float *weight, const float *bias, float epsilon) {
  const float mean = laneSum(x) / float(x.size());
  for (float &value : x)
    value = value - mean;
  rmsNorm(x, weight, epsilon);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = x[i] + bias[i];
}

// exp(x) for x in [-87, 88], at which it is bounded: 2^n exp(r), n = rne(x / ln 2); the polynomial of Cephes
// expf.
inline float exponential(float x) {
  x = x > 88.0f ? 88.0f : x;
  x = x < -87.0f ? -87.0f : x;
  const float shifted = x * 1.44269504f + 12582912.0f, n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  for (float c : {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    p = p * r + c;
  return (p * (r * r) + r + 1.0f) * floatOf((bitsOf(shifted) - 0x4b400000 + 127) << 23);
}

inline float activation(const std::string &kind, float x) {
  if (kind == "silu")
    return x / (exponential(-x) + 1.0f);
  if (kind == "gelu") { // x * sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3))
    const float cube = x * x * x * 0.044715f;
    return x / (exponential(-((x + cube) * 1.5957691f)) + 1.0f);
  }
  if (kind == "relu2") {
    const float positive = x < 0.0f ? 0.0f : x;
    return positive * positive;
  }
  return x;
}

// Multiplies every `block` elements by the Hadamard matrix of that size, over sqrt(block): its factors of
// two, the smallest distance first.
inline void rotate(std::vector<float> &x, size_t block) {
  for (size_t step = 1; step < block; step *= 2)
    for (size_t i = 0; i < x.size(); ++i)
      if ((i & step) == 0) {
        const float a = x[i], b = x[i + step];
        x[i] = a + b;
        x[i + step] = a - b;
      }
  for (float &value : x)
    value = value * float(1 / std::sqrt(double(block)));
}

// To nearest even; from 65520 on infinity.
inline uint16_t toHalf(float x) {
  const uint16_t sign = x < 0 || std::signbit(x) ? 0x8000 : 0;
  const double magnitude = std::fabs(double(x));
  if (std::isnan(x))
    return sign | 0x7e00;
  if (magnitude >= 65520)
    return sign | 0x7c00;
  const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
  const double fraction = std::nearbyint(std::ldexp(magnitude, 10 - exponent)); // 1024 and more where normal
  return uint16_t(sign + (exponent + 14) * 1024 + int(fraction)); // a carry moves to the exponent
}

inline uint16_t toBrain(float x) {
  if (std::isnan(x))
    return 0x7fc0;
  const uint32_t bits = bitsOf(x), rest = bits & 0xffff, low = bits >> 16;
  return uint16_t(low + (rest > 0x8000 || (rest == 0x8000 && low % 2 == 1)));
}

inline int8_t toByte(float x) {
  return std::isnan(x) ? int8_t(0) : int8_t(std::nearbyint(std::min(127.0f, std::max(-127.0f, x))));
}

} // namespace lut::reference

#endif
