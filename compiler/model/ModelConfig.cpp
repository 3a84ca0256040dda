#include "compiler/model/ModelConfig.h"

#include "compiler/config/ConfigKeys.h"
#include "compiler/model/ConfigFile.h"
#include "compiler/model/LayerKinds.h"
#include "compiler/model/ModelPlan.h"
#include "compiler/model/ModelSizes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

namespace {

class ModelConfigReader {
public:
  ModelConfigReader(const ConfigNode &root, StoredLayers *stored, Diagnostics &diagnostics)
      : config(root), stored(stored), diagnostics(diagnostics) {}

  std::optional<ModelConfig> read(std::optional<Format> weights);

private:
  const Family *readFamily();
  void readAttention(ModelSizes &sizes);
  void readLayers(ModelSizes &sizes);
  void findBlocks(int64_t layers);
  void readSizes(ModelSizes &sizes);
  void readFunctions(ModelSizes &sizes);
  std::optional<double> positive(StringRef name) const;
  void readBiases();
  void readActivation();
  void checkArchitecture();
  bool readWeights(std::optional<Format> weights);
  ConfigFields holding(StringRef key) const { return ConfigFields(config.holding(key), diagnostics); }

  const LanguageModel config;
  StoredLayers *const stored;
  Diagnostics &diagnostics;
  ModelConfig model;
};

} // namespace

int64_t ModelConfig::layersWith(const ProjectionRow &row) const {
  int64_t layers = 0;
  for (auto [block, has] : zip(family->blocks, blockLayers))
    if (any_of(block.rows, [&](const ProjectionRow &it) { return &it == &row; }))
      layers += llvm::count(has, true);
  return layers;
}

const ProjectionRow *ModelConfig::findRole(StringRef role) const {
  for (const ProjectionRow *row : family->rows)
    if (row->role == role && isHeld(*row) && layersWith(*row) > 0)
      return row;
  return nullptr;
}

std::string ModelConfig::path(const ProjectionRow &row, StringRef layer, StringRef expert) const {
  auto [head, tail] = row.path.split("{expert}");
  std::string inside = head.size() == row.path.size() ? row.path.str() : (head + expert + tail).str();
  return (modules + family->frame->layers + "." + layer + "." + inside).str();
}

int64_t ModelConfig::experts() const {
  const ProjectionRow *router = findRole("router");
  return router ? size(router->n).value : 0;
}

const Family *ModelConfigReader::readFamily() {
  SmallVector<StringRef> known(map_range(families(), [](auto &family) { return family.modelType; }));
  const ConfigNode *node = holding("model_type").string("model_type");
  if (const Family *family = config.family())
    return family;
  if (node)
    diagnostics.error(node->range, "unknown model_type '" + node->text + "'",
                      suggest(node->text, known) +
                          "`lutc list models` has those that lutc knows; of another model give the "
                          "checkpoint, whose tensors tell, or a list of kernels (`lutc schema`)");
  else if (!diagnostics.failed())
    ConfigFields(config.root(), diagnostics).missing("model_type", "write one that `lutc list models` has");
  return nullptr;
}

void ModelConfigReader::readAttention(ModelSizes &sizes) {
  int64_t hidden = sizes.value("hidden"), heads = sizes.value("heads"), keyHeads = sizes.value("kv_heads");
  if (heads % keyHeads)
    diagnostics.error(sizes.where("kv_heads"),
                      Twine(heads) + " attention heads cannot share " + Twine(keyHeads) +
                          " key and value heads",
                      "write a number that divides num_attention_heads");
  bool derived = sizes.key("head_dim") == sizes.key("hidden");
  if (derived && hidden % heads && !diagnostics.failed())
    diagnostics.error(sizes.where("hidden"),
                      "hidden_size " + Twine(hidden) + " is no multiple of " + Twine(heads) +
                          " attention heads",
                      "write head_dim");
  model.shape.hidden = hidden;
  model.shape.heads = heads;
  model.shape.kvHeads = keyHeads;
  model.shape.headDim = sizes.value("head_dim");
  model.sizes["hidden"] = {hidden, diagnostics.position(sizes.where("hidden"))};
}

// Which layers of a GGUF file have a block, as their tensors say: its metadata says it of few architectures.
void ModelConfigReader::findBlocks(int64_t layers) {
  for (auto [block, has] : zip(model.family->blocks, model.blockLayers))
    for (int64_t layer = 0; layer < layers && !block.where.empty(); ++layer)
      has[layer] = !is_contained(split(block.where, ','), "!gguf") &&
                   any_of(block.rows, [&](const ProjectionRow &row) {
                     return findWeights(stored->checkpoint, model.path(row, std::to_string(layer), "0"));
                   });
  // A layer without any of its parts lacks the first one.
  for (int64_t layer = 0; layer < layers; ++layer)
    if (none_of(model.blockLayers, [&](auto &has) { return has[layer]; }))
      model.blockLayers.front()[layer] = true;
}

void ModelConfigReader::readLayers(ModelSizes &sizes) {
  int64_t layers = sizes.value("layers");
  model.predictingLayers = int64_t(positive("predicting_layers").value_or(0));
  if (model.isGguf) // which counts all
    layers -= std::min(layers - 1, model.predictingLayers);
  if (layers > 10000)
    return diagnostics.error(sizes.where("layers"), Twine(layers) + " layers are above the limit of 10000",
                             "take the value from the model's published config.json");
  std::vector<LayerKind> kinds = readLayerKinds(config, *model.family, layers, diagnostics);
  for (const Block &block : model.family->blocks) {
    std::vector<bool> &has = model.blockLayers.emplace_back();
    for (const LayerKind &kind : kinds)
      has.push_back(hasBlock(block, kind, config));
  }
  if (model.isGguf)
    findBlocks(layers);
  model.shape.layers = layers;
}

void ModelConfigReader::readSizes(ModelSizes &sizes) {
  for (auto [block, layers] : zip(model.family->blocks, model.blockLayers))
    for (const ProjectionRow &row : is_contained(layers, true) ? block.rows : ArrayRef<ProjectionRow>())
      for (StringRef expression : {StringRef(row.n), StringRef(row.k)}) {
        auto [entry, isNew] = model.sizes.try_emplace(expression);
        if (!isNew || !model.isHeld(row))
          continue;
        SMRange where = sizes.where(expression);
        int64_t value = sizes.value(expression);
        if (value > maxDimension)
          diagnostics.error(where,
                            "a projection has " + Twine(value) + " rows or columns, above the limit of " +
                                Twine(maxDimension),
                            "take the value from the model's published config.json");
        entry->second = {value, diagnostics.position(where)};
      }
}

std::optional<double> ModelConfigReader::positive(StringRef name) const {
  const ConfigNode *node = config.findNamed(name);
  return node && node->number().value_or(0) > 0 ? node->number() : std::nullopt;
}

// What lies between the products.
void ModelConfigReader::readFunctions(ModelSizes &sizes) {
  model.shape.ropeTheta = positive("rope_theta").value_or(model.shape.ropeTheta);
  model.shape.normEpsilon = positive("norm_epsilon").value_or(0);
  model.shape.qkNorm = model.family->hasQkNorm;
  model.expertsPerToken = sizes.find("experts_per_token").value_or(0);
  model.hasSubNorms = holding("use_sub_norms").boolean("use_sub_norms").value_or(true);
  for (const WithheldRow &row : model.family->withheld)
    if (hasBlock({{}, row.where}, LayerKind(), config))
      model.withheld.try_emplace(row.group, row.reason.str());
  readBiases();
  readActivation();
  checkArchitecture();
}

// "bias" is one that all models of the recipe have; else it is a key of the config.
void ModelConfigReader::readBiases() {
  model.biases.insert("bias");
  for (const GroupRow &group : model.family->groups)
    for (StringRef word : split(group.steps, ' '))
      if (word.ends_with("_bias") && holding(word).boolean(word).value_or(false))
        model.biases.insert(word);
}

void ModelConfigReader::readActivation() {
  StringRef key = "hidden_act";
  for (StringRef other : {"activation", "mlp_hidden_act", "hidden_activation"})
    key = config.find(other) ? other : key;
  const ConfigNode *name = holding(key).string(key);
  model.shape.activation =
      activationOf(*model.family, name ? std::optional<StringRef>(name->text) : std::nullopt).str();
  if (model.shape.activation.empty())
    model.activationProblem = !name || name->text.empty() ? "the model does not say its activation"
                                                          : "lutc has no activation '" + name->text + "'";
}

// LlamaForCausalLM is llama; the published BitnetForCausalLM that calls itself llama has other layers.
void ModelConfigReader::checkArchitecture() {
  auto plain = [](StringRef text) {
    std::string letters = text.lower();
    erase(letters, '_');
    return letters;
  };
  StringRef name = config.architecture();
  size_t end = name.find("For");
  std::string stem = plain(name.take_front(end));
  bool isOwn = name.empty() || end == StringRef::npos || any_of(config.modelTypes(), [&](StringRef type) {
                 return findClass(name, type) || StringRef(plain(type)).starts_with(stem);
               });
  if (!isOwn)
    model.groupsProblem = "the config's architecture is " + name.str() + ", not one of " +
                          model.family->modelType.str() + " models";
}

bool ModelConfigReader::readWeights(std::optional<Format> weights) {
  if (stored) {
    model.quantizationAt = config.root().range;
    return true;
  }
  if (const ConfigNode *quantizer = findQuantization(config.root())) {
    model.quantizationAt = quantizer->range;
    auto quantization = readQuantization(*quantizer, diagnostics);
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

std::optional<ModelConfig> ModelConfigReader::read(std::optional<Format> weights) {
  if (!config.check(diagnostics))
    return std::nullopt;
  model.family = readFamily();
  if (!model.family)
    return std::nullopt;
  model.isGguf = stored && stored->checkpoint.isGguf();
  model.modules = config.prefix();
  ModelSizes sizes(config, *model.family, diagnostics);
  readAttention(sizes);
  readLayers(sizes);
  readSizes(sizes);
  readFunctions(sizes);
  model.shape.vocabulary = sizes.value("vocabulary");
  model.sizes["vocabulary"] = {model.shape.vocabulary, diagnostics.position(sizes.where("vocabulary"))};
  std::optional<bool> tied = holding("tie_word_embeddings").boolean("tie_word_embeddings");
  model.tiedHead = tied.value_or(false);
  model.ownHead = tied && !*tied;
  if (!readWeights(weights) || diagnostics.failed())
    return std::nullopt;
  if ((stored ? stored->quantization : model.quantization).productNormEpsilon)
    model.groupsProblem = "the config has a norm before every product, which groups lack";
  return std::move(model);
}

std::optional<LibrarySpec> readModelConfig(const ConfigNode &root, StoredLayers *stored,
                                           const ConfigOptions &options, Diagnostics &diagnostics) {
  auto model = ModelConfigReader(root, stored, diagnostics).read(options.weights);
  if (!model)
    return std::nullopt;
  return planModel(*model, stored, options, diagnostics);
}

} // namespace lut
