// The weights that codes, scales and zero points stand for, by the words of runtime/lutc.h.
#ifndef LUT_TEST_CHECKPOINT_UNPACK_H
#define LUT_TEST_CHECKPOINT_UNPACK_H

#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/WeightSource.h"
#include <cmath>
#include <gtest/gtest.h>

namespace lut::test {

// A band that owns its memory, filled with what no test expects.
struct Band {
  Band(const WeightSource &source, int64_t count)
      : memory(WeightBand::bytes(source.format, source.k, count), 0xee),
        rows(source.format, source.k, count, memory.data()) {}
  std::vector<uint8_t> memory;
  WeightBand rows;
};

// A scale or minimum.
inline float numberOf(ScaleType type, const void *all, int64_t at) {
  switch (type) {
  case ScaleType::f32:
    return static_cast<const float *>(all)[at];
  case ScaleType::e8m0:
    return std::ldexp(1.0f, static_cast<const uint8_t *>(all)[at] - 127);
  case ScaleType::e4m3: {
    const int byte = static_cast<const uint8_t *>(all)[at], exponent = byte >> 3 & 15;
    const float value = std::ldexp(float(exponent ? 8 + byte % 8 : byte % 8), (exponent ? exponent : 1) - 10);
    return byte & 0x80 ? -value : value;
  }
  case ScaleType::bf16:
    return floatOfBrain(static_cast<const uint16_t *>(all)[at]);
  default:
    return floatOfHalf(static_cast<const uint16_t *>(all)[at]);
  }
}

inline float scaleOf(const lutc_weights &weights, const Format &format, int64_t at) {
  return numberOf(format.scaleType, weights.scales, format.perTensor ? 0 : at);
}

// A weight of a band, one operation after the other in f32.
inline float weightOf(const lutc_weights &weights, const Format &format, int64_t k, int64_t row, int64_t i) {
  const int64_t at = row * format.groups(k) + i / (format.group ? format.group : k);
  const int64_t sub = format.subgroup ? row * format.subgroups(k) + i / format.subgroup : 0;
  const int code = weights.codes[row * k + i];
  EXPECT_LT(code, format.row->codes());
  float scale = scaleOf(weights, format, at), minimum = 0;
  if (format.subgroup)
    scale *= float(weights.scale_multiples[sub]);
  if (format.zeroPoints)
    return scale * float(code - weights.zero_points[at]);
  if (!format.minimums)
    return scale * (float(format.row->value(code)) / float(format.row->divisor));
  minimum = numberOf(format.scaleType, weights.minimums, at);
  if (format.subgroup)
    minimum *= float(weights.minimum_multiples[sub]);
  return scale * float(code) + minimum;
}

// Row by row in uneven portions, columns in the layer's own order.
inline std::vector<float> dequantize(const WeightSource &source) {
  const int64_t n = source.n, k = source.k;
  std::vector<float> values(n * k);
  for (int64_t first = 0, count = 1; first < n; first += count, count = std::min(n - first, 2 * count + 1)) {
    Band band(source, count);
    llvm::cantFail(source.readRows(first, band.rows));
    const lutc_weights weights = band.rows.weights();
    for (int64_t i = 0; i < count * k; ++i) {
      int64_t column = source.columns().empty() ? i % k : source.columns()[i % k];
      values[(first + i / k) * k + column] = weightOf(weights, source.format, k, i / k, i % k);
    }
  }
  return values;
}

// What reading the first rows complains about; empty: nothing.
inline std::string readProblem(const WeightSource &source, int64_t count) {
  Band band(source, count);
  return llvm::toString(source.readRows(0, band.rows));
}

} // namespace lut::test

#endif
