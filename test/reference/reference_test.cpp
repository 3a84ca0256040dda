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
  EXPECT_LT(error, kernel.group < kernel.k ? 1e-4 : 2e-4);
}

TEST_P(Oracle, IsExactForOneActivation) {
  const lutc_kernel_info kernel = info(5, 70);
  DrawnWeights weights = drawWeights(kernel, random, true);
  weights.halves.assign(weights.halves.size(), 0x3c00);
  weights.floats.assign(weights.floats.size(), 1.0f);
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

INSTANTIATE_TEST_SUITE_P(Formats, Oracle,
                         testing::Combine(testing::ValuesIn(someFormats()), testing::Values("a8", "t8")),
                         caseName);

TEST(OracleByHand, A8RoundsHalfToEven) {
  const lutc_kernel_info kernel = describe("w1", "a8", 1, 6);
  const uint8_t codes[] = {1, 1, 1, 1, 1, 0};
  const uint16_t scale = 0x3c00; // 1
  const float x[] = {127.0f, 0.5f, 1.5f, -2.5f, 3.4f, 3.5f};
  EXPECT_EQ(product(kernel, {codes, 0, &scale, nullptr}, x, 6, 1)[0],
            127.0f + 0.0f + 2.0f - 2.0f + 3.0f - 4.0f);
}

// Units {100, 20, -7, 0} and {0.5, 1, 0, 0}: the largest sum of magnitudes is 127, so entries are rounded
// sums.
TEST(OracleByHand, T8RoundsSumsOfFour) {
  const lutc_kernel_info kernel = describe("w1", "t8", 1, 6);
  const uint8_t codes[] = {1, 0, 0, 0, 1, 1};
  const uint16_t scale = 0x3800; // 0.5
  const float x[] = {100.0f, 20.0f, -7.0f, 0.0f, 0.5f, 1.0f};
  EXPECT_EQ(product(kernel, {codes, 0, &scale, nullptr}, x, 6, 1)[0], 0.5f * (87.0f + 2.0f));
}

// Codes {3, 0} stand for {1, -2}. Planes: {1,1,..} and {1,0,..}; pads have bit 0.
TEST(OracleByHand, T8AddsBitPlanes) {
  const lutc_kernel_info kernel = describe("w2", "t8", 1, 2);
  const uint8_t codes[] = {3, 0};
  const uint16_t scale = 0x3c00;
  const float x[] = {100.0f, 27.0f};
  EXPECT_EQ(product(kernel, {codes, 0, &scale, nullptr}, x, 2, 1)[0], 100.0f - 2.0f * 27.0f);
}

// The largest sum is 127, so entries are rounded sums, halves of patterns with value 0 and more up: 2.5 to 3,
// -1.5 to -1. The second unit has the values -1 and -2 of its trits, whose entries are opposite to those of 1
// and 2.
TEST(OracleByHand, T8PacksFiveTrits) {
  const lutc_kernel_info kernel = describe("w158", "t8", 2, 7);
  const uint8_t codes[] = {2, 1, 0, 2, 2, 0, 1, 1, 1, 1, 1, 1, 2, 0};
  const float scale = 2.0f, x[] = {100.0f, 9.0f, 8.0f, 7.0f, 3.0f, 2.5f, 1.0f};
  const std::vector<float> y = product(kernel, {codes, 0, &scale, nullptr}, x, 7, 1);
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
