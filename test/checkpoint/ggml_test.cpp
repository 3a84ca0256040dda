// Against llama.cpp's own library: values of every type of GGUF, bit for bit, on random blocks, whose scales
// include infinities, NaNs and subnormals; and a file that it writes.
#include "../bench/GgmlApi.h"
#include "compiler/checkpoint/Checkpoint.h"
#include "files.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace lut;
using Id = TensorType::Id;

namespace {

using Traits = const bench::ggml::TypeTraits *(*)(int type);

void *library() {
  static void *opened = dlopen(
      GGML_DIRECTORY "/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so", RTLD_NOW);
  return opened;
}

template <typename Function> Function find(const char *name) {
  void *symbol = dlsym(library(), name);
  EXPECT_TRUE(symbol) << name;
  return reinterpret_cast<Function>(symbol);
}

class Ggml : public testing::TestWithParam<Id> {};

std::vector<Id> decodedTypes() {
  std::vector<Id> ids;
  for (const TensorType &type : tensorTypes())
    if (type.hasValues() && type.id != Id::F32) // ggml has no to_float for F32
      ids.push_back(type.id);
  return ids;
}

std::string nameOf(const testing::TestParamInfo<Id> &info) { return tensorType(info.param).name.str(); }

TEST_P(Ggml, DecodesAlike) {
  if (!library())
    GTEST_SKIP() << "llama.cpp could not be installed";
  auto traits = find<Traits>("ggml_get_type_traits");
  const TensorType &type = tensorType(GetParam());
  const bench::ggml::TypeTraits *theirs = traits(type.gguf);
  ASSERT_EQ(theirs->blockSize, type.block) << theirs->name;
  ASSERT_EQ(int64_t(theirs->typeSize), type.blockBytes) << theirs->name;
  const size_t blocks = 65536 / type.block * 16, count = blocks * type.block;
  std::vector<uint8_t> bytes(blocks * type.blockBytes);
  std::mt19937 random(type.gguf);
  for (uint8_t &byte : bytes)
    byte = uint8_t(random());
  for (size_t i = 0; type.id == Id::NVFP4 && i < bytes.size(); ++i)
    if (i % type.blockBytes < 4 && bytes[i] == 0xff) // to ggml 480, which e4m3 does not hold
      bytes[i] = 0x7f;
  std::vector<float> ours(count), expected(count);
  type.decode(bytes.data(), blocks, ours.data());
  theirs->toFloat(bytes.data(), expected.data(), int64_t(count));
  size_t special = 0;
  for (size_t i = 0; i < count; ++i) {
    special += !std::isfinite(expected[i]);
    // Which of two NaNs a sum keeps is the compiler's choice.
    if (std::isnan(expected[i]) && std::isnan(ours[i]))
      continue;
    ASSERT_EQ(llvm::bit_cast<uint32_t>(ours[i]), llvm::bit_cast<uint32_t>(expected[i]))
        << ours[i] << " instead of " << expected[i] << " at element " << i % type.block << " of block "
        << i / type.block;
  }
  // e4m3 reaches 448 only; all others overflow or hold infinities and NaNs.
  EXPECT_EQ(special == 0, type.id == Id::NVFP4);
}

INSTANTIATE_TEST_SUITE_P(Types, Ggml, testing::ValuesIn(decodedTypes()), nameOf);

TEST(Ggml, ComparesEveryTypeThatLutcReads) {
  EXPECT_EQ(decodedTypes().size(), 27u); // 25 of blocks, F16 and BF16
}

// A file that ggml writes itself.
TEST(Ggml, FilesAreRead) {
  if (!library())
    GTEST_SKIP() << "llama.cpp could not be installed";
  struct File;
  using bench::ggml::Context;
  using bench::ggml::Tensor;
  Context *context = find<Context *(*)(bench::ggml::InitParams)>("ggml_init")({1 << 20, nullptr, false});
  File *file = find<File *(*)()>("gguf_init_empty")();
  const char *tokens[] = {"<s>", "\u00e9"};
  find<void (*)(File *, const char *, const char *)>("gguf_set_val_str")(file, "general.architecture",
                                                                         "llama");
  find<void (*)(File *, const char *, uint32_t)>("gguf_set_val_u32")(file, "llama.block_count", 7);
  find<void (*)(File *, const char *, float)>("gguf_set_val_f32")(file, "llama.rope.freq_base", 5e5f);
  find<void (*)(File *, const char *, const char **, size_t)>("gguf_set_arr_str")(file, "tokens", tokens, 2);
  auto add = [&](const char *name, Id id, int64_t n, int64_t k) {
    Tensor *tensor = find<Tensor *(*)(Context *, int, int64_t, int64_t)>("ggml_new_tensor_2d")(
        context, tensorType(id).gguf, k, n);
    find<Tensor *(*)(Tensor *, const char *)>("ggml_set_name")(tensor, name);
    auto *data = static_cast<uint8_t *>(find<void *(*)(const Tensor *)>("ggml_get_data")(tensor));
    for (size_t i = 0; i < find<size_t (*)(const Tensor *)>("ggml_nbytes")(tensor); ++i)
      data[i] = uint8_t(7 * i + n);
    find<void (*)(File *, const Tensor *)>("gguf_add_tensor")(file, tensor);
  };
  add("blk.0.attn_q.weight", Id::Q4_0, 3, 96);
  add("blk.0.ffn_up.weight", Id::Q6_K, 2, 512);
  test::Directory directory;
  std::string path = (directory.path / "model.gguf").string();
  ASSERT_TRUE(find<bool (*)(File *, const char *, bool)>("gguf_write_to_file")(file, path.c_str(), false));
  find<void (*)(File *)>("gguf_free")(file);
  find<void (*)(Context *)>("ggml_free")(context);

  Checkpoint checkpoint = llvm::cantFail(openCheckpoint(path));
  EXPECT_EQ(*checkpoint.metadata.find("general.architecture")->string(), "llama");
  EXPECT_EQ(*checkpoint.metadata.find("llama.block_count")->integer(), 7);
  EXPECT_EQ(*checkpoint.metadata.find("llama.rope.freq_base")->number(), 5e5);
  EXPECT_EQ(checkpoint.metadata.find("tokens")->count, 2u);
  ASSERT_EQ(checkpoint.tensors.size(), 2u);
  for (const lut::Tensor &tensor : checkpoint.tensors)
    for (size_t i = 0; i < tensor.bytes.size(); ++i)
      ASSERT_EQ(tensor.bytes[i], uint8_t(7 * i + tensor.shape[0])) << tensor.name.str();
  EXPECT_EQ(checkpoint.find("blk.0.attn_q.weight")->shapeText(), "3 x 96");
  EXPECT_EQ(checkpoint.find("blk.0.ffn_up.weight")->type->id, Id::Q6_K);
  EXPECT_EQ(checkpoint.find("blk.0.ffn_up.weight")->bytes.size(), 4u * 210);
}

} // namespace
