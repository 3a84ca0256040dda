#include "compiler/model/CheckpointConfig.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/WeightSource.h"
#include "compiler/config/ConfigKeys.h"
#include "compiler/model/Models.h"
#include "compiler/report/Log.h"
#include "compiler/report/TensorRows.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace llvm;

namespace lut {

namespace {

// general.architecture of GGUF, and the model_type of Models.def.
struct ArchitectureRow {
  StringLiteral gguf, modelType;
};

constexpr ArchitectureRow architectures[] = {
#define LUT_ARCHITECTURE(gguf, modelType, normOffset) {gguf, #modelType},
#include "compiler/checkpoint/TensorNames.def"
};

// Keys of a config.json that GGUF has below the architecture's name.
struct KeyRow {
  StringLiteral config, gguf;
};

constexpr KeyRow keys[] = {
    {"hidden_size", "embedding_length"},
    {"intermediate_size", "feed_forward_length"},
    {"num_hidden_layers", "block_count"},
    {"num_attention_heads", "attention.head_count"},
    {"num_key_value_heads", "attention.head_count_kv"},
    {"head_dim", "attention.key_length"},
    {"num_experts_per_tok", "expert_used_count"},
    {"rms_norm_eps", "attention.layer_norm_rms_epsilon"},
    {"rope_theta", "rope.freq_base"},
};

// GGUF's metadata as the text of a config.json, which the readers of configs then check.
class GgufConfig {
public:
  GgufConfig(const Checkpoint &checkpoint, Diagnostics &diagnostics)
      : checkpoint(checkpoint), diagnostics(diagnostics) {}

  std::optional<std::string> text();

private:
  const ModelRow *findFamily();
  const MetadataValue *find(StringRef key) const {
    return checkpoint.metadata.find((architecture + "." + key).str());
  }
  void write(StringRef key, StringRef gguf, json::OStream &json);
  void writeActivation(const ModelRow &family, json::OStream &json);
  void writeTensorFacts(json::OStream &json);

  const Checkpoint &checkpoint;
  Diagnostics &diagnostics;
  StringRef architecture;
  bool isUniform = true; // all layers have the same sizes
};

} // namespace

// Null: lutc does not know it, and its tensors alone tell what is compiled.
const ModelRow *GgufConfig::findFamily() {
  const MetadataValue *value = checkpoint.metadata.find("general.architecture");
  architecture = value ? value->string().value_or("") : "";
  const ArchitectureRow *row = find_if(architectures, [&](auto &row) { return row.gguf == architecture; });
  if (row == std::end(architectures))
    return nullptr;
  const MetadataValue *experts = find("expert_count");
  bool isMixtral = architecture == "llama" && experts && experts->integer().value_or(0) > 0;
  return findModel(isMixtral ? StringRef("mixtral") : StringRef(row->modelType));
}

// A list has one value for each layer, and the same for all layers of the families that lutc knows.
void GgufConfig::write(StringRef key, StringRef gguf, json::OStream &json) {
  const MetadataValue *value = key.empty() ? nullptr : find(gguf);
  if (!value)
    return;
  auto error = [&](const Twine &what) {
    diagnostics.error(checkpoint.path, architecture + "." + gguf + what,
                      "convert the model again with llama.cpp");
  };
  const MetadataValue *layers = find("block_count");
  if (auto integers = value->integers()) {
    if (value->type == ValueType::Array && layers && layers->integer() &&
        int64_t(integers->size()) != *layers->integer())
      error(" has " + Twine(integers->size()) + " values for " + Twine(*layers->integer()) + " layers");
    else if (integers->empty())
      error(" is an empty list");
    else if (all_equal(*integers))
      json.attribute(key, integers->front());
    else
      isUniform = false;
  } else if (auto number = value->number(); number && std::isfinite(*number)) {
    json.attribute(key, *number);
  } else {
    error(" is no number");
  }
}

// llama.cpp itself runs architecture bitnet with silu, whatever the model was trained with.
void GgufConfig::writeActivation(const ModelRow &family, json::OStream &json) {
  for (StringRef key : {"hidden_act", "hidden_activation"})
    if (const MetadataValue *value = find(key); value && value->string())
      return json.attribute("hidden_act", *value->string());
  if (family.modelType == "bitnet")
    json.attribute("hidden_act", architecture == "bitnet" ? "" : "relu2");
}

void GgufConfig::writeTensorFacts(json::OStream &json) {
  const Tensor *embedding = checkpoint.find("token_embd.weight");
  if (embedding && embedding->shape.size() == 2)
    json.attribute("vocab_size", embedding->shape[0]);
  json.attribute("tie_word_embeddings", !checkpoint.find("output.weight"));
  // The types are part of what a library is compiled from.
  json.attributeObject("tensor_types", [&] {
    for (const Tensor &tensor : checkpoint.tensors)
      if (!modulesOfGguf(tensor.name).empty())
        json.attribute(tensor.name, tensor.type->name);
  });
}

std::optional<std::string> GgufConfig::text() {
  const ModelRow *family = findFamily();
  if (!family)
    return std::nullopt;
  std::string text;
  raw_string_ostream stream(text);
  json::OStream json(stream, 2);
  json.object([&] {
    json.attribute("model_type", family->modelType);
    for (const KeyRow &row : keys)
      write(row.config, row.gguf, json);
    write(family->expertCountKey, "expert_count", json);
    if (family->expertFfnKey != "intermediate_size")
      write(family->expertFfnKey, "expert_feed_forward_length", json);
    writeActivation(*family, json);
    writeTensorFacts(json);
  });
  if (diagnostics.failed() || !isUniform)
    return std::nullopt;
  return text + "\n";
}

static std::optional<ConfigFile> readFile(const Checkpoint &checkpoint, Diagnostics &diagnostics) {
  ConfigFile none{{}, ConfigNode()};
  none.root.kind = ConfigNode::Mapping;
  if (!checkpoint.isGguf())
    return checkpoint.config.empty() ? std::optional(none) : readConfigFile(checkpoint.config, diagnostics);
  std::optional<std::string> text = GgufConfig(checkpoint, diagnostics).text();
  if (!text)
    return diagnostics.failed() ? std::nullopt : std::optional(none);
  auto root =
      readConfigTree(MemoryBuffer::getMemBufferCopy(*text, checkpoint.path), /*isJson=*/true, diagnostics);
  return root ? std::optional(ConfigFile{{}, std::move(*root)}) : std::nullopt;
}

std::optional<CheckpointConfig> readCheckpointConfig(StringRef path, const ConfigOptions &options,
                                                     Diagnostics &diagnostics) {
  Expected<Checkpoint> checkpoint = openCheckpoint(path);
  if (!checkpoint) {
    diagnostics.error(path, checkpoint.takeError());
    return std::nullopt;
  }
  for (const std::string &note : checkpoint->notes)
    logLine(note);
  std::optional<ConfigFile> file = readFile(*checkpoint, diagnostics);
  if (!file)
    return std::nullopt;
  CheckpointConfig config;
  config.file = std::move(*file);
  llvm::append_range(config.file.files, checkpoint->files);
  if (const MetadataValue *type = checkpoint->metadata.find("general.architecture");
      type && checkpoint->isGguf())
    config.unknownType = printable(type->string().value_or(""));
  std::optional<Quantization> quantization = readQuantization(*checkpoint, config.file.root, diagnostics);
  if (!quantization)
    return std::nullopt;
  config.stored = std::make_unique<StoredLayers>(std::move(*checkpoint), std::move(*quantization),
                                                 options.weights, diagnostics);
  return config;
}

} // namespace lut
