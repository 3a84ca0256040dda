// BitNet as transformers packs it: weight U8 [n / 4][k], where rows r, r + n/4, r + n/2 and r + 3n/4 share
// bytes at bits 0, 2, 4 and 6, codes are w + 1, and weight_scale [1] holds the scale or its reciprocal.
#include "compiler/quantizers/Quantizer.h"
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

class BitnetReader : public TensorReader {
public:
  BitnetReader(bool dividesByScale, bool isOnline) : dividesByScale(dividesByScale), isOnline(isOnline) {}

  std::string name() const override { return "BitNet"; }
  StringRef mainTensor() const override { return "weight"; }
  WeightSourceOr open(const Layer &layer, std::optional<Format> format) const override;
  std::optional<Format> formatOfFloats() const override {
    return isOnline ? std::optional(cantFail(parseFormat("w158"))) : std::nullopt;
  }

private:
  const bool dividesByScale; // weight_scale is 1 / scale
  const bool isOnline;       // float weights are rounded to ternary when the model runs
};

} // namespace

WeightSourceOr BitnetReader::open(const Layer &layer, std::optional<Format> format) const {
  auto weights = layer.get("weight", TensorType::Id::U8, {-1, -1});
  if (!weights)
    return weights.takeError();
  auto stored = layer.get("weight_scale", floatTypes(), {1});
  if (!stored)
    return stored.takeError();
  float value = floatAt(**stored, 0), scale = dividesByScale ? 1 / value : value;
  if (!std::isfinite(scale) || !std::isfinite(value))
    return layer.error("weight_scale is " + numberText(value) +
                       ", which is no scale; the checkpoint is damaged");
  if (format && format->str() != "w158")
    return otherFormat(layer, "w158", *format);
  return std::make_unique<BitnetSource>(layer, **weights, scale);
}

// BitLinear divides by weight_scale, AutoBitLinear multiplies with it. transformers takes these two names
// only.
static void readBitnet(MethodConfig &config) {
  const ConfigNode *linear = config.fields.string("linear_class");
  StringRef name = linear ? StringRef(linear->text) : "bitlinear";
  bool isOnline = config.word("quantization_mode", "offline") == "online";
  if (name == "bitlinear" || name == "autobitlinear")
    config.result.reader = std::make_shared<BitnetReader>(name == "bitlinear", isOnline);
  else
    config.result.reader =
        unread("BitNet", "BitNet's linear_class '" + name + "'",
               "transformers writes bitlinear, which divides by weight_scale, and autobitlinear");
  config.result.otherwise = config.decide("w158", "quant_method");
  if (config.fields.boolean("use_rms_norm").value_or(false)) {
    const ConfigNode *epsilon = config.fields.find("rms_norm_eps");
    config.result.productNormEpsilon = epsilon ? epsilon->number().value_or(1e-6) : 1e-6;
  }
  config.keep("modules_to_not_convert");
}

const Quantizer bitnet = {"bitnet", readBitnet};

} // namespace lut
