// compressed-tensors, pack-quantized: codes are offset by 2^(bits - 1) and packed along k without straddling.
//   weight_packed [n][words of k], weight_shape [2], weight_scale [n][G] or [1],
//   weight_zero_point [words of n][G], packed along n, or I8 [n][G] by early writers; absent when symmetric
//   weight_g_idx [k] in activation order
#include "compiler/checkpoint/PackedWords.h"
#include "compiler/checkpoint/WeightRows.h"

using namespace llvm;

namespace lut {

namespace {

struct PackQuantizedRows : IntegerRows {
  using IntegerRows::IntegerRows;

  uint8_t zeroAt(int64_t group, int64_t row) const {
    int middle = 1 << (bits - 1);
    if (!zeroTensor)
      return uint8_t(middle);
    const uint8_t *bytes = zeroTensor->bytes.data();
    if (zeroTensor->type->id == TensorType::Id::I8)
      return uint8_t(int8_t(bytes[row * groups() + group]) + middle);
    return layout.codeAt(bytes + 4 * group, row, 4 * groups());
  }

  void unpack(int64_t first, int64_t count, uint8_t *codes, float *scales, uint8_t *zeros) const override {
    int64_t rowBytes = 4 * layout.wordsFor(k);
    layout.unpackRows(weightTensor->bytes.data() + first * rowBytes, 4, rowBytes, count, k, codes);
    permuteColumns(order, count, k, codes);
    bool shared = scaleTensor->elements() == 1;
    for (int64_t row = 0; row < count; ++row)
      for (int64_t g = 0; g < groups(); ++g) {
        scales[row * groups() + g] = floatAt(*scaleTensor, shared ? 0 : (first + row) * groups() + g);
        zeros[row * groups() + g] = zeroAt(g, first + row);
      }
  }

  const Tensor &scales() const override { return *scaleTensor; }

  WordLayout layout;
  const Tensor *weightTensor = nullptr, *scaleTensor = nullptr, *zeroTensor = nullptr;
};

} // namespace

static Expected<std::pair<int64_t, int64_t>> readShape(const Layer &layer) {
  auto shape = layer.get("weight_shape", {TensorType::Id::I64, TensorType::Id::I32}, {2});
  if (!shape)
    return shape.takeError();
  auto extent = [&](size_t i) {
    const uint8_t *bytes = (*shape)->bytes.data();
    return (*shape)->type->id == TensorType::Id::I64 ? readLe<int64_t>(bytes + 8 * i)
                                                     : readLe<int32_t>(bytes + 4 * i);
  };
  // A product of two such extents does not overflow.
  int64_t n = extent(0), k = extent(1), limit = int64_t(1) << 31;
  if (n < 1 || k < 1 || n > limit || k > limit)
    return layer.error("weight_shape says " + Twine(n) + " x " + Twine(k) + "; the checkpoint is damaged");
  return std::pair(n, k);
}

// The bits for which rows of k codes take `words` words; those of the config where several do.
static int findBits(int64_t k, int64_t words, int configured) {
  auto fits = [&](int bits) { return WordLayout{bits}.wordsFor(k) == words; };
  if (configured >= 1 && configured <= 8 && fits(configured))
    return configured;
  for (int bits : {4, 8, 2, 3, 6, 5, 1})
    if (fits(bits))
      return bits;
  return 0;
}

static Error addZeroPoints(PackQuantizedRows &rows) {
  const Tensor *packed = rows.layer.find("weight_zero_point");
  if (!packed)
    return Error::success();
  bool plain = packed->type->id == TensorType::Id::I8;
  auto zeros = rows.layer.get("weight_zero_point", {TensorType::Id::I32, TensorType::Id::I8},
                              {plain ? rows.n : rows.layout.wordsFor(rows.n), rows.groups()});
  if (!zeros)
    return zeros.takeError();
  rows.zeroTensor = *zeros;
  for (int64_t g = 0; g < rows.groups() && rows.symmetric; ++g)
    for (int64_t row = 0; row < rows.n && rows.symmetric; ++row)
      rows.symmetric = rows.zeroAt(g, row) == 1 << (rows.bits - 1);
  return Error::success();
}

IntegerRowsOr openCompressedTensors(Layer layer, const WeightStorage &storage) {
  auto shape = readShape(layer);
  if (!shape)
    return shape.takeError();
  auto [n, k] = *shape;
  auto weights = layer.get("weight_packed", TensorType::Id::I32, {n, -1});
  if (!weights)
    return weights.takeError();
  int bits = findBits(k, (*weights)->shape[1], storage.bits);
  if (!bits)
    return layer.error("weight_packed " + (*weights)->shapeText() + " does not hold rows of " + Twine(k) +
                       " codes; the checkpoint is damaged");
  const Tensor *found = layer.find("weight_scale");
  bool shared = found && found->elements() == 1;
  auto scales = layer.get("weight_scale", floatTypes(),
                          shared ? ArrayRef<int64_t>(found->shape) : ArrayRef<int64_t>({n, -1}));
  if (!scales)
    return scales.takeError();
  auto group = groupOf(layer, k, shared ? 1 : (*scales)->shape[1], storage.group);
  if (!group)
    return group.takeError();
  auto rows = std::make_unique<PackQuantizedRows>(layer, n, k, bits, *group);
  rows->layout = WordLayout{bits};
  rows->weightTensor = *weights;
  rows->scaleTensor = *scales;
  if (Error problem = addZeroPoints(*rows))
    return std::move(problem);
  if (!layer.find("weight_g_idx"))
    return std::move(rows);
  auto index = layer.get("weight_g_idx", TensorType::Id::I32, {k});
  auto order = index ? orderByGroup(layer, **index, k, *group) : index.takeError();
  if (!order)
    return order.takeError();
  rows->order = std::move(*order);
  return std::move(rows);
}

} // namespace lut
