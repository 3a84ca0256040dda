#include "compiler/model/ModelPlan.h"
#include "compiler/model/LayerTensors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

namespace {

class ModelPlanner {
public:
  ModelPlanner(const ModelConfig &model, StoredLayers *stored, const ConfigOptions &options,
               Diagnostics &diagnostics)
      : model(model), stored(stored), options(options), diagnostics(diagnostics) {}

  std::optional<LibrarySpec> plan();

private:
  void planRow(const ProjectionRow &row, const std::vector<bool> &layers);
  void planHead();
  WeightDecision decide(const ProjectionRow &row, int64_t layer);
  WeightDecision decideModule(const ProjectionRow &row, StringRef module);
  std::optional<StoredLayer> findStored(const ProjectionRow &row, StringRef module);
  void checkLayers(const LayerTensors &tensors);
  void add(const ProjectionRow &row, StringRef path, int64_t first, int64_t last,
           const WeightDecision &decision);
  size_t kernelFor(const ProjectionRow &row, const Format &format);
  void nameKernels();
  void checkOptions();

  const ModelConfig &model;
  StoredLayers *const stored;
  const ConfigOptions &options;
  Diagnostics &diagnostics;
  LibrarySpec library;
  std::vector<std::optional<size_t>> kernelOf; // per projection, an index into library.kernels
};

} // namespace

// lm_head and routers decide tokens and experts, and checkpoints mostly keep them in float: only on request.
WeightDecision decideOptional(StringRef role, const WeightDecision &decision, const ConfigOptions &options,
                              Diagnostics &diagnostics) {
  const Inclusion *asked = options.inclusionOf(role);
  std::string option = ("--include=" + role).str();
  if (!asked) {
    if (!decision.format)
      return {std::nullopt, decision.reason + "; " + option + "=<format> compiles it"};
    return {std::nullopt, "compiled only with " + option};
  }
  if (asked->format)
    return {asked->format, ""};
  if (!decision.format && !diagnostics.failed())
    diagnostics.error(option, role + " has no weight format: " + decision.reason,
                      "name the format it is quantized to: " + option + "=w4g128");
  return decision;
}

std::optional<StoredLayer> findOptional(StoredLayers &stored, StringRef role, StringRef module,
                                        const ConfigOptions &options) {
  const Inclusion *asked = options.inclusionOf(role);
  return asked && asked->format ? stored.findIn(module, *asked->format) : stored.find(module, !asked);
}

static bool isOptional(const ProjectionRow &row) { return row.isRouter() || row.role == "lm_head"; }

// Of a checkpoint; nothing where it lacks the layer, or after an error.
std::optional<StoredLayer> ModelPlanner::findStored(const ProjectionRow &row, StringRef module) {
  return isOptional(row) ? findOptional(*stored, row.role, module, options) : stored->find(module);
}

WeightDecision ModelPlanner::decideModule(const ProjectionRow &row, StringRef module) {
  if (!stored)
    return model.quantization.decide(module);
  const Tensor *tensor = findWeights(stored->checkpoint, module);
  bool isForeign = row.role == "lm_head" && model.ownHead && tensor && isEmbedding(tensor->name);
  std::optional<StoredLayer> layer = isForeign ? std::nullopt : findStored(row, module);
  if (!layer) {
    if (!isOptional(row) || options.inclusionOf(row.role))
      stored->reportMissing(
          module, "the config says " + Twine(model.shape.layers) + " layers of a " + model.family->modelType +
                      " model; download what is missing, or list kernels with the modules that they "
                      "compute (`lutc schema`)");
    return {std::nullopt, "the checkpoint lacks it"};
  }
  int64_t n = model.size(row.n).value, k = model.size(row.k).value;
  bool hasOwnShape = layer->decision.format || !row.isExpert();
  if (hasOwnShape && (layer->n != n || layer->k != k) && !diagnostics.failed())
    diagnostics.error(stored->checkpoint.path,
                      "'" + module + "' is " + Twine(layer->n) + " x " + Twine(layer->k) +
                          ", and the config says " + Twine(n) + " x " + Twine(k),
                      stored->checkpoint.isGguf()
                          ? "convert the model again with llama.cpp"
                          : "put the config.json of this checkpoint beside its tensors");
  return layer->decision;
}

// The experts of a layer run through one kernel, so they must agree.
WeightDecision ModelPlanner::decide(const ProjectionRow &row, int64_t layer) {
  if (row.isRouter() && !stored && !model.quantization.coversRouters)
    return {std::nullopt, "kept in float by the checkpoint"};
  std::string name = model.path(row, std::to_string(layer));
  auto [head, tail] = StringRef(name).split("{expert}");
  if (head.size() == name.size() || (!stored && model.quantization.isUniform()))
    return decideModule(row, name);
  std::optional<WeightDecision> first;
  for (int64_t expert = 0; expert < model.experts() && !diagnostics.failed(); ++expert) {
    WeightDecision decision = decideModule(row, (head + Twine(expert) + tail).str());
    if (!first)
      first = decision;
    if (decision == *first)
      continue;
    if (!diagnostics.failed())
      diagnostics.error(model.quantizationAt,
                        "experts 0 and " + Twine(expert) + " of layer " + Twine(layer) +
                            " are quantized differently",
                        "quantize all experts of a layer alike, or keep all of them in float");
    break;
  }
  return first.value_or(WeightDecision());
}

size_t ModelPlanner::kernelFor(const ProjectionRow &row, const Format &format) {
  for (auto [index, kernel] : enumerate(library.kernels))
    if (kernel.name == row.role && kernel.format.str() == format.str())
      return index;
  KernelSpec kernel;
  kernel.name = row.role.str();
  kernel.n = model.size(row.n).value;
  kernel.k = model.size(row.k).value;
  kernel.format = format;
  kernel.position = model.size(row.n).position;
  if (!options.numerics.empty())
    kernel.numerics = options.numerics;
  if (!options.strategy.empty())
    kernel.strategy = options.strategy;
  library.kernels.push_back(std::move(kernel));
  return library.kernels.size() - 1;
}

void ModelPlanner::add(const ProjectionRow &row, StringRef path, int64_t first, int64_t last,
                       const WeightDecision &decision) {
  ProjectionSpec projection;
  projection.projection = path.str();
  projection.first = first;
  projection.last = last;
  projection.n = model.size(row.n).value;
  projection.k = model.size(row.k).value;
  projection.copies = row.isExpert() ? model.experts() : 1;
  projection.reason = decision.reason;
  kernelOf.push_back(decision.format ? std::optional(kernelFor(row, *decision.format)) : std::nullopt);
  library.projections.push_back(std::move(projection));
}

// One entry for each run of layers whose weights are alike.
void ModelPlanner::planRow(const ProjectionRow &row, const std::vector<bool> &layers) {
  std::optional<WeightDecision> current;
  int64_t first = 0, count = layers.size();
  for (int64_t layer = 0; layer <= count; ++layer) {
    std::optional<WeightDecision> next;
    if (layer < count && layers[layer]) {
      next = decide(row, layer);
      if (row.isRouter())
        next = decideOptional(row.role, *next, options, diagnostics);
    }
    if (next == current)
      continue;
    if (current)
      add(row, model.path(row, "{layer}"), first, layer - 1, *current);
    current = next;
    first = layer;
  }
}

void ModelPlanner::planHead() {
  static constexpr ProjectionRow row = {"lm_head", "lm_head", "output", "vocabulary", "hidden"};
  WeightDecision decision{std::nullopt, model.tiedHead
                                            ? "tied to the embedding, kept in float by the checkpoint"
                                            : "kept in float by the checkpoint"};
  if (stored || model.quantization.coversHead)
    decision = decideModule(row, row.path);
  add(row, row.path, 0, 0, decideOptional(row.role, decision, options, diagnostics));
}

// A role has one shape; where it has several formats, they tell its kernels apart: q_proj_w4g128.
void ModelPlanner::nameKernels() {
  SmallVector<std::string> roles(map_range(library.kernels, [](auto &kernel) { return kernel.name; }));
  for (auto [kernel, role] : zip(library.kernels, roles))
    if (count(roles, role) > 1)
      kernel.name += "_" + kernel.format.str();
  for (auto [projection, index] : zip(library.projections, kernelOf))
    if (index)
      projection.kernel = library.kernels[*index].name;
}

void ModelPlanner::checkOptions() {
  if (options.numerics == "t8" && options.strategy == "dot")
    diagnostics.error("--strategy=dot", "strategy dot has no tables, and numerics t8 rounds table entries",
                      "write --numerics=a8, or --strategy=lookup");
  for (const KernelSpec &kernel : library.kernels)
    if (kernel.needsTables() && !kernel.format.hasTables()) {
      diagnostics.error(model.quantizationAt,
                        "format " + kernel.format.str() + " has no bit planes that could index tables",
                        "write --numerics=a8 and --strategy=dot, or neither");
      break;
    }
  for (const Inclusion &inclusion : options.include)
    if (inclusion.role == "router" && !model.family->hasExperts())
      diagnostics.error("--include=router", model.family->modelType + " models have no router", "remove it");
  if (library.kernels.empty())
    diagnostics.error(
        model.quantizationAt, "the checkpoint keeps every projection in float",
        stored ? "name the format they are rounded to, such as --weights=w4g32"
               : "name the format they are quantized to with --weights, without quantization_config");
}

// Tensors of layers that the config does not have.
void ModelPlanner::checkLayers(const LayerTensors &tensors) {
  int64_t said = model.shape.layers + model.predictingLayers;
  if (tensors.layers() > said && !diagnostics.failed())
    diagnostics.error(stored->checkpoint.path,
                      "holds " + Twine(tensors.layers()) + " layers, and the config says " + Twine(said),
                      "put the config.json of this checkpoint beside its tensors");
}

std::optional<LibrarySpec> ModelPlanner::plan() {
  std::optional<LayerTensors> tensors;
  if (stored)
    tensors.emplace(stored->checkpoint, *model.family, model.shape.layers);
  library.modelType = model.family->modelType.str();
  library.model = model.shape;
  for (auto [block, layers] : zip(model.family->blocks, model.blockLayers))
    for (const ProjectionRow &row : block.rows)
      if (model.isHeld(row))
        planRow(row, layers);
  planHead();
  if (tensors) {
    checkLayers(*tensors);
    checkNorms(model, *tensors, stored->checkpoint.path, diagnostics);
    library.model.qkNorm = tensors->layersWith("self_attn.q_norm.weight") > 0;
  }
  if (!diagnostics.failed())
    checkOptions();
  if (diagnostics.failed())
    return std::nullopt;
  nameKernels();
  planGroups(model, tensors ? &*tensors : nullptr, library);
  if (stored) {
    planOtherLayers(*stored, options, library, diagnostics);
    stored->finish();
  }
  if (diagnostics.failed())
    return std::nullopt;
  return std::move(library);
}

std::optional<LibrarySpec> planModel(const ModelConfig &model, StoredLayers *stored,
                                     const ConfigOptions &options, Diagnostics &diagnostics) {
  return ModelPlanner(model, stored, options, diagnostics).plan();
}

} // namespace lut
