// AWQ, compressed-tensors and BitNet against slow readers written from the descriptions of the formats, one
// weight at a time, and against words packed by hand.
#include "layers.h"

using namespace lut;
using namespace lut::test;

namespace {

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
  const Quantization storage = quantization(R"({"quant_method": "awq", "group_size": 64})");
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
  const Quantization storage = quantization(R"({"quant_method": "awq"})");
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
  Quantization storage = quantization(R"({"quant_method": "awq", "group_size": 64, "version": "gemv"})");
  std::vector<FileTensor> tensors = {words("qweight", {n, k / 8}, weights),
                                     words("qzeros", {n, width}, zeros),
                                     halves("scales", {n, width * 8}, scales)};
  expectWeights(Opened(tensors, storage), "w4g64z", n, k, [&](int64_t row, int64_t column) {
    int64_t g = column / group;
    float q = float(weights[row * k / 8 + column / 8] >> 4 * (column % 8) & 15);
    return scales[row * width * 8 + g] * (q - float(zeros[row * width + g / 8] >> 4 * (g % 8) & 15));
  });
  static_assert(groups <= width * 8);
  // Two words of zeros are padded for groups of 64 only, whatever the config says.
  storage = quantization(R"({"quant_method": "awq", "group_size": 128, "version": "gemv"})");
  EXPECT_EQ(Opened(tensors, storage).source->format.str(), "w4g64z");
  storage = quantization(R"({"quant_method": "awq"})");
  EXPECT_THAT(
      Opened(tensors, storage).problem,
      testing::HasSubstr("are not in AWQ's layout gemm; write `version` into quantization_config as they "
                         "are stored: gemv"));
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
  const Quantization storage = quantization(
      R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {}})");
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
                    PackCase{4, true, true, 32, "w4g32p"}, PackCase{4, true, false, 0, "w4"},
                    PackCase{3, true, false, 64, "w3g64"}, PackCase{3, false, true, 32, "w3g32zp"},
                    PackCase{2, true, false, 32, "w2g32"}, PackCase{2, false, false, 0, "w2z"},
                    PackCase{1, false, false, 32, "w1g32z"}));

// int4 -8, -7, .. -1 is stored as 0 .. 7: the word 0x76543210. One scale for the tensor stands for each
// row's.
TEST(PackQuantized, WordsByHand) {
  std::vector<FileTensor> tensors = {
      words("weight_packed", {2, 1}, {0x76543210, 0xfedcba98}),
      {std::string(module) + ".weight_shape", "I64", 0, {2}, bytesOf(std::vector<int64_t>{2, 8})},
      {std::string(module) + ".weight_scale", "BF16", 0, {1}, {0x00, 0x3f}}}; // 0.5
  const Quantization storage = quantization(
      R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {}})");
  expectWeights(Opened(tensors, storage), "w4", 2, 8,
                [](int64_t row, int64_t column) { return 0.5f * float(8 * row + column - 8); });
  // Early writers: zero points as they are, in I8.
  tensors.push_back({std::string(module) + ".weight_zero_point", "I8", 0, {2, 1}, {0xff, 0}});
  expectWeights(Opened(tensors, storage), "w4z", 2, 8,
                [](int64_t row, int64_t column) { return 0.5f * float(8 * row + column - 8 + (row == 0)); });
}

// Rows 0, 2, 4, 6 of eight share bytes with row 1, 3, 5, 7: byte 0b00'01'10'00 is -1, 1, 0, -1 from the low
// end up; byte 0b10'10'01'01 is 0, 0, 1, 1.
TEST(Bitnet, BytesByHand) {
  std::vector<FileTensor> tensors = {raw("weight", "U8", {2, 1}, {0b00011000, 0b10100101}),
                                     raw("weight_scale", "BF16", {1}, {0x80, 0x40})}; // 4
  const float expected[] = {-1, 0, 1, 0, 0, 1, -1, 1};
  Quantization storage = quantization(R"({"quant_method": "bitnet", "linear_class": "autobitlinear"})");
  expectWeights(Opened(tensors, storage), "w158", 8, 1,
                [&](int64_t row, int64_t) { return 4 * expected[row]; });
  storage = quantization(R"({"quant_method": "bitnet"})");
  expectWeights(Opened(tensors, storage), "w158", 8, 1,
                [&](int64_t row, int64_t) { return expected[row] / 4; });
  EXPECT_THAT(Opened(tensors, storage, "w4g32").problem,
              testing::HasSubstr("is stored as w158, not as w4g32"));
  tensors[0].bytes[1] = 0b11000000;
  EXPECT_THAT(readProblem(*Opened(tensors, storage).source, 8),
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
  const Quantization storage = quantization(
      R"({"quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "online"})");
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

TEST(Errors, NameTheLayer) {
  using testing::HasSubstr;
  const Quantization storage = quantization(R"({"quant_method": "gptq", "bits": 4})");
  auto gptq = [&](const char *dtype, Bytes scales) {
    return std::vector<FileTensor>{words("qweight", {1, 8}, std::vector<uint32_t>(8)),
                                   words("qzeros", {1, 1}, {0x77777777}),
                                   raw("scales", dtype, {1, 8}, std::move(scales))};
  };
  auto problemOf = [&](const std::vector<FileTensor> &tensors, const char *format = "") {
    Opened opened(tensors, storage, format);
    if (!opened.source)
      return opened.problem;
    return readProblem(*opened.source, 8);
  };
  std::vector<float> scales(8, 1);
  EXPECT_EQ(problemOf(gptq("F32", bytesOf(scales))), "");
  for (float bad : {float(INFINITY), float(-INFINITY), float(NAN)}) {
    scales[5] = bad;
    EXPECT_THAT(
        problemOf(gptq("F32", bytesOf(scales))),
        HasSubstr(
            "'model.layers.0.self_attn.q_proj': scale 5 of 'model.layers.0.self_attn.q_proj.scales' is " +
            std::string(std::isnan(bad) ? "nan"
                        : bad > 0       ? "inf"
                                        : "-inf")));
  }
  scales[5] = 1;
  EXPECT_THAT(problemOf(gptq("I32", bytesOf(scales))), HasSubstr("scales is of type I32, not F16"));
  EXPECT_THAT(problemOf(gptq("F32", bytesOf(scales)), "w2g128"), HasSubstr("is stored as w4, not as w2g128"));
  // Whatever else a name says of the weights, besides groups of the whole row.
  for (const char *other : {"w4g256m", "w4k32", "w4k16m"})
    EXPECT_THAT(problemOf(gptq("F32", bytesOf(scales)), other),
                HasSubstr(std::string("is stored as w4, not as ") + other));
  auto tensors = gptq("F32", bytesOf(scales));
  tensors.pop_back();
  EXPECT_THAT(problemOf(tensors), HasSubstr("but no tensor scales"));
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
              HasSubstr("holds weight (F8_E4M3, 1 x 8), and GPTQ stores weights in qweight"));
  EXPECT_THAT(problemOf({raw("weight", "F32", {8}, bytesOf(scales))}, "w4g32"),
              HasSubstr("weight is 8, not any x any"));
  EXPECT_THAT(problemOf({raw("other", "F32", {8}, bytesOf(scales))}),
              HasSubstr("holds other (F32, 8), and GPTQ stores weights in qweight"));
  EXPECT_THAT(problemOf({{"another.weight", "F32", 0, {8}, bytesOf(scales)}}),
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
    auto source = openWeights(checkpoint, WeightStorage(), asked, llvm::cantFail(parseFormat("w4")));
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
