// GPTQ 1 and 2, and EfficientQAT:
//   qweight [words of k][n], qzeros [G][words of n], scales [G][n], g_idx [k] (may be absent)
// GPTQ's 3-bit codes straddle words, EfficientQAT's do not. GPTQ 1 stores zero - 1, the others zero.
#include "compiler/checkpoint/PackedWords.h"
#include "compiler/checkpoint/WeightRows.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

namespace {

struct GptqRows : IntegerRows {
  using IntegerRows::IntegerRows;

  uint8_t zeroAt(int64_t group, int64_t row) const {
    int64_t words = layout.wordsFor(n);
    uint8_t stored = layout.codeAt(zeroWords + 4 * group * words, row);
    return uint8_t((stored + zeroOffset) & ((1 << bits) - 1));
  }

  void unpack(int64_t first, int64_t count, uint8_t *codes, float *scales, uint8_t *zeros) const override {
    layout.unpackRows(weightWords + 4 * first, 4 * n, 4, count, k, codes);
    permuteColumns(order, count, k, codes);
    for (int64_t row = 0; row < count; ++row)
      for (int64_t g = 0; g < groups(); ++g) {
        scales[row * groups() + g] = floatAt(*scaleTensor, g * n + first + row);
        zeros[row * groups() + g] = zeroAt(g, first + row);
      }
  }

  const Tensor &scales() const override { return *scaleTensor; }

  WordLayout layout;
  const uint8_t *weightWords = nullptr, *zeroWords = nullptr;
  const Tensor *scaleTensor = nullptr;
  int zeroOffset = 0;
};

} // namespace

// The layout for which qzeros has `zeroWords` words for n zeros and qweight `rows` rows of words for as many
// codes as g_idx has (0: there is none). Small layers leave it open: then it has the bits of the config.
static std::optional<WordLayout> findLayout(int64_t n, int64_t zeroWords, int64_t rows, int64_t k,
                                            const WeightStorage &storage) {
  bool mayStraddle = storage.method != WeightStorage::Method::EfficientQat;
  for (bool straddles : {true, false})
    for (int bits : {storage.bits, 2, 3, 4, 8}) {
      WordLayout layout{bits, straddles};
      if (!is_contained({2, 3, 4, 8}, bits) || (straddles && !mayStraddle))
        continue;
      if (layout.wordsFor(n) == zeroWords && rows % layout.unitWords() == 0 &&
          (!k || layout.wordsFor(k) == rows))
        return layout;
    }
  return std::nullopt;
}

static Error fillIn(GptqRows &rows, const Tensor *index) {
  if (index) {
    auto order = orderByGroup(rows.layer, *index, rows.k, rows.group);
    if (!order)
      return order.takeError();
    rows.order = std::move(*order);
  }
  for (int64_t g = 0; g < rows.groups() && rows.symmetric; ++g)
    for (int64_t row = 0; row < rows.n && rows.symmetric; ++row)
      rows.symmetric = rows.zeroAt(g, row) == 1 << (rows.bits - 1);
  return Error::success();
}

IntegerRowsOr openGptq(Layer layer, const WeightStorage &storage) {
  using Id = TensorType::Id;
  auto weights = layer.get("qweight", Id::I32, {-1, -1});
  if (!weights)
    return weights.takeError();
  int64_t n = (*weights)->shape[1];
  auto scales = layer.get("scales", floatTypes(), {-1, n});
  if (!scales)
    return scales.takeError();
  int64_t groups = (*scales)->shape[0];
  auto zeros = layer.get("qzeros", Id::I32, {groups, -1});
  if (!zeros)
    return zeros.takeError();
  const Tensor *index = layer.find("g_idx");
  Expected<const Tensor *> checked = index ? layer.get("g_idx", Id::I32, {-1}) : nullptr;
  if (!checked)
    return checked.takeError();
  int64_t k = index ? index->shape[0] : 0;
  auto layout = findLayout(n, (*zeros)->shape[1], (*weights)->shape[0], k, storage);
  if (!layout)
    return layer.error(
        "qweight " + (*weights)->shapeText() + " and qzeros " + (*zeros)->shapeText() +
        " hold no codes of 2, 3, 4 or 8 bits; quantization_config describes another checkpoint");
  if (!index)
    k = (*weights)->shape[0] / layout->unitWords() * layout->unitCodes();
  auto group = groupOf(layer, k, groups, storage.group);
  if (!group)
    return group.takeError();
  auto rows = std::make_unique<GptqRows>(layer, n, k, layout->bits, *group);
  rows->layout = *layout;
  rows->weightWords = (*weights)->bytes.data();
  rows->zeroWords = (*zeros)->bytes.data();
  rows->scaleTensor = *scales;
  rows->zeroOffset = storage.method == WeightStorage::Method::Gptq;
  if (Error problem = fillIn(*rows, storage.method == WeightStorage::Method::EfficientQat ? nullptr : index))
    return std::move(problem);
  return std::move(rows);
}

} // namespace lut
