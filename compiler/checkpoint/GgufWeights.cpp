// Weights of GGUF: those blocks that a format holds losslessly, as they are; all others rounded.
#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/Scales.h"
#include "compiler/checkpoint/WeightRows.h"
#include "runtime/gguf/blocks.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <cmath>

using namespace llvm;

namespace lut {

namespace {

using Id = TensorType::Id;

// Of one layer in a tensor.
struct BlockRows {
  int64_t n, k;
  ArrayRef<uint8_t> bytes;
};

// The blocks of a linear layer.
struct BlockSource : WeightSource {
  BlockSource(Layer layer, const TensorType &type, const lutc_block_type &row, const BlockRows &rows,
              Format format, float factor)
      : WeightSource(layer.name, rows.n, rows.k, format, "as stored"), layer(std::move(layer)), type(type),
        row(row), scaleType(rowOf(cantFail(parseFormat(row.format)).scaleType).bits.number),
        blocks(k / type.block), bytes(rows.bytes), factor(factor) {
    if (factor == 1)
      stored = bytes;
  }

  Error readRows(int64_t first, const WeightBand &band) const override {
    for (int64_t i = 0; i < band.count; ++i)
      if (Error problem = readRow(first + i, band.row(i)))
        return problem;
    return Error::success();
  }
  virtual Error readRow(int64_t index, const WeightBand &band) const;

  const uint8_t *blockAt(int64_t index, int64_t block) const {
    return bytes.data() + (index * blocks + block) * type.blockBytes;
  }
  uint16_t halfScale(int64_t index, int64_t block) const {
    return readLe<uint16_t>(blockAt(index, block) + row.scale_at);
  }
  Error notFinite(StringRef what, int64_t index) const {
    return layer.error("a " + what + " of row " + Twine(index) + " is not finite; the checkpoint is damaged");
  }

  const Layer layer;
  const TensorType &type;
  const lutc_block_type &row;
  const lutc_type scaleType; // of the blocks
  const int64_t blocks;      // of a row
  const ArrayRef<uint8_t> bytes;
  const float factor; // of all weights

private:
  Error readScales(const uint8_t *bytes, int64_t index, int64_t block, const WeightBand &band) const;
};

// Trits in one of the formats that have them: w158 and w158r where blocks share a scale, with code 0 of -1;
// w2g256 with code 1 of -1. Blocks of zeros may have scale 0 where others have another one.
struct TernarySource : BlockSource {
  TernarySource(const BlockSource &source, Format format, float tensorScale)
      : BlockSource(source.layer, source.type, source.row, {source.n, source.k, source.bytes}, format,
                    source.factor),
        tensorScale(tensorScale) {}

  Error readRows(int64_t first, const WeightBand &band) const override {
    for (int64_t i = 0; i < band.count && format.row->trits; ++i)
      *band.scales<float>(i) = tensorScale;
    return BlockSource::readRows(first, band);
  }
  Error readRow(int64_t index, const WeightBand &band) const override;

  const float tensorScale; // 0 where rows have their own
};

} // namespace

// Of one block. Times a factor they may be numbers of another type.
Error BlockSource::readScales(const uint8_t *bytes, int64_t index, int64_t block,
                              const WeightBand &band) const {
  uint8_t scales[8];
  lutc_unpack_scales(&row, bytes, 1, scales);
  for (uint32_t i = 0; i < row.scales; ++i) {
    float scale = lutc_widen_scale(scaleType, scales + i * row.scale_bytes);
    if (!std::isfinite(scale))
      return notFinite("scale", index);
    storeScale(format.scaleType, scale * factor, band.scales<void>(), block * row.scales + i);
  }
  return Error::success();
}

Error BlockSource::readRow(int64_t index, const WeightBand &band) const {
  const uint8_t *bytes = blockAt(index, 0);
  row.codes(bytes, size_t(blocks), band.codes());
  if (format.subgroup)
    row.multiples(bytes, size_t(blocks), band.scaleMultiples(), band.minimumMultiples());
  for (int64_t block = 0; block < blocks; ++block, bytes += type.blockBytes) {
    if (Error problem = readScales(bytes, index, block, band))
      return problem;
    if (!format.minimums)
      continue;
    uint16_t minimum;
    lutc_unpack_minimums(&row, bytes, 1, &minimum);
    if (!std::isfinite(floatOfHalf(minimum)))
      return notFinite("minimum", index);
    storeScale(format.scaleType, floatOfHalf(minimum) * factor, band.minimums<void>(), block);
  }
  return Error::success();
}

Error TernarySource::readRow(int64_t index, const WeightBand &band) const {
  MutableArrayRef<uint8_t> codes(band.codes(), k);
  row.codes(blockAt(index, 0), size_t(blocks), codes.data());
  if (any_of(codes, [](uint8_t code) { return code > 2; }))
    return layer.error("a weight of row " + Twine(index) +
                       " has code 3, and ternary weights have 0 to 2; the checkpoint is damaged");
  for (int64_t block = 0; block < blocks; ++block) {
    uint16_t scale = halfScale(index, block);
    if (!std::isfinite(floatOfHalf(scale)))
      return notFinite("scale", index);
    if (!format.row->trits)
      storeScale(format.scaleType, floatOfHalf(scale) * factor, band.scales<void>(), block);
    else if (scale & 0x7fff)
      *band.scales<float>() = floatOfHalf(scale) * factor;
    else
      fill(codes.slice(block * type.block, type.block), 1);
  }
  if (!format.row->trits)
    for (uint8_t &code : codes)
      code += 1;
  return Error::success();
}

// The scale of all blocks of rows [first, last) that are not zeros; nothing: they differ.
static std::optional<uint16_t> sharedScale(const BlockSource &source, int64_t first, int64_t last) {
  uint16_t shared = 0;
  for (int64_t index = first; index < last; ++index)
    for (int64_t block = 0; block < source.blocks; ++block) {
      uint16_t scale = source.halfScale(index, block);
      if (!(scale & 0x7fff))
        continue;
      if (shared && scale != shared)
        return std::nullopt;
      shared = scale;
    }
  return shared;
}

static WeightSourceOr openTernary(const BlockSource &source, std::optional<Format> wanted) {
  std::optional<uint16_t> scale = sharedScale(source, 0, source.n);
  bool rowsShare = scale || all_of(seq<int64_t>(0, source.n), [&](int64_t row) {
                     return sharedScale(source, row, row + 1).has_value();
                   });
  std::string blocks = source.format.str();
  Format stored = cantFail(parseFormat(scale ? "w158" : rowsShare ? "w158r" : blocks));
  // Scales of a tensor are scales of its rows and groups, too.
  bool finer = wanted && (wanted->str() == blocks || (wanted->str() == "w158r" && rowsShare));
  if (wanted && !finer && wanted->str() != stored.str())
    return otherFormat(source.layer, stored.str(), *wanted);
  return std::make_unique<TernarySource>(source, wanted ? *wanted : stored,
                                         floatOfHalf(scale.value_or(0)) * source.factor);
}

// The rows of one layer in a tensor that may stack experts, or fuse gate and up.
static Expected<BlockRows> selectRows(const Layer &layer, const GgufName &name) {
  const Tensor &tensor = *name.tensor;
  bool stacked = tensor.shape.size() == 3;
  if ((tensor.shape.size() != 2 && !stacked) || is_contained(tensor.shape, 0))
    return layer.error("is " + tensor.shapeText() + ", which is no matrix; name a linear layer");
  int64_t experts = stacked ? tensor.shape[0] : 1, n = tensor.shape[stacked];
  if (name.expert >= experts)
    return layer.error("there is no expert " + Twine(name.expert) + " in a tensor of " + tensor.shapeText());
  int64_t parts = name.part == RowPart::All ? 1 : 2, part = name.part == RowPart::Up;
  if (n % parts)
    return layer.error("shares " + Twine(n) +
                       " rows of gate and up, which are no halves; the file is damaged");
  size_t size = tensor.bytes.size() / (experts * parts);
  return BlockRows{n / parts, tensor.shape.back(),
                   tensor.bytes.slice((name.expert * parts + part) * size, size)};
}

// Whether f16 holds all scales of a byte, times a factor.
static bool holdsProducts(const lutc_scale_type &type, float factor) {
  return type.bits == 8 && all_of(seq<uint32_t>(0, 256), [&](uint32_t bits) {
           double product = double(lutc_widen_bits(&type, bits)) * double(factor);
           return !lutc_is_finite_scale(&type, bits) ||
                  double(roundScale(ScaleType::f16, float(product))) == product;
         });
}

// The format of a type's blocks, whose scales are multiplied by these factors: the same for all experts of a
// tensor. Nothing: no format holds the products.
static std::optional<Format> formatTimes(const TensorType &type, const Tensor *factors) {
  Format format = cantFail(parseFormat(type.format));
  bool keeps = true, halvesHold = true;
  for (int64_t i = 0; factors && i < factors->elements(); ++i) {
    float factor = floatAt(*factors, size_t(i));
    keeps &= factor == 1;
    halvesHold &= holdsProducts(rowOf(format.scaleType).bits, factor);
  }
  return keeps ? format : withScaleType(format, halvesHold ? ScaleType::f16 : ScaleType::f32);
}

// The factor of all weights of a layer; 1 without a tensor of it.
static Expected<float> readFactor(const Layer &layer, const GgufName &name) {
  if (!layer.use(name.scale))
    return 1;
  const Tensor &scale = *name.scale;
  int64_t experts = name.tensor->shape.size() == 3 ? name.tensor->shape[0] : 1;
  if (scale.type->id != Id::F32 || (scale.elements() != 1 && scale.elements() != experts))
    return layer.error("tensor " + quoted(scale.name) + " is " + scale.type->name + " of " +
                       scale.shapeText() +
                       ", and a factor of weights is F32, one for the tensor or for each expert; convert the "
                       "model again with llama.cpp");
  float factor = floatAt(scale, scale.elements() == 1 ? 0 : size_t(name.expert));
  if (!std::isfinite(factor))
    return layer.error("tensor " + quoted(scale.name) + " holds " + numberText(factor) +
                       ", which is no factor; the checkpoint is damaged");
  return factor;
}

WeightSourceOr openGguf(const Layer &layer, const GgufName &name, std::optional<Format> format) {
  const TensorType &type = *name.tensor->type;
  Expected<BlockRows> rows = selectRows(layer, name);
  if (!rows)
    return rows.takeError();
  Expected<float> factor = readFactor(layer, name);
  if (!factor)
    return factor.takeError();
  if (const lutc_block_type *row = type.gguf < 0 ? nullptr : lutc_find_block_type(uint32_t(type.gguf))) {
    std::optional<Format> stored = formatTimes(type, name.scale);
    if (!stored)
      return layer.error("no format holds the scales of " + type.name + " times tensor " +
                         quoted(name.scale->name) + "; convert the model again without it");
    auto source = std::make_unique<BlockSource>(layer, type, *row, *rows, *stored, *factor);
    if (row->traits & LUTC_TERNARY)
      return openTernary(*source, format);
    if (format && format->str() != stored->str())
      return otherFormat(layer, stored->str(), *format);
    return std::move(source);
  }
  if (!type.isFloat()) {
    const RequantizedType *known = type.gguf < 0 ? nullptr : findRequantized(uint32_t(type.gguf));
    return layer.error("lutc does not read weights of type " + type.name + "; quantize the model again, to " +
                       (known ? StringRef(known->nearest) : "Q4_0, Q4_K_M, TQ2_0 or F16"));
  }
  if (!format)
    return unnamedFormat(layer, type);
  return roundWeights(floatRows(layer, *name.tensor, rows->bytes, *factor), type.name, *format);
}

} // namespace lut
