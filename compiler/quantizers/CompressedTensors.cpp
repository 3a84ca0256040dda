// compressed-tensors, pack-quantized: codes are offset by 2^(bits - 1) and packed along k without straddling.
//   weight_packed [n][words of k], weight_shape [2], weight_scale [n][G] or [1],
//   weight_zero_point [words of n][G], packed along n, or I8 [n][G] by early writers; absent when symmetric
//   weight_g_idx [k] in activation order
#include "compiler/checkpoint/PackedWords.h"
#include "compiler/quantizers/Quantizer.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

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
static int findBits(int64_t k, int64_t words, int64_t configured) {
  auto fits = [&](int bits) { return WordLayout{bits}.wordsFor(k) == words; };
  if (configured >= 1 && configured <= 8 && fits(int(configured)))
    return int(configured);
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

static IntegerRowsOr openPackQuantized(const Layer &layer, int64_t configuredBits, int64_t configuredGroup) {
  auto shape = readShape(layer);
  if (!shape)
    return shape.takeError();
  auto [n, k] = *shape;
  auto weights = layer.get("weight_packed", TensorType::Id::I32, {n, -1});
  if (!weights)
    return weights.takeError();
  int bits = findBits(k, (*weights)->shape[1], configuredBits);
  if (!bits)
    return layer.error("weight_packed " + (*weights)->shapeText() + " does not hold rows of " + Twine(k) +
                       " codes; the checkpoint is damaged");
  const Tensor *found = layer.find("weight_scale");
  bool shared = found && found->elements() == 1;
  auto scales = layer.get("weight_scale", floatTypes(),
                          shared ? ArrayRef<int64_t>(found->shape) : ArrayRef<int64_t>({n, -1}));
  if (!scales)
    return scales.takeError();
  auto group = groupOf(layer, k, shared ? 1 : (*scales)->shape[1], configuredGroup);
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

namespace {

class PackQuantizedReader : public TensorReader {
public:
  PackQuantizedReader(int64_t bits, int64_t group) : bits(bits), group(group) {}

  std::string name() const override { return "compressed-tensors"; }
  StringRef mainTensor() const override { return "weight_packed"; }
  WeightSourceOr open(const Layer &layer, std::optional<Format> format) const override {
    return openIntegers(openPackQuantized(layer, bits, group), format);
  }

private:
  const int64_t bits, group; // where the shapes leave them open; 0: unknown
};

class SchemeReader {
public:
  explicit SchemeReader(MethodConfig &config) : config(config) {}

  void read();

private:
  std::optional<Encoding> readEncoding(const ConfigNode &weights, WeightDecision &problem);
  TensorReaderRef readerFor(const ConfigFields &group, int64_t bits, int64_t size) const;
  WeightDecision readGroup(const ConfigNode &group, const ConfigNode &weights);
  void readIgnore();
  void readGroups();
  void addTargets();

  struct Target {
    SMRange where;
    WeightDecision decision;
  };

  MethodConfig &config;
  std::map<std::string, Target> targets; // a target that stands twice is that of the last group
};

} // namespace

TensorReaderRef packQuantizedReader(int64_t bits, int64_t group) {
  return std::make_shared<PackQuantizedReader>(bits, group);
}

// dynamic and static are other names of group and weight; true is group.
static bool isPermuted(const ConfigNode *order, Diagnostics &diagnostics) {
  if (!order || order->boolean())
    return order && *order->boolean();
  std::string word = StringRef(order->text).lower();
  if (word == "group" || word == "dynamic")
    return true;
  if (word != "weight" && word != "static")
    diagnostics.error(order->range,
                      "'actorder' must be a name, true, false or null, found " + order->describe(),
                      "write group, weight, dynamic or static");
  return false;
}

std::optional<Encoding> SchemeReader::readEncoding(const ConfigNode &node, WeightDecision &problem) {
  ConfigFields weights(node, config.diagnostics);
  auto bits = weights.integer("num_bits", 1, 64);
  if (!bits && !node.find("num_bits"))
    weights.missing("num_bits", "write \"num_bits\": 4, or what the checkpoint was quantized to");
  const ConfigNode *type = weights.string("type"), *strategy = weights.string("strategy");
  std::string typeName = type ? StringRef(type->text).lower() : "int";
  std::string strategyName = strategy ? StringRef(strategy->text).lower() : "";
  int64_t size = weights.integer("group_size", -1, int64_t(1) << 24).value_or(-1);
  if (typeName != "int") {
    problem = config.withoutFormat(type->range, "weights of type '" + type->text + "' have no format yet");
    return std::nullopt;
  }
  // A scale of the tensor or of the row is one group of k; the packer repeats a tensor's scale for each row.
  if (strategyName == "channel" || strategyName == "tensor") {
    size = -1;
  } else if (strategy && strategyName != "group") {
    problem = config.withoutFormat(strategy->range, "scales by '" + strategy->text + "' have no format yet");
    return std::nullopt;
  } else if (strategy && size < 0 && !node.find("group_size")) {
    weights.missing("group_size", "write \"group_size\": 128, or what the checkpoint was quantized with");
  }
  return Encoding{bits.value_or(4),
                  size,
                  weights.boolean("symmetric").value_or(true),
                  isPermuted(node.find("actorder"), config.diagnostics),
                  weights.where("num_bits"),
                  weights.where("group_size")};
}

// Sparse tensors are those of no method here, whatever their codes.
TensorReaderRef SchemeReader::readerFor(const ConfigFields &group, int64_t bits, int64_t size) const {
  const ConfigNode *own = group.string("format"), *sparsity = config.fields.map("sparsity_config");
  std::string format = own ? StringRef(own->text).lower() : config.word("format", "pack-quantized");
  const ConfigNode *sparse =
      sparsity ? ConfigFields(*sparsity, config.diagnostics).string("format") : nullptr;
  if (sparse && sparse->text != "dense")
    format = sparse->text;
  if (format == "pack-quantized" || format == "dense" || format == "mixed-precision")
    return packQuantizedReader(bits, size);
  return unread("compressed-tensors", "compressed-tensors' format '" + Twine(format) + "'",
                "save the checkpoint as pack-quantized");
}

WeightDecision SchemeReader::readGroup(const ConfigNode &group, const ConfigNode &weights) {
  WeightDecision decision;
  auto encoding = readEncoding(weights, decision);
  if (encoding)
    decision = config.decide(*encoding);
  decision.reader = readerFor(ConfigFields(group, config.diagnostics), encoding ? encoding->bits : 0,
                              encoding ? encoding->group : 0);
  return decision;
}

void SchemeReader::readGroups() {
  const ConfigNode *groups = config.fields.map("config_groups");
  if (!groups)
    return config.fields.missing("config_groups", "copy it from the published config.json");
  for (const auto &[key, range, node] : groups->members) {
    if (node.kind != ConfigNode::Mapping) {
      config.diagnostics.error(node.range,
                               "a group of config_groups must be a mapping, found " + node.describe(),
                               "write {\"targets\": [\"Linear\"], \"weights\": {...}}");
      continue;
    }
    ConfigFields group(node, config.diagnostics);
    const ConfigNode *weights = group.map("weights");
    if (!weights)
      continue; // activations only
    WeightDecision decision = readGroup(node, *weights);
    for (const ConfigNode &target : group.strings("targets"))
      targets[target.text] = {target.range, decision};
  }
}

// A class of modules that linear layers belong to.
static bool isClass(StringRef target) { return target == "Linear" || target == "Module"; }

void SchemeReader::readIgnore() {
  const WeightDecision kept = {std::nullopt, "kept in float by ignore"};
  for (const ConfigNode &item : config.fields.strings("ignore"))
    if (StringRef text = item.text; text.consume_front("re:"))
      config.addRule(ModulePattern::python(item.range, text, config.diagnostics), kept);
    else if (isClass(text))
      config.addRule(ModulePattern::all(), kept);
    else
      config.result.modules[text] = kept;
}

// As match_named_modules of compressed-tensors: names before expressions, these in their order as text,
// before classes. What is ignored is nobody's target.
void SchemeReader::addTargets() {
  for (auto &[text, target] : targets)
    if (StringRef name = text;
        !name.starts_with("re:") && !isClass(name) && config.result.keptBy(name).empty())
      config.result.modules[name] = target.decision;
  for (auto &[text, target] : targets)
    if (StringRef name = text; name.consume_front("re:"))
      config.addRule(ModulePattern::python(target.where, name, config.diagnostics), target.decision);
  for (auto &[text, target] : targets)
    if (isClass(text))
      config.addRule(ModulePattern::all(), target.decision);
}

void SchemeReader::read() {
  config.result.coversHead = config.result.coversRouters = true;
  config.result.reader = readerFor(config.fields, 0, 0);
  readIgnore();
  readGroups();
  addTargets();
  config.result.otherwise = {std::nullopt, "kept in float: no target of config_groups"};
}

static void readCompressedTensors(MethodConfig &config) { SchemeReader(config).read(); }

const Quantizer compressedTensors = {"compressed-tensors", readCompressedTensors, "compressed_tensors"};

} // namespace lut
