#include "compiler/model/ModelConfig.h"

#include "compiler/config/ConfigFields.h"
#include "compiler/config/ConfigKeys.h"
#include "compiler/model/ConfigFile.h"
#include "compiler/model/ModelPlan.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

namespace {

class ModelConfigReader {
public:
  ModelConfigReader(const ConfigNode &root, Diagnostics &diagnostics)
      : root(root), text(root.find("text_config") ? *root.find("text_config") : root),
        diagnostics(diagnostics) {}

  std::optional<ModelConfig> read(const StoredLayers *stored, std::optional<Format> weights);

private:
  const ModelRow *readFamily();
  int64_t size(StringRef key, std::optional<int64_t> fallback = std::nullopt);
  void set(Size size, int64_t value, StringRef key);
  void readAttention();
  void readFfn();
  void readLayers();
  void readFunctions();
  void readActivation();
  void checkArchitecture();
  bool readWeights(const StoredLayers *stored, std::optional<Format> weights);
  ConfigFields holding(StringRef key) const {
    return ConfigFields(text.member(key) ? text : root, diagnostics);
  }

  const ConfigNode &root, &text;
  Diagnostics &diagnostics;
  ModelConfig model;
};

} // namespace

SmallVector<StringRef, 2> modelTypes(const ConfigNode &root) {
  SmallVector<StringRef, 2> types;
  const ConfigNode *text = root.find("text_config");
  for (const ConfigNode *mapping : {text, &root})
    if (const ConfigNode *node = mapping ? mapping->find("model_type") : nullptr)
      types.push_back(node->text);
  return types;
}

const ModelRow *familyOf(const ConfigNode &root) {
  for (StringRef type : modelTypes(root))
    if (const ModelRow *row = findModel(type))
      return row;
  return nullptr;
}

const ModelRow *ModelConfigReader::readFamily() {
  SmallVector<StringRef> known(map_range(modelRows(), [](auto &row) { return StringRef(row.modelType); }));
  const ConfigNode *inner = ConfigFields(text, diagnostics).string("model_type");
  const ConfigNode *outer = &text == &root ? nullptr : ConfigFields(root, diagnostics).string("model_type");
  if (const ModelRow *row = familyOf(root))
    return row;
  const ConfigNode *node = inner ? inner : outer;
  if (node)
    diagnostics.error(
        node->range, "unknown model_type '" + node->text + "'",
        suggest(node->text, known) + "lutc knows " + alternatives(known) +
            "; of another model give the checkpoint, whose tensors tell, or a list of kernels (`lutc "
            "schema`)");
  else if (!diagnostics.failed())
    ConfigFields(root, diagnostics).missing("model_type", "write one of " + alternatives(known));
  return nullptr;
}

// The value of `key`, else what the model's code takes, else `fallback`; 1 after an error.
int64_t ModelConfigReader::size(StringRef key, std::optional<int64_t> fallback) {
  ConfigFields fields = holding(key);
  const ConfigNode *node = text.find(key) ? text.find(key) : root.find(key);
  if (node)
    return fields.integer(key, 1, maxDimension).value_or(1);
  if (auto value = modelDefault(*model.family, key))
    return *value;
  if (!fallback)
    fields.missing(key, "copy it from the model's published config.json");
  return fallback.value_or(1);
}

void ModelConfigReader::set(Size size, int64_t value, StringRef key) {
  SMRange where = holding(key).where(key);
  if (value > maxDimension)
    diagnostics.error(where,
                      "a projection has " + Twine(value) + " rows or columns, above the limit of " +
                          Twine(maxDimension),
                      "take the value from the model's published config.json");
  model.sizes[unsigned(size)] = {value, diagnostics.position(where)};
}

void ModelConfigReader::readAttention() {
  int64_t hidden = size("hidden_size"), heads = size("num_attention_heads");
  int64_t keyHeads = size("num_key_value_heads", heads);
  if (heads % keyHeads)
    diagnostics.error(holding("num_key_value_heads").where("num_key_value_heads"),
                      Twine(heads) + " attention heads cannot share " + Twine(keyHeads) +
                          " key and value heads",
                      "write a number that divides num_attention_heads");
  bool derived = !text.find("head_dim") && !root.find("head_dim") && !modelDefault(*model.family, "head_dim");
  if (derived && hidden % heads && !diagnostics.failed())
    diagnostics.error(holding("hidden_size").where("hidden_size"),
                      "hidden_size " + Twine(hidden) + " is no multiple of " + Twine(heads) +
                          " attention heads",
                      "write head_dim");
  int64_t headDim = size("head_dim", hidden / heads);
  model.shape.hidden = hidden;
  model.shape.heads = heads;
  model.shape.kvHeads = keyHeads;
  model.shape.headDim = headDim;
  set(Size::Hidden, hidden, "hidden_size");
  set(Size::Query, heads * headDim, "num_attention_heads");
  set(Size::KeyValue, keyHeads * headDim, "num_key_value_heads");
  set(Size::QueryKeyValue, (heads + 2 * keyHeads) * headDim, "num_attention_heads");
}

void ModelConfigReader::readFfn() {
  if (!model.family->ffn.empty()) {
    int64_t ffn = size("intermediate_size");
    set(Size::Ffn, ffn, "intermediate_size");
    set(Size::TwoFfn, 2 * ffn, "intermediate_size");
  }
  if (model.family->experts.empty())
    return;
  StringRef key = model.family->expertFfnKey;
  int64_t ffn = size(key);
  set(Size::ExpertFfn, ffn, key);
  set(Size::ExpertCount, size(model.family->expertCountKey), model.family->expertCountKey);
}

void ModelConfigReader::readLayers() {
  int64_t layers = size("num_hidden_layers");
  if (layers > 10000)
    diagnostics.error(holding("num_hidden_layers").where("num_hidden_layers"),
                      Twine(layers) + " layers are above the limit of 10000",
                      "take the value from the model's published config.json");
  bool mixed = !model.family->ffn.empty() && !model.family->experts.empty();
  int64_t step = mixed ? size("decoder_sparse_step", 1) : 1;
  bool sparse = !model.family->experts.empty();
  if (diagnostics.failed())
    return;
  for (int64_t layer = 0; layer < layers; ++layer)
    model.sparse.push_back(sparse && (layer + 1) % step == 0);
  if (!mixed)
    return;
  for (const ConfigNode &item : holding("mlp_only_layers").list("mlp_only_layers")) {
    auto layer = item.integer();
    if (layer && *layer >= 0 && *layer < layers)
      model.sparse[*layer] = false;
    else
      diagnostics.error(item.range,
                        "'mlp_only_layers' must list layers from 0 to " + Twine(layers - 1) + ", found " +
                            item.describe(),
                        "copy the list from the model's published config.json");
  }
}

// What lies between the products.
void ModelConfigReader::readFunctions() {
  const ConfigNode *theta = holding("rope_theta").find("rope_theta");
  if (theta && theta->number() && *theta->number() > 0)
    model.shape.ropeTheta = *theta->number();
  model.shape.qkNorm = hasQkNorm(*model.family);
  const ConfigNode *epsilon = holding("rms_norm_eps").find("rms_norm_eps");
  if (epsilon && epsilon->number() && *epsilon->number() > 0)
    model.shape.normEpsilon = *epsilon->number();
  for (StringRef key : {"num_experts_per_tok", "experts_per_token"})
    if (auto top = holding(key).find(key) ? holding(key).integer(key, 1, maxDimension) : std::nullopt)
      model.expertsPerToken = *top;
  model.attentionBias = holding("attention_bias").boolean("attention_bias").value_or(false);
  model.mlpBias = holding("mlp_bias").boolean("mlp_bias").value_or(false);
  model.hasSubNorms = holding("use_sub_norms").boolean("use_sub_norms").value_or(true);
  readActivation();
  checkArchitecture();
}

void ModelConfigReader::readActivation() {
  StringRef key = text.find("hidden_activation") ? "hidden_activation" : "hidden_act";
  const ConfigNode *name = holding(key).string(key);
  model.shape.activation =
      activationOf(*model.family, name ? std::optional<StringRef>(name->text) : std::nullopt).str();
  if (model.shape.activation.empty())
    model.activationProblem = name->text.empty() ? "the model does not say its activation"
                                                 : "lutc has no activation '" + name->text + "'";
}

// LlamaForCausalLM is llama; the published BitnetForCausalLM that calls itself llama has other layers.
void ModelConfigReader::checkArchitecture() {
  const ConfigNode *names = root.find("architectures");
  if (!names || names->items.empty())
    return;
  StringRef name = names->items.front().text;
  size_t end = name.find("For");
  std::string stem = name.take_front(end).lower();
  bool isOwn = end == StringRef::npos || any_of(modelTypes(root), [&](StringRef type) {
                 std::string plain = type.lower();
                 erase(plain, '_');
                 return StringRef(plain).starts_with(stem);
               });
  if (!isOwn)
    model.groupsProblem = "the config's architecture is " + name.str() + ", not one of " +
                          model.family->modelType.str() + " models";
}

bool ModelConfigReader::readWeights(const StoredLayers *stored, std::optional<Format> weights) {
  if (stored) {
    model.quantizationAt = root.range;
    return true;
  }
  if (const ConfigNode *config = findQuantization(root)) {
    model.quantizationAt = config->range;
    auto quantization = readQuantization(*config, diagnostics);
    if (!quantization || !quantization->settle(weights, diagnostics))
      return false;
    model.quantization = std::move(*quantization);
    return true;
  }
  if (!weights && !diagnostics.failed())
    diagnostics.error(holding("model_type").where("model_type"),
                      "the config does not say how weights are quantized",
                      "give their format with --weights, such as --weights=w2g128");
  model.quantization.otherwise.format = weights;
  model.quantization.coversHead = model.quantization.coversRouters = true;
  return weights.has_value();
}

std::optional<ModelConfig> ModelConfigReader::read(const StoredLayers *stored,
                                                   std::optional<Format> weights) {
  if (root.find("text_config") && !ConfigFields(root, diagnostics).map("text_config"))
    return std::nullopt;
  model.family = readFamily();
  if (!model.family)
    return std::nullopt;
  model.nested = &text != &root;
  readAttention();
  readFfn();
  readLayers();
  readFunctions();
  model.shape.layers = model.sparse.size();
  model.shape.vocabulary = size("vocab_size");
  set(Size::Vocabulary, model.shape.vocabulary, "vocab_size");
  std::optional<bool> tied = holding("tie_word_embeddings").boolean("tie_word_embeddings");
  model.tiedHead = tied.value_or(false);
  model.ownHead = tied && !*tied;
  if (!readWeights(stored, weights) || diagnostics.failed())
    return std::nullopt;
  if ((stored ? stored->quantization : model.quantization).productNormEpsilon)
    model.groupsProblem = "the config has a norm before every product, which groups lack";
  return std::move(model);
}

std::optional<LibrarySpec> readModelConfig(const ConfigNode &root, StoredLayers *stored,
                                           const ConfigOptions &options, Diagnostics &diagnostics) {
  auto model = ModelConfigReader(root, diagnostics).read(stored, options.weights);
  if (!model)
    return std::nullopt;
  return planModel(*model, stored, options, diagnostics);
}

} // namespace lut
