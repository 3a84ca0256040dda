#include "draw.h"
#include "reference.h"
#include <gtest/gtest.h>

using namespace lut::reference;

namespace {

std::vector<float> drawTokens(size_t m, size_t k, Random &random) {
  std::vector<float> x(m * k);
  for (size_t token = 0; token < m; ++token)
    drawToken(Token::Normal, x.data() + token * k, k, random);
  return x;
}

struct Oracle : testing::TestWithParam<std::tuple<std::string, std::string>> {
  lutc_kernel_info info(size_t n, size_t k) const {
    return describe(std::get<0>(GetParam()).c_str(), std::get<1>(GetParam()).c_str(), n, k);
  }
  Random random{7};
};

TEST_P(Oracle, IsAsAccurateAsInt8Activations) {
  const lutc_kernel_info kernel = info(48, 1056);
  const DrawnWeights weights = drawWeights(kernel, random, true);
  const std::vector<float> x = drawTokens(8, kernel.k, random);
  const double error = nmse(product(kernel, weights.view(), x.data(), kernel.k, 8),
                            floatProduct(kernel, weights.view(), x.data(), kernel.k, 8));
  RecordProperty("nmse", std::to_string(error));
  EXPECT_GT(error, 1e-6);
  EXPECT_LT(error, kernel.group < kernel.k && !kernel.subgroup ? 1e-4 : 2e-4);
}

TEST_P(Oracle, IsExactForOneActivation) {
  const lutc_kernel_info kernel = info(5, 70);
  DrawnWeights weights = drawWeights(kernel, random, true);
  const uint32_t one = kernel.scale_type == LUTC_F16       ? 0x3c00
                       : kernel.scale_type == LUTC_BF16    ? 0x3f80
                       : kernel.scale_type == LUTC_F32     ? 0x3f800000
                       : kernel.scale_type == LUTC_F8_E4M3 ? 0x38
                                                           : 127;
  const size_t bytes = lutc_type_bytes(kernel.scale_type), scales = weights.scales.size() / bytes;
  const bool minimums = !weights.minimums.empty();
  weights.scales.clear(), weights.minimums.clear();
  for (size_t i = 0; i < scales; ++i) {
    append(weights.scales, kernel.scale_type, one);
    if (minimums)
      append(weights.minimums, kernel.scale_type, one | 1u << (8 * bytes - 1));
  }
  for (size_t i : {0, 1, 31, 32, 64, 69}) {
    std::vector<float> x(kernel.k);
    x[i] = -127.0f;
    const std::vector<float> y = product(kernel, weights.view(), x.data(), kernel.k, 1);
    const std::vector<double> exact = floatProduct(kernel, weights.view(), x.data(), kernel.k, 1);
    for (size_t row = 0; row < kernel.n; ++row)
      EXPECT_EQ(y[row], exact[row]) << "row " << row << ", k " << i;
  }
}

TEST_P(Oracle, MapsZerosAndDenormalsToZero) {
  const lutc_kernel_info kernel = info(5, 70);
  const DrawnWeights weights = drawWeights(kernel, random);
  for (Token kind : {Token::Zeros, Token::Denormals}) {
    std::vector<float> x(kernel.k);
    drawToken(kind, x.data(), kernel.k, random);
    for (float y : product(kernel, weights.view(), x.data(), kernel.k, 1))
      EXPECT_EQ(bitsOf(y), 0u);
  }
}

TEST_P(Oracle, MapsNonFiniteTokensToNaNAndNoOther) {
  const lutc_kernel_info kernel = info(5, 70);
  const DrawnWeights weights = drawWeights(kernel, random);
  std::vector<float> x = drawTokens(3, kernel.k, random);
  for (Token kind : {Token::NaN, Token::Infinity}) {
    drawToken(kind, x.data() + kernel.k, kernel.k, random);
    const std::vector<float> y = product(kernel, weights.view(), x.data(), kernel.k, 3);
    for (size_t i = 0; i < y.size(); ++i)
      EXPECT_EQ(std::isnan(y[i]), i / kernel.n == 1) << "element " << i;
  }
}

std::string caseName(const testing::TestParamInfo<Oracle::ParamType> &info) {
  return std::get<0>(info.param) + "_" + std::get<1>(info.param);
}

std::vector<Oracle::ParamType> someClasses() {
  std::vector<Oracle::ParamType> classes;
  for (const std::string &format : someFormats()) {
    classes.emplace_back(format, "a8");
    if (hasTables(format))
      classes.emplace_back(format, "t8");
  }
  return classes;
}

INSTANTIATE_TEST_SUITE_P(Formats, Oracle, testing::ValuesIn(someClasses()), caseName);

lutc_weights withScale(const uint8_t *codes, const void *scale) {
  return {codes, 0, scale, nullptr, nullptr, nullptr, nullptr, nullptr};
}

TEST(OracleByHand, A8RoundsHalfToEven) {
  const lutc_kernel_info kernel = describe("w1", "a8", 1, 6);
  const uint8_t codes[] = {1, 1, 1, 1, 1, 0};
  const uint16_t scale = 0x3c00; // 1
  const float x[] = {127.0f, 0.5f, 1.5f, -2.5f, 3.4f, 3.5f};
  EXPECT_EQ(product(kernel, withScale(codes, &scale), x, 6, 1)[0], 127.0f + 0.0f + 2.0f - 2.0f + 3.0f - 4.0f);
}

// Units {100, 20, -7, 0} and {0.5, 1, 0, 0}: the largest sum of magnitudes is 127, so entries are rounded
// sums.
TEST(OracleByHand, T8RoundsSumsOfFour) {
  const lutc_kernel_info kernel = describe("w1", "t8", 1, 6);
  const uint8_t codes[] = {1, 0, 0, 0, 1, 1};
  const uint16_t scale = 0x3800; // 0.5
  const float x[] = {100.0f, 20.0f, -7.0f, 0.0f, 0.5f, 1.0f};
  EXPECT_EQ(product(kernel, withScale(codes, &scale), x, 6, 1)[0], 0.5f * (87.0f + 2.0f));
}

// Codes {3, 0} stand for {1, -2}. Planes: {1,1,..} and {1,0,..}; pads have bit 0.
TEST(OracleByHand, T8AddsBitPlanes) {
  const lutc_kernel_info kernel = describe("w2", "t8", 1, 2);
  const uint8_t codes[] = {3, 0};
  const uint16_t scale = 0x3c00;
  const float x[] = {100.0f, 27.0f};
  EXPECT_EQ(product(kernel, withScale(codes, &scale), x, 2, 1)[0], 100.0f - 2.0f * 27.0f);
}

// Two groups of 16: 127 * (3 + 0.25) and 1 * 127 * (0 - 0.5); the steps are 1.
TEST(OracleByHand, A8AddsMinimums) {
  const lutc_kernel_info kernel = describe("w2g16m", "a8", 1, 32);
  uint8_t codes[32] = {3};
  const uint16_t scales[] = {0x3c00, 0x4000}, minimums[] = {0x3400, 0xb800}; // 1, 2; 0.25, -0.5
  float x[32] = {127.0f};
  x[31] = 127.0f;
  const lutc_weights weights = {codes, 0, scales, nullptr, minimums, nullptr, nullptr, nullptr};
  EXPECT_EQ(product(kernel, weights, x, 32, 1)[0], 127.0f * 3 + 127.0f * 0.25f + 127.0f * -0.5f);
}

// Scale 2, minimum -1; subgroup 0 has multiples 5 and 3, subgroup 1 has -7 and 2.
TEST(OracleByHand, A8MultipliesSubgroups) {
  const lutc_kernel_info kernel = describe("w4k16m", "a8", 1, 20);
  uint8_t codes[20] = {11};
  codes[16] = 4;
  const uint16_t scale = 0x4000, minimum = 0xbc00;
  const int8_t multiples[] = {5, -7}, minimumMultiples[] = {3, 2};
  float x[20] = {127.0f};
  x[16] = 10.0f;
  const lutc_weights weights = {codes, 0, &scale, nullptr, &minimum, multiples, minimumMultiples, nullptr};
  EXPECT_EQ(product(kernel, weights, x, 20, 1)[0],
            2.0f * (5 * 11 * 127 - 7 * 4 * 10) - 1.0f * (3 * 127 + 2 * 10));
}

// 2^(130 - 127) * (6 * 127 - 0.5 * 64) and the book of IQ4_NL.
TEST(OracleByHand, A8LooksCodesUp) {
  uint8_t codes[32] = {7, 9};
  const uint8_t exponent = 130;
  float x[32] = {127.0f, 64.0f};
  EXPECT_EQ(product(describe("fp4g32e", "a8", 1, 2), withScale(codes, &exponent), x, 2, 1)[0],
            8.0f * (6.0f * 127 - 0.5f * 64));
  codes[0] = 0, codes[1] = 15;
  const uint16_t one = 0x3c00;
  EXPECT_EQ(product(describe("nl4", "a8", 1, 2), withScale(codes, &one), x, 2, 1)[0],
            -127.0f * 127 + 113 * 64);
}

// The all-ones entry of {100, 27} is 127, so the sums keep their integers.
TEST(OracleByHand, T8AddsMinimums) {
  const lutc_kernel_info kernel = describe("w2g32m", "t8", 1, 2);
  const uint8_t codes[] = {3, 0};
  const uint16_t scale = 0x3c00, minimum = 0x3800; // 0.5
  const float x[] = {100.0f, 27.0f};
  const lutc_weights weights = {codes, 0, &scale, nullptr, &minimum, nullptr, nullptr, nullptr};
  EXPECT_EQ(product(kernel, weights, x, 2, 1)[0], 300.0f + 63.5f);
}

// The largest sum is 127, so entries are rounded sums, halves of patterns with value 0 and more up: 2.5 to 3,
// -1.5 to -1. The second unit has the values -1 and -2 of its trits, whose entries are opposite to those of 1
// and 2.
TEST(OracleByHand, T8PacksFiveTrits) {
  const lutc_kernel_info kernel = describe("w158", "t8", 2, 7);
  const uint8_t codes[] = {2, 1, 0, 2, 2, 0, 1, 1, 1, 1, 1, 1, 2, 0};
  const float scale = 2.0f, x[] = {100.0f, 9.0f, 8.0f, 7.0f, 3.0f, 2.5f, 1.0f};
  const std::vector<float> y = product(kernel, withScale(codes, &scale), x, 7, 1);
  EXPECT_EQ(y[0], 2.0f * (100.0f - 8.0f + 7.0f + 3.0f - 3.0f));
  EXPECT_EQ(y[1], 2.0f * 1.0f);
}

TEST(OracleByHand, WidensHalves) {
  EXPECT_EQ(widen(0x3c00), 1.0f);
  EXPECT_EQ(widen(0xc400), -4.0f);
  EXPECT_EQ(widen(0x0001), 0x1p-24f);
  EXPECT_EQ(widen(0x03ff), 1023 * 0x1p-24f);
  EXPECT_EQ(widen(0x7bff), 65504.0f);
  EXPECT_EQ(bitsOf(widen(0x8000)), 0x80000000u);
  EXPECT_TRUE(std::isinf(widen(0x7c00)));
  EXPECT_TRUE(std::isnan(widen(0x7e00)));
}

} // namespace
