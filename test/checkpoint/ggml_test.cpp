// Values of every type of GGUF against llama.cpp's own to_float, bit for bit, on random blocks: their scales
// include infinities, NaNs and subnormals.
#include "../bench/GgmlApi.h"
#include "compiler/checkpoint/TensorType.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace lut;

namespace {

using Traits = const bench::ggml::TypeTraits *(*)(int type);

Traits ggmlTraits() {
  static void *library = dlopen(
      GGML_DIRECTORY "/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so", RTLD_NOW);
  return library ? reinterpret_cast<Traits>(dlsym(library, "ggml_get_type_traits")) : nullptr;
}

class Ggml : public testing::TestWithParam<TensorType::Id> {};

std::vector<TensorType::Id> decodedTypes() {
  std::vector<TensorType::Id> ids;
  for (const TensorType &type : tensorTypes())
    if (type.decode && type.id != TensorType::Id::F32) // ggml has no to_float for F32
      ids.push_back(type.id);
  return ids;
}

std::string nameOf(const testing::TestParamInfo<TensorType::Id> &info) {
  return tensorType(info.param).name.str();
}

TEST_P(Ggml, DecodesAlike) {
  Traits traits = ggmlTraits();
  if (!traits)
    GTEST_SKIP() << "llama.cpp could not be installed";
  const TensorType &type = tensorType(GetParam());
  const bench::ggml::TypeTraits *theirs = traits(type.gguf);
  ASSERT_EQ(theirs->blockSize, type.block) << theirs->name;
  ASSERT_EQ(int64_t(theirs->typeSize), type.blockBytes) << theirs->name;
  const size_t blocks = 65536 / type.block * 16, count = blocks * type.block;
  std::vector<uint8_t> bytes(blocks * type.blockBytes);
  std::mt19937 random(type.gguf);
  for (uint8_t &byte : bytes)
    byte = uint8_t(random());
  std::vector<float> ours(count), expected(count);
  type.decode(bytes.data(), blocks, ours.data());
  theirs->toFloat(bytes.data(), expected.data(), int64_t(count));
  size_t special = 0;
  for (size_t i = 0; i < count; ++i) {
    special += !std::isfinite(expected[i]);
    ASSERT_EQ(llvm::bit_cast<uint32_t>(ours[i]), llvm::bit_cast<uint32_t>(expected[i]))
        << ours[i] << " instead of " << expected[i] << " at element " << i % type.block << " of block "
        << i / type.block;
  }
  // e4m3 reaches 448 only; all others overflow or hold infinities and NaNs.
  EXPECT_EQ(special == 0, type.id == TensorType::Id::NVFP4);
}

INSTANTIATE_TEST_SUITE_P(Types, Ggml, testing::ValuesIn(decodedTypes()), nameOf);

TEST(Ggml, ComparesEveryTypeThatLutcReads) {
  EXPECT_EQ(decodedTypes().size(), 19u); // 17 of blocks, F16 and BF16
}

} // namespace
