// Kernels and projections from the tensors of a checkpoint alone: of a family that lutc does not know, and of
// layers that a known family's rows do not name.
#include "compiler/config/ConfigKeys.h"
#include "compiler/model/ModelPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <map>
#include <set>

using namespace llvm;

namespace lut {

namespace {

// "model.layers.{layer}.mlp.experts.{expert}.up_proj" of "model.layers.3.mlp.experts.7.up_proj"; numbers are
// 0 where the name has none.
struct NumberedName {
  std::string pattern;
  int64_t layer = 0, expert = 0;
};

class TensorPlanner {
public:
  // `family`: null for what a known family's rows do not name.
  TensorPlanner(StoredLayers &stored, const UnknownFamily *family, const ConfigOptions &options,
                LibrarySpec &library, Diagnostics &diagnostics)
      : stored(stored), family(family), options(options), library(library), diagnostics(diagnostics) {}

  void plan();

private:
  // Layers by number, their experts by number.
  using Layers = std::map<int64_t, std::map<int64_t, StoredLayer>>;

  void readTensor(const LinearTensor &linear);
  bool isAnyWayRound(const LinearTensor &linear) const;
  void readTiedHead();
  void checkComplete();
  void addModule(StringRef module, const StoredLayer &layer);
  std::optional<StoredLayer> findOptional(StringRef role, StringRef module);
  void addRuns(StringRef pattern, const Layers &layers);
  void addProjection(StringRef pattern, int64_t first, int64_t last, int64_t copies,
                     const StoredLayer &layer);
  std::string kernelFor(StringRef pattern, const StoredLayer &layer);
  bool isTaken(StringRef name) const;

  StoredLayers &stored;
  const UnknownFamily *const family;
  const ConfigOptions &options;
  LibrarySpec &library;
  Diagnostics &diagnostics;
  std::vector<std::string> patterns; // in the order of the files
  StringMap<Layers> modules;         // by pattern
};

} // namespace

// The first number of a name is a layer's; one behind it, of experts that are alike, an expert's.
static NumberedName numberName(StringRef module) {
  NumberedName name;
  bool hasLayer = false, hasExpert = false;
  for (StringRef part : split(module, '.')) {
    name.pattern += name.pattern.empty() ? "" : ".";
    int64_t number;
    bool isNumber = !part.getAsInteger(10, number) && number >= 0;
    if (isNumber && !hasLayer) {
      name.layer = number;
      name.pattern += "{layer}";
      hasLayer = true;
    } else if (isNumber && !hasExpert) {
      name.expert = number;
      name.pattern += "{expert}";
      hasExpert = true;
    } else {
      name.pattern += part;
    }
  }
  return name;
}

void TensorPlanner::addModule(StringRef module, const StoredLayer &layer) {
  NumberedName name = numberName(module);
  auto [entry, fresh] = modules.try_emplace(name.pattern);
  if (fresh)
    patterns.push_back(name.pattern);
  entry->second[name.layer][name.expert] = layer;
}

// lm_head and routers, where --include asks for them.
std::optional<StoredLayer> TensorPlanner::findOptional(StringRef role, StringRef module) {
  std::optional<StoredLayer> layer = lut::findOptional(stored, role, module, options);
  if (layer)
    layer->decision = decideOptional(role, layer->decision, options, diagnostics);
  return layer;
}

static bool isFloat(const Tensor &tensor) { return tensor.type->isFloat(); }

// Stacks of floats in safetensors are [E][n][k] or [E][k][n]: the hidden size tells, if only one fits.
bool TensorPlanner::isAnyWayRound(const LinearTensor &linear) const {
  const Tensor &tensor = *linear.tensor;
  if (stored.checkpoint.isGguf() || !linear.isStacked() || !isFloat(tensor))
    return false;
  bool isDown = StringRef(linear.module).ends_with("down_proj");
  int64_t n = tensor.shape[1], k = tensor.shape[2];
  return n == k || (isDown ? n : k) != family->hidden.value_or(0);
}

void TensorPlanner::readTensor(const LinearTensor &linear) {
  StringRef role = optionalRole(linear.module);
  if (!family && isFloat(*linear.tensor))
    return; // of another part of the model, such as a vision tower
  bool isUnclear = family && isAnyWayRound(linear);
  for (int64_t expert = 0; expert < linear.experts() && !diagnostics.failed(); ++expert) {
    std::string module = linear.isStacked() ? linear.expertModule(expert) : linear.module;
    if (role == "lm_head" && stored.checkpoint.isGguf())
      module = role.str();
    std::optional<StoredLayer> layer;
    if (isUnclear)
      layer = {linear.tensor->shape[1],
               linear.tensor->shape[2],
               {std::nullopt, "nothing tells which extent of its experts is n, and which is k"}};
    else
      layer = role.empty() ? stored.find(module) : findOptional(role, module);
    if (layer)
      addModule(module, *layer);
  }
}

// What --include asks for has to be there; an lm_head may be the embedding.
void TensorPlanner::readTiedHead() {
  for (const Inclusion &inclusion : options.include) {
    auto isAsked = [&](StringRef pattern) { return optionalRole(pattern) == inclusion.role; };
    if (any_of(patterns, isAsked) || diagnostics.failed())
      continue;
    bool isHead = inclusion.role == "lm_head";
    if (auto layer = isHead ? findOptional(inclusion.role, inclusion.role) : std::nullopt)
      addModule(inclusion.role, *layer);
    else if (!diagnostics.failed())
      diagnostics.error("--include=" + inclusion.role, "the checkpoint has no " + inclusion.role,
                        "remove it");
  }
}

// Layers and experts are numbered without gaps, and are as many as the config says.
void TensorPlanner::checkComplete() {
  auto missing = [&](const Twine &what) {
    if (!diagnostics.failed())
      diagnostics.error(stored.checkpoint.path, "lacks " + what,
                        "the checkpoint is incomplete, download it again");
  };
  StringMap<std::set<int64_t>> layersOf; // by what stands before their number
  for (const std::string &pattern : patterns)
    for (const auto &[layer, experts] : modules[pattern]) {
      StringRef prefix = StringRef(pattern).split("{layer}").first;
      if (prefix.size() < pattern.size())
        layersOf[prefix].insert(layer);
      for (int64_t expert = 0; expert < experts.rbegin()->first; ++expert)
        if (!experts.count(expert))
          return missing("expert " + Twine(expert) + " of layer " + Twine(layer) + " of " + pattern);
    }
  std::optional<int64_t> count = family->layers;
  const Metadata &metadata = stored.checkpoint.metadata;
  if (const MetadataValue *type = metadata.find("general.architecture"))
    if (const MetadataValue *blocks = metadata.find((type->string().value_or("") + ".block_count").str()))
      count = blocks->integer();
  for (const auto &entry : layersOf) {
    bool isMain = entry.first() == "blk." || entry.first().ends_with("model.layers.");
    int64_t end = *entry.second.rbegin() + 1;
    if (isMain && count)
      end = std::max(end, *count);
    for (int64_t layer = 0; layer < end; ++layer)
      if (!entry.second.count(layer))
        return missing(entry.first() + Twine(layer));
  }
}

bool TensorPlanner::isTaken(StringRef name) const {
  return name.equals_insensitive("library") ||
         any_of(library.kernels, [&](auto &kernel) { return name.equals_insensitive(kernel.name); }) ||
         any_of(library.groups, [&](auto &group) { return name.equals_insensitive(group.name); });
}

// The last word of a module's name, with what tells apart kernels of one word: q_proj,
// experts_up_proj_768x2048.
std::string TensorPlanner::kernelFor(StringRef pattern, const StoredLayer &layer) {
  const Format &format = *layer.decision.format;
  StringRef word = pattern;
  word.consume_back(".{expert}");
  word = word.rsplit('.').second.empty() ? word : word.rsplit('.').second;
  std::string name = pattern.contains("{expert}") && !word.ends_with("_exps") ? "experts_" : "";
  for (char c : word)
    name += isAlnum(c) ? c : '_';
  if (!isIdentifier(name))
    name = "layer_" + name;
  std::string shape = "_" + std::to_string(layer.n) + "x" + std::to_string(layer.k);
  auto isSame = [&](const KernelSpec &it) {
    return it.n == layer.n && it.k == layer.k && it.format.str() == format.str();
  };
  std::string candidates[] = {name, name + shape, name + shape + "_" + format.str()};
  for (const std::string &candidate : candidates)
    for (const KernelSpec &kernel : library.kernels)
      if (kernel.name == candidate && isSame(kernel))
        return candidate;
  KernelSpec kernel;
  kernel.name = candidates[2];
  for (const std::string &candidate : reverse(candidates))
    if (!isTaken(candidate))
      kernel.name = candidate;
  kernel.n = layer.n;
  kernel.k = layer.k;
  kernel.format = format;
  if (!options.numerics.empty())
    kernel.numerics = options.numerics;
  if (!options.strategy.empty())
    kernel.strategy = options.strategy;
  library.kernels.push_back(kernel);
  return kernel.name;
}

void TensorPlanner::addProjection(StringRef pattern, int64_t first, int64_t last, int64_t copies,
                                  const StoredLayer &layer) {
  ProjectionSpec projection;
  projection.projection = pattern.str();
  projection.first = first;
  projection.last = last;
  projection.copies = copies;
  projection.n = layer.n;
  projection.k = layer.k;
  projection.reason = layer.decision.reason;
  if (layer.decision.format)
    projection.kernel = kernelFor(pattern, layer);
  library.projections.push_back(std::move(projection));
}

// The experts of a layer are numbered from 0 and alike.
static bool isUniform(const std::map<int64_t, StoredLayer> &experts) {
  return experts.rbegin()->first + 1 == int64_t(experts.size()) &&
         all_of(experts, [&](auto &entry) { return entry.second == experts.begin()->second; });
}

// One entry for each run of layers that are alike.
void TensorPlanner::addRuns(StringRef pattern, const Layers &layers) {
  for (auto at = layers.begin(); at != layers.end();) {
    const auto &[first, experts] = *at;
    if (!isUniform(experts)) { // each by its number
      auto [head, tail] = pattern.split("{expert}");
      for (const auto &[expert, layer] : experts)
        addProjection((head + Twine(expert) + tail).str(), first, first, 1, layer);
      ++at;
      continue;
    }
    int64_t last = first;
    for (++at; at != layers.end() && at->first == last + 1 && at->second == experts; ++at)
      ++last;
    addProjection(pattern, first, last, int64_t(experts.size()), experts.begin()->second);
  }
}

void TensorPlanner::plan() {
  for (const LinearTensor &linear : stored.others())
    if (!diagnostics.failed())
      readTensor(linear);
  if (family) {
    readTiedHead();
    checkComplete();
  }
  for (const std::string &pattern : patterns)
    addRuns(pattern, modules[pattern]);
}

void planOtherLayers(StoredLayers &stored, const ConfigOptions &options, LibrarySpec &library,
                     Diagnostics &diagnostics) {
  if (!diagnostics.failed())
    TensorPlanner(stored, nullptr, options, library, diagnostics).plan();
}

std::optional<LibrarySpec> planTensors(StoredLayers &stored, const UnknownFamily &family,
                                       const ConfigOptions &options, Diagnostics &diagnostics) {
  LibrarySpec library;
  TensorPlanner(stored, &family, options, library, diagnostics).plan();
  stored.finish();
  if (library.kernels.empty() && !diagnostics.failed())
    diagnostics.error(
        stored.checkpoint.path,
        library.projections.empty() ? "holds no linear layers" : "keeps every linear layer in float",
        library.projections.empty() ? "give the checkpoint of a language model"
                                    : "name the format they are rounded to, such as --weights=w4g32");
  if (diagnostics.failed())
    return std::nullopt;
  return library;
}

} // namespace lut
