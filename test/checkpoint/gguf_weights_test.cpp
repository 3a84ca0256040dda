// Weights of GGUF: what a format holds losslessly has the values of ggml's blocks (ggml_test.cpp), bit for
// bit.
#include "layers.h"
#include <random>

using namespace lut;
using namespace lut::test;
using Id = TensorType::Id;

namespace {

// Random blocks whose halves, at byte offsets `at`, are these in turn. TQ2_0 has no code 3.
Bytes blocks(Id id, size_t count, const std::vector<size_t> &at, const std::vector<uint16_t> &halves) {
  const TensorType &type = tensorType(id);
  std::mt19937 random(1);
  Bytes bytes(count * type.blockBytes);
  for (uint8_t &byte : bytes) {
    byte = uint8_t(random());
    if (id == Id::TQ2_0)
      byte &= ~(byte >> 1 & 0x55); // 3 becomes 2
  }
  size_t next = 0;
  for (size_t i = 0; i < count; ++i)
    for (size_t offset : at)
      std::memcpy(&bytes[i * type.blockBytes + offset], &halves[next++ % halves.size()], 2);
  return bytes;
}

FileTensor query(Id id, int64_t n, int64_t k, Bytes bytes) {
  return {"blk.0.attn_q.weight", "", uint32_t(tensorType(id).gguf), {n, k}, std::move(bytes)};
}

struct Case {
  Id id;
  std::vector<size_t> at;
  std::vector<uint16_t> halves;
  const char *format;
};

class Lossless : public testing::TestWithParam<Case> {};

// Five rows of eight blocks.
TEST_P(Lossless, HasTheValuesOfTheBlocks) {
  const Case &it = GetParam();
  const TensorType &type = tensorType(it.id);
  const int64_t n = 5, k = 8 * type.block;
  Bytes bytes = blocks(it.id, 40, it.at, it.halves);
  for (size_t i = 0; i < 40 && it.id == Id::MXFP4; ++i)
    bytes[i * type.blockBytes] = i < 3 ? uint8_t(i) : uint8_t(255 - i + 2); // 254 is the largest
  std::vector<float> expected(n * k);
  type.decode(bytes.data(), 40, expected.data());
  Opened opened(query(it.id, n, k, bytes), module);
  ASSERT_TRUE(opened.source) << opened.problem;
  EXPECT_EQ(opened.source->format.str(), it.format);
  EXPECT_EQ(opened.source->conversion, "as stored");
  EXPECT_EQ(dequantize(*opened.source), expected);
  EXPECT_TRUE(Opened(query(it.id, n, k, bytes), module, it.format).source);
}

// 0x3c00 is 1, 0xb801 a little below -0.5, 3 and 0x8001 subnormal, 0x7bff the largest.
const std::vector<uint16_t> some = {0x3c00, 0xb801, 3},
                            extreme = {0x7bff, 0xfbff, 3, 0x8001, 0, 0x8000, 0x3c00};

INSTANTIATE_TEST_SUITE_P(
    Types, Lossless,
    testing::Values(Case{Id::Q1_0, {0}, some, "w1g128"}, Case{Id::Q2_0, {0}, some, "w2g64"},
                    Case{Id::Q4_0, {0}, some, "w4g32"}, Case{Id::Q5_0, {0}, some, "w5g32"},
                    Case{Id::Q8_0, {0}, some, "w8g32"}, Case{Id::TQ1_0, {52}, {0x3801}, "w158"},
                    Case{Id::TQ2_0, {64}, {0x3801}, "w158"}, Case{Id::TQ2_0, {64}, {0, 0x3801}, "w158"},
                    Case{Id::TQ2_0, {64}, {0}, "w158"},
                    Case{Id::TQ2_0, {64}, {1, 1, 1, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2}, "w158r"},
                    Case{Id::TQ1_0, {52}, {1, 2}, "w2g256"}, Case{Id::TQ2_0, {64}, some, "w2g256"},
                    Case{Id::Q4_1, {0, 2}, extreme, "w4g32m"}, Case{Id::Q5_1, {0, 2}, extreme, "w5g32m"},
                    Case{Id::Q2_K, {80, 82}, extreme, "w2k16m"}, Case{Id::Q3_K, {108}, extreme, "w3k16"},
                    Case{Id::Q4_K, {0, 2}, extreme, "w4k32m"}, Case{Id::Q5_K, {0, 2}, extreme, "w5k32m"},
                    Case{Id::Q6_K, {208}, extreme, "w6k16"}, Case{Id::IQ4_NL, {0}, extreme, "nl4g32"},
                    Case{Id::IQ4_XS, {0}, extreme, "nl4k32"}, Case{Id::IQ2_XXS, {0}, extreme, "iq2xxs"},
                    Case{Id::IQ2_XS, {0}, extreme, "iq2xs"}, Case{Id::IQ2_S, {0}, extreme, "iq2s"},
                    Case{Id::IQ3_XXS, {0}, extreme, "iq3xxs"}, Case{Id::IQ3_S, {0}, extreme, "iq3s"},
                    Case{Id::IQ1_S, {0}, extreme, "iq1s"}, Case{Id::IQ1_M, {54}, {0x3fff, 0xb123}, "iq1m"},
                    Case{Id::MXFP4, {}, {}, "fp4g32e"}, Case{Id::NVFP4, {}, {}, "fp4g16f"}));

TEST(Gguf, TernaryWeightsTakeFinerFormats) {
  Bytes bytes = blocks(Id::TQ2_0, 12, {64}, {0x3801});
  std::vector<float> expected(12 * 256);
  tensorType(Id::TQ2_0).decode(bytes.data(), 12, expected.data());
  for (const char *format : {"w158", "w158r", "w2g256"}) {
    Opened opened(query(Id::TQ2_0, 3, 1024, bytes), module, format);
    ASSERT_TRUE(opened.source) << opened.problem;
    EXPECT_EQ(opened.source->format.str(), format);
    EXPECT_EQ(dequantize(*opened.source), expected);
  }
  EXPECT_THAT(Opened(query(Id::TQ2_0, 3, 1024, bytes), module, "w2g64").problem,
              testing::HasSubstr("is stored as w158, not as w2g64"));
}

TEST(Gguf, ExpertsAreSlices) {
  const TensorType &type = tensorType(Id::Q4_0);
  Bytes bytes = blocks(Id::Q4_0, 5 * 2 * 2, {0}, {0x3c00});
  FileTensor stacked{"blk.7.ffn_up_exps.weight", "", 2, {5, 2, 64}, bytes};
  for (const char *name :
       {"model.layers.7.mlp.experts.3.up_proj", "model.layers.7.block_sparse_moe.experts.3.w3"}) {
    Opened opened(stacked, name);
    ASSERT_TRUE(opened.source) << opened.problem;
    std::vector<float> expected(2 * 64);
    type.decode(&bytes[3 * 4 * type.blockBytes], 4, expected.data());
    EXPECT_EQ(dequantize(*opened.source), expected);
  }
  EXPECT_THAT(Opened(stacked, "model.layers.7.mlp.experts.5.up_proj").problem,
              testing::HasSubstr("there is no expert 5 in a tensor of 5 x 2 x 64"));
  EXPECT_THAT(Opened(stacked, "model.layers.8.mlp.experts.0.up_proj").problem,
              testing::HasSubstr("has no weights of this name"));
  FileTensor single{"blk.7.ffn_up.3.weight", "", 2, {2, 64}, Bytes(bytes.begin(), bytes.begin() + 72)};
  EXPECT_TRUE(Opened(single, "model.layers.7.block_sparse_moe.experts.3.w3").source);
}

TEST(Gguf, HeadsAreSlices) {
  Bytes bytes = blocks(Id::Q4_0, 3 * 2 * 2, {0}, {0x3c00});
  FileTensor stacked{"blk.7.attn_k_b.weight", "", 2, {3, 2, 64}, bytes};
  for (int head = 0; head < 3; ++head)
    EXPECT_TRUE(Opened(stacked, "blk.7.attn_k_b." + std::to_string(head)).source);
  EXPECT_FALSE(Opened(stacked, "blk.7.attn_k_b.3").source);
  FileTensor single{"blk.7.attn_k_b.weight", "", 2, {6, 64}, bytes};
  EXPECT_FALSE(Opened(single, "blk.7.attn_k_b.0").source);
}

TEST(Gguf, NamesOfBothKinds) {
  FileTensor tensor = query(Id::Q4_0, 2, 64, blocks(Id::Q4_0, 4, {0}, {1}));
  for (const char *name :
       {"blk.0.attn_q", "blk.0.attn_q.weight", module, "language_model.model.layers.0.self_attn.q_proj"})
    EXPECT_TRUE(Opened(tensor, name).source) << name;
  tensor.name = "token_embd.weight"; // tied
  EXPECT_TRUE(Opened(tensor, "lm_head").source);
  tensor.name = "output.weight";
  EXPECT_TRUE(Opened(tensor, "lm_head").source);
}

// llama.cpp's converter makes rows (head, 2, half) into (head, half, 2): with heads of six rows, rows
// 0 1 2 3 4 5 of each are stored as 0 3 1 4 2 5.
TEST(Gguf, HalvesOfLlamasHeadsAreSeparated) {
  const int64_t n = 12, k = 32;
  const TensorType &type = tensorType(Id::Q4_0);
  Bytes bytes = blocks(Id::Q4_0, n, {0}, {0x3c00, 0xb801, 3});
  std::vector<float> stored(n * k);
  type.decode(bytes.data(), n, stored.data());
  Directory directory;
  auto open = [&](const std::string &architecture, uint32_t heads, const std::string &name) {
    std::string path = directory.write("a.gguf", gguf({ggufText("general.architecture", architecture),
                                                       ggufNumber("llama.attention.head_count", 4),
                                                       ggufNumber("llama.attention.head_count_kv", heads)},
                                                      {{"blk.0.attn_k.weight", "", 2, {n, k}, bytes}}));
    Checkpoint checkpoint = llvm::cantFail(openCheckpoint(path));
    auto source = openWeights(checkpoint, WeightStorage(), name, std::nullopt);
    return source ? dequantize(**source) : (llvm::consumeError(source.takeError()), std::vector<float>());
  };
  const std::string key = "model.layers.0.self_attn.k_proj";
  std::vector<float> found = open("llama", 2, key);
  const int64_t places[] = {0, 2, 4, 1, 3, 5}; // of rows 0 .. 5
  for (int64_t row = 0; row < n; ++row)
    for (int64_t i = 0; i < k; ++i)
      ASSERT_EQ(found[row * k + i], stored[(row / 6 * 6 + places[row % 6]) * k + i]) << row;
  EXPECT_EQ(open("llama", 2, "blk.0.attn_k"), stored);
  EXPECT_EQ(open("qwen3", 2, key), stored);
  EXPECT_TRUE(open("llama", 5, key).empty());
}

// The last rows of a head are zeros, and have no scale.
TEST(Gguf, TernaryHeadsKeepTheScaleOfTheTensor) {
  const int64_t n = 8, k = 256;
  Bytes bytes = blocks(Id::TQ2_0, n, {64}, {0x3801, 0x3801, 0x3801, 0x3801, 0x3801, 0x3801, 0x3801, 0});
  std::vector<float> stored(n * k);
  tensorType(Id::TQ2_0).decode(bytes.data(), n, stored.data());
  Opened opened("a.gguf",
                gguf({ggufText("general.architecture", "llama"), ggufNumber("llama.attention.head_count", 2)},
                     {query(Id::TQ2_0, n, k, bytes)}),
                WeightStorage(), module, "");
  ASSERT_TRUE(opened.source) << opened.problem;
  EXPECT_EQ(opened.source->format.str(), "w158");
  Band band(*opened.source, n);
  llvm::cantFail(opened.source->readRows(0, band.rows));
  const int64_t places[] = {0, 2, 1, 3}; // of rows of half a head
  for (int64_t row = 0; row < n; ++row)
    for (int64_t i = 0; i < k; ++i)
      ASSERT_EQ(weightOf(band.rows.weights(), opened.source->format, k, row, i),
                stored[(row / 4 * 4 + places[row % 4]) * k + i])
          << row;
}

TEST(Gguf, AnotherFormatIsNotStored) {
  for (auto [id, format] : {std::pair(Id::Q4_K, "w4k32m"), std::pair(Id::IQ4_NL, "nl4g32")})
    EXPECT_THAT(
        Opened(query(id, 1, 256, blocks(id, 256 / tensorType(id).block, {0}, {1})), module, "w4g32z").problem,
        testing::HasSubstr("is stored as " + std::string(format) +
                           ", not as w4g32z; compile the library with"));
}

TEST(Gguf, OneErrorEach) {
  using testing::HasSubstr;
  for (const TensorType &type : tensorTypes()) {
    if (type.gguf < 0 || !type.format.empty())
      continue;
    Opened opened(query(type.id, 1, type.block, Bytes(type.blockBytes)), module);
    EXPECT_THAT(opened.problem, HasSubstr("'model.layers.0.self_attn.q_proj': "));
    EXPECT_THAT(opened.problem,
                HasSubstr(type.isFloat() ? "is stored as " + type.name.str() + "; name a format"
                                         : "lutc does not read weights of type " + type.name.str()));
    EXPECT_EQ(type.hasValues(), type.isFloat());
    const RequantizedType *known = findRequantized(uint32_t(type.gguf));
    EXPECT_EQ(known != nullptr, type.block > 1) << type.name.str();
    if (known)
      EXPECT_THAT(opened.problem, HasSubstr("quantize the model again, to " + known->nearest.str()));
  }
  auto problemOf = [&](const FileTensor &tensor) {
    return readProblem(*Opened(tensor, module).source, tensor.shape[0]);
  };
  for (uint16_t scale : {0x7c00, 0xfc00, 0x7e01}) {
    EXPECT_THAT(problemOf(query(Id::Q4_0, 1, 64, blocks(Id::Q4_0, 2, {0}, {1, scale}))),
                HasSubstr("a scale of row 0 is not finite"));
    EXPECT_THAT(problemOf(query(Id::TQ2_0, 1, 512, blocks(Id::TQ2_0, 2, {64}, {scale}))),
                HasSubstr("a scale of row 0 is not finite"));
  }
  EXPECT_THAT(problemOf(query(Id::Q4_K, 2, 256, blocks(Id::Q4_K, 2, {0, 2}, {1, 1, 1, 0xfc00}))),
              HasSubstr("a minimum of row 1 is not finite"));
  Bytes powers(2 * 17, 254);
  EXPECT_EQ(problemOf(query(Id::MXFP4, 2, 32, powers)), "");
  powers[17] = 255;
  EXPECT_THAT(problemOf(query(Id::MXFP4, 2, 32, powers)), HasSubstr("a scale of row 1 is not finite"));
  Bytes bad = blocks(Id::TQ2_0, 2, {64}, {1});
  bad[70] = 0xc0;
  EXPECT_THAT(problemOf(query(Id::TQ2_0, 1, 512, bad)), HasSubstr("a weight of row 0 has code 3"));
  FileTensor vector = query(Id::F32, 1, 4, Bytes(16));
  vector.shape = {4};
  EXPECT_THAT(Opened(vector, module, "w4").problem, HasSubstr("is 4, which is no matrix"));
  vector.shape = {0, 4};
  vector.bytes.clear();
  EXPECT_THAT(Opened(vector, module, "w4").problem, HasSubstr("is 0 x 4, which is no matrix"));
}

} // namespace
