// What a quantization_config decides for each module and how its tensors are then read, against values from
// the descriptions of the formats and the libraries that write them.
#include "layers.h"

using namespace lut;
using namespace lut::test;
using testing::HasSubstr;

namespace {

// Four bits in groups of 32: codes 0, 1, .. 7 of eight columns, and stored zero points of `zeros` in each
// nibble.
std::vector<FileTensor> gptqLayer(uint32_t zeros) {
  const int64_t n = 32, k = 64;
  return {words("qweight", {k / 8, n}, std::vector<uint32_t>(k / 8 * n, 0x76543210)),
          words("qzeros", {k / 32, n / 8}, std::vector<uint32_t>(k / 32 * n / 8, zeros)),
          halves("scales", {k / 32, n}, std::vector<float>(k / 32 * n, 0.5f))};
}

void expectZero(const std::vector<FileTensor> &tensors, const Quantization &quantization, float zero) {
  Opened opened(tensors, quantization);
  ASSERT_TRUE(opened.source) << opened.problem;
  std::vector<float> found = dequantize(*opened.source);
  for (size_t i = 0; i < found.size(); ++i)
    ASSERT_EQ(found[i], 0.5f * (float(i % 8) - zero)) << i;
}

std::string config(const std::string &more) { return R"({"bits": 4, "group_size": 32, )" + more + "}"; }

// auto_round/inference/backend.py: auto_round:auto_gptq adds one to the stored zero point, the others do not.
TEST(AutoRound, PackingFormats) {
  for (const char *method : {"auto-round", "AUTO-ROUND", "intel/auto-round", "auto_round"})
    expectZero(gptqLayer(0x33333333),
               quantization(config(std::string(R"("quant_method": ")") + method +
                                   R"(", "packing_format": "auto_round:auto_gptq")")),
               4);
  for (const char *packing : {"auto_round", "auto_round:gptqmodel"})
    expectZero(gptqLayer(0x33333333),
               quantization(config(std::string(R"("quant_method": "auto-round", "packing_format": ")") +
                                   packing + "\"")),
               3);
  // Before 0.5 the backend said it; without either, zero points have to tell.
  expectZero(
      gptqLayer(0x33333333),
      quantization(config(R"("quant_method": "intel/auto-round", "backend": "auto_round:gptq:exllamav2")")),
      4);
  const std::string silent =
      config(R"("quant_method": "intel/auto-round", "backend": "auto_round:exllamav2")");
  expectZero(gptqLayer(0x77777777), quantization(silent), 8);
  EXPECT_THAT(Opened(gptqLayer(0x33333333), quantization(silent)).problem,
              HasSubstr("nothing says whether zero points"));
  const Quantization other =
      quantization(config(R"("quant_method": "auto-round", "packing_format": "auto_round:itrex")"));
  EXPECT_THAT(
      Opened(gptqLayer(0x77777777), other).problem,
      HasSubstr("is stored as AutoRound's packing_format 'auto_round:itrex', which lutc does not read"));
}

TEST(AutoRound, LayersOfTheirOwn) {
  const Quantization it = quantization(config(R"("quant_method": "auto-round", "sym": true,
      "packing_format": "auto_round:auto_gptq", "block_name_to_quantize": "model.layers, other.blocks",
      "extra_config": {"model.layers.0.mlp.up_proj": {"bits": 8, "group_size": 64},
                       "model.layers.0.mlp.gate": {"bits": 16, "data_type": "float"},
                       ".*layers\\.1\\.mlp.*": {"bits": 2, "sym": false}})"));
  auto format = [&](const char *module) {
    return it.decide(module).format ? it.decide(module).format->str() : "";
  };
  EXPECT_EQ(format("model.layers.0.self_attn.q_proj"), "w4g32");
  EXPECT_EQ(format("other.blocks.3.q_proj"), "w4g32");
  EXPECT_EQ(format("model.layers.0.mlp.up_proj"), "w8g64");
  EXPECT_EQ(format("model.layers.1.mlp.up_proj"), "w2g32z");
  EXPECT_EQ(it.keptBy("model.layers.0.mlp.gate"), "kept in float by extra_config");
  EXPECT_EQ(it.keptBy("lm_head"), "kept in float: not in block_name_to_quantize");
  EXPECT_EQ(it.keptBy("model.layers.0.self_attn.q_proj"), "");
}

Quantization withoutConfig(const std::vector<FileTensor> &tensors) {
  Directory directory;
  return quantizationOf(
      llvm::cantFail(openCheckpoint(directory.write("a.safetensors", safetensors(tensors)))));
}

// Symmetric weights tell how zero points are stored: less one in GPTQ 1, as they are in GPTQ 2 and
// EfficientQAT.
TEST(WithoutConfig, ZeroPointsTell) {
  EXPECT_EQ(withoutConfig(gptqLayer(0x77777777)).name(), "GPTQ");
  expectZero(gptqLayer(0x77777777), withoutConfig(gptqLayer(0x77777777)), 8);
  EXPECT_EQ(withoutConfig(gptqLayer(0x88888888)).name(), "GPTQ 2");
  expectZero(gptqLayer(0x88888888), withoutConfig(gptqLayer(0x88888888)), 8);
  EXPECT_EQ(withoutConfig(gptqLayer(0x78777777)).name(), "GPTQ or EfficientQAT");
  EXPECT_THAT(
      Opened(gptqLayer(0x78777777), withoutConfig(gptqLayer(0x78777777))).problem,
      HasSubstr("nothing says whether zero points are stored less one (GPTQ) or as they are (GPTQ 2, "
                "EfficientQAT); write \"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4, "
                "\"group_size\": 32, \"checkpoint_format\": \"gptq\"} into config.json, or \"gptq_v2\""));
}

// Ten 3-bit codes to a word are EfficientQAT's, whose zero points are as they are.
TEST(WithoutConfig, ThreeBitsOfEfficientQat) {
  const int64_t n = 32, k = 64;
  std::vector<FileTensor> tensors = {words("qweight", {7, n}, std::vector<uint32_t>(7 * n, 0)),
                                     words("qzeros", {1, 4}, std::vector<uint32_t>(4, 01111111111)),
                                     halves("scales", {1, n}, std::vector<float>(n, 1))};
  std::vector<uint32_t> index(k);
  tensors.push_back(words("g_idx", {k}, index));
  const Quantization it = withoutConfig(tensors);
  EXPECT_EQ(it.name(), "EfficientQAT");
  expectWeights(Opened(tensors, it), "w3z", n, k, [](int64_t, int64_t) { return -1.0f; });
  EXPECT_THAT(Opened(tensors, quantization(R"({"quant_method": "gptq", "bits": 3})")).problem,
              HasSubstr("has 3-bit words as EfficientQAT writes them"));
}

// Packed words of a method that lutc does not read, whatever they look like; floats beside them are floats.
TEST(Unknown, NeverDecodes) {
  for (const char *method :
       {R"({"quant_method": "quip", "bits": 4})", R"({"quant_algo": "FP8"})",
        R"({"quant_method": "modelopt"})", R"({"quant_method": "mxfp4"})",
        R"({"quant_method": "gptqmodel", "bits": 4})",
        R"({"quant_method": "gptq", "bits": 4, "checkpoint_format": "marlin"})",
        R"({"quant_method": "gptq", "bits": 4, "is_marlin_format": true})",
        R"({"quant_method": "awq", "version": "marlin"})", R"({"quant_method": "awq", "bits": 8})",
        R"({"quant_method": "awq", "format": "llm-awq"})",
        R"({"quant_method": "bitnet", "linear_class": "BitLinear"})"}) {
    const Quantization it = quantization(method);
    for (const char *format : {"", "w4g32", "w8"}) {
      const std::string problem = Opened(gptqLayer(0x77777777), it, format).problem;
      EXPECT_THAT(problem, HasSubstr("'model.layers.0.self_attn.q_proj'")) << method;
      EXPECT_THAT(problem, HasSubstr("lutc does not read")) << method;
    }
    EXPECT_TRUE(Opened({raw("weight", "F32", {1, 8}, Bytes(32))}, it, "w4").source) << method;
  }
}

// Blocks of experts are those of mxfp4, or of a checkpoint whose config says nothing.
TEST(Unknown, NeverDecodesBlocks) {
  const std::string experts = "model.layers.0.mlp.experts";
  const Bytes file = safetensors({{experts + ".down_proj_blocks", "U8", 0, {1, 2, 1, 16}, Bytes(32, 0x22)},
                                  {experts + ".down_proj_scales", "U8", 0, {1, 2, 1}, Bytes(2, 127)}});
  auto open = [&](const Quantization &it) {
    return Opened("model.safetensors", file, it, experts + ".0.down_proj", "").problem;
  };
  EXPECT_EQ(open(Quantization()), "");
  EXPECT_EQ(open(quantization(R"({"quant_method": "mxfp4"})")), "");
  EXPECT_THAT(
      open(quantization(R"({"quant_method": "quark"})")),
      HasSubstr(
          "is stored as down_proj_blocks, which lutc does not read with the quantization method quark"));
}

TEST(Gptq, SpellingsThatLibrariesTake) {
  for (const char *method : {"gptq", "GPTQ", "gptq_marlin"})
    expectZero(gptqLayer(0x77777777),
               quantization(config(std::string(R"("quant_method": ")") + method + "\"")), 8);
  expectZero(gptqLayer(0x77777777),
             quantization(config(R"("quant_method": "gptq", "checkpoint_format": "GPTQ_V2")")), 7);
  expectZero(gptqLayer(0x77777777), quantization(config(R"("quant_method": "gptq", "format": "gptq_v2")")),
             7);
}

// The tensors have groups of 32, whatever the config says, also of one module.
TEST(Gptq, TensorsDecideBitsAndGroups) {
  const Quantization it =
      quantization(R"({"quant_method": "gptq", "bits": 8, "group_size": 16, "desc_act": true,
      "dynamic": {".*k_proj": {"bits": 2}}})");
  expectZero(gptqLayer(0x77777777), it, 8);
  EXPECT_EQ(Opened(gptqLayer(0x77777777), it).source->format.str(), "w4g32");
  EXPECT_EQ(it.decide("model.layers.0.self_attn.k_proj").format->str(), "w2g16p");
}

TEST(Awq, NamesAnywhereInAModule) {
  const Quantization it =
      quantization(R"({"quant_method": "awq", "modules_to_not_convert": ["self_attn", "lm_head"]})");
  EXPECT_EQ(it.keptBy("model.layers.0.self_attn.q_proj"), "kept in float by modules_to_not_convert");
  EXPECT_EQ(it.keptBy("model.layers.0.mlp.up_proj"), "");
}

TEST(Awq, LayoutUnderAnyKey) {
  for (const char *key : {"version", "format", "checkpoint_format"})
    for (auto [value, name] : {std::pair("GEMM", "AWQ gemm"), std::pair("gemv", "AWQ gemv"),
                               std::pair("gemv_fast", "AWQ gemv_fast")})
      EXPECT_EQ(
          quantization(std::string(R"({"quant_method": "awq", ")") + key + "\": \"" + value + "\"}").name(),
          name);
}

// compressed-tensors sorts targets: names, then expressions as text, then classes; what is ignored is no
// target.
TEST(CompressedTensors, PrecedenceOfTargets) {
  const Quantization it = quantization(R"({"quant_method": "compressed-tensors", "format": "pack-quantized",
    "ignore": ["lm_head", "re:.*\\.gate$"],
    "config_groups": {
      "class": {"targets": ["Linear"], "weights": {"num_bits": 8, "group_size": 128}},
      "late": {"targets": ["re:.*up.*"], "weights": {"num_bits": 2, "group_size": 32}},
      "early": {"targets": ["re:.*mlp.*"], "weights": {"num_bits": 3, "group_size": 64}},
      "name": {"targets": ["model.layers.0.mlp.up_proj", "lm_head"], "weights": {"num_bits": 4, "group_size": 256}}}})");
  auto format = [&](const char *module) {
    return it.decide(module).format ? it.decide(module).format->str() : "";
  };
  EXPECT_EQ(format("model.layers.0.mlp.up_proj"), "w4g256");
  EXPECT_EQ(format("model.layers.1.mlp.up_proj"), "w3g64"); // re:.*mlp.* is before re:.*up.*
  EXPECT_EQ(format("model.layers.1.other.up_proj"), "w2g32");
  EXPECT_EQ(format("model.layers.0.self_attn.q_proj"), "w8g128");
  EXPECT_EQ(it.keptBy("lm_head"), "kept in float by ignore");
  EXPECT_EQ(it.keptBy("model.layers.0.mlp.gate"), "kept in float by ignore");
}

TEST(CompressedTensors, SpellingsOfOrder) {
  for (auto [order, format] :
       {std::pair("\"group\"", "w4g32p"), std::pair("\"DYNAMIC\"", "w4g32p"), std::pair("true", "w4g32p"),
        std::pair("\"weight\"", "w4g32"), std::pair("\"static\"", "w4g32"), std::pair("false", "w4g32"),
        std::pair("null", "w4g32")}) {
    const Quantization it = quantization(
        std::string(R"({"quant_method": "compressed-tensors", "config_groups": {"a": {"targets": ["Linear"],
            "weights": {"num_bits": 4, "group_size": 32, "actorder": )") +
        order + "}}}}");
    EXPECT_EQ(it.decide("q_proj").format->str(), format) << order;
  }
}

// Rows of eight codes fit 6 words in 5 and in 6 bits; each group says its own.
TEST(CompressedTensors, EachLayerHasItsTargetsBitsAndFormat) {
  const Quantization it = quantization(R"({"quant_method": "compressed_tensors", "format": "mixed-precision",
    "config_groups": {
      "a": {"targets": ["re:.*q_proj"], "format": "pack-quantized", "weights": {"num_bits": 8}},
      "b": {"targets": ["re:.*k_proj"], "format": "int-quantized", "weights": {"num_bits": 8}}}})");
  // 7 and 8 bits are both four to a word: 0x80 less 128 is 0.
  std::vector<FileTensor> tensors = {
      words("weight_packed", {1, 2}, {0x83828180, 0x7f7e7d7c}),
      {std::string(module) + ".weight_shape", "I64", 0, {2}, bytesOf(std::vector<int64_t>{1, 8})},
      halves("weight_scale", {1, 1}, {1})};
  const float expected[] = {0, 1, 2, 3, -4, -3, -2, -1};
  expectWeights(Opened(tensors, it), "w8", 1, 8, [&](int64_t, int64_t column) { return expected[column]; });
  for (FileTensor &tensor : tensors)
    tensor.name.replace(tensor.name.find("q_proj"), 6, "k_proj");
  Opened other("model.safetensors", safetensors(tensors), it, "model.layers.0.self_attn.k_proj", "");
  EXPECT_THAT(other.problem,
              HasSubstr("is stored as compressed-tensors' format 'int-quantized', which lutc does not read; "
                        "save the checkpoint as pack-quantized"));
}

TEST(Bitnet, NormBeforeEveryProduct) {
  EXPECT_EQ(quantization(R"({"quant_method": "bitnet", "use_rms_norm": true, "rms_norm_eps": 1e-5})")
                .productNormEpsilon,
            1e-5);
  EXPECT_EQ(quantization(R"({"quant_method": "bitnet", "use_rms_norm": true})").productNormEpsilon, 1e-6);
  EXPECT_EQ(quantization(R"({"quant_method": "bitnet", "rms_norm_eps": 1e-5})").productNormEpsilon, 0);
}

} // namespace
