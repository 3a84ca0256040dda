// What stands beside weights: factors that multiply them, tensors that nobody knows, halves of a fused
// tensor.
#include "layers.h"

using namespace lut;
using namespace lut::test;
using Id = TensorType::Id;

namespace {

constexpr int64_t n = 6, k = 128;

FileTensor blocksOf(const std::string &name, Id id, std::vector<int64_t> shape, Bytes bytes) {
  return {name, "", uint32_t(tensorType(id).gguf), std::move(shape), std::move(bytes)};
}

FileTensor floatsOf(const std::string &name, std::vector<int64_t> shape, const std::vector<float> &values) {
  return {name, "", uint32_t(tensorType(Id::F32).gguf), std::move(shape), bytesOf(values)};
}

Bytes drawBlocks(Id id, int64_t elements, unsigned seed) {
  const TensorType &type = tensorType(id);
  std::mt19937 random(seed);
  Bytes bytes(elements / type.block * type.blockBytes);
  for (uint8_t &byte : bytes)
    byte = uint8_t(random());
  for (size_t at = 0; at < bytes.size(); at += type.blockBytes) {
    if (id == Id::NVFP4)
      for (int i = 0; i < 4; ++i)
        bytes[at + i] = uint8_t(random() % 0x7f); // e4m3 without NaN
    else
      bytes[at + 1] = uint8_t(0x20 | (random() & 0x9f)); // f16 of moderate size
  }
  return bytes;
}

struct OpenedGguf {
  OpenedGguf(const std::vector<FileTensor> &tensors, const std::string &name, const std::string &format = "")
      : opened("model.gguf", gguf({}, tensors), WeightStorage(), name, format) {}
  Opened opened;
};

std::vector<float> decoded(Id id, const Bytes &bytes) {
  const TensorType &type = tensorType(id);
  std::vector<float> values(bytes.size() / type.blockBytes * type.block);
  type.decode(bytes.data(), bytes.size() / type.blockBytes, values.data());
  return values;
}

void expectTimes(const Opened &opened, const std::string &format, const float *values, float factor) {
  expectWeights(opened, format, n, k,
                [&](int64_t row, int64_t column) { return values[row * k + column] * factor; });
}

// llama.cpp multiplies the product by blk.N.<projection>.scale.
TEST(Factor, OfATensorIsPartOfItsScales) {
  Bytes bytes = drawBlocks(Id::NVFP4, n * k, 1);
  std::vector<FileTensor> tensors = {blocksOf("blk.0.attn_q.weight", Id::NVFP4, {n, k}, bytes),
                                     floatsOf("blk.0.attn_q.scale", {1}, {0.0078125f})};
  OpenedGguf it(tensors, module);
  expectTimes(it.opened, "fp4g16", decoded(Id::NVFP4, bytes).data(), 0.0078125f);
  EXPECT_EQ(it.opened.source->tensors.size(), 2u);
}

TEST(Factor, OfOneIsNone) {
  Bytes bytes = drawBlocks(Id::Q4_0, n * k, 2);
  OpenedGguf it(
      {blocksOf("blk.0.attn_q.weight", Id::Q4_0, {n, k}, bytes), floatsOf("blk.0.attn_q.scale", {1}, {1})},
      module);
  expectTimes(it.opened, "w4g32", decoded(Id::Q4_0, bytes).data(), 1);
}

TEST(Factor, OfEachExpertIsItsOwn) {
  const std::vector<float> factors = {0.5f, 2, 0.0625f};
  Bytes bytes = drawBlocks(Id::NVFP4, 3 * n * k, 3);
  std::vector<float> values = decoded(Id::NVFP4, bytes);
  std::vector<FileTensor> tensors = {blocksOf("blk.1.ffn_up_exps.weight", Id::NVFP4, {3, n, k}, bytes),
                                     floatsOf("blk.1.ffn_up_exps.scale", {3}, factors)};
  for (int expert = 0; expert < 3; ++expert)
    for (const std::string &name : {"model.layers.1.mlp.experts." + std::to_string(expert) + ".up_proj",
                                    "blk.1.ffn_up_exps." + std::to_string(expert)}) {
      OpenedGguf it(tensors, name);
      expectTimes(it.opened, "fp4g16", &values[expert * n * k], factors[expert]);
    }
}

TEST(Factor, OfFloatsCountsWhenTheyAreRounded) {
  std::vector<float> values(n * k);
  for (int64_t i = 0; i < n * k; ++i)
    values[i] = i % 32 ? float(i % 200) - 100 : -128;
  OpenedGguf it(
      {floatsOf("blk.0.attn_q.weight", {n, k}, values), floatsOf("blk.0.attn_q.scale", {1}, {0.25f})}, module,
      "w8g32");
  expectTimes(it.opened, "w8g32", values.data(), 0.25f);
}

TEST(Factor, OfAnotherShapeOrNotFiniteIsAnError) {
  Bytes bytes = drawBlocks(Id::NVFP4, n * k, 4);
  FileTensor weights = blocksOf("blk.0.attn_q.weight", Id::NVFP4, {n, k}, bytes);
  EXPECT_THAT(
      OpenedGguf({weights, floatsOf("blk.0.attn_q.scale", {2}, {1, 1})}, module).opened.problem,
      testing::HasSubstr("tensor 'blk.0.attn_q.scale' is F32 of 2, and a factor of weights is F32, one"));
  EXPECT_THAT(OpenedGguf({weights, floatsOf("blk.0.attn_q.scale", {1}, {INFINITY})}, module).opened.problem,
              testing::HasSubstr("tensor 'blk.0.attn_q.scale' holds inf, which is no factor"));
}

// As llama.cpp's converter fuses them: the first rows of an expert are gate, the others up.
TEST(Fused, GateAndUpAreHalvesOfEachExpert) {
  Bytes bytes = drawBlocks(Id::Q4_0, 2 * 2 * n * k, 5);
  std::vector<float> values = decoded(Id::Q4_0, bytes);
  FileTensor tensor = blocksOf("blk.0.ffn_gate_up_exps.weight", Id::Q4_0, {2, 2 * n, k}, bytes);
  for (int expert = 0; expert < 2; ++expert)
    for (int part = 0; part < 2; ++part) {
      std::string name =
          "model.layers.0.mlp.experts." + std::to_string(expert) + (part ? ".up_proj" : ".gate_proj");
      OpenedGguf it({tensor}, name);
      expectTimes(it.opened, "w4g32", &values[(2 * expert + part) * n * k], 1);
    }
}

TEST(Fused, PartsHaveTheirOwnFactors) {
  Bytes bytes = drawBlocks(Id::NVFP4, 2 * n * k, 6);
  std::vector<float> values = decoded(Id::NVFP4, bytes);
  std::vector<FileTensor> tensors = {
      blocksOf("blk.0.ffn_gate_up_exps.weight", Id::NVFP4, {1, 2 * n, k}, bytes),
      floatsOf("blk.0.ffn_gate_exps.scale", {1}, {0.5f}), floatsOf("blk.0.ffn_up_exps.scale", {1}, {4})};
  expectTimes(OpenedGguf(tensors, "model.layers.0.mlp.experts.0.gate_proj").opened, "fp4g16", &values[0],
              0.5f);
  expectTimes(OpenedGguf(tensors, "model.layers.0.mlp.experts.0.up_proj").opened, "fp4g16", &values[n * k],
              4);
}

TEST(Beside, AnUnknownTensorIsAnError) {
  Bytes bytes = drawBlocks(Id::Q4_0, n * k, 7);
  FileTensor weights = blocksOf("blk.0.attn_q.weight", Id::Q4_0, {n, k}, bytes);
  EXPECT_THAT(
      OpenedGguf({weights, floatsOf("blk.0.attn_q.rotation", {k, k}, std::vector<float>(k * k))}, module)
          .opened.problem,
      testing::HasSubstr("tensor 'blk.0.attn_q.rotation' (F32, 128 x 128) stands beside its weights"));
  // Another module, and what is known to be no part of a product.
  EXPECT_TRUE(OpenedGguf({weights, floatsOf("blk.0.attn_q_norm.weight", {k}, std::vector<float>(k)),
                          floatsOf("blk.0.attn_q.bias", {n}, std::vector<float>(n))},
                         module)
                  .opened.source);
}

TEST(Beside, AnUnknownTensorOfSafetensorsIsAnError) {
  Draw draw;
  std::vector<FileTensor> tensors = {
      words("qweight", {k / 8, 8}, draw.words(k)), words("qzeros", {1, 1}, {0x77777777}),
      halves("scales", {1, 8}, draw.scales(8)), raw("bias", "F16", {8}, Bytes(16))};
  const Quantization storage = quantization(R"({"quant_method": "gptq", "bits": 4})");
  EXPECT_TRUE(Opened(tensors, storage).source) << Opened(tensors, storage).problem;
  tensors.push_back(raw("channel_scale", "F16", {k}, Bytes(2 * k)));
  EXPECT_THAT(Opened(tensors, storage).problem,
              testing::HasSubstr("channel_scale' (F16, 128) stands beside its weights"));
}

} // namespace
