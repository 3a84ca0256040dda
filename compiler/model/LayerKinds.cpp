#include "compiler/model/LayerKinds.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace lut {

namespace {

// Every key means the same in all families that have it.
class KindReader {
public:
  KindReader(const LanguageModel &config, const Family &family, int64_t layers, Diagnostics &diagnostics)
      : config(config), family(family), count(layers), diagnostics(diagnostics), kinds(layers) {}

  std::vector<LayerKind> read();

private:
  bool uses(StringRef word) const;
  std::optional<int64_t> number(StringRef key);
  std::vector<int64_t> layersIn(StringRef key);
  ArrayRef<ConfigNode> perLayer(StringRef key);
  void readFfns();
  void readMixers();
  void readPattern(const ConfigNode &pattern);
  void keepSparse(function_ref<bool(int64_t)> isSparse);

  const LanguageModel &config;
  const Family &family;
  const int64_t count;
  Diagnostics &diagnostics;
  std::vector<LayerKind> kinds;
};

} // namespace

// Whether a block has that word in its condition.
bool KindReader::uses(StringRef word) const {
  return any_of(family.blocks,
                [&](const Block &block) { return is_contained(split(block.where, ','), word); });
}

std::optional<int64_t> KindReader::number(StringRef key) {
  const ConfigNode *node = config.find(key);
  return node && node->kind == ConfigNode::Scalar ? node->integer() : std::nullopt;
}

// A list of numbers of layers.
std::vector<int64_t> KindReader::layersIn(StringRef key) {
  std::vector<int64_t> layers;
  for (const ConfigNode &item : ConfigFields(config.holding(key), diagnostics).list(key)) {
    auto layer = item.integer();
    if (layer && *layer >= 0 && *layer < count)
      layers.push_back(*layer);
    else
      diagnostics.error(item.range,
                        "'" + key + "' must list layers from 0 to " + Twine(count - 1) + ", found " +
                            item.describe(),
                        "copy the list from the model's published config.json");
  }
  return layers;
}

// A list of one value for each layer; empty: the config has none.
ArrayRef<ConfigNode> KindReader::perLayer(StringRef key) {
  const ConfigNode *node = config.find(key);
  if (!node || node->kind != ConfigNode::Sequence)
    return {};
  if (int64_t(node->items.size()) >= count)
    return ArrayRef(node->items).take_front(count); // more are of layers that predict further tokens
  diagnostics.error(node->range,
                    "'" + key + "' has " + Twine(node->items.size()) + " values for " + Twine(count) +
                        " layers",
                    "copy the list from the model's published config.json");
  return {};
}

void KindReader::keepSparse(function_ref<bool(int64_t)> isSparse) {
  for (int64_t layer = 0; layer < count; ++layer)
    if (!isSparse(layer))
      kinds[layer].ffn = "dense";
}

// Layers are sparse that no key says to be dense.
void KindReader::readFfns() {
  if (!uses("sparse"))
    return;
  for (LayerKind &kind : kinds)
    kind.ffn = "sparse";
  if (!uses("dense"))
    return;
  if (ArrayRef<ConfigNode> types = perLayer("mlp_layer_types"); !types.empty())
    return keepSparse([&](int64_t layer) { return types[layer].text != "dense"; });
  for (StringRef key : {"first_k_dense_replace", "num_dense_layers", "moe_layer_num_skipped"})
    if (auto dense = number(key))
      keepSparse([&](int64_t layer) { return layer >= *dense; });
  if (ArrayRef<ConfigNode> flags = perLayer("moe_layer_freq"); !flags.empty())
    keepSparse([&](int64_t layer) { return flags[layer].integer().value_or(1) != 0; });
  else if (auto period = number("moe_layer_freq"); period && *period > 0)
    keepSparse([&](int64_t layer) { return layer % *period == 0; });
  for (StringRef key : {"decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval"})
    if (auto period = number(key); period && *period > 0)
      keepSparse([&](int64_t layer) { return (layer + 1) % *period == 0; });
  auto first = number("moe_layer_start_index"), last = number("moe_layer_end_index");
  keepSparse(
      [&](int64_t layer) { return layer >= first.value_or(0) && (last.value_or(-1) < 0 || layer <= *last); });
  if (config.find("moe_layers")) {
    std::vector<int64_t> sparse = layersIn("moe_layers");
    keepSparse([&](int64_t layer) { return is_contained(sparse, layer); });
  }
  for (int64_t layer : layersIn("mlp_only_layers"))
    kinds[layer].ffn = "dense";
}

static StringRef mixerOf(StringRef type) {
  return StringSwitch<StringRef>(type)
      .Cases({"full_attention", "attention"}, "full")
      .Cases({"sliding_attention", "chunked_attention"}, "sliding")
      .Default("linear"); // linear_attention, conv, mamba
}

// Nemotron-H: one letter for each layer.
void KindReader::readPattern(const ConfigNode &pattern) {
  if (int64_t(pattern.text.size()) != count)
    diagnostics.error(pattern.range,
                      "'hybrid_override_pattern' has " + Twine(pattern.text.size()) + " letters for " +
                          Twine(count) + " layers",
                      "copy it from the model's published config.json");
  for (auto [kind, letter] : zip(kinds, pattern.text))
    kind.mixer = StringSwitch<StringRef>(StringRef(&letter, 1))
                     .Case("M", "mamba")
                     .Case("*", "attention")
                     .Case("E", "moe")
                     .Default("mlp");
}

void KindReader::readMixers() {
  if (const ConfigNode *pattern = config.find("hybrid_override_pattern"); pattern && uses("mamba"))
    return readPattern(*pattern);
  if (ArrayRef<ConfigNode> types = perLayer("layers_block_type"); !types.empty())
    for (auto [kind, type] : zip(kinds, types))
      kind.mixer = type.text;
  if (ArrayRef<ConfigNode> types = perLayer("layer_types"); !types.empty()) {
    for (auto [kind, type] : zip(kinds, types))
      kind.mixer = mixerOf(type.text);
  } else if (config.find("full_attn_idxs")) {
    std::vector<int64_t> full = layersIn("full_attn_idxs");
    for (auto [layer, kind] : enumerate(kinds))
      kind.mixer = is_contained(full, int64_t(layer)) ? "full" : "linear";
  } else if (auto period = number("full_attention_interval"); period.value_or(uses("linear") ? 4 : 0) > 0) {
    for (auto [layer, kind] : enumerate(kinds))
      kind.mixer = int64_t(layer + 1) % period.value_or(4) == 0 ? "full" : "linear";
  }
}

std::vector<LayerKind> KindReader::read() {
  readFfns();
  if (uses("linear") || uses("sliding") || uses("mamba"))
    readMixers();
  int64_t shared = number("num_kv_shared_layers").value_or(0);
  for (int64_t layer = std::max<int64_t>(count - shared, 0); layer < count; ++layer)
    kinds[layer].sharesKeys = true;
  return std::move(kinds);
}

std::vector<LayerKind> readLayerKinds(const LanguageModel &config, const Family &family, int64_t layers,
                                      Diagnostics &diagnostics) {
  return KindReader(config, family, layers, diagnostics).read();
}

bool hasBlock(const Block &block, const LayerKind &layer, const LanguageModel &config) {
  static constexpr StringLiteral mixers[] = {"full", "sliding", "linear", "mamba", "attention", "mlp", "moe"};
  return all_of(split(block.where, ','), [&](StringRef word) {
    if (word.empty())
      return true;
    if (is_contained(mixers, word))
      return layer.mixer == word;
    if (word == "dense" || word == "sparse")
      return layer.ffn == word;
    if (word == "own" || word == "shared")
      return layer.sharesKeys == (word == "shared");
    return word.consume_front("!") ? !config.has(word) : config.has(word);
  });
}

} // namespace lut
