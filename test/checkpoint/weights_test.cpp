// Weights of every family of safetensors against slow readers written from the descriptions of the formats,
// one weight at a time, and against words packed by hand.
#include "compiler/checkpoint/WeightSource.h"
#include "files.h"
#include "unpack.h"
#include <functional>
#include <gmock/gmock.h>
#include <random>

using namespace lut;
using namespace lut::test;
using Method = WeightStorage::Method;

namespace {

constexpr char module[] = "model.layers.0.self_attn.q_proj";

FileTensor words(const std::string &name, std::vector<int64_t> shape, const std::vector<uint32_t> &values) {
  return {std::string(module) + "." + name, "I32", 0, std::move(shape), bytesOf(values)};
}

FileTensor halves(const std::string &name, std::vector<int64_t> shape, const std::vector<float> &values) {
  std::vector<uint16_t> bits;
  for (float value : values)
    bits.push_back(halfOfFloat(value));
  return {std::string(module) + "." + name, "F16", 0, std::move(shape), bytesOf(bits)};
}

// A layer in a file, opened.
struct Opened {
  Opened(const std::vector<FileTensor> &tensors, WeightStorage storage, const std::string &format = "")
      : checkpoint(
            llvm::cantFail(openCheckpoint(directory.write("model.safetensors", safetensors(tensors))))) {
    std::optional<Format> wanted;
    if (!format.empty())
      wanted = llvm::cantFail(parseFormat(format));
    auto opened = openWeights(checkpoint, storage, module, wanted);
    if (opened)
      source = std::move(*opened);
    else
      problem = llvm::toString(opened.takeError());
  }

  Directory directory;
  Checkpoint checkpoint;
  std::unique_ptr<WeightSource> source;
  std::string problem;
};

struct Draw {
  std::mt19937 random{7};
  std::vector<uint32_t> words(size_t count) {
    std::vector<uint32_t> all(count);
    for (uint32_t &word : all)
      word = random();
    return all;
  }
  // f16 numbers, some negative, some subnormal.
  std::vector<float> scales(size_t count) {
    std::vector<float> all(count);
    for (float &scale : all)
      scale = floatOfHalf(uint16_t(random() % 0x7c00 | random() % 2 << 15));
    return all;
  }
  std::vector<uint32_t> groupIndex(int64_t k, int64_t group) {
    std::vector<uint32_t> index(k);
    for (int64_t i = 0; i < k; ++i)
      index[i] = uint32_t(i / group);
    std::shuffle(index.begin(), index.end(), random);
    return index;
  }
};

void expectWeights(const Opened &opened, const std::string &format, int64_t n, int64_t k,
                   const std::function<float(int64_t row, int64_t column)> &expected) {
  ASSERT_TRUE(opened.source) << opened.problem;
  ASSERT_EQ(opened.source->format.str(), format);
  ASSERT_EQ(opened.source->n, n);
  ASSERT_EQ(opened.source->k, k);
  std::vector<float> found = dequantize(*opened.source);
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column < k; ++column)
      ASSERT_EQ(found[row * k + column], expected(row, column)) << "row " << row << ", column " << column;
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
  WeightStorage storage;
  storage.method = method;
  storage.group = group;
  Opened opened({words("qweight", {wordsOf(k), n}, weights), words("qzeros", {groups, wordsOf(n)}, zeros),
                 halves("scales", {groups, n}, scales), words("g_idx", {k}, index)},
                storage, bits == 8 ? "w4g32" : "");
  if (bits == 8) { // no format holds it
    ASSERT_TRUE(opened.source) << opened.problem;
    EXPECT_EQ(opened.source->conversion, "8-bit weights in groups of 32 rounded to w4g32");
    return;
  }
  expectWeights(opened, GetParam().format, n, k, [&](int64_t row, int64_t column) {
    uint32_t q = code([&](int64_t word) { return weights[word * n + row]; }, column), g = index[column];
    uint32_t z = code([&](int64_t word) { return zeros[g * wordsOf(n) + word]; }, row);
    if (method == Method::Gptq)
      z = (z + 1) & ((1u << bits) - 1);
    return scales[g * n + row] * (float(q) - float(z));
  });
  EXPECT_EQ(opened.source->permutation().empty(), !ordered);
}

INSTANTIATE_TEST_SUITE_P(
    Layouts, Gptq,
    testing::Values(GptqCase{2, Method::Gptq, false, "w2g32z"}, GptqCase{3, Method::Gptq, false, "w3g32z"},
                    GptqCase{4, Method::Gptq, false, "w4g32z"}, GptqCase{8, Method::Gptq, false, ""},
                    GptqCase{3, Method::Gptq, true, "w3g32z"}, GptqCase{4, Method::Gptq, true, "w4g32z"},
                    GptqCase{2, Method::GptqV2, false, "w2g32z"}, GptqCase{3, Method::GptqV2, true, "w3g32z"},
                    GptqCase{4, Method::GptqV2, false, "w4g32z"},
                    GptqCase{2, Method::EfficientQat, false, "w2g32z"},
                    GptqCase{3, Method::EfficientQat, false, "w3g32z"},
                    GptqCase{4, Method::EfficientQat, false, "w4g32z"}));

// Rounding 8-bit weights to a finer format than theirs changes nothing but the scale's last bits, so the
// error against a slow reader is at most half a step: 8-bit codes in a range of 16 steps.
TEST(Gptq, EightBitsAreDecodedBeforeRounding) {
  const int64_t n = 4, k = 32;
  std::vector<uint32_t> weights(k / 4 * n);
  for (size_t i = 0; i < weights.size(); ++i) // code of column c of every row: 8 c
    weights[i] = 0x18100800 + uint32_t(i / n) * 0x20202020;
  WeightStorage storage;
  storage.method = Method::GptqV2;
  storage.bits = 8;
  Opened opened({words("qweight", {k / 4, n}, weights), words("qzeros", {1, n / 4}, {0x80808080}),
                 halves("scales", {1, n}, {1, 1, 1, 1})},
                storage, "w4z");
  ASSERT_TRUE(opened.source) << opened.problem;
  std::vector<float> found = dequantize(*opened.source);
  const float step = 248.0f / 15; // codes 0 .. 248
  for (int64_t i = 0; i < n * k; ++i)
    EXPECT_NEAR(found[i], float(i % k * 8) - 128, step / 2 + 0.6f * step) << i;
}

// Eight rows of k in each word, least significant nibble first: 0x76543210 is 0, 1, .. 7. Zeros of GPTQ 1 are
// stored less one: 7 means 8. With scale 0.5, the weights are -4, -3.5, .. -0.5.
TEST(Gptq, WordsByHand) {
  const int64_t n = 8, k = 8;
  std::vector<uint32_t> weights(n, 0x76543210);
  weights[1] = 0xffffffff; // row 1: 15 throughout
  std::vector<FileTensor> tensors = {words("qweight", {1, n}, weights), words("qzeros", {1, 1}, {0x77777777}),
                                     halves("scales", {1, n}, std::vector<float>(n, 0.5f))};
  WeightStorage storage;
  storage.method = Method::Gptq;
  storage.bits = 4; // so small a layer could have others
  expectWeights(Opened(tensors, storage), "w4", n, k,
                [](int64_t row, int64_t column) { return row == 1 ? 3.5f : 0.5f * float(column) - 4; });
  expectWeights(Opened(tensors, storage, "w4z"), "w4z", n, k,
                [](int64_t row, int64_t column) { return row == 1 ? 3.5f : 0.5f * float(column) - 4; });
  storage.method = Method::GptqV2; // the same zeros, as they are: 7
  expectWeights(Opened(tensors, storage), "w4z", n, k,
                [](int64_t row, int64_t column) { return row == 1 ? 4.0f : 0.5f * float(column) - 3.5f; });
  tensors[1] = words("qzeros", {1, 1}, {0xffffffff}); // 15 + 1 wraps to 0
  storage.method = Method::Gptq;
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
  WeightStorage storage;
  storage.method = Method::GptqV2;
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
  WeightStorage storage;
  storage.method = Method::GptqV2;
  Opened opened(tensors, storage);
  ASSERT_TRUE(opened.source) << opened.problem;
  EXPECT_EQ(opened.source->permutation()[0], 1u);
  EXPECT_EQ(opened.source->permutation()[31], 63u);
  EXPECT_EQ(opened.source->permutation()[32], 0u);
  index[0] = 0;
  tensors.back() = words("g_idx", {k}, index);
  EXPECT_THAT(Opened(tensors, storage).problem, testing::HasSubstr("more than 32 columns into group 0"));
  index[0] = 2;
  tensors.back() = words("g_idx", {k}, index);
  EXPECT_THAT(Opened(tensors, storage).problem, testing::HasSubstr("puts column 0 into group 2 of 2"));
}

// The inverse of the order in which AutoAWQ puts columns into nibbles.
constexpr int awqOrder[] = {0, 2, 4, 6, 1, 3, 5, 7};

TEST(Awq, GemmMatchesTheSlowReader) {
  const int64_t n = 48, k = 256, group = 64, groups = 4;
  Draw draw;
  auto weights = draw.words(k * n / 8), zeros = draw.words(groups * n / 8);
  auto scales = draw.scales(groups * n);
  auto nibble = [&](const std::vector<uint32_t> &lines, int64_t line, int64_t row) {
    for (int j = 0;; ++j)
      if (awqOrder[j] == row % 8)
        return float(lines[line * n / 8 + row / 8] >> 4 * j & 15);
  };
  WeightStorage storage;
  storage.method = Method::AwqGemm;
  storage.group = group;
  Opened opened({words("qweight", {k, n / 8}, weights), words("qzeros", {groups, n / 8}, zeros),
                 halves("scales", {groups, n}, scales)},
                storage);
  expectWeights(opened, "w4g64z", n, k, [&](int64_t row, int64_t column) {
    int64_t g = column / group;
    return scales[g * n + row] * (nibble(weights, column, row) - nibble(zeros, g, row));
  });
}

// Nibbles 0, 2, 4, 6, 1, 3, 5, 7 from the low end are columns 0 .. 7 with the values of their numbers.
TEST(Awq, GemmWordsByHand) {
  WeightStorage storage;
  storage.method = Method::AwqGemm;
  Opened opened({words("qweight", {2, 1}, {0x75316420, 0x00000001}), words("qzeros", {1, 1}, {0x88888888}),
                 halves("scales", {1, 8}, std::vector<float>(8, 1))},
                storage);
  expectWeights(opened, "w4", 8, 2, [](int64_t row, int64_t column) {
    return column == 0 ? float(row) - 8 : row == 0 ? -7.0f : -8.0f;
  });
}

TEST(Awq, GemvMatchesTheSlowReader) {
  const int64_t n = 24, k = 320, group = 64, groups = 5, width = 2; // padded to two words
  Draw draw;
  auto weights = draw.words(n * k / 8), zeros = draw.words(n * width);
  auto scales = draw.scales(n * width * 8);
  WeightStorage storage;
  storage.method = Method::AwqGemv;
  storage.group = group;
  std::vector<FileTensor> tensors = {words("qweight", {n, k / 8}, weights),
                                     words("qzeros", {n, width}, zeros),
                                     halves("scales", {n, width * 8}, scales)};
  expectWeights(Opened(tensors, storage), "w4g64z", n, k, [&](int64_t row, int64_t column) {
    int64_t g = column / group;
    float q = float(weights[row * k / 8 + column / 8] >> 4 * (column % 8) & 15);
    return scales[row * width * 8 + g] * (q - float(zeros[row * width + g / 8] >> 4 * (g % 8) & 15));
  });
  static_assert(groups <= width * 8);
  storage.group = 8;
  EXPECT_THAT(Opened(tensors, storage).problem, testing::HasSubstr("too few for groups of 8"));
  storage.method = Method::AwqGemm;
  EXPECT_THAT(Opened(tensors, storage).problem, testing::HasSubstr("not of one layer; check `version`"));
}

struct PackCase {
  int bits;
  bool symmetric, ordered;
  int64_t group; // 0: the row
  const char *format;
};

class PackQuantized : public testing::TestWithParam<PackCase> {};

TEST_P(PackQuantized, MatchesTheSlowReader) {
  const int bits = GetParam().bits;
  const bool symmetric = GetParam().symmetric, ordered = GetParam().ordered;
  const int64_t n = 44, k = 192, perWord = 32 / bits, columns = (k + perWord - 1) / perWord;
  const int64_t size = GetParam().group ? GetParam().group : k, groups = k / size;
  Draw draw;
  auto weights = draw.words(n * columns), zeros = draw.words((n + perWord - 1) / perWord * groups);
  auto scales = draw.scales(n * groups);
  auto index = draw.groupIndex(k, size);
  std::vector<FileTensor> tensors = {
      words("weight_packed", {n, columns}, weights),
      {std::string(module) + ".weight_shape", "I64", 0, {2}, bytesOf(std::vector<int64_t>{n, k})},
      halves("weight_scale", {n, groups}, scales)};
  if (!symmetric)
    tensors.push_back(words("weight_zero_point", {(n + perWord - 1) / perWord, groups}, zeros));
  if (ordered)
    tensors.push_back(words("weight_g_idx", {k}, index));
  WeightStorage storage;
  storage.method = Method::CompressedTensors;
  auto field = [&](uint32_t word, int64_t i) { return float(word >> i * bits & ((1 << bits) - 1)); };
  expectWeights(Opened(tensors, storage), GetParam().format, n, k, [&](int64_t row, int64_t column) {
    int64_t g = ordered ? index[column] : column / size;
    float offset = float(1 << (bits - 1)), zero = 0; // codes and zeros are offset alike
    float q = field(weights[row * columns + column / perWord], column % perWord) - offset;
    if (!symmetric)
      zero = field(zeros[row / perWord * groups + g], row % perWord) - offset;
    return scales[row * groups + g] * (q - zero);
  });
}

INSTANTIATE_TEST_SUITE_P(
    Layouts, PackQuantized,
    testing::Values(PackCase{4, true, false, 32, "w4g32"}, PackCase{4, false, false, 64, "w4g64z"},
                    PackCase{4, true, true, 32, "w4g32"}, PackCase{4, true, false, 0, "w4"},
                    PackCase{3, true, false, 64, "w3g64"}, PackCase{3, false, true, 32, "w3g32z"},
                    PackCase{2, true, false, 32, "w2g32"}, PackCase{2, false, false, 0, "w2z"},
                    PackCase{1, false, false, 32, "w1g32z"}));

// int4 -8, -7, .. -1 is stored as 0 .. 7: the word 0x76543210. One scale for the tensor stands for each
// row's.
TEST(PackQuantized, WordsByHand) {
  std::vector<FileTensor> tensors = {
      words("weight_packed", {2, 1}, {0x76543210, 0xfedcba98}),
      {std::string(module) + ".weight_shape", "I64", 0, {2}, bytesOf(std::vector<int64_t>{2, 8})},
      {std::string(module) + ".weight_scale", "BF16", 0, {1}, {0x00, 0x3f}}}; // 0.5
  WeightStorage storage;
  storage.method = Method::CompressedTensors;
  expectWeights(Opened(tensors, storage), "w4", 2, 8,
                [](int64_t row, int64_t column) { return 0.5f * float(8 * row + column - 8); });
  // Early writers: zero points as they are, in I8.
  tensors.push_back({std::string(module) + ".weight_zero_point", "I8", 0, {2, 1}, {0xff, 0}});
  expectWeights(Opened(tensors, storage), "w4z", 2, 8,
                [](int64_t row, int64_t column) { return 0.5f * float(8 * row + column - 8 + (row == 0)); });
}

FileTensor raw(const std::string &name, const char *dtype, std::vector<int64_t> shape, Bytes bytes) {
  return {std::string(module) + "." + name, dtype, 0, std::move(shape), std::move(bytes)};
}

// Rows 0, 2, 4, 6 of eight share bytes with row 1, 3, 5, 7: byte 0b00'01'10'00 is -1, 1, 0, -1 from the low
// end up; byte 0b10'10'01'01 is 0, 0, 1, 1.
TEST(Bitnet, BytesByHand) {
  std::vector<FileTensor> tensors = {raw("weight", "U8", {2, 1}, {0b00011000, 0b10100101}),
                                     raw("weight_scale", "BF16", {1}, {0x80, 0x40})}; // 4
  const float expected[] = {-1, 0, 1, 0, 0, 1, -1, 1};
  WeightStorage storage;
  storage.method = Method::Bitnet;
  expectWeights(Opened(tensors, storage), "w158", 8, 1,
                [&](int64_t row, int64_t) { return 4 * expected[row]; });
  storage.dividesByScale = true;
  expectWeights(Opened(tensors, storage), "w158", 8, 1,
                [&](int64_t row, int64_t) { return expected[row] / 4; });
  EXPECT_THAT(Opened(tensors, storage, "w4g32").problem,
              testing::HasSubstr("is stored as w158, not as w4g32"));
  tensors[0].bytes[1] = 0b11000000;
  std::vector<uint8_t> codes(8);
  float scale;
  EXPECT_THAT(llvm::toString(Opened(tensors, storage).source->readRows(0, 8, codes.data(), &scale, nullptr)),
              testing::HasSubstr("a weight of row 7 has code 3"));
  tensors[1].bytes = {0, 0};
  EXPECT_THAT(Opened(tensors, storage).problem, testing::HasSubstr("weight_scale is 0"));
}

// A master and its packed form are one model: mean |w| of the master is 1, so its weights round to -1, 0, 1.
TEST(Bitnet, MasterAndPackedAgree) {
  std::vector<uint16_t> master;
  const float values[] = {1.5f, -1.5f, 0.5f,   -0.5f,
                          2.0f, 0.0f,  -1.25f, 0.75f}; // 1.5, 0.5 are halves: to even
  for (float value : values)
    master.push_back(uint16_t(llvm::bit_cast<uint32_t>(value) >> 16));
  WeightStorage storage;
  storage.method = Method::Bitnet;
  storage.isTernary = true;
  auto expected = [](int64_t row, int64_t column) {
    const float rounded[] = {1, -1, 0, 0, 1, 0, -1, 1};
    return rounded[2 * row + column];
  };
  Opened opened({raw("weight", "BF16", {4, 2}, bytesOf(master))}, storage);
  expectWeights(opened, "w158", 4, 2, expected);
  EXPECT_EQ(opened.source->conversion, "BF16 rounded to w158");
  // The same codes: row r at bits 2 r, column by column; w + 1 is 2, 1, 2, 0 and 0, 1, 1, 2.
  std::vector<FileTensor> packed = {raw("weight", "U8", {1, 2}, {0b00100110, 0b10010100}),
                                    raw("weight_scale", "F32", {1}, bytesOf(std::vector<float>{1}))};
  expectWeights(Opened(packed, storage), "w158", 4, 2, expected);
}

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

TEST(Errors, NameTheLayer) {
  using testing::HasSubstr;
  WeightStorage storage;
  storage.method = Method::Gptq;
  storage.bits = 4;
  auto gptq = [&](const char *dtype, Bytes scales) {
    return std::vector<FileTensor>{words("qweight", {1, 8}, std::vector<uint32_t>(8)),
                                   words("qzeros", {1, 1}, {0x77777777}),
                                   raw("scales", dtype, {1, 8}, std::move(scales))};
  };
  auto problemOf = [&](const std::vector<FileTensor> &tensors, const char *format = "") {
    Opened opened(tensors, storage, format);
    if (!opened.source)
      return opened.problem;
    std::vector<uint8_t> codes(64);
    std::vector<uint16_t> scales(8);
    return llvm::toString(opened.source->readRows(0, 8, codes.data(), scales.data(), nullptr));
  };
  std::vector<float> scales(8, 1);
  EXPECT_EQ(problemOf(gptq("F32", bytesOf(scales))), "");
  for (float bad : {float(INFINITY), float(-INFINITY), float(NAN)}) {
    scales[5] = bad;
    EXPECT_THAT(
        problemOf(gptq("F32", bytesOf(scales))),
        HasSubstr("'model.layers.0.self_attn.q_proj': scale " + std::string(std::isnan(bad) ? "nan" : "")));
    EXPECT_THAT(problemOf(gptq("F32", bytesOf(scales))), HasSubstr("of row 5, group 0 is not finite"));
  }
  scales[5] = 0.1f;
  EXPECT_THAT(problemOf(gptq("F32", bytesOf(scales))),
              HasSubstr("scale 0.1 of row 5, group 0 is no f16 number"));
  scales[5] = 1;
  EXPECT_THAT(problemOf(gptq("I32", bytesOf(scales))), HasSubstr("scales is of type I32, not F16"));
  EXPECT_THAT(problemOf(gptq("F32", bytesOf(scales)), "w2g128"), HasSubstr("is stored as w4, not as w2g128"));
  auto tensors = gptq("F32", bytesOf(scales));
  tensors.pop_back();
  EXPECT_THAT(problemOf(tensors), HasSubstr("has no tensor scales"));
  tensors.pop_back();
  tensors.push_back(raw("scales", "F32", {2, 4}, bytesOf(scales)));
  EXPECT_THAT(problemOf(tensors), HasSubstr("scales is 2 x 4, not any x 8"));
  EXPECT_THAT(
      problemOf({words("qweight", {1, 8}, std::vector<uint32_t>(8)), words("qzeros", {1, 5}, {0, 0, 0, 0, 0}),
                 raw("scales", "F32", {1, 8}, bytesOf(scales))}),
      HasSubstr("hold no codes of 2, 3, 4 or 8 bits"));
  EXPECT_THAT(problemOf({raw("weight", "F32", {1, 8}, bytesOf(scales))}),
              HasSubstr("is stored as F32; name a format that the weights are rounded to"));
  EXPECT_THAT(problemOf({raw("weight", "F8_E4M3", {1, 8}, Bytes(8))}, "w4g32"),
              HasSubstr("is of type F8_E4M3"));
  EXPECT_THAT(problemOf({raw("weight", "F32", {8}, bytesOf(scales))}, "w4g32"),
              HasSubstr("weight is 8, not any x any"));
  EXPECT_THAT(problemOf({raw("other", "F32", {8}, bytesOf(scales))}),
              HasSubstr("has no weights of this name"));
  scales[2] = NAN;
  EXPECT_THAT(problemOf({raw("weight", "F32", {8, 1}, bytesOf(scales))}, "w4g32"),
              HasSubstr("weight 0 of row 2 is not finite"));
  scales[2] = 3e38f;
  EXPECT_THAT(problemOf({raw("weight", "F32", {8, 1}, bytesOf(scales))}, "w4g32"),
              HasSubstr("too large for scales in f16"));
}

// Multimodal checkpoints put the language model below one name or the other.
TEST(Names, OfNestedModels) {
  Directory directory;
  auto found = [&](const std::string &stored, const std::string &asked) {
    std::string path = directory.write(
        "a.safetensors",
        safetensors({{stored + ".weight", "F32", 0, {1, 1}, bytesOf(std::vector<float>{1})}}));
    Checkpoint checkpoint = llvm::cantFail(openCheckpoint(path));
    auto source = openWeights(checkpoint, {}, asked, llvm::cantFail(parseFormat("w4")));
    bool opened = bool(source);
    llvm::consumeError(source.takeError());
    return opened;
  };
  const std::string asked = "language_model.model.layers.0.mlp.up_proj";
  EXPECT_TRUE(found("language_model.model.layers.0.mlp.up_proj", asked));
  EXPECT_TRUE(found("model.language_model.layers.0.mlp.up_proj", asked));
  EXPECT_TRUE(found("model.layers.0.mlp.up_proj", asked));
  EXPECT_FALSE(found("model.layers.1.mlp.up_proj", asked));
}

} // namespace
