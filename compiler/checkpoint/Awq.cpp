// AWQ, 4 bits. The version for products with many rows packs along n:
//   qweight [k][n / 8], qzeros [G][n / 8], scales [G][n]
// the one for vectors packs along k, and pads the groups: qweight [n][k / 8], qzeros [n][w], scales [n][8 w]
#include "compiler/checkpoint/PackedWords.h"
#include "compiler/checkpoint/WeightRows.h"

using namespace llvm;

namespace lut {

namespace {

// Which nibble of a word holds column 8 w + i: the inverse of AutoAWQ's order 0, 2, 4, 6, 1, 3, 5, 7.
constexpr int nibbleOf[] = {0, 4, 1, 5, 2, 6, 3, 7};

struct AwqRows : IntegerRows {
  using IntegerRows::IntegerRows;
  virtual uint8_t zeroAt(int64_t group, int64_t row) const = 0;
  virtual float scaleAt(int64_t group, int64_t row) const = 0;
  virtual void unpackCodes(int64_t first, int64_t count, uint8_t *codes) const = 0;

  void unpack(int64_t first, int64_t count, uint8_t *codes, float *scales, uint8_t *zeros) const override {
    unpackCodes(first, count, codes);
    for (int64_t row = 0; row < count; ++row)
      for (int64_t g = 0; g < groups(); ++g) {
        scales[row * groups() + g] = scaleAt(g, first + row);
        zeros[row * groups() + g] = zeroAt(g, first + row);
      }
  }

  const Tensor &scales() const override { return *scaleTensor; }

  // Zero points that are 8 throughout are none.
  void findSymmetry() {
    for (int64_t g = 0; g < groups() && symmetric; ++g)
      for (int64_t row = 0; row < n && symmetric; ++row)
        symmetric = zeroAt(g, row) == 8;
  }

  const Tensor *weightTensor = nullptr, *zeroTensor = nullptr, *scaleTensor = nullptr;
};

// Byte j of line i becomes byte i of line j.
void transpose(uint64_t lines[8]) {
  for (int distance : {4, 2, 1}) {
    const uint64_t low = distance == 4   ? 0x00000000ffffffff
                         : distance == 2 ? 0x0000ffff0000ffff
                                         : 0x00ff00ff00ff00ff;
    for (int i = 0; i < 8; ++i)
      if (!(i & distance)) {
        uint64_t swapped = (lines[i] >> 8 * distance ^ lines[i + distance]) & low;
        lines[i + distance] ^= swapped;
        lines[i] ^= swapped << 8 * distance;
      }
  }
}

struct GemmRows : AwqRows {
  using AwqRows::AwqRows;

  uint8_t zeroAt(int64_t group, int64_t row) const override {
    return nibbleAt(zeroTensor->bytes.data(), group, row);
  }
  float scaleAt(int64_t group, int64_t row) const override { return floatAt(*scaleTensor, group * n + row); }

  // Eight columns of eight rows at a time: the codes of a column stand in a word.
  void unpackCodes(int64_t first, int64_t count, uint8_t *codes) const override {
    const uint8_t *words = weightTensor->bytes.data();
    for (int64_t column = 0; column < k; column += 8)
      for (int64_t row = first / 8 * 8; row < first + count; row += 8) {
        uint64_t lines[8] = {};
        int64_t columns = std::min<int64_t>(8, k - column);
        for (int64_t i = 0; i < columns; ++i)
          lines[i] = spreadCodes(readLe<uint32_t>(words + 4 * ((column + i) * (n / 8) + row / 8)), 4);
        transpose(lines);
        for (int64_t i = std::max<int64_t>(first - row, 0); i < std::min<int64_t>(8, first + count - row);
             ++i) {
          uint8_t bytes[8];
          writeLe(bytes, lines[nibbleOf[i]]);
          std::copy_n(bytes, columns, codes + (row + i - first) * k + column);
        }
      }
  }

  uint8_t nibbleAt(const uint8_t *words, int64_t line, int64_t row) const {
    return readLe<uint32_t>(words + 4 * (line * (n / 8) + row / 8)) >> 4 * nibbleOf[row % 8] & 15;
  }
};

struct GemvRows : AwqRows {
  using AwqRows::AwqRows;

  uint8_t zeroAt(int64_t group, int64_t row) const override {
    return layout.codeAt(zeroTensor->bytes.data() + 4 * row * zeroTensor->shape[1], group);
  }
  float scaleAt(int64_t group, int64_t row) const override {
    return floatAt(*scaleTensor, row * scaleTensor->shape[1] + group);
  }
  void unpackCodes(int64_t first, int64_t count, uint8_t *codes) const override {
    layout.unpackRows(weightTensor->bytes.data() + first * (k / 2), 4, k / 2, count, k, codes);
  }

  WordLayout layout{4};
};

struct Tensors {
  const Tensor *weights, *zeros, *scales;
};

} // namespace

static Expected<Tensors> getTensors(const Layer &layer, bool alongN) {
  auto weights = layer.get("qweight", TensorType::Id::I32, {-1, -1});
  if (!weights)
    return weights.takeError();
  auto zeros = layer.get("qzeros", TensorType::Id::I32, {-1, -1});
  if (!zeros)
    return zeros.takeError();
  auto scales = layer.get("scales", floatTypes(), {(*zeros)->shape[0], (*zeros)->shape[1] * 8});
  if (!scales)
    return scales.takeError();
  if ((*weights)->shape[alongN] != (*zeros)->shape[alongN]) // n / 8 words a line, or n lines
    return layer.error("qweight " + (*weights)->shapeText() + " and qzeros " + (*zeros)->shapeText() +
                       " are not of one layer; check `version` in quantization_config: gemm or gemv");
  return Tensors{*weights, *zeros, *scales};
}

template <typename Rows>
static IntegerRowsOr makeRows(Layer layer, const Tensors &tensors, int64_t n, int64_t k, int64_t group) {
  auto rows = std::make_unique<Rows>(std::move(layer), n, k, 4, group);
  rows->weightTensor = tensors.weights;
  rows->zeroTensor = tensors.zeros;
  rows->scaleTensor = tensors.scales;
  rows->findSymmetry();
  return std::move(rows);
}

static IntegerRowsOr openGemm(Layer layer, const WeightStorage &storage) {
  auto tensors = getTensors(layer, /*alongN=*/true);
  if (!tensors)
    return tensors.takeError();
  int64_t k = tensors->weights->shape[0], n = tensors->weights->shape[1] * 8;
  auto group = groupOf(layer, k, tensors->zeros->shape[0], storage.group);
  if (!group)
    return group.takeError();
  return makeRows<GemmRows>(std::move(layer), *tensors, n, k, *group);
}

static IntegerRowsOr openGemv(Layer layer, const WeightStorage &storage) {
  auto tensors = getTensors(layer, /*alongN=*/false);
  if (!tensors)
    return tensors.takeError();
  int64_t n = tensors->weights->shape[0], k = tensors->weights->shape[1] * 8;
  int64_t group = storage.group > 0 ? storage.group : k;
  if ((k + group - 1) / group > tensors->scales->shape[1])
    return layer.error("has " + Twine(tensors->scales->shape[1]) + " scales along k = " + Twine(k) +
                       ", too few for groups of " + Twine(group) +
                       "; correct group_size in quantization_config");
  return makeRows<GemvRows>(std::move(layer), *tensors, n, k, std::min(group, k));
}

IntegerRowsOr openAwq(Layer layer, const WeightStorage &storage) {
  return storage.method == WeightStorage::Method::AwqGemv ? openGemv(std::move(layer), storage)
                                                          : openGemm(std::move(layer), storage);
}

} // namespace lut
