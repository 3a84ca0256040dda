// AWQ, 4 bits. The version for products with many rows packs along n:
//   qweight [k][n / 8], qzeros [G][n / 8], scales [G][n]
// the one for vectors packs along k, and pads the groups: qweight [n][k / 8], qzeros [n][w], scales [n][8 w]
#include "compiler/checkpoint/PackedWords.h"
#include "compiler/quantizers/Quantizer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

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
    return layer.error(
        "qweight " + (*weights)->shapeText() + " and qzeros " + (*zeros)->shapeText() +
        " are not in AWQ's layout " + (alongN ? "gemm" : "gemv") +
        "; write `version` into quantization_config as they are stored: " + (alongN ? "gemv" : "gemm"));
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

static IntegerRowsOr openGemm(Layer layer, int64_t configured) {
  auto tensors = getTensors(layer, /*alongN=*/true);
  if (!tensors)
    return tensors.takeError();
  int64_t k = tensors->weights->shape[0], n = tensors->weights->shape[1] * 8;
  auto group = groupOf(layer, k, tensors->zeros->shape[0], configured);
  if (!group)
    return group.takeError();
  return makeRows<GemmRows>(std::move(layer), *tensors, n, k, *group);
}

// Words of zeros in a row of gemv, which AutoAWQ pads: to one, two or four words.
static int64_t zeroWords(int64_t k, int64_t group) {
  int64_t padding = group >= 128 ? 1 : group == 64 ? 2 : 4;
  return alignTo(divideCeil(std::max<int64_t>(k / group, 1), 8), padding);
}

// Weights per scale: what the config says if the padded zeros allow it, else the one size that they allow.
static Expected<int64_t> groupOfGemv(const Layer &layer, int64_t k, int64_t words, int64_t configured) {
  if (configured > 0 && zeroWords(k, configured) == words)
    return std::min(configured, k);
  SmallVector<int64_t> fitting;
  for (int64_t group : {int64_t(32), int64_t(64), int64_t(128), k})
    if (group <= k && zeroWords(k, group) == words && !is_contained(fitting, group))
      fitting.push_back(group);
  if (fitting.size() == 1)
    return fitting.front();
  return layer.error("has " + Twine(words) + " words of zero points in a row of k = " + Twine(k) +
                     ", which fit " + (fitting.empty() ? "no group" : "several groups") +
                     "; write the group_size that the model was quantized with into quantization_config");
}

static IntegerRowsOr openGemv(Layer layer, int64_t configured) {
  auto tensors = getTensors(layer, /*alongN=*/false);
  if (!tensors)
    return tensors.takeError();
  int64_t n = tensors->weights->shape[0], k = tensors->weights->shape[1] * 8;
  auto group = groupOfGemv(layer, k, tensors->zeros->shape[1], configured);
  if (!group)
    return group.takeError();
  return makeRows<GemvRows>(std::move(layer), *tensors, n, k, *group);
}

namespace {

class AwqReader : public TensorReader {
public:
  AwqReader(bool isGemv, int64_t group) : isGemv(isGemv), group(group) {}

  std::string name() const override { return isGemv ? "AWQ gemv" : "AWQ gemm"; }
  StringRef mainTensor() const override { return "qweight"; }
  WeightSourceOr open(const Layer &layer, std::optional<Format> format) const override {
    return openIntegers(isGemv ? openGemv(layer, group) : openGemm(layer, group), format);
  }

private:
  const bool isGemv;
  const int64_t group; // 0: unknown; -1: the whole row
};

} // namespace

TensorReaderRef awqReader(bool isGemv, int64_t group) { return std::make_shared<AwqReader>(isGemv, group); }

// AutoAWQ calls the layout `version`, transformers 5 `format`, GPTQModel `checkpoint_format`.
static std::string layoutOf(const MethodConfig &config) {
  for (StringRef key : {"checkpoint_format", "format", "version"})
    if (config.fields.find(key))
      return config.word(key, "");
  return "gemm";
}

// exllama and ipex are kernels for the layout of gemm; all layouts that are read have 4 bits.
static void readAwq(MethodConfig &config) {
  bool old = config.config.find("w_bit") || config.config.find("q_group_size");
  Encoding encoding = old ? config.encoding("w_bit", "q_group_size") : config.encoding();
  encoding.symmetric = !config.fields.boolean("zero_point").value_or(true);
  std::string layout = layoutOf(config);
  bool isGemv = layout == "gemv";
  if (encoding.bits != 4)
    config.result.reader = unread("AWQ", Twine(encoding.bits) + "-bit AWQ",
                                  "take a 4-bit one, or compressed-tensors in pack-quantized");
  else if (isGemv || is_contained({"gemm", "exllama", "ipex"}, layout))
    config.result.reader = awqReader(isGemv, encoding.group);
  else
    config.result.reader = unread("AWQ " + layout, "AWQ's layout '" + Twine(layout) + "'",
                                  "save the checkpoint as gemm or gemv");
  config.result.otherwise = config.decide(encoding);
  // AutoAWQ and vLLM look for the names anywhere in a module's.
  for (const ConfigNode &item : config.fields.strings("modules_to_not_convert"))
    config.addRule(ModulePattern::containing(item.text),
                   {std::nullopt, "kept in float by modules_to_not_convert"});
}

const Quantizer awq = {"awq", readAwq, "awq_marlin", "", "quant_config.json"};

} // namespace lut
