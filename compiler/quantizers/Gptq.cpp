// GPTQ 1 and 2, and EfficientQAT:
//   qweight [words of k][n], qzeros [G][words of n], scales [G][n], g_idx [k] (may be absent)
// GPTQ's 3-bit codes straddle words, EfficientQAT's do not. GPTQ 1 stores zero - 1, the others zero.
#include "compiler/checkpoint/PackedWords.h"
#include "compiler/quantizers/Quantizer.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

namespace {

struct GptqRows : IntegerRows {
  using IntegerRows::IntegerRows;

  uint8_t storedZero(int64_t group, int64_t row) const {
    return layout.codeAt(zeroWords + 4 * group * layout.wordsFor(n), row);
  }
  uint8_t zeroAt(int64_t group, int64_t row) const {
    return uint8_t((storedZero(group, row) + zeroOffset) & ((1 << bits) - 1));
  }
  bool isEfficientQat() const { return bits == 3 && !layout.straddles; }

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
  const Tensor *scaleTensor = nullptr, *index = nullptr;
  int zeroOffset = 0;
};

} // namespace

// The layout for which qzeros has `zeroWords` words for n zeros and qweight `rows` rows of words for as many
// codes as g_idx has (0: there is none). Small layers leave it open: then it has the bits of the config.
static std::optional<WordLayout> findLayout(int64_t n, int64_t zeroWords, int64_t rows, int64_t k,
                                            int64_t configured) {
  for (bool straddles : {true, false})
    for (int64_t bits : {configured, int64_t(2), int64_t(3), int64_t(4), int64_t(8)}) {
      WordLayout layout{int(bits), straddles};
      if (is_contained({2, 3, 4, 8}, bits) && layout.wordsFor(n) == zeroWords &&
          rows % layout.unitWords() == 0 && (!k || layout.wordsFor(k) == rows))
        return layout;
    }
  return std::nullopt;
}

static Expected<std::unique_ptr<GptqRows>> findTensors(const Layer &layer, int64_t bits, int64_t configured) {
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
  auto layout = findLayout(n, (*zeros)->shape[1], (*weights)->shape[0], k, bits);
  if (!layout)
    return layer.error("qweight " + (*weights)->shapeText() + " and qzeros " + (*zeros)->shapeText() +
                       " hold no codes of 2, 3, 4 or 8 bits as GPTQ stores them; quantization_config names "
                       "another method than the one that wrote them");
  if (!index)
    k = (*weights)->shape[0] / layout->unitWords() * layout->unitCodes();
  auto group = groupOf(layer, k, groups, configured);
  if (!group)
    return group.takeError();
  auto rows = std::make_unique<GptqRows>(layer, n, k, layout->bits, *group);
  rows->layout = *layout;
  rows->weightWords = (*weights)->bytes.data();
  rows->zeroWords = (*zeros)->bytes.data();
  rows->scaleTensor = *scales;
  rows->index = index;
  return std::move(rows);
}

// Three bits in words that they do not straddle are EfficientQAT's. Zeros that are all one less than the
// middle of the codes are GPTQ 1's, and those in the middle are stored as they are: symmetric weights have no
// others.
static GptqZeros findZeros(const GptqRows &rows) {
  if (rows.isEfficientQat())
    return GptqZeros::AsTheyAre;
  const int middle = 1 << (rows.bits - 1), first = rows.storedZero(0, 0);
  if (first != middle && first != middle - 1)
    return GptqZeros::Unsaid;
  for (int64_t g = 0; g < rows.groups(); ++g)
    for (int64_t row = 0; row < rows.n; ++row)
      if (rows.storedZero(g, row) != first)
        return GptqZeros::Unsaid;
  return first == middle ? GptqZeros::AsTheyAre : GptqZeros::LessOne;
}

static Error chooseZeros(GptqRows &rows, GptqZeros said) {
  if (said == GptqZeros::LessOne && rows.isEfficientQat())
    return rows.layer.error(
        "has 3-bit words as EfficientQAT writes them, whose zero points are stored as they are; "
        "write \"checkpoint_format\": \"gptq_v2\" into quantization_config");
  GptqZeros zeros = said == GptqZeros::Unsaid ? findZeros(rows) : said;
  if (zeros == GptqZeros::Unsaid)
    return rows.layer.error("nothing says whether zero points are stored less one (GPTQ) or as they are "
                            "(GPTQ 2, EfficientQAT); write "
                            "\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": " +
                            Twine(rows.bits) + ", \"group_size\": " + Twine(rows.group) +
                            ", \"checkpoint_format\": \"gptq\"} into config.json, or \"gptq_v2\"");
  rows.zeroOffset = zeros == GptqZeros::LessOne;
  return Error::success();
}

static IntegerRowsOr openGptq(const Layer &layer, GptqZeros zeros, int64_t bits, int64_t group) {
  auto rows = findTensors(layer, bits, group);
  if (!rows)
    return rows.takeError();
  if (Error problem = chooseZeros(**rows, zeros))
    return std::move(problem);
  if ((*rows)->index) {
    auto order = orderByGroup(layer, *(*rows)->index, (*rows)->k, (*rows)->group);
    if (!order)
      return order.takeError();
    (*rows)->order = std::move(*order);
  }
  for (int64_t g = 0; g < (*rows)->groups() && (*rows)->symmetric; ++g)
    for (int64_t row = 0; row < (*rows)->n && (*rows)->symmetric; ++row)
      (*rows)->symmetric = (*rows)->zeroAt(g, row) == 1 << ((*rows)->bits - 1);
  return std::move(*rows);
}

namespace {

class GptqReader : public TensorReader {
public:
  GptqReader(GptqZeros zeros, int64_t bits, int64_t group, StringRef label)
      : zeros(zeros), bits(bits), group(group), label(label) {}

  std::string name() const override { return label; }
  StringRef mainTensor() const override { return "qweight"; }
  WeightSourceOr open(const Layer &layer, std::optional<Format> format) const override {
    return openIntegers(openGptq(layer, zeros, bits, group), format);
  }

private:
  const GptqZeros zeros;
  const int64_t bits, group; // where the shapes leave them open; 0: unknown
  const std::string label;
};

} // namespace

static StringRef labelOf(GptqZeros zeros) {
  return zeros == GptqZeros::LessOne     ? "GPTQ"
         : zeros == GptqZeros::AsTheyAre ? "GPTQ 2"
                                         : "GPTQ or EfficientQAT";
}

TensorReaderRef gptqReader(GptqZeros zeros, int64_t bits, int64_t group) {
  return std::make_shared<GptqReader>(zeros, bits, group, labelOf(zeros));
}

TensorReaderRef gptqReaderOf(const Layer &layer) {
  StringRef label = labelOf(GptqZeros::Unsaid);
  if (auto rows = findTensors(layer, 0, 0))
    label = (*rows)->isEfficientQat() ? "EfficientQAT" : labelOf(findZeros(**rows));
  else
    consumeError(rows.takeError());
  return std::make_shared<GptqReader>(GptqZeros::Unsaid, 0, 0, label);
}

// GPTQModel's overrides by regular expression: "-:" keeps in float, "+:" or nothing changes bits and groups.
static void readDynamic(MethodConfig &config, const Encoding &base, GptqZeros zeros) {
  const ConfigNode *dynamic = config.fields.map("dynamic");
  for (const ConfigMember &member : dynamic ? ArrayRef(dynamic->members) : ArrayRef<ConfigMember>()) {
    StringRef text = member.key;
    bool kept = text.consume_front("-:");
    text.consume_front("+:");
    auto pattern = ModulePattern::python(member.range, text, config.diagnostics);
    if (kept) {
      config.addRule(std::move(pattern), {std::nullopt, "kept in float by dynamic"});
      continue;
    }
    ConfigFields changes(member.value, config.diagnostics);
    Encoding encoding = config.changed(base, changes);
    encoding.permuted = changes.boolean("desc_act").value_or(base.permuted);
    WeightDecision decision = config.decide(encoding);
    if (zeros != GptqZeros::Unsaid)
      decision.reader = gptqReader(zeros, encoding.bits, encoding.group);
    config.addRule(std::move(pattern), std::move(decision));
  }
}

// Only the modules of the listed blocks are quantized: [["self_attn.k_proj", ...], ...].
static void keepOutside(MethodConfig &config) {
  ArrayRef<ConfigNode> blocks = config.fields.list("modules_in_block_to_quantize");
  for (const ConfigNode &block : blocks) {
    ArrayRef<ConfigNode> names = block.isString() ? ArrayRef(block) : ArrayRef(block.items);
    if (names.empty() || !all_of(names, [](auto &item) { return item.isString(); })) {
      config.diagnostics.error(block.range, "'modules_in_block_to_quantize' must be a list of lists of names",
                               "write [[\"self_attn.q_proj\", ...], ...]");
      return;
    }
    for (const ConfigNode &item : names) {
      ConfigNode name = item;
      name.text = "." + item.text;
      config.addRule(ModulePattern::startOrEnd(name, config.diagnostics), config.result.otherwise);
    }
  }
  if (!blocks.empty())
    config.result.otherwise = {std::nullopt, "kept in float: not in modules_in_block_to_quantize"};
}

static void readGptq(MethodConfig &config) {
  if (!config.config.find("bits"))
    config.fields.missing("bits", "write \"bits\": 4, or what the checkpoint was quantized to");
  Encoding encoding = config.encoding();
  encoding.symmetric = config.fields.boolean("sym").value_or(true);
  encoding.permuted = config.fields.boolean("desc_act").value_or(false);
  // Older files say is_marlin_format, GPTQModel's before 1.0 format.
  std::string layout = config.word("checkpoint_format", config.word("format", "gptq"));
  if (config.fields.boolean("is_marlin_format").value_or(false))
    layout = "marlin";
  GptqZeros zeros = layout == "gptq"      ? GptqZeros::LessOne
                    : layout == "gptq_v2" ? GptqZeros::AsTheyAre
                                          : GptqZeros::Unsaid;
  config.result.reader = zeros == GptqZeros::Unsaid
                             ? unread("GPTQ " + layout, "GPTQ's layout '" + Twine(layout) + "'",
                                      "save the checkpoint as gptq or gptq_v2")
                             : gptqReader(zeros, encoding.bits, encoding.group);
  config.result.otherwise = config.decide(encoding);
  config.result.coversHead = config.fields.boolean("lm_head").value_or(false);
  readDynamic(config, encoding, zeros);
  keepOutside(config);
}

const Quantizer gptq = {"gptq", readGptq, "gptq_marlin", "", "quantize_config.json"};

} // namespace lut
