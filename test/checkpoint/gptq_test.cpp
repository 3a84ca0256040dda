// GPTQ and EfficientQAT against a slow reader written from the description of the formats, one weight at a
// time, and against words packed by hand.
#include "layers.h"

using namespace lut;
using namespace lut::test;

namespace {

enum class Method { Gptq, GptqV2, EfficientQat };

Quantization gptq(Method method, int bits, int64_t group = 128) {
  return quantization(R"({"quant_method": "gptq", "bits": )" + std::to_string(bits) + R"(, "group_size": )" +
                      std::to_string(group) + R"(, "checkpoint_format": )" +
                      (method == Method::Gptq ? R"("gptq"})" : R"("gptq_v2"})"));
}

// Value v of the 32 that three words hold, as AutoGPTQ writes them: 10 whole ones in a word's low 30 bits,
// value 10 in two bits and one, 11 to 20 behind it, value 21 in one bit and two, 22 to 31 behind it.
uint32_t threeBits(const uint32_t w[3], int v) {
  if (v < 10)
    return w[0] >> 3 * v & 7;
  if (v == 10)
    return (w[0] >> 30) | (w[1] & 1) << 2;
  if (v < 21)
    return w[1] >> (3 * (v - 11) + 1) & 7;
  if (v == 21)
    return (w[1] >> 31) | (w[2] & 3) << 1;
  return w[2] >> (3 * (v - 22) + 2) & 7;
}

struct GptqCase {
  int bits;
  Method method;
  bool ordered;
  const char *format;
};

class Gptq : public testing::TestWithParam<GptqCase> {};

TEST_P(Gptq, MatchesTheSlowReader) {
  const int bits = GetParam().bits;
  const Method method = GetParam().method;
  const bool ordered = GetParam().ordered;
  const int64_t n = 96, k = 160, group = 32, groups = 5;
  const bool straddles = bits == 3 && method != Method::EfficientQat;
  auto wordsOf = [&](int64_t count) {
    return straddles ? count / 32 * 3 : (count + 32 / bits - 1) / (32 / bits);
  };
  Draw draw;
  auto weights = draw.words(wordsOf(k) * n), zeros = draw.words(groups * wordsOf(n));
  auto scales = draw.scales(groups * n);
  auto index = draw.groupIndex(k, group);
  if (!ordered)
    for (int64_t i = 0; i < k; ++i)
      index[i] = uint32_t(i / group);
  auto code = [&](const std::function<uint32_t(int64_t word)> &word, int64_t i) {
    if (!straddles)
      return word(i / (32 / bits)) >> i % (32 / bits) * bits & ((1 << bits) - 1);
    uint32_t three[] = {word(i / 32 * 3), word(i / 32 * 3 + 1), word(i / 32 * 3 + 2)};
    return threeBits(three, int(i % 32));
  };
  const Quantization storage = gptq(method, bits, group);
  Opened opened({words("qweight", {wordsOf(k), n}, weights), words("qzeros", {groups, wordsOf(n)}, zeros),
                 halves("scales", {groups, n}, scales), words("g_idx", {k}, index)},
                storage);
  expectWeights(opened, GetParam().format, n, k, [&](int64_t row, int64_t column) {
    uint32_t q = code([&](int64_t word) { return weights[word * n + row]; }, column), g = index[column];
    uint32_t z = code([&](int64_t word) { return zeros[g * wordsOf(n) + word]; }, row);
    if (method == Method::Gptq)
      z = (z + 1) & ((1u << bits) - 1);
    return scales[g * n + row] * (float(q) - float(z));
  });
  EXPECT_EQ(opened.source->columns().empty(), !ordered);
}

INSTANTIATE_TEST_SUITE_P(
    Layouts, Gptq,
    testing::Values(GptqCase{2, Method::Gptq, false, "w2g32z"}, GptqCase{3, Method::Gptq, false, "w3g32z"},
                    GptqCase{4, Method::Gptq, false, "w4g32z"}, GptqCase{8, Method::Gptq, false, "w8g32z"},
                    GptqCase{3, Method::Gptq, true, "w3g32zp"}, GptqCase{4, Method::Gptq, true, "w4g32zp"},
                    GptqCase{2, Method::GptqV2, false, "w2g32z"},
                    GptqCase{3, Method::GptqV2, true, "w3g32zp"},
                    GptqCase{4, Method::GptqV2, false, "w4g32z"},
                    GptqCase{2, Method::EfficientQat, false, "w2g32z"},
                    GptqCase{3, Method::EfficientQat, false, "w3g32z"},
                    GptqCase{4, Method::EfficientQat, false, "w4g32z"}));

// Groups of 16, which no format has. Codes 0, 8, .. 248 less zero point 128, rounded to 256 values over that
// range: each is within a step of what it was.
TEST(Gptq, OtherGroupsAreDecodedBeforeRounding) {
  const int64_t n = 4, k = 32;
  std::vector<uint32_t> weights(k / 4 * n);
  for (size_t i = 0; i < weights.size(); ++i) // code of column c of every row: 8 c
    weights[i] = 0x18100800 + uint32_t(i / n) * 0x20202020;
  const Quantization storage = gptq(Method::GptqV2, 8);
  std::vector<FileTensor> tensors = {words("qweight", {k / 4, n}, weights),
                                     words("qzeros", {4, n / 4}, std::vector<uint32_t>(4, 0x80808080)),
                                     halves("scales", {4, n}, std::vector<float>(4 * n, 1))};
  EXPECT_THAT(Opened(tensors, storage).problem,
              testing::HasSubstr("no format holds 8-bit weights in groups of 8"));
  Opened opened(tensors, storage, "w8z");
  ASSERT_TRUE(opened.source) << opened.problem;
  EXPECT_EQ(opened.source->conversion, "8-bit weights in groups of 8 rounded to w8z");
  std::vector<float> found = dequantize(*opened.source);
  for (int64_t i = 0; i < n * k; ++i)
    EXPECT_NEAR(found[i], float(i % k * 8) - 128, 1) << i;
}

// Eight rows of k in each word, least significant nibble first: 0x76543210 is 0, 1, .. 7. Zeros of GPTQ 1 are
// stored less one: 7 means 8. With scale 0.5, the weights are -4, -3.5, .. -0.5.
TEST(Gptq, WordsByHand) {
  const int64_t n = 8, k = 8;
  std::vector<uint32_t> weights(n, 0x76543210);
  weights[1] = 0xffffffff; // row 1: 15 throughout
  std::vector<FileTensor> tensors = {words("qweight", {1, n}, weights), words("qzeros", {1, 1}, {0x77777777}),
                                     halves("scales", {1, n}, std::vector<float>(n, 0.5f))};
  Quantization storage = gptq(Method::Gptq, 4); // so small a layer could have others
  expectWeights(Opened(tensors, storage), "w4", n, k,
                [](int64_t row, int64_t column) { return row == 1 ? 3.5f : 0.5f * float(column) - 4; });
  expectWeights(Opened(tensors, storage, "w4z"), "w4z", n, k,
                [](int64_t row, int64_t column) { return row == 1 ? 3.5f : 0.5f * float(column) - 4; });
  storage = gptq(Method::GptqV2, 4); // the same zeros, as they are: 7
  expectWeights(Opened(tensors, storage), "w4z", n, k,
                [](int64_t row, int64_t column) { return row == 1 ? 4.0f : 0.5f * float(column) - 3.5f; });
  tensors[1] = words("qzeros", {1, 1}, {0xffffffff}); // 15 + 1 wraps to 0
  storage = gptq(Method::Gptq, 4);
  expectWeights(Opened(tensors, storage), "w4z", n, k,
                [](int64_t row, int64_t column) { return row == 1 ? 7.5f : 0.5f * float(column); });
}

// Three-bit codes 0, 1, .. 7, 0, 1, .. of 32 columns: octal 76543210 four times, low digit first, as 96 bits.
//   24 bits 0o76543210 = 0xfac688; four of them end to end: 0xfac688 fac688 fac688 fac688,
//   in words from the low end: 0x88fac688, 0xc688fac6, 0xfac688fa.
TEST(Gptq, ThreeBitWordsByHand) {
  const int64_t n = 32, k = 32;
  std::vector<uint32_t> weights;
  for (uint32_t word : {0x88fac688u, 0xc688fac6u, 0xfac688fau})
    weights.insert(weights.end(), n, word);
  const Quantization storage = gptq(Method::GptqV2, 4);
  // Zeros 4 throughout: binary 100 again and again, 0x24924924 and so on.
  Opened opened({words("qweight", {3, n}, weights),
                 words("qzeros", {1, 3}, {0x24924924, 0x49249249, 0x92492492}),
                 halves("scales", {1, n}, std::vector<float>(n, 1))},
                storage);
  expectWeights(opened, "w3", n, k, [](int64_t, int64_t column) { return float(column % 8) - 4; });
}

// Columns 0, 2 and 4 .. belong to group 1 here; the order is by group, then by column.
TEST(Gptq, OrderIsByGroup) {
  const int64_t n = 8, k = 64;
  std::vector<uint32_t> index(k);
  for (int64_t i = 0; i < k; ++i)
    index[i] = i % 2 == 0;
  std::vector<FileTensor> tensors = {
      words("qweight", {8, n}, Draw().words(8 * n)), words("qzeros", {2, 1}, {0, 0}),
      halves("scales", {2, n}, Draw().scales(2 * n)), words("g_idx", {k}, index)};
  const Quantization storage = gptq(Method::GptqV2, 4);
  Opened opened(tensors, storage);
  ASSERT_TRUE(opened.source) << opened.problem;
  EXPECT_EQ(opened.source->columns()[0], 1);
  EXPECT_EQ(opened.source->columns()[31], 63);
  EXPECT_EQ(opened.source->columns()[32], 0);
  EXPECT_THAT(Opened(tensors, storage, "w4g32z").problem,
              testing::HasSubstr("is stored as w4g32zp, not as w4g32z; compile the library with w4g32zp"));
  index[0] = 0;
  tensors.back() = words("g_idx", {k}, index);
  EXPECT_THAT(Opened(tensors, storage).problem, testing::HasSubstr("more than 32 columns into group 0"));
  index[0] = 2;
  tensors.back() = words("g_idx", {k}, index);
  EXPECT_THAT(Opened(tensors, storage).problem, testing::HasSubstr("puts column 0 into group 2 of 2"));
}

// A layer in order is one of a kernel whose columns are permuted, too; rounded ones stay in their own order.
TEST(Gptq, AnyOrderIsOne) {
  const int64_t n = 8, k = 64;
  std::vector<uint32_t> index(k);
  std::vector<FileTensor> tensors = {
      words("qweight", {8, n}, Draw().words(8 * n)), words("qzeros", {2, 1}, {0, 0}),
      halves("scales", {2, n}, std::vector<float>(2 * n, 1)), words("g_idx", {k}, index)};
  const Quantization storage = gptq(Method::GptqV2, 4);
  for (bool ordered : {false, true}) {
    for (int64_t i = 0; i < k; ++i)
      index[i] = uint32_t(ordered ? i % 2 : i / 32);
    tensors.back() = words("g_idx", {k}, index);
    Opened opened(tensors, storage, "w4g32zp");
    ASSERT_TRUE(opened.source) << opened.problem;
    EXPECT_EQ(opened.source->format.str(), "w4g32zp");
    EXPECT_EQ(opened.source->conversion, "as stored");
    EXPECT_EQ(opened.source->columns().empty(), !ordered);
    EXPECT_EQ(dequantize(*opened.source), dequantize(*Opened(tensors, storage).source));
  }
}

} // namespace
