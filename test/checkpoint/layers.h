// Layers of checkpoints written for a test, and opened.
#ifndef LUT_TEST_CHECKPOINT_LAYERS_H
#define LUT_TEST_CHECKPOINT_LAYERS_H

#include "compiler/checkpoint/Scales.h"
#include "compiler/quantizers/Quantization.h"
#include "files.h"
#include "unpack.h"
#include <array>
#include <functional>
#include <gmock/gmock.h>
#include <random>

namespace lut::test {

constexpr char module[] = "model.layers.0.self_attn.q_proj";

// A tensor of the module.
inline FileTensor raw(const std::string &name, const char *dtype, std::vector<int64_t> shape, Bytes bytes) {
  return {std::string(module) + "." + name, dtype, 0, std::move(shape), std::move(bytes)};
}

inline FileTensor words(const std::string &name, std::vector<int64_t> shape,
                        const std::vector<uint32_t> &values) {
  return {std::string(module) + "." + name, "I32", 0, std::move(shape), bytesOf(values)};
}

inline FileTensor halves(const std::string &name, std::vector<int64_t> shape,
                         const std::vector<float> &values) {
  std::vector<uint16_t> bits(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    storeScale(ScaleType::f16, values[i], bits.data(), int64_t(i));
  return {std::string(module) + "." + name, "F16", 0, std::move(shape), bytesOf(bits)};
}

// What a quantization_config says.
inline Quantization quantization(llvm::StringRef config) {
  llvm::SourceMgr sources;
  Diagnostics diagnostics(sources);
  auto node = readConfigTree(llvm::MemoryBuffer::getMemBufferCopy(config, "config.json"), true, diagnostics);
  auto read = node ? readQuantization(*node, diagnostics) : std::nullopt;
  EXPECT_TRUE(read) << config.str();
  return read ? std::move(*read) : Quantization();
}

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

struct Opened {
  // `format`: empty for the one that is stored.
  Opened(const std::string &file, const Bytes &bytes, const WeightStorage &storage, const std::string &name,
         const std::string &format)
      : checkpoint(llvm::cantFail(openCheckpoint(directory.write(file, bytes)))) {
    std::optional<Format> wanted;
    if (!format.empty())
      wanted = llvm::cantFail(parseFormat(format));
    auto opened = openWeights(checkpoint, storage, name, wanted);
    if (opened)
      source = std::move(*opened);
    else
      problem = llvm::toString(opened.takeError());
  }
  Opened(const std::vector<FileTensor> &tensors, const WeightStorage &storage, const std::string &format = "")
      : Opened("model.safetensors", safetensors(tensors), storage, module, format) {}
  Opened(const FileTensor &tensor, const std::string &name, const std::string &format = "")
      : Opened("model.gguf", gguf({}, {tensor}), WeightStorage(), name, format) {}

  Directory directory;
  Checkpoint checkpoint;
  std::unique_ptr<WeightSource> source;
  std::string problem;
};

inline void expectWeights(const Opened &opened, const std::string &format, int64_t n, int64_t k,
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

} // namespace lut::test

#endif
