// Weights of GGUF: those blocks that a format holds losslessly, as they are; all others rounded.
#include "compiler/checkpoint/Blocks.h"
#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/WeightRows.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstring>

using namespace llvm;

namespace lut {

namespace {

// How a type's blocks become codes and scales.
struct BlockRow {
  TensorType::Id id;
  void (*unpack)(const uint8_t *block, uint8_t *codes);
  int scaleAt;  // byte offset of the f16 scale
  uint8_t zero; // zero point of every block, where the format has them
  bool ternary;
};

constexpr BlockRow blockRows[] = {
    {TensorType::Id::Q1_0, unpackQ1_0, 0, 0, false},   {TensorType::Id::Q2_0, unpackQ2_0, 0, 1, false},
    {TensorType::Id::Q4_0, unpackQ4_0, 0, 8, false},   {TensorType::Id::Q5_0, unpackQ5_0, 0, 16, false},
    {TensorType::Id::Q8_0, unpackQ8_0, 0, 128, false}, {TensorType::Id::TQ1_0, unpackTQ1_0, 52, 1, true},
    {TensorType::Id::TQ2_0, unpackTQ2_0, 64, 1, true},
};

class BlockSource : public WeightSource {
public:
  BlockSource(Layer layer, const TensorType &type, const BlockRow &row, int64_t n, int64_t k, Format format,
              ArrayRef<uint8_t> bytes)
      : WeightSource(layer.name, n, k, format, "as stored"), layer(std::move(layer)), type(type), row(row),
        bytes(bytes) {}

  Error readRows(int64_t first, int64_t count, uint8_t *codes, void *scales, uint8_t *zeros) const override;

private:
  Error readBlock(int64_t index, uint8_t *codes, void *scales, int64_t scaleIndex) const;

  const Layer layer;
  const TensorType &type;
  const BlockRow &row;
  const ArrayRef<uint8_t> bytes;
};

} // namespace

Error BlockSource::readBlock(int64_t index, uint8_t *codes, void *scales, int64_t scaleIndex) const {
  const uint8_t *block = bytes.data() + index * type.blockBytes;
  row.unpack(block, codes);
  uint16_t scale = readLe<uint16_t>(block + row.scaleAt);
  auto where = [&] { return "of row " + Twine(index * type.block / k); };
  if ((scale & 0x7c00) == 0x7c00)
    return layer.error("a scale " + where() + " is not finite; the checkpoint is damaged");
  if (row.ternary && any_of(ArrayRef(codes, type.block), [](uint8_t code) { return code > 2; }))
    return layer.error("a weight " + where() +
                       " has code 3, and ternary weights have 0 to 2; the checkpoint "
                       "is damaged");
  // Blocks of zeros have scale 0 in a tensor or row that has another one.
  if (format.row->scaleF32) {
    float value = floatOfHalf(scale);
    if (value != 0)
      static_cast<float *>(scales)[scaleIndex] = value;
    else
      std::memset(codes, 1, type.block);
    return Error::success();
  }
  static_cast<uint16_t *>(scales)[scaleIndex] = scale;
  for (int64_t i = 0; row.ternary && i < type.block; ++i)
    codes[i] += 1; // w2 has -2 at code 0
  return Error::success();
}

Error BlockSource::readRows(int64_t first, int64_t count, uint8_t *codes, void *scales,
                            uint8_t *zeros) const {
  int64_t blocks = k / type.block;
  if (format.row->scaleF32)
    std::fill_n(static_cast<float *>(scales), format.perTensor ? 1 : count, 0.0f);
  for (int64_t i = 0; i < count * blocks; ++i) {
    int64_t scaleIndex = !format.row->scaleF32 ? i : format.perTensor ? 0 : i / blocks;
    if (Error problem = readBlock(first * blocks + i, codes + i * type.block, scales, scaleIndex))
      return problem;
  }
  if (format.zeroPoints)
    std::fill_n(zeros, count * blocks, row.zero);
  return Error::success();
}

// Whether all blocks of each of `runs` equal parts have one scale; blocks of zeros may have scale 0.
static bool sharesScale(const TensorType &type, const BlockRow &row, ArrayRef<uint8_t> bytes, int64_t runs) {
  int64_t blocks = int64_t(bytes.size()) / type.blockBytes / runs;
  for (int64_t run = 0; run < runs; ++run) {
    uint16_t shared = 0;
    for (int64_t i = 0; i < blocks; ++i) {
      uint16_t scale = readLe<uint16_t>(&bytes[(run * blocks + i) * type.blockBytes + row.scaleAt]);
      if (!(scale & 0x7fff))
        continue;
      if (shared && scale != shared)
        return false;
      shared = scale;
    }
  }
  return true;
}

static Format formatOf(const TensorType &type, const BlockRow &row, int64_t n, ArrayRef<uint8_t> bytes) {
  StringRef name = type.format;
  if (row.ternary && sharesScale(type, row, bytes, 1))
    name = "w158";
  else if (row.ternary && sharesScale(type, row, bytes, n))
    name = "w158r";
  return cantFail(parseFormat(name));
}

WeightSourceOr openGguf(Layer layer, const Tensor &tensor, int64_t expert, std::optional<Format> format) {
  const TensorType &type = *tensor.type;
  bool stacked = tensor.shape.size() == 3;
  if ((tensor.shape.size() != 2 && !stacked) || is_contained(tensor.shape, 0))
    return layer.error("is " + tensor.shapeText() + ", which is no matrix; name a linear layer");
  if (expert >= (stacked ? tensor.shape[0] : 1))
    return layer.error("there is no expert " + Twine(expert) + " in a tensor of " + tensor.shapeText());
  int64_t n = tensor.shape[stacked], k = tensor.shape.back();
  size_t size = tensor.bytes.size() / (stacked ? tensor.shape[0] : 1);
  ArrayRef<uint8_t> bytes = tensor.bytes.slice(expert * size, size);
  const BlockRow *row = find_if(blockRows, [&](const BlockRow &row) { return row.id == type.id; });
  if (row != std::end(blockRows)) {
    Format stored = formatOf(type, *row, n, bytes);
    // Scales of a tensor are scales of its rows and groups, too.
    bool finer = format && row->ternary &&
                 (format->str() == type.format || (format->str() == "w158r" && stored.perTensor));
    if (format && !finer && format->str() != stored.str())
      return layer.error("is stored as " + stored.str() + ", not as " + format->str() +
                         "; compile the library with " + stored.str());
    return std::make_unique<BlockSource>(std::move(layer), type, *row, n, k, finer ? *format : stored, bytes);
  }
  if (!type.decode)
    return layer.error("lutc does not read weights of type " + type.name +
                       "; convert the model to Q4_0, TQ2_0 or F16 with llama.cpp");
  std::string problem = type.isFloat()
                            ? ("is stored as " + type.name).str()
                            : ("no format holds " + type.name + " losslessly: " + type.reason).str();
  if (!format)
    return layer.error(problem + "; name a format that the weights are rounded to, such as --weights=w4g32");
  return roundWeights(floatRows(std::move(layer), tensor, bytes), type.name, *format);
}

} // namespace lut
