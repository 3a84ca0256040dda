#include "compiler/CheckpointConfig.h"

#include "compiler/ConfigKeys.h"
#include "compiler/Models.h"
#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/WeightSource.h"
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
    {"llama", "llama"},     {"qwen2", "qwen2"},      {"qwen3", "qwen3"},         {"qwen3moe", "qwen3_moe"},
    {"gemma", "gemma"},     {"gemma2", "gemma2"},    {"gemma3", "gemma3_text"},  {"phi3", "phi3"},
    {"bitnet", "bitnet"},   {"bitnet-25", "bitnet"}, {"bitnet-b1.58", "bitnet"}, {"olmoe", "olmoe"},
    {"gpt-oss", "gpt_oss"},
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
  void writeTensorFacts(json::OStream &json);

  const Checkpoint &checkpoint;
  Diagnostics &diagnostics;
  StringRef architecture;
};

} // namespace

const ModelRow *GgufConfig::findFamily() {
  const MetadataValue *value = checkpoint.metadata.find("general.architecture");
  architecture = value ? value->string().value_or("") : "";
  const ArchitectureRow *row = find_if(architectures, [&](auto &row) { return row.gguf == architecture; });
  if (row == std::end(architectures)) {
    SmallVector<StringRef> known(map_range(architectures, [](auto &row) { return StringRef(row.gguf); }));
    std::string found;
    raw_string_ostream stream(found);
    printEscapedString(architecture, stream);
    diagnostics.error(checkpoint.path, "unknown architecture '" + found + "'",
                      suggest(architecture, known) + "lutc knows " + alternatives(known) +
                          "; write other models as a list of kernels (`lutc schema`)");
    return nullptr;
  }
  const MetadataValue *experts = find("expert_count");
  bool isMixtral = architecture == "llama" && experts && experts->integer().value_or(0) > 0;
  return findModel(isMixtral ? StringRef("mixtral") : StringRef(row->modelType));
}

// A list of one value for each layer must have one value throughout.
void GgufConfig::write(StringRef key, StringRef gguf, json::OStream &json) {
  const MetadataValue *value = key.empty() ? nullptr : find(gguf);
  if (!value)
    return;
  if (auto integers = value->integers()) {
    if (integers->empty() || !all_equal(*integers))
      diagnostics.error(checkpoint.path, architecture + "." + gguf + " differs from layer to layer",
                        "write such models as a list of kernels (`lutc schema`)");
    else
      json.attribute(key, integers->front());
  } else if (auto number = value->number(); number && std::isfinite(*number)) {
    json.attribute(key, *number);
  } else {
    diagnostics.error(checkpoint.path, architecture + "." + gguf + " is no number",
                      "convert the model again with llama.cpp");
  }
}

void GgufConfig::writeTensorFacts(json::OStream &json) {
  const Tensor *embedding = checkpoint.find("token_embd.weight");
  if (embedding && embedding->shape.size() == 2)
    json.attribute("vocab_size", embedding->shape[0]);
  json.attribute("tie_word_embeddings", !checkpoint.find("output.weight"));
  json.attribute("attention_bias", checkpoint.find("blk.0.attn_q.bias") != nullptr);
  json.attribute("mlp_bias", checkpoint.find("blk.0.ffn_up.bias") != nullptr);
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
    if (family->modelType == "bitnet")
      json.attribute("hidden_act", "relu2");
    writeTensorFacts(json);
  });
  if (diagnostics.failed())
    return std::nullopt;
  return text + "\n";
}

// "path: what is wrong; what to do" at no place in a text.
static void report(Error problem, StringRef path, Diagnostics &diagnostics) {
  std::string text = toString(std::move(problem));
  StringRef message = text;
  if (!message.consume_front((path + ": ").str()))
    path = "lutc";
  auto [what, advice] = message.split("; ");
  diagnostics.error(path, what, advice);
}

namespace {

// The formats of linear layers, from their tensors. --weights is for those that are stored as floats, and an
// error where there are none.
class TensorFormats {
public:
  TensorFormats(const Checkpoint &checkpoint, const WeightStorage &storage, std::optional<Format> weights,
                Diagnostics &diagnostics)
      : checkpoint(checkpoint), storage(storage), weights(weights), diagnostics(diagnostics) {}

  std::optional<Quantization> read();

private:
  void addGguf(const Tensor &tensor);
  void add(StringRef name);
  Expected<Format> formatOf(StringRef name);

  const Checkpoint &checkpoint;
  const WeightStorage &storage;
  const std::optional<Format> weights;
  Diagnostics &diagnostics;
  Quantization result;
  std::string contradiction; // of --weights and the first tensor that is stored in another format
  bool rounds = false;
};

} // namespace

Expected<Format> TensorFormats::formatOf(StringRef name) {
  auto source = openWeights(checkpoint, storage, name, weights);
  if (!source && weights) {
    auto stored = openWeights(checkpoint, storage, name, std::nullopt);
    if (!stored) {
      consumeError(stored.takeError());
      return source.takeError();
    }
    std::string problem = toString(source.takeError());
    if (contradiction.empty())
      contradiction = problem;
    source = std::move(stored);
  }
  if (!source)
    return source.takeError();
  rounds |= (*source)->conversion != "as stored";
  return (*source)->format;
}

// lm_head and routers are compiled on request; they may have weights that no format holds.
void TensorFormats::add(StringRef name) {
  bool optional = name == "lm_head" || name.ends_with(".gate") || name.ends_with(".router");
  if (optional) {
    auto source = openWeights(checkpoint, storage, name, std::nullopt);
    if (source) {
      result.modules[name] = {(*source)->format, ""};
    } else {
      std::string problem = toString(source.takeError());
      result.modules[name] = {std::nullopt, StringRef(problem).split("': ").second.split("; ").first.str()};
    }
    return;
  }
  Expected<Format> format = formatOf(name);
  if (format)
    result.modules[name] = {*format, ""};
  else if (diagnostics.failed())
    consumeError(format.takeError());
  else
    report(format.takeError(), checkpoint.path, diagnostics);
}

void TensorFormats::addGguf(const Tensor &tensor) {
  for (StringRef name : modulesOfGguf(tensor.name)) {
    auto [head, tail] = name.split("{expert}");
    if (head.size() == name.size()) {
      add(name);
      continue;
    }
    int64_t experts = tensor.shape.size() == 3 ? tensor.shape[0] : 1;
    for (int64_t expert = 0; expert < experts && !diagnostics.failed(); ++expert)
      add((head + Twine(expert) + tail).str());
  }
}

std::optional<Quantization> TensorFormats::read() {
  result.otherwise = {std::nullopt, "kept in float by the checkpoint"};
  result.coversHead = result.coversRouters = true;
  for (const Tensor &tensor : checkpoint.tensors) {
    StringRef name = tensor.name;
    if (checkpoint.isGguf())
      addGguf(tensor);
    else if (name.consume_back(".qweight"))
      add(name);
  }
  if (!contradiction.empty() && !rounds && !diagnostics.failed())
    report(createStringError(contradiction), checkpoint.path, diagnostics);
  if (diagnostics.failed())
    return std::nullopt;
  return std::move(result);
}

static std::optional<ConfigFile> readFile(const Checkpoint &checkpoint, Diagnostics &diagnostics) {
  if (!checkpoint.isGguf()) {
    if (!checkpoint.config.empty())
      return readConfigFile(checkpoint.config, diagnostics);
    diagnostics.error(checkpoint.path, "has no config.json beside it",
                      "put the model's config.json into the same directory");
    return std::nullopt;
  }
  std::optional<std::string> text = GgufConfig(checkpoint, diagnostics).text();
  if (!text)
    return std::nullopt;
  auto root =
      readConfigTree(MemoryBuffer::getMemBufferCopy(*text, checkpoint.path), /*isJson=*/true, diagnostics);
  return root ? std::optional(ConfigFile{{}, std::move(*root)}) : std::nullopt;
}

std::optional<CheckpointConfig> readCheckpointConfig(StringRef path, const ConfigOptions &options,
                                                     Diagnostics &diagnostics) {
  Expected<Checkpoint> checkpoint = openCheckpoint(path);
  if (!checkpoint) {
    report(checkpoint.takeError(), path, diagnostics);
    return std::nullopt;
  }
  std::optional<ConfigFile> file = readFile(*checkpoint, diagnostics);
  if (!file)
    return std::nullopt;
  CheckpointConfig config{std::move(*file), std::nullopt};
  bool tensorsTell = checkpoint->isGguf() || any_of(checkpoint->tensors, [](const Tensor &tensor) {
                       return tensor.name.ends_with(".qweight");
                     });
  if (findQuantization(config.file.root) || !tensorsTell)
    return std::move(config);
  llvm::append_range(config.file.files, checkpoint->files);
  Quantization storage = checkpoint->isGguf() ? Quantization() : quantizationOf(*checkpoint);
  config.quantization = TensorFormats(*checkpoint, storage, options.weights, diagnostics).read();
  if (!config.quantization)
    return std::nullopt;
  return std::move(config);
}

} // namespace lut
