#include "compiler/model/CheckpointConfig.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/WeightSource.h"
#include "compiler/config/ConfigKeys.h"
#include "compiler/report/Log.h"
#include "compiler/report/TensorRows.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace llvm;

namespace lut {

namespace {

// GGUF's metadata as the text of a config.json, which the readers of configs then check.
class GgufConfig {
public:
  GgufConfig(const Checkpoint &checkpoint, Diagnostics &diagnostics)
      : checkpoint(checkpoint), diagnostics(diagnostics),
        architecture(checkpoint.architecture ? StringRef(checkpoint.architecture->gguf) : "") {}

  std::optional<std::string> text();

private:
  const MetadataValue *find(StringRef key) const {
    return checkpoint.metadata.find((architecture + "." + key).str());
  }
  void write(StringRef key, StringRef gguf, json::OStream &json);
  void writeEqual(StringRef key, std::vector<int64_t> values, json::OStream &json);
  void writeActivation(const Family &family, json::OStream &json);
  void writeTensorFacts(json::OStream &json);

  const Checkpoint &checkpoint;
  Diagnostics &diagnostics;
  const StringRef architecture;
  bool isUniform = true; // all layers have the same sizes
};

} // namespace

// A list has one value for each layer, and the same for all layers that have what it counts.
void GgufConfig::writeEqual(StringRef key, std::vector<int64_t> values, json::OStream &json) {
  if (any_of(values, [](int64_t value) { return value > 0; }))
    erase(values, 0);
  if (all_equal(values))
    json.attribute(key, values.front());
  else
    isUniform = false;
}

void GgufConfig::write(StringRef key, StringRef gguf, json::OStream &json) {
  const MetadataValue *value = nullptr;
  for (StringRef name : split(gguf, ' '))
    value = value || name.empty() ? value : find(name);
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
    else
      writeEqual(key, *integers, json);
  } else if (auto number = value->number(); number && std::isfinite(*number)) {
    json.attribute(key, *number);
  } else {
    error(" is no number");
  }
}

// llama.cpp itself runs architecture bitnet with silu, whatever the model was trained with.
void GgufConfig::writeActivation(const Family &family, json::OStream &json) {
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
      if (!modulesOfGguf(checkpoint, tensor.name).empty())
        json.attribute(tensor.name, tensor.type->name);
  });
}

std::optional<std::string> GgufConfig::text() {
  if (!checkpoint.architecture) // its tensors alone tell what is compiled
    return std::nullopt;
  const Family *family = checkpoint.architecture->family;
  std::string text;
  raw_string_ostream stream(text);
  json::OStream json(stream, 2);
  json.object([&] {
    json.attribute("model_type", family->modelType);
    for (const KeyRow &row : keyRows())
      if (usesKey(*family, row.name))
        write(*split(row.keys, ' ').begin(), row.gguf, json);
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
