#include "compiler/quantizers/Quantizer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

static constexpr const Quantizer *registry[] = {
#define LUT_QUANTIZER(name) &name,
#include "compiler/quantizers/Quantizers.def"
};

static constexpr StringLiteral requantize =
    "requantize the weights, and name their new format with --weights, such as --weights=w4g32";

static constexpr int64_t maxGroup = int64_t(1) << 24;

WeightDecision MethodConfig::withoutFormat(SMRange where, const Twine &message, const Twine &note) const {
  return {std::nullopt, "", where, (message + "; " + note + requantize).str()};
}

WeightDecision MethodConfig::decide(StringRef format, StringRef key) const {
  return {cantFail(parseFormat(format)), "", fields.where(key)};
}

WeightDecision MethodConfig::decide(const Encoding &encoding) const {
  std::string stem = "w" + std::to_string(encoding.bits);
  if (Error problem = parseFormat(stem).takeError()) {
    consumeError(std::move(problem));
    return withoutFormat(encoding.bitsAt, Twine(encoding.bits) + "-bit weights have no format yet");
  }
  std::string group = encoding.group > 0 ? "g" + std::to_string(encoding.group) : "";
  // Without groups, order is of no use.
  bool permuted = encoding.permuted && encoding.group > 0;
  Expected<Format> format =
      parseFormat(stem + group + (encoding.symmetric ? "" : "z") + (permuted ? "p" : ""));
  if (format)
    return {*format, "", encoding.bitsAt};
  consumeError(format.takeError());
  std::string sizes;
  for (int64_t size : groupSizes())
    sizes += std::to_string(size) + ", ";
  return withoutFormat(encoding.groupAt, "groups of " + Twine(encoding.group) + " weights have no format yet",
                       "the group sizes are " + sizes + "or -1 for whole rows; ");
}

Encoding MethodConfig::encoding(StringRef bits, StringRef group) const {
  return {fields.integer(bits, 1, 16).value_or(4),
          fields.integer(group, -1, maxGroup).value_or(128),
          /*symmetric=*/true,
          /*permuted=*/false,
          fields.where(bits),
          fields.where(group)};
}

Encoding MethodConfig::changed(Encoding base, const ConfigFields &changes) const {
  base.bits = changes.integer("bits", 1, 64).value_or(base.bits);
  base.group = changes.integer("group_size", -1, maxGroup).value_or(base.group);
  base.symmetric = changes.boolean("sym").value_or(base.symmetric);
  base.bitsAt = changes.where("bits");
  base.groupAt = changes.where("group_size");
  return base;
}

std::string MethodConfig::word(StringRef key, StringRef otherwise) const {
  const ConfigNode *node = fields.string(key);
  return node ? StringRef(node->text).lower() : otherwise.str();
}

void MethodConfig::addRule(std::optional<ModulePattern> pattern, WeightDecision decision) {
  if (pattern)
    result.rules.add(*pattern, std::move(decision));
}

void MethodConfig::keep(StringRef key) {
  for (const ConfigNode &item : fields.strings(key))
    addRule(ModulePattern::startOrEnd(item, diagnostics), {std::nullopt, ("kept in float by " + key).str()});
}

namespace {

class Unread : public TensorReader {
public:
  Unread(StringRef method, const Twine &layout, const Twine &advice)
      : method(method), layout(layout.str()), advice(advice.str()) {}

  std::string name() const override { return method; }
  WeightSourceOr open(const Layer &layer, std::optional<Format>) const override {
    return layer.error("is stored as " + layout + ", which lutc does not read; " + advice);
  }

private:
  const std::string method, layout, advice;
};

} // namespace

TensorReaderRef unread(StringRef name, const Twine &layout, const Twine &advice) {
  return std::make_shared<Unread>(name, layout, advice);
}

static SmallVector<StringRef> readMethods() {
  SmallVector<StringRef> names;
  for (const Quantizer *quantizer : registry)
    if (quantizer->read != readUnknown)
      names.push_back(quantizer->name);
  return names;
}

void readUnknown(MethodConfig &config) {
  const ConfigNode *method = config.fields.string("quant_method");
  std::string name = method ? method->text : "";
  SmallVector<StringRef> known = readMethods();
  std::string what = method ? "quantization method '" + name + "'" : "a quantization method without a name";
  std::string note = (method ? suggest(name, known) : "") + "lutc reads " +
                     join(ArrayRef(known).drop_back(), ", ") + " and " + known.back().str() + "; ";
  config.result.reader = unread(method ? name : "unnamed", "words of " + what,
                                "take the model as " + alternatives(known) + ", or its original in floats");
  config.result.otherwise = config.withoutFormat(method ? method->range : config.config.range,
                                                 "weights of " + what + " have no format yet", note);
  config.keep("modules_to_not_convert");
}

// Of NVIDIA; its file stands beside the config.json.
const Quantizer modelopt = {"modelopt", readUnknown, "", "", "hf_quant_config.json"};

static const Quantizer *findQuantizer(StringRef method) {
  for (const Quantizer *quantizer : registry)
    if (is_contained(
            {StringRef(quantizer->name), StringRef(quantizer->alias), StringRef(quantizer->secondAlias)},
            method))
      return quantizer;
  return nullptr;
}

std::optional<Quantization> readQuantization(const ConfigNode &node, Diagnostics &diagnostics) {
  if (node.kind != ConfigNode::Mapping) {
    diagnostics.error(node.range, "'quantization_config' must be a mapping, found " + node.describe(),
                      "write a mapping");
    return std::nullopt;
  }
  MethodConfig config(node, diagnostics);
  std::string method = config.word("quant_method", ""); // vLLM compares in lower case, too
  const Quantizer *quantizer = method.empty() ? nullptr : findQuantizer(method);
  if (!diagnostics.failed())
    (quantizer ? quantizer->read : readUnknown)(config);
  if (diagnostics.failed())
    return std::nullopt;
  return std::move(config.result);
}

ArrayRef<QuantizerFile> quantizerFiles() {
  static const SmallVector<QuantizerFile> files = [] {
    SmallVector<QuantizerFile> rows;
    for (const Quantizer *quantizer : registry)
      if (!quantizer->file.empty())
        rows.push_back({quantizer->file, quantizer->name});
    return rows;
  }();
  return files;
}

} // namespace lut
