// Float weights, and those that no format holds, rounded to a format.
#include "layers.h"
#include <random>

using namespace lut;
using namespace lut::test;

namespace {

TEST(Rounding, EndsOfTheGridAreExact) {
  std::vector<float> row(32);
  for (int i = 0; i < 32; ++i)
    row[i] = float(i % 16 - 8) * 0.25f;
  std::vector<FileTensor> tensors = {raw("weight", "F32", {1, 32}, bytesOf(row))};
  for (const char *format : {"w4", "w4g32", "w4g32z", "w4g256"})
    expectWeights(Opened(tensors, {}, format), format, 1, 32,
                  [&](int64_t, int64_t column) { return row[column]; });
  for (float &value : row) // the far end is positive: scales are negative
    value = -value;
  tensors[0].bytes = bytesOf(row);
  for (const char *format : {"w4", "w4g32z"})
    expectWeights(Opened(tensors, {}, format), format, 1, 32,
                  [&](int64_t, int64_t column) { return row[column]; });
  for (int i = 0; i < 32; ++i)
    row[i] = i % 3 ? 0.5f : -0.5f;
  tensors[0].bytes = bytesOf(row);
  expectWeights(Opened(tensors, {}, "w1g32"), "w1g32", 1, 32, [&](int64_t, int64_t i) { return row[i]; });
  expectWeights(Opened(tensors, {}, "w158r"), "w158r", 1, 32, [&](int64_t, int64_t i) { return row[i]; });
}

// Half a step at most for rounding, and half of one for the rounded zero point or the end that has no code.
TEST(Rounding, CostsAtMostAStep) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const int64_t n = 4, k = 96;
  std::vector<float> weights(n * k);
  for (float &weight : weights)
    weight = normal(random);
  std::vector<FileTensor> tensors = {raw("weight", "F32", {n, k}, bytesOf(weights))};
  for (int bits : {2, 3, 4})
    for (bool zeros : {false, true}) {
      Opened opened(tensors, {}, "w" + std::to_string(bits) + "g64" + (zeros ? "z" : ""));
      ASSERT_TRUE(opened.source) << opened.problem;
      std::vector<float> found = dequantize(*opened.source);
      for (int64_t i = 0; i < n * k; ++i) {
        const float *begin = &weights[i / k * k + (i % k < 64 ? 0 : 64)],
                    *end = begin + (i % k < 64 ? 64 : 32);
        float low = *std::min_element(begin, end), high = *std::max_element(begin, end);
        float step =
            zeros ? (high - low) / float((1 << bits) - 1) : std::max(-low, high) / float(1 << (bits - 1));
        ASSERT_LE(std::abs(found[i] - weights[i]), step * 1.001f) << opened.source->format.str() << " " << i;
      }
    }
}

} // namespace
