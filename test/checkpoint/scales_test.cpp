// Types of scales: the smallest that holds values exactly, and layers whose scales are no f16 numbers.
#include "compiler/checkpoint/Scales.h"
#include "layers.h"

using namespace lut;
using namespace lut::test;

namespace {

const ScaleType f16 = ScaleType::f16, bf16 = ScaleType::bf16, f32 = ScaleType::f32, e8m0 = ScaleType::e8m0;

TEST(Scales, SmallestTypeThatHoldsThem) {
  const struct {
    std::vector<float> values;
    ScaleType type;
  } cases[] = {
      {{}, f16},
      {{0.0f, -0.0f, 1.0f, -65504.0f, 0x1p-24f, 0x1.ff8p-15f}, f16}, // the ends of f16 and its subnormals
      {{0x1.004p0f}, f16},                                           // ten bits of fraction
      {{0x1.002p0f}, f32},                                           // eleven
      {{0x1p-25f}, bf16},                                            // half of f16's smallest
      {{0x1p16f, 0x1.fep127f, 0x1p-126f, 0x1p-133f}, bf16}, // beyond f16; the ends of bf16, subnormals too
      {{0x1.02p-20f}, bf16},        // seven bits of fraction, which f16 has no longer so low
      {{0x1.01p-20f}, f32},         // eight
      {{0x1.004p0f, 0x1p20f}, f32}, // each has a type, but not the same
      {{1.0f, 0.1f}, f32},
      {{0x1.fffffep127f, 0x1p-149f}, f32},
      {{1.0f, float(INFINITY), float(NAN)}, f16}, // no type helps
  };
  for (const auto &it : cases) {
    EXPECT_EQ(exactScaleType(it.values), it.type) << testing::PrintToString(it.values);
    const FileTensor file = raw("scales", "F32", {int64_t(it.values.size())}, bytesOf(it.values));
    Tensor tensor;
    tensor.type = findSafetensorsType("F32");
    tensor.shape = {int64_t(it.values.size())};
    tensor.bytes = file.bytes;
    EXPECT_EQ(exactScaleType(tensor), it.type) << testing::PrintToString(it.values);
  }
  // The last of many.
  std::vector<float> many(5000, 1.0f);
  many.back() = 0.1f;
  Tensor tensor;
  const Bytes bytes = bytesOf(many);
  tensor.type = findSafetensorsType("F32");
  tensor.bytes = bytes;
  EXPECT_EQ(exactScaleType(tensor), f32);
}

TEST(Scales, PowersOfTwo) {
  EXPECT_TRUE(holdsScales(e8m0, {1.0f, 0x1p-127f, 0x1p127f}));
  for (float bad : {0.0f, -1.0f, 1.5f, 0x1p-128f})
    EXPECT_FALSE(holdsScales(e8m0, {bad})) << bad;
}

// Every finite number of every type comes back.
TEST(Scales, NumbersStay) {
  for (ScaleType type : {f16, bf16, e8m0, ScaleType::e4m3}) {
    const lutc_scale_type &row = rowOf(type).bits;
    for (uint32_t bits = 0; bits < 1u << row.bits; ++bits) {
      uint32_t stored = 0;
      const float value = numberOf(type, &bits, 0);
      if (!lutc_is_finite_scale(&row, bits))
        continue;
      ASSERT_EQ(lutc_float_bits(lutc_widen_bits(&row, bits)), lutc_float_bits(value)) << bits;
      storeScale(type, value, &stored, 0);
      ASSERT_EQ(stored, bits) << nameOf(type).str();
    }
  }
}

TEST(Scales, RoundsToSmallFloats) {
  const ScaleType e4m3 = ScaleType::e4m3;
  EXPECT_EQ(roundScale(e4m3, 449.0f), 448.0f);
  EXPECT_EQ(roundScale(e4m3, -0x1.8p-10f), -0x1p-9f);
  EXPECT_EQ(roundScale(e4m3, 0x1p-10f), 0.0f); // half of the smallest
  EXPECT_EQ(roundScale(e4m3, 0x1.1p0f), 1.0f);
  EXPECT_EQ(roundScale(e4m3, 0x1.3p0f), 1.25f);
  EXPECT_FALSE(std::isfinite(roundScale(e4m3, 500.0f)));
}

TEST(Scales, RoundsToHalves) {
  EXPECT_EQ(roundScale(f16, 65519.0f), 65504.0f);
  EXPECT_EQ(roundScale(f16, -65520.0f), -float(INFINITY));
  EXPECT_EQ(roundScale(f16, 0x1.002p0f), 1.0f);
  EXPECT_EQ(roundScale(f16, 0x1.006p0f), 0x1.008p0f);
  EXPECT_EQ(roundScale(f16, 0x1p-25f), 0.0f);
  EXPECT_EQ(roundScale(f16, 0x1.8p-24f), 0x1p-23f);
  EXPECT_EQ(roundScale(f16, 0x1.ffep-15f), 0x1p-14f); // the largest subnormal and a half
  EXPECT_TRUE(std::isnan(roundScale(f16, float(NAN))));
}

// What lies between two goes to the nearer, ties to the even one.
TEST(Scales, RoundsToBrainFloats) {
  EXPECT_EQ(roundScale(bf16, 0x1.01p0f), 1.0f);
  EXPECT_EQ(roundScale(bf16, 0x1.03p0f), 0x1.04p0f);
  EXPECT_EQ(roundScale(bf16, 0x1.010002p0f), 0x1.02p0f);
  EXPECT_EQ(roundScale(bf16, -0x1.ffp127f), -float(INFINITY));
  EXPECT_EQ(roundScale(f32, 0.1f), 0.1f);
}

// A name with another type of scales, where there is one.
TEST(Scales, FormatsWithThem) {
  const auto with = [](const char *name, ScaleType type) {
    std::optional<Format> format = withScaleType(llvm::cantFail(parseFormat(name)), type);
    return format ? format->str() : "none";
  };
  EXPECT_EQ(with("w4g32", bf16), "w4g32b");
  EXPECT_EQ(with("w4zp", f32), "w4zsp");
  EXPECT_EQ(with("w2g64ms", f16), "w2g64m");
  EXPECT_EQ(with("fp4g16", f32), "fp4g16s");
  EXPECT_EQ(with("fp4g16", e8m0), "fp4g16e");
  EXPECT_EQ(with("w4g32z", e8m0), "none");
  EXPECT_EQ(with("w4", e8m0), "none");
  EXPECT_EQ(with("w4k32", f32), "none");
  EXPECT_EQ(with("w4k32", f16), "w4k32");
  EXPECT_EQ(with("w158r", f32), "w158r");
  EXPECT_EQ(with("w158", f16), "none");
}

// GPTQ: eight codes 0 .. 7 along k in each word, zero points 8: weights are scale * (column - 8).
std::vector<FileTensor> gptq(const char *dtype, const Bytes &scales) {
  return {words("qweight", {1, 8}, std::vector<uint32_t>(8, 0x76543210)),
          words("qzeros", {1, 1}, {0x77777777}), raw("scales", dtype, {1, 8}, scales)};
}

Quantization gptqStorage() { return quantization(R"({"quant_method": "gptq", "bits": 4})"); }

// One scale of each row; products of a number of eleven significant bits by one up to 16 are exact.
void expectScales(const char *dtype, const Bytes &bytes, const std::vector<float> &scales,
                  const std::string &format) {
  expectWeights(Opened(gptq(dtype, bytes), gptqStorage()), format, 8, 8,
                [&](int64_t row, int64_t column) { return scales[row] * float(column - 8); });
}

TEST(Scales, OfLayersAreExact) {
  std::vector<float> scales = {1.0f, 0.5f, -0.25f, 3.0f, 0x1.ffcp4f, 65504.0f, 0.0f, 2.0f};
  expectScales("F32", bytesOf(scales), scales, "w4");
  scales[3] = 1e-8f, scales[5] = 0.1f;
  expectScales("F32", bytesOf(scales), scales, "w4s");
  // Of bf16, near 1e-8 and 1e6, where f16 ends; and those that f16 holds as well.
  const std::vector<uint16_t> brains = {0x322c, 0x4974, 0x3f80, 0xb22c, 0x0000, 0x3f81, 0x4000, 0xc974};
  scales.clear();
  for (uint16_t brain : brains)
    scales.push_back(
        std::ldexp(float(brain & 0x7f) / 128 + (brain & 0x7f80 ? 1 : 0), (brain >> 7 & 255) - 127) *
        (brain & 0x8000 ? -1.0f : 1.0f));
  EXPECT_NEAR(scales[0], 1e-8f, 1e-10f);
  EXPECT_NEAR(scales[1], 1e6f, 1e3f);
  expectScales("BF16", bytesOf(brains), scales, "w4b");
  expectScales("F32", bytesOf(scales), scales, "w4b");
  const std::vector<uint16_t> plain(8, 0x3f81); // 1 + 2^-7
  expectScales("BF16", bytesOf(plain), std::vector<float>(8, 1.0078125f), "w4");
}

// A type that holds the scales may be asked for, no other.
TEST(Scales, MayBeWider) {
  const auto formatOf = [](const std::vector<float> &scales, const char *wanted) {
    Opened opened(gptq("F32", bytesOf(scales)), gptqStorage(), wanted);
    if (!opened.source)
      return opened.problem.substr(opened.problem.find("is stored"));
    const std::vector<float> found = dequantize(*opened.source);
    for (int64_t i = 0; i < 64; ++i)
      EXPECT_EQ(found[i], scales[i / 8] * float(i % 8 - 8)) << wanted;
    return opened.source->format.str();
  };
  const std::vector<float> ones(8, 1.0f), thirds(8, 1.0f / 3), halves(8, 0x1.004p0f), large(8, 1e6f);
  for (const char *name : {"w4", "w4b", "w4s", "w4zs", "w4g256s", "w4g256b", "w4g256e", "w4sp"})
    EXPECT_EQ(formatOf(ones, name), name);
  for (const char *name : {"w4s", "w4g256zs"})
    EXPECT_EQ(formatOf(thirds, name), name);
  for (const char *name : {"w4", "w4b", "w4g256"})
    EXPECT_EQ(formatOf(thirds, name),
              "is stored as w4s, not as " + std::string(name) + "; compile the library with w4s");
  EXPECT_EQ(formatOf(halves, "w4s"), "w4s");
  EXPECT_EQ(formatOf(halves, "w4b"), "is stored as w4, not as w4b; compile the library with w4");
  EXPECT_EQ(formatOf(large, "w4"), "is stored as w4s, not as w4; compile the library with w4s");
}

} // namespace
