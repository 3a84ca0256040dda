#include "compiler/Quantization.h"

#include "compiler/ConfigFields.h"
#include "compiler/ConfigKeys.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

WeightDecision Quantization::decide(StringRef module) const {
  auto found = modules.find(module);
  if (found != modules.end())
    return found->second;
  const WeightDecision *decision = rules.find(module);
  return decision ? *decision : otherwise;
}

std::string Quantization::keptBy(StringRef module) const {
  for (const Rule &rule : rules)
    if (rule.pattern.matches(module))
      return rule.decision.format ? "" : rule.decision.reason;
  return "";
}

namespace {

class QuantizationReader {
public:
  QuantizationReader(const ConfigNode &config, std::optional<Format> weights, Diagnostics &diagnostics)
      : config(config), fields(config, diagnostics), weights(weights), diagnostics(diagnostics) {}

  std::optional<Quantization> read();

private:
  // What a writer says about a group of weights, with the places to point at.
  struct Encoding {
    int64_t bits, group;      // group -1: the whole row
    bool symmetric, permuted; // permuted: columns of a group may lie anywhere
    SMRange bitsAt, groupAt;
  };

  void readGptq();
  void readAwq();
  void readBitnet();
  void readMxfp4();
  void readCompressedTensors();
  void readDynamic(const Encoding &base);
  void readGroup(const ConfigNode &group);
  std::optional<Encoding> readEncoding(const ConfigNode &weights);
  void readOther(const ConfigNode &method);

  std::optional<Format> formatOf(const Encoding &encoding);
  std::optional<Format> agreed(Format format, SMRange where);
  std::optional<Format> withoutFormat(SMRange where, const Twine &message, const Twine &note);
  void keep(StringRef key);
  void keepOutside(ArrayRef<ConfigNode> blocks);

  const ConfigNode &config;
  ConfigFields fields;
  std::optional<Format> weights;
  Diagnostics &diagnostics;
  Quantization result;
};

} // namespace

static constexpr StringLiteral requantize =
    "requantize the weights, and name their new format with --weights, such as --weights=w4g32";

// --weights says what such weights are requantized to; without it there is nothing to compile for.
std::optional<Format> QuantizationReader::withoutFormat(SMRange where, const Twine &message,
                                                        const Twine &note) {
  if (!weights)
    diagnostics.error(where, message, note);
  return weights;
}

std::optional<Format> QuantizationReader::agreed(Format format, SMRange where) {
  if (weights && weights->str() != format.str())
    diagnostics.error(
        where, "--weights=" + weights->str() + " contradicts the config, whose weights are " + format.str(),
        "remove --weights, or remove quantization_config if the weights are requantized");
  return format;
}

std::optional<Format> QuantizationReader::formatOf(const Encoding &encoding) {
  std::string stem = "w" + std::to_string(encoding.bits);
  if (Error problem = parseFormat(stem).takeError()) {
    consumeError(std::move(problem));
    return withoutFormat(encoding.bitsAt, Twine(encoding.bits) + "-bit weights have no format yet",
                         requantize);
  }
  std::string group = encoding.group > 0 ? "g" + std::to_string(encoding.group) : "";
  // Without groups, order is of no use.
  bool permuted = encoding.permuted && encoding.group > 0;
  Expected<Format> format =
      parseFormat(stem + group + (encoding.symmetric ? "" : "z") + (permuted ? "p" : ""));
  if (format)
    return agreed(*format, encoding.bitsAt);
  consumeError(format.takeError());
  std::string sizes;
  for (int64_t size : groupSizes())
    sizes += std::to_string(size) + ", ";
  return withoutFormat(encoding.groupAt, "groups of " + Twine(encoding.group) + " weights have no format yet",
                       "the group sizes are " + sizes + "or -1 for whole rows; " + requantize);
}

void QuantizationReader::keep(StringRef key) {
  for (const ConfigNode &item : fields.strings(key))
    if (auto pattern = ModulePattern::startOrEnd(item, diagnostics))
      result.rules.add(*pattern, {std::nullopt, ("kept in float by " + key).str()});
}

// Only the modules of the listed blocks are quantized: [["self_attn.k_proj", ...], ...].
void QuantizationReader::keepOutside(ArrayRef<ConfigNode> blocks) {
  for (const ConfigNode &block : blocks) {
    if (block.kind != ConfigNode::Sequence ||
        !all_of(block.items, [](auto &item) { return item.isString(); })) {
      diagnostics.error(block.range, "'modules_in_block_to_quantize' must be a list of lists of names",
                        "write [[\"self_attn.q_proj\", ...], ...]");
      return;
    }
    for (const ConfigNode &item : block.items) {
      ConfigNode name = item;
      name.text = "." + item.text;
      if (auto pattern = ModulePattern::startOrEnd(name, diagnostics))
        result.rules.add(*pattern, result.otherwise);
    }
  }
  if (!blocks.empty())
    result.otherwise = {std::nullopt, "kept in float: not in modules_in_block_to_quantize"};
}

// GPTQModel's overrides by regular expression: "-:" keeps in float, "+:" or nothing changes bits and groups.
void QuantizationReader::readDynamic(const Encoding &base) {
  const ConfigNode *dynamic = fields.map("dynamic");
  for (const ConfigMember &member : dynamic ? ArrayRef(dynamic->members) : ArrayRef<ConfigMember>()) {
    StringRef text = member.key;
    bool kept = text.consume_front("-:");
    text.consume_front("+:");
    auto pattern = ModulePattern::python(member.range, text, diagnostics);
    if (!pattern)
      continue;
    WeightDecision decision{std::nullopt, "kept in float by dynamic"};
    if (!kept) {
      ConfigFields changes(member.value, diagnostics);
      Encoding encoding = base;
      encoding.bits = changes.integer("bits", 1, 16).value_or(base.bits);
      encoding.group = changes.integer("group_size", -1, int64_t(1) << 24).value_or(base.group);
      encoding.symmetric = changes.boolean("sym").value_or(base.symmetric);
      encoding.permuted = changes.boolean("desc_act").value_or(base.permuted);
      encoding.bitsAt = changes.where("bits");
      encoding.groupAt = changes.where("group_size");
      decision = {formatOf(encoding), ""};
    }
    result.rules.add(*pattern, decision);
  }
}

void QuantizationReader::readGptq() {
  auto bits = fields.integer("bits", 1, 16);
  if (!bits && !config.find("bits"))
    fields.missing("bits", "write \"bits\": 4, or what the checkpoint was quantized to");
  Encoding encoding{bits.value_or(4),
                    fields.integer("group_size", -1, int64_t(1) << 24).value_or(128),
                    fields.boolean("sym").value_or(true),
                    fields.boolean("desc_act").value_or(false),
                    fields.where("bits"),
                    fields.where("group_size")};
  result.otherwise.format = formatOf(encoding);
  result.coversHead = fields.boolean("lm_head").value_or(false);
  readDynamic(encoding);
  keepOutside(fields.list("modules_in_block_to_quantize"));
}

void QuantizationReader::readAwq() {
  bool old = config.find("w_bit") || config.find("q_group_size");
  StringRef bitsKey = old ? "w_bit" : "bits", groupKey = old ? "q_group_size" : "group_size";
  Encoding encoding{fields.integer(bitsKey, 1, 16).value_or(4),
                    fields.integer(groupKey, -1, int64_t(1) << 24).value_or(128),
                    !fields.boolean("zero_point").value_or(true),
                    /*permuted=*/false,
                    fields.where(bitsKey),
                    fields.where(groupKey)};
  result.otherwise.format = formatOf(encoding);
  keep("modules_to_not_convert");
}

void QuantizationReader::readBitnet() {
  result.otherwise.format = agreed(cantFail(parseFormat("w158")), fields.where("quant_method"));
  keep("modules_to_not_convert");
}

std::optional<QuantizationReader::Encoding> QuantizationReader::readEncoding(const ConfigNode &node) {
  ConfigFields group(node, diagnostics);
  auto bits = group.integer("num_bits", 1, 64);
  if (!bits && !node.find("num_bits"))
    group.missing("num_bits", "write \"num_bits\": 4, or what the checkpoint was quantized to");
  const ConfigNode *type = group.string("type"), *strategy = group.string("strategy");
  int64_t size = group.integer("group_size", -1, int64_t(1) << 24).value_or(-1);
  if (type && type->text != "int") {
    withoutFormat(type->range, "weights of type '" + type->text + "' have no format yet", requantize);
    return std::nullopt;
  }
  // A scale of the tensor or of the row is one group of k; the packer repeats a tensor's scale for each row.
  if (strategy && (strategy->text == "channel" || strategy->text == "tensor"))
    size = -1;
  else if (strategy && strategy->text != "group") {
    withoutFormat(strategy->range, "scales by '" + strategy->text + "' have no format yet", requantize);
    return std::nullopt;
  } else if (strategy && size < 0 && !node.find("group_size"))
    group.missing("group_size", "write \"group_size\": 128, or what the checkpoint was quantized with");
  const ConfigNode *order = node.find("actorder");
  bool permuted = order && (order->text == "group" || order->boolean().value_or(false));
  return Encoding{bits.value_or(4),
                  size,
                  group.boolean("symmetric").value_or(true),
                  permuted,
                  group.where("num_bits"),
                  group.where("group_size")};
}

void QuantizationReader::readGroup(const ConfigNode &node) {
  if (node.kind != ConfigNode::Mapping) {
    diagnostics.error(node.range, "a group of config_groups must be a mapping, found " + node.describe(),
                      "write {\"targets\": [\"Linear\"], \"weights\": {...}}");
    return;
  }
  ConfigFields group(node, diagnostics);
  const ConfigNode *encoded = group.map("weights");
  if (!encoded)
    return;
  auto encoding = readEncoding(*encoded);
  WeightDecision decision{encoding ? formatOf(*encoding) : weights, ""};
  for (const ConfigNode &target : group.strings("targets")) {
    StringRef name = target.text;
    auto pattern = name == "Linear"            ? ModulePattern::all()
                   : name.consume_front("re:") ? ModulePattern::python(target.range, name, diagnostics)
                                               : ModulePattern::exactly(name);
    if (pattern)
      result.rules.add(*pattern, decision);
  }
}

void QuantizationReader::readCompressedTensors() {
  for (const ConfigNode &item : fields.strings("ignore")) {
    StringRef name = item.text;
    auto pattern = name.consume_front("re:") ? ModulePattern::python(item.range, name, diagnostics)
                                             : ModulePattern::exactly(name);
    if (pattern)
      result.rules.add(*pattern, {std::nullopt, "kept in float by ignore"});
  }
  const ConfigNode *groups = fields.map("config_groups");
  if (!groups)
    return fields.missing("config_groups", "copy it from the published config.json");
  for (const ConfigMember &group : groups->members)
    readGroup(group.value);
  result.otherwise = {std::nullopt, "kept in float: no target of config_groups"};
  result.coversHead = result.coversRouters = true;
}

// Of gpt-oss.
void QuantizationReader::readMxfp4() {
  result.otherwise.format = agreed(cantFail(parseFormat("fp4g32e")), fields.where("quant_method"));
  keep("modules_to_not_convert");
}

void QuantizationReader::readOther(const ConfigNode &method) {
  static constexpr StringRef known[] = {"awq", "bitnet", "compressed-tensors", "gptq", "mxfp4"};
  result.otherwise.format =
      withoutFormat(method.range, "weights of quantization method '" + method.text + "' have no format yet",
                    suggest(method.text, known) +
                        "lutc reads awq, bitnet, compressed-tensors, gptq and mxfp4; " + requantize);
  keep("modules_to_not_convert");
}

std::optional<Quantization> QuantizationReader::read() {
  const ConfigNode *method = fields.string("quant_method");
  if (!method) {
    if (!config.find("quant_method"))
      fields.missing("quant_method",
                     "write \"quant_method\": \"gptq\", \"awq\", \"bitnet\" or \"compressed-tensors\"");
    return std::nullopt;
  }
  if (method->text == "gptq")
    readGptq();
  else if (method->text == "awq")
    readAwq();
  else if (method->text == "bitnet")
    readBitnet();
  else if (method->text == "compressed-tensors")
    readCompressedTensors();
  else if (method->text == "mxfp4")
    readMxfp4();
  else
    readOther(*method);
  if (diagnostics.failed())
    return std::nullopt;
  return std::move(result);
}

std::optional<Quantization> readQuantization(const ConfigNode &config, std::optional<Format> weights,
                                             Diagnostics &diagnostics) {
  return QuantizationReader(config, weights, diagnostics).read();
}

} // namespace lut
