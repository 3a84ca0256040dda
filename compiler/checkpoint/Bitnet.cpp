// BitNet as transformers packs it: weight U8 [n / 4][k], where rows r, r + n/4, r + n/2 and r + 3n/4 share
// bytes at bits 0, 2, 4 and 6, codes are w + 1, and weight_scale [1] holds the scale or its reciprocal.
#include "compiler/checkpoint/WeightRows.h"
#include <cmath>

using namespace llvm;

namespace lut {

namespace {

class BitnetSource : public WeightSource {
public:
  BitnetSource(Layer layer, const Tensor &weights, float scale)
      : WeightSource(layer.name, weights.shape[0] * 4, weights.shape[1], cantFail(parseFormat("w158")),
                     "as stored"),
        layer(std::move(layer)), weights(weights), scale(scale) {}

  Error readRows(int64_t first, const WeightBand &band) const override {
    *band.scales<float>() = scale;
    uint8_t *codes = band.codes();
    for (int64_t row = first; row < first + band.count; ++row, codes += k) {
      const uint8_t *bytes = weights.bytes.data() + row % (n / 4) * k;
      int shift = int(row / (n / 4) * 2);
      unsigned both = 0; // 3 has both bits
      for (int64_t i = 0; i < k; ++i) {
        unsigned code = bytes[i] >> shift & 3;
        codes[i] = uint8_t(code);
        both |= code & code >> 1;
      }
      if (both)
        return layer.error("a weight of row " + Twine(row) +
                           " has code 3, and ternary weights have 0 to 2; the checkpoint is damaged");
    }
    return Error::success();
  }

private:
  const Layer layer;
  const Tensor &weights;
  const float scale;
};

} // namespace

WeightSourceOr openBitnet(Layer layer, const WeightStorage &storage) {
  auto weights = layer.get("weight", TensorType::Id::U8, {-1, -1});
  if (!weights)
    return weights.takeError();
  auto stored = layer.get("weight_scale", floatTypes(), {1});
  if (!stored)
    return stored.takeError();
  float value = floatAt(**stored, 0), scale = storage.dividesByScale ? 1 / value : value;
  if (!std::isfinite(scale) || !std::isfinite(value))
    return layer.error("weight_scale is " + numberText(value) +
                       ", which is no scale; the checkpoint is damaged");
  return std::make_unique<BitnetSource>(layer, **weights, scale);
}

} // namespace lut
