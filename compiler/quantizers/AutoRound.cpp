// AutoRound: the words of GPTQ or AWQ, as `packing_format` says (auto_round/inference/backend.py).
#include "compiler/quantizers/Quantizer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

namespace {

class AutoRoundConfig {
public:
  explicit AutoRoundConfig(MethodConfig &config) : config(config), packing(findPacking()) {}

  void read();

private:
  std::string findPacking() const;
  TensorReaderRef readerFor(const Encoding &encoding) const;
  WeightDecision decide(const Encoding &encoding) const;
  WeightDecision decide(const ConfigNode &changes, const Encoding &base) const;
  void readExtra(const Encoding &base);
  void keepOutside();

  MethodConfig &config;
  const std::string packing;
};

} // namespace

// Before 0.5 a backend stood in its place: auto_round:gptq:exllamav2.
std::string AutoRoundConfig::findPacking() const {
  if (config.fields.find("packing_format"))
    return config.word("packing_format", "");
  std::string backend = config.word("backend", "");
  return StringRef(backend).contains("gptq") ? "auto_round:auto_gptq" : "";
}

// Weights of other types than int, and those of layers with quantized activations, have layouts of their own.
TensorReaderRef AutoRoundConfig::readerFor(const Encoding &encoding) const {
  std::string type = config.word("data_type", "int");
  if (type != "int" || config.fields.integer("act_bits", 1, 64).value_or(16) < 16)
    return unread("AutoRound",
                  "AutoRound's " + Twine(type) + " with quantized activations or another type of weights",
                  "export the model with act_bits 16 and data_type int, as auto_round:auto_gptq");
  if (packing == "auto_round:auto_gptq")
    return gptqReader(GptqZeros::LessOne, encoding.bits, encoding.group);
  if (packing == "auto_round" || packing == "auto_round:gptqmodel")
    return gptqReader(GptqZeros::AsTheyAre, encoding.bits, encoding.group);
  if (packing == "auto_round:auto_awq" && encoding.bits == 4)
    return awqReader(/*isGemv=*/false, encoding.group);
  if (packing.empty())
    return gptqReader(GptqZeros::Unsaid, encoding.bits, encoding.group);
  return unread("AutoRound", "AutoRound's packing_format '" + Twine(packing) + "'",
                "export the model as auto_round:auto_gptq");
}

WeightDecision AutoRoundConfig::decide(const Encoding &encoding) const {
  WeightDecision decision = config.decide(encoding);
  decision.reader = readerFor(encoding);
  return decision;
}

WeightDecision AutoRoundConfig::decide(const ConfigNode &changes, const Encoding &base) const {
  ConfigFields fields(changes, config.diagnostics);
  if (fields.integer("bits", 1, 64).value_or(base.bits) >= 16)
    return {std::nullopt, "kept in float by extra_config"};
  const ConfigNode *type = fields.string("data_type");
  if (!type || type->text == "int")
    return decide(config.changed(base, fields));
  WeightDecision decision =
      config.withoutFormat(type->range, "weights of type '" + type->text + "' have no format yet");
  decision.reader = unread("AutoRound", "AutoRound's type '" + Twine(type->text) + "'",
                           "export the model with data_type int, as auto_round:auto_gptq");
  return decision;
}

// By a layer's name, or a regular expression that is looked for anywhere in the names of others.
void AutoRoundConfig::readExtra(const Encoding &base) {
  const ConfigNode *extra = config.fields.map("extra_config");
  for (const ConfigMember &member : extra ? ArrayRef(extra->members) : ArrayRef<ConfigMember>()) {
    if (member.value.kind != ConfigNode::Mapping)
      continue;
    WeightDecision decision = decide(member.value, base);
    if (StringRef(member.key).find_first_of("*+?()[]{}|\\^$") == StringRef::npos)
      config.result.modules[member.key] = std::move(decision);
    else
      config.addRule(ModulePattern::python(member.range, ".*(?:" + member.key + ")", config.diagnostics),
                     std::move(decision));
  }
}

static void addNames(const ConfigNode &node, SmallVectorImpl<std::string> &names) {
  for (const ConfigNode &item : node.items)
    addNames(item, names);
  SmallVector<StringRef> parts;
  StringRef(node.text).split(parts, ',', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts)
    names.push_back(part.trim().str());
}

// Only layers below the listed blocks are quantized; without a list, all but lm_head.
void AutoRoundConfig::keepOutside() {
  const ConfigNode *blocks = config.fields.find("block_name_to_quantize");
  if (!blocks)
    blocks = config.fields.find("to_quant_block_names");
  if (!blocks) {
    config.addRule(ModulePattern::exactly("lm_head"), {std::nullopt, "kept in float by the checkpoint"});
    return;
  }
  SmallVector<std::string> names;
  addNames(*blocks, names);
  for (StringRef name : names)
    config.addRule(ModulePattern::startingWith(name), config.result.otherwise);
  config.result.otherwise = {std::nullopt, "kept in float: not in block_name_to_quantize"};
}

void AutoRoundConfig::read() {
  Encoding encoding = config.encoding();
  encoding.symmetric = config.fields.boolean("sym").value_or(true);
  config.result.reader = readerFor(encoding);
  config.result.otherwise = config.decide(encoding);
  config.result.coversHead = true;
  readExtra(encoding);
  for (const ConfigNode &item : config.fields.strings("modules_to_not_convert"))
    config.addRule(ModulePattern::python(item.range, ".*(?:" + item.text + ")", config.diagnostics),
                   {std::nullopt, "kept in float by modules_to_not_convert"});
  keepOutside();
}

static void readAutoRound(MethodConfig &config) { AutoRoundConfig(config).read(); }

const Quantizer autoRound = {"auto-round", readAutoRound, "intel/auto-round", "auto_round",
                             "quantization_config.json"};

} // namespace lut
