#include "compiler/ModelPlan.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

namespace {

class ModelPlanner {
public:
  ModelPlanner(const ModelConfig &model, const ConfigOptions &options, Diagnostics &diagnostics)
      : model(model), options(options), diagnostics(diagnostics) {}

  std::optional<LibrarySpec> plan();

private:
  enum class Layers { All, Dense, Sparse };

  void planBlock(ArrayRef<ProjectionRow> rows, Layers layers);
  void planRow(const ProjectionRow &row, Layers layers);
  void planHead();
  WeightDecision decide(const ProjectionRow &row, int64_t layer);
  WeightDecision decideOptional(StringRef role, WeightDecision decision);
  void add(const ProjectionRow &row, StringRef path, int64_t first, int64_t last,
           const WeightDecision &decision);
  size_t kernelFor(const ProjectionRow &row, const Format &format);
  void nameKernels();
  void planGroup(const GroupRow &row);
  std::optional<GroupStep> stepOf(StringRef word, GroupSpec &group);
  void checkOptions();

  const ModelConfig &model;
  const ConfigOptions &options;
  Diagnostics &diagnostics;
  LibrarySpec library;
  std::vector<std::optional<size_t>> kernelOf; // per projection, an index into library.kernels
};

} // namespace

static std::string layerPath(const ModelConfig &model, StringRef path, StringRef layer) {
  return ((model.nested ? "language_model.model.layers." : "model.layers.") + layer + "." + path).str();
}

// lm_head and routers decide tokens and experts, and checkpoints mostly keep them in float: only on request.
WeightDecision ModelPlanner::decideOptional(StringRef role, WeightDecision decision) {
  auto asked = find_if(options.include, [&](const Inclusion &inclusion) { return inclusion.role == role; });
  std::string option = ("--include=" + role).str();
  if (asked == options.include.end()) {
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

// The experts of a layer run through one kernel, so they must agree.
WeightDecision ModelPlanner::decide(const ProjectionRow &row, int64_t layer) {
  const Quantization &quantization = model.quantization;
  if (row.isRouter() && !quantization.coversRouters)
    return {std::nullopt, "kept in float by the checkpoint"};
  std::string name = layerPath(model, row.path, std::to_string(layer));
  auto [head, tail] = StringRef(name).split("{expert}");
  if (head.size() == name.size() || quantization.isUniform())
    return quantization.decide(name);
  std::optional<WeightDecision> first;
  for (int64_t expert = 0; expert < model.size(Size::ExpertCount).value; ++expert) {
    WeightDecision decision = quantization.decide((head + Twine(expert) + tail).str());
    if (!first)
      first = decision;
    if (decision == *first)
      continue;
    diagnostics.error(model.quantizationAt,
                      "experts 0 and " + Twine(expert) + " of layer " + Twine(layer) +
                          " are quantized differently",
                      "quantize all experts of a layer alike, or keep all of them in float");
    break;
  }
  return *first;
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
  projection.copies = row.isExpert() ? model.size(Size::ExpertCount).value : 1;
  projection.reason = decision.reason;
  kernelOf.push_back(decision.format ? std::optional(kernelFor(row, *decision.format)) : std::nullopt);
  library.projections.push_back(std::move(projection));
}

// One entry for each run of layers whose weights are alike.
void ModelPlanner::planRow(const ProjectionRow &row, Layers layers) {
  std::optional<WeightDecision> current;
  int64_t first = 0, count = model.sparse.size();
  for (int64_t layer = 0; layer <= count; ++layer) {
    bool present =
        layer < count && (layers == Layers::All || model.sparse[layer] == (layers == Layers::Sparse));
    std::optional<WeightDecision> next;
    if (present) {
      next = decide(row, layer);
      if (row.isRouter())
        next = decideOptional(row.role, *next);
    }
    if (next == current)
      continue;
    if (current)
      add(row, layerPath(model, row.path, "{layer}"), first, layer - 1, *current);
    current = next;
    first = layer;
  }
}

void ModelPlanner::planBlock(ArrayRef<ProjectionRow> rows, Layers layers) {
  for (const ProjectionRow &row : rows)
    planRow(row, layers);
}

void ModelPlanner::planHead() {
  static constexpr ProjectionRow row = {"lm_head", "lm_head", Size::Vocabulary, Size::Hidden};
  WeightDecision decision{std::nullopt, model.tiedHead
                                            ? "tied to the embedding, kept in float by the checkpoint"
                                            : "kept in float by the checkpoint"};
  if (model.quantization.coversHead)
    decision = model.quantization.decide(row.path);
  add(row, row.path, 0, 0, decideOptional(row.role, decision));
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

// One word of a recipe. Nothing where the model or its library lacks what the word needs; a step without
// kernels where there is nothing to do.
std::optional<GroupStep> ModelPlanner::stepOf(StringRef word, GroupSpec &group) {
  GroupStep step;
  step.position = group.position;
  auto norms = count_if(group.steps, [](const GroupStep &it) { return it.kind == GroupStep::Kind::norm; });
  if (word == "norm") {
    if (!model.shape.normEpsilon)
      return std::nullopt;
    step.kind = GroupStep::Kind::norm;
    step.function = "rms";
    step.name = norms ? "sub_norm" : "norm";
    step.epsilon = model.shape.normEpsilon;
  } else if (word == "activate") {
    if (model.shape.activation.empty())
      return std::nullopt;
    step.kind = GroupStep::Kind::activate;
    step.function = model.shape.activation;
  } else if (word == "residual") {
    step.kind = GroupStep::Kind::residual;
    step.name = "residual";
  } else if (word.ends_with("bias")) {
    bool has = word == "bias" || (word == "attention_bias" ? model.attentionBias : model.mlpBias);
    step.kind = has ? GroupStep::Kind::bias : GroupStep::Kind::products;
  } else {
    for (StringRef role : split(word, ',')) {
      auto kernel = find_if(library.kernels, [&](const KernelSpec &spec) { return spec.name == role; });
      if (kernel == library.kernels.end())
        return std::nullopt; // kept in float, or in several formats
      if (group.top && kernel->format.permuted) {
        diagnostics.warning(
            model.quantizationAt,
            "experts are in activation order, each in its own, and have no group that prepares a token once",
            "call their kernels for each expert, or quantize without desc_act and actorder");
        return std::nullopt;
      }
      step.kernels.push_back(kernel - library.kernels.begin());
    }
  }
  return step;
}

void ModelPlanner::planGroup(const GroupRow &row) {
  GroupSpec group;
  group.name = row.name.str();
  group.position = model.size(Size::Hidden).position;
  if (group.name == "experts") {
    if (!model.expertsPerToken)
      return;
    group.experts = model.size(Size::ExpertCount).value;
    group.top = model.expertsPerToken;
  }
  for (StringRef word : split(row.steps, ' ')) {
    std::optional<GroupStep> step = stepOf(word, group);
    if (!step)
      return;
    if (step->kind != GroupStep::Kind::products || !step->kernels.empty())
      group.steps.push_back(std::move(*step));
  }
  library.groups.push_back(std::move(group));
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
    if (inclusion.role == "router" && model.family->experts.empty())
      diagnostics.error("--include=router", model.family->modelType + " models have no router", "remove it");
  if (library.kernels.empty())
    diagnostics.error(model.quantizationAt, "the checkpoint keeps every projection in float",
                      "name the format they are quantized to with --weights, without quantization_config");
}

std::optional<LibrarySpec> ModelPlanner::plan() {
  library.modelType = model.family->modelType.str();
  library.model = model.shape;
  planBlock(model.family->attention, Layers::All);
  planBlock(model.family->ffn, Layers::Dense);
  planBlock(model.family->experts, Layers::Sparse);
  planHead();
  if (!diagnostics.failed())
    checkOptions();
  if (diagnostics.failed())
    return std::nullopt;
  nameKernels();
  for (const GroupRow &group : model.family->groups)
    planGroup(group);
  return std::move(library);
}

std::optional<LibrarySpec> planModel(const ModelConfig &model, const ConfigOptions &options,
                                     Diagnostics &diagnostics) {
  return ModelPlanner(model, options, diagnostics).plan();
}

} // namespace lut
