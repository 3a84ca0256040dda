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
  for (const char *format :
       {"w4", "w4g32", "w4g16", "w4g32z", "w4g256", "w4g16m", "w4g32m", "w4b", "w4g32zs", "w4g32mb"})
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

// Values of a code book, times a power of two.
TEST(Rounding, CodeBooksAreExact) {
  const float nl4[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  const float fp4[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.5, -1, -1.5, -2, -3, -4, -6, 6};
  for (auto [book, formats] :
       {std::pair(nl4, std::vector<const char *>{"nl4", "nl4g16", "nl4g32", "nl4g32e"}),
        std::pair(fp4, std::vector<const char *>{"fp4", "fp4g16", "fp4g32", "fp4g16e", "fp4g32e"})}) {
    std::vector<float> row(64);
    for (int i = 0; i < 64; ++i)
      row[i] = book[i % 16] * 0.125f;
    std::vector<FileTensor> tensors = {raw("weight", "F32", {1, 64}, bytesOf(row))};
    for (const char *format : formats)
      expectWeights(Opened(tensors, {}, format), format, 1, 64, [&](int64_t, int64_t i) { return row[i]; });
  }
}

// Minimums need not be below zero, nor maximums above.
TEST(Rounding, MinimumsFollowTheWeights) {
  std::vector<float> row(64);
  for (int i = 0; i < 64; ++i)
    row[i] = (i < 32 ? 10.0f : -17.0f) + float(i % 16) * 0.25f;
  std::vector<FileTensor> tensors = {raw("weight", "F32", {1, 64}, bytesOf(row))};
  expectWeights(Opened(tensors, {}, "w4g32m"), "w4g32m", 1, 64, [&](int64_t, int64_t i) { return row[i]; });
  for (int i = 0; i < 64; ++i)
    row[i] = i < 32 ? 10.0f : i % 2 ? 3.0f : -5.0f; // all alike, and two values
  tensors[0].bytes = bytesOf(row);
  for (const char *format : {"w1g32m", "w4g32m", "w8g32m"}) {
    Opened opened(tensors, {}, format);
    std::vector<float> found = dequantize(*opened.source);
    for (int i = 0; i < 64; ++i)
      EXPECT_NEAR(found[i], row[i], 0.004f) << format << " " << i; // 8 / 15 in f16
  }
}

// Of all weights that a group's scale and minimum allow, the nearest.
TEST(Rounding, TakesTheNearest) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  const int64_t n = 3, k = 96;
  std::vector<float> weights(n * k);
  for (float &weight : weights)
    weight = normal(random);
  std::fill_n(weights.begin() + 32, 16, 0.0f);
  std::vector<FileTensor> tensors = {raw("weight", "F32", {n, k}, bytesOf(weights))};
  for (const char *name : {"nl4", "nl4g16", "nl4g64e", "fp4g16", "fp4g32e", "w4g16", "w4g32e", "w2g32m",
                           "w5g64m", "w8g16m", "w1g32e", "w4g32b", "w4g32zs", "w2g32mb", "fp4g16s"}) {
    Opened opened(tensors, {}, name);
    ASSERT_TRUE(opened.source) << opened.problem;
    const Format &format = opened.source->format;
    Band band(*opened.source, n);
    llvm::cantFail(opened.source->readRows(0, band.rows));
    double error = 0, energy = 0;
    for (int64_t i = 0; i < n * k; ++i) {
      uint8_t &code = band.rows.codes()[i];
      auto distance = [&] {
        return std::fabs(weightOf(band.rows.weights(), format, k, i / k, i % k) - weights[i]);
      };
      const float found = distance();
      for (int other = 0; other < format.row->codes(); ++other) {
        code = uint8_t(other);
        ASSERT_LE(found, distance() * 1.00001f + 1e-6f) << name << " " << i << " " << other;
      }
      error += found * found;
      energy += weights[i] * weights[i];
    }
    EXPECT_LT(error / energy, format.row->bits == 1 ? 0.5 : format.row->bits == 2 ? 0.2 : 0.03) << name;
  }
}

// compiler/README.md, "Rounding", word by word: of a format's name, what a group of weights becomes.
class Rule {
public:
  explicit Rule(const std::string &format) : stem(format.substr(0, format.find_first_of("gzmre", 1))) {
    if (stem == "w158")
      return;
    ending = format.back();
    const size_t g = format.find('g');
    group = g == std::string::npos ? 0 : std::stoll(format.substr(g + 1));
    if (stem == "nl4")
      book = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    else if (stem == "fp4")
      book = {-6, -4, -3, -2, -1.5f, -1, -.5f, 0, .5f, 1, 1.5f, 2, 3, 4, 6};
    else if (stem != "w1")
      for (int value = -(1 << (bits() - 1)); value < 1 << (bits() - 1); ++value)
        book.push_back(float(value));
    else
      book = {-1, 1};
  }

  // Of a row, or of the tensor.
  std::vector<float> round(const std::vector<float> &row, bool isTensor) const {
    std::vector<float> weights;
    if (stem == "w158") {
      const float inverse = 1 / std::max(mean(row), 1e-5f), scale = 1 / inverse;
      for (float w : row)
        weights.push_back(scale * std::min(std::max(std::nearbyintf(w * inverse), -1.0f), 1.0f));
      return weights;
    }
    EXPECT_FALSE(isTensor);
    const size_t step = group ? size_t(group) : row.size();
    for (size_t begin = 0; begin < row.size(); begin += step) {
      const std::vector<float> part(row.begin() + ptrdiff_t(begin),
                                    row.begin() + ptrdiff_t(std::min(begin + step, row.size())));
      for (float weight : roundGroup(part))
        weights.push_back(weight);
    }
    return weights;
  }

private:
  int bits() const { return stem[1] - '0'; }

  static float mean(const std::vector<float> &values) {
    double sum = 0;
    for (float value : values)
      sum += std::fabs(value);
    return float(sum / double(values.size()));
  }

  // To the nearest of binary16, ties to even.
  static float half(float value) {
    if (value == 0)
      return 0;
    const int exponent = std::max(std::ilogb(value), -14);
    return float(std::ldexp(std::nearbyint(std::ldexp(double(value), 10 - exponent)), exponent - 10));
  }
  static float reciprocal(float scale) { return scale == 0 ? 0 : 1 / scale; }

  float nearest(float value) const { // the smaller of two; of whole numbers the even one
    if (stem[0] == 'w')
      return std::min(std::max(std::nearbyintf(value), book.front()), book.back());
    float best = book.front();
    for (size_t i = 1; i < book.size(); ++i)
      if (value > (book[i - 1] + book[i]) / 2)
        best = book[i];
    return best;
  }

  std::vector<float> roundGroup(const std::vector<float> &w) const {
    const float low = *std::min_element(w.begin(), w.end()), high = *std::max_element(w.begin(), w.end());
    std::vector<float> weights;
    if (ending == 'm') {
      const float most = float((1 << bits()) - 1), scale = half((high - low) / most), minimum = half(low);
      for (float value : w) {
        const float code = std::nearbyintf((value - minimum) * reciprocal(scale));
        weights.push_back(scale * std::min(std::max(code, 0.0f), most) + minimum);
      }
      return weights;
    }
    if (ending == 'z') {
      const float below = std::min(low, 0.0f), above = std::max(high, 0.0f), most = float((1 << bits()) - 1);
      const float scale = half((above - below) / most);
      const float zero = scale == 0 ? 0 : std::min(std::max(std::nearbyintf(-below / scale), 0.0f), most);
      for (float value : w) {
        const float code = std::nearbyintf(value * reciprocal(scale));
        weights.push_back(scale * std::min(std::max(code, -zero), most - zero));
      }
      return weights;
    }
    const float extreme = stem == "w1"                                  ? -mean(w)
                          : -std::min(low, 0.0f) > std::max(high, 0.0f) ? low
                                                                        : std::max(high, 0.0f);
    float scale = half(extreme / book.front());
    if (ending == 'e') {
      const int exponent = extreme == 0 ? -127 : std::ilogb(extreme) - std::ilogb(book.back());
      scale = std::ldexp(1.0f, std::min(std::max(exponent, -127), 127));
    }
    for (float value : w)
      weights.push_back(scale *
                        (stem == "w1" ? value < 0 ? -1.0f : 1.0f : nearest(value * reciprocal(scale))));
    return weights;
  }

  std::string stem;
  char ending = ' ';
  int64_t group = 0;
  std::vector<float> book; // ascending
};

// Weights of few bits: their sums are exact in any order, and many lie half way between two codes.
TEST(Rounding, FollowsTheRule) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const int64_t n = 6, k = 200;
  for (const char *name :
       {"w1",      "w1g32",  "w1g64z", "w1g64m",  "w1g32e", "w2",     "w2g64",   "w2g16z", "w2g32m",
        "w3g128",  "w3z",    "w3g64e", "w4",      "w4g16",  "w4g32",  "w4g64z",  "w4z",    "w4g32m",
        "w4g256m", "w4g32e", "w5g32",  "w5g32m",  "w6",     "w6g64z", "w8",      "w8g32",  "w8g128z",
        "w8g32m",  "nl4",    "nl4g32", "nl4g16e", "fp4",    "fp4g16", "fp4g32e", "w158",   "w158r"})
    for (float step : {0x1p-12f, 0x1p-3f, 0.25f, 0x1p-20f}) {
      std::vector<float> weights(n * k);
      for (float &weight : weights)
        weight = std::nearbyintf(normal(random) / (step < 0x1p-15f ? 1024 : 1) / step) * step;
      std::fill_n(weights.begin() + 64, 40, 0.0f);
      for (int64_t i = 2 * k; i < 3 * k; ++i) // one sign
        weights[size_t(i)] = std::fabs(weights[size_t(i)]);
      const Rule rule(name);
      const bool isTensor = std::string(name) == "w158";
      const std::vector<FileTensor> tensors = {raw("weight", "F32", {n, k}, bytesOf(weights))};
      Opened opened(tensors, {}, name);
      ASSERT_TRUE(opened.source) << opened.problem;
      const std::vector<float> found = dequantize(*opened.source);
      std::vector<float> expected;
      if (isTensor)
        expected = rule.round(weights, true);
      for (int64_t row = 0; row < n && !isTensor; ++row) {
        const auto begin = weights.begin() + row * k;
        const std::vector<float> rounded = rule.round({begin, begin + k}, false);
        expected.insert(expected.end(), rounded.begin(), rounded.end());
      }
      for (size_t i = 0; i < weights.size(); ++i)
        ASSERT_EQ(found[i], expected[i]) << name << " step " << step << " weight " << i << ": " << weights[i];
    }
}

// Code -8 of -0.7 has the scale 0.0875, rounded to the type of the scales. 2^30 / 8 is beyond f16.
TEST(Rounding, ScalesHaveTheTypeOfTheFormat) {
  std::vector<float> row(16);
  const auto open = [&](const char *format) {
    const std::vector<FileTensor> tensors = {raw("weight", "F32", {1, 16}, bytesOf(row))};
    return std::make_unique<Opened>(tensors, WeightStorage(), format);
  };
  const auto scaleIn = [&](const char *format) {
    const auto opened = open(format);
    Band band(*opened->source, 1);
    llvm::cantFail(opened->source->readRows(0, band.rows));
    return scaleOf(band.rows.weights(), opened->source->format, 0);
  };
  row[3] = -0.7f;
  EXPECT_EQ(scaleIn("w4g16"), 0x1.668p-4f);
  EXPECT_EQ(scaleIn("w4g16b"), 0x1.66p-4f);
  EXPECT_EQ(scaleIn("w4g16s"), 0.7f / 8);
  row[3] = -0x1p30f;
  EXPECT_EQ(scaleIn("w4g16b"), 0x1p27f);
  EXPECT_THAT(
      readProblem(*open("w4g16")->source, 1),
      testing::HasSubstr("its weights are too large for scales in f16; name a format with bf16 or f32 "
                         "scales, such as w4g32b"));
}

TEST(Rounding, IsNotToTwoLevels) {
  std::vector<FileTensor> tensors = {raw("weight", "F32", {1, 4}, bytesOf(std::vector<float>{1, 2, 3, 4}))};
  EXPECT_THAT(
      Opened(tensors, {}, "w4k32m").problem,
      testing::HasSubstr("is stored as F32, which is not rounded to scales on two levels (w4k32m); name "
                         "a format with scales of groups, such as w4g32"));
}

} // namespace
