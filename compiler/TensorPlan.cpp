// Kernels and projections from the tensors of a checkpoint alone: of a family that lutc does not know, and of
// layers that a known family's rows do not name.
#include "compiler/ModelPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

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
  TensorPlanner(StoredLayers &stored, const ConfigOptions &options, LibrarySpec &library,
                Diagnostics &diagnostics)
      : stored(stored), options(options), library(library), diagnostics(diagnostics) {}

  void plan();

private:
  // Layers by number, their experts by number.
  using Layers = std::map<int64_t, std::map<int64_t, StoredLayer>>;

  void readTensor(const LinearTensor &linear);
  void addModule(StringRef module, const StoredLayer &layer);
  std::optional<StoredLayer> findOptional(StringRef role, StringRef module);
  void addRuns(StringRef pattern, const Layers &layers);
  void addProjection(StringRef pattern, int64_t first, int64_t last, int64_t copies,
                     const StoredLayer &layer);
  std::string kernelFor(StringRef pattern, const StoredLayer &layer);
  bool isTaken(StringRef name) const;

  StoredLayers &stored;
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
  auto asked = find_if(options.include, [&](const Inclusion &inclusion) { return inclusion.role == role; });
  if (asked != options.include.end() && asked->format)
    return stored.findIn(module, *asked->format);
  std::optional<StoredLayer> layer = stored.find(module, asked == options.include.end());
  std::string option = ("--include=" + role).str();
  if (!layer)
    return layer;
  if (asked != options.include.end()) {
    if (!layer->decision.format && !diagnostics.failed())
      diagnostics.error(option, role + " has no weight format: " + layer->decision.reason,
                        "name the format it is quantized to: " + option + "=w4g128");
  } else if (layer->decision.format) {
    layer->decision = {std::nullopt, "compiled only with " + option};
  } else {
    layer->decision.reason += "; " + option + "=<format> compiles it";
  }
  return layer;
}

void TensorPlanner::readTensor(const LinearTensor &linear) {
  StringRef role = optionalRole(linear.module);
  for (int64_t expert = 0; expert < linear.experts() && !diagnostics.failed(); ++expert) {
    std::string module = linear.isStacked() ? linear.expertModule(expert) : linear.module;
    if (role == "lm_head" && stored.checkpoint.isGguf())
      module = role.str();
    std::optional<StoredLayer> layer = role.empty() ? stored.find(module) : findOptional(role, module);
    if (layer)
      addModule(module, *layer);
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
  for (const std::string &pattern : patterns)
    addRuns(pattern, modules[pattern]);
}

void planOtherLayers(StoredLayers &stored, const ConfigOptions &options, LibrarySpec &library,
                     Diagnostics &diagnostics) {
  if (!diagnostics.failed())
    TensorPlanner(stored, options, library, diagnostics).plan();
}

std::optional<LibrarySpec> planTensors(StoredLayers &stored, const ConfigOptions &options,
                                       Diagnostics &diagnostics) {
  LibrarySpec library;
  planOtherLayers(stored, options, library, diagnostics);
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
