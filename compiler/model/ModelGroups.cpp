// The groups of a model's layers, from the recipe of its family. What the layers hold decides: a norm or a
// bias that a recipe does not know, or lacks, makes it the recipe of another model.
#include "codegen/library/Steps.h"
#include "compiler/model/LayerTensors.h"
#include "compiler/model/ModelPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

namespace {

class GroupPlanner {
public:
  GroupPlanner(const ModelConfig &model, const LayerTensors *tensors, LibrarySpec &library)
      : model(model), tensors(tensors), library(library) {}

  void plan();

private:
  // One word of a recipe: what it adds to the group, or why there is no group.
  struct Word {
    std::optional<GroupStep> step; // absent: there is nothing to do
    std::string problem;
  };

  void planGroup(const GroupRow &row);
  std::string addSteps(const GroupRow &row, GroupSpec &group);
  Word readWord(StringRef word, const GroupSpec &group);
  Word readNorm(StringRef word, const GroupSpec &group);
  Word readActivation();
  Word readBias(StringRef word);
  Word readProducts(StringRef word, const GroupSpec &group);
  std::string checkBiases(bool added) const;
  std::string foreignTensor() const;
  bool isKnown(StringRef inside) const;
  size_t layersOf(const ProjectionRow &row) const;

  const ModelConfig &model;
  const LayerTensors *const tensors; // null: only the config is known
  LibrarySpec &library;
  SmallVector<const ProjectionRow *> products; // of the last word that names some
};

} // namespace

static const ProjectionRow *findRole(const ModelRow &family, StringRef role) {
  for (ArrayRef<ProjectionRow> rows : {family.attention, family.ffn, family.experts})
    for (const ProjectionRow &row : rows)
      if (row.role == role)
        return &row;
  return nullptr;
}

size_t GroupPlanner::layersOf(const ProjectionRow &row) const {
  size_t sparse = llvm::count(model.sparse, true), all = model.sparse.size();
  bool isAttention = any_of(model.family->attention, [&](const ProjectionRow &it) { return &it == &row; });
  return isAttention ? all : row.isExpert() ? sparse : all - sparse;
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

// "norm:input_layernorm", "norm?:mlp.ffn_sub_norm"
GroupPlanner::Word GroupPlanner::readNorm(StringRef word, const GroupSpec &group) {
  auto [kind, module] = word.split(':');
  StringRef outside = module;
  bool mayLack = kind.ends_with("?"), isOutside = outside.consume_front("model.");
  size_t found = tensors && !isOutside ? tensors->layersWith((module + ".weight").str()) : 0;
  if (mayLack && (tensors ? !found : !model.hasSubNorms))
    return {};
  if (tensors && isOutside ? !tensors->has((outside + ".weight").str())
                           : tensors && found < model.sparse.size())
    return {{}, (Twine(found ? "only some layers have " : "the checkpoint lacks ") + module).str()};
  if (!model.shape.normEpsilon)
    return {{}, "the config has no rms_norm_eps"};
  GroupStep step = makeStep("norm", "rms");
  auto isNorm = [&](const GroupStep &it) { return it.row == step.row; };
  step.name = any_of(group.steps, isNorm) ? "sub_norm" : "norm";
  step.epsilon = model.shape.normEpsilon;
  return {step, ""};
}

GroupPlanner::Word GroupPlanner::readActivation() {
  if (model.shape.activation.empty())
    return {{}, model.activationProblem};
  return {makeStep("activate", model.shape.activation), ""};
}

// Whether results of the last products have biases: all of them or none, or the group is not this family's.
std::string GroupPlanner::checkBiases(bool added) const {
  for (const ProjectionRow *row : tensors ? ArrayRef(products) : ArrayRef<const ProjectionRow *>()) {
    size_t found = tensors->layersWith((row->path + ".bias").str());
    if (found != (added ? layersOf(*row) : 0))
      return (row->path +
              (added ? " has no bias in some layers" : " has a bias, which the group does not add"))
          .str();
  }
  return "";
}

GroupPlanner::Word GroupPlanner::readBias(StringRef word) {
  bool has = word == "bias" || (word == "attention_bias" ? model.attentionBias : model.mlpBias);
  if (tensors)
    has = any_of(products, [&](auto *row) { return tensors->layersWith((row->path + ".bias").str()) > 0; });
  std::string problem = checkBiases(has);
  products.clear();
  if (!has || !problem.empty())
    return {{}, problem};
  return {makeStep("add", "bias"), ""};
}

GroupPlanner::Word GroupPlanner::readProducts(StringRef word, const GroupSpec &group) {
  GroupStep step;
  for (StringRef role : split(word, ',')) {
    auto kernel = find_if(library.kernels, [&](const KernelSpec &spec) { return spec.name == role; });
    if (kernel == library.kernels.end()) {
      bool several = any_of(library.kernels,
                            [&](auto &spec) { return StringRef(spec.name).starts_with((role + "_").str()); });
      return {{}, (role + (several ? " is stored in several formats" : " is kept in float")).str()};
    }
    if (group.top && kernel->format.permuted)
      return {
          {},
          "experts are in activation order, each in its own; call their kernels for each expert, or quantize "
          "without desc_act and actorder"};
    step.kernels.push_back(kernel - library.kernels.begin());
    if (const ProjectionRow *row = findRole(*model.family, role))
      products.push_back(row);
  }
  return {step, ""};
}

GroupPlanner::Word GroupPlanner::readWord(StringRef word, const GroupSpec &group) {
  if (word.ends_with("bias"))
    return readBias(word);
  if (std::string problem = checkBiases(false); !problem.empty())
    return {{}, problem};
  products.clear();
  if (word.starts_with("norm"))
    return readNorm(word, group);
  if (word == "activate")
    return readActivation();
  if (word != "residual")
    return readProducts(word, group);
  GroupStep step = makeStep("add", "residual");
  step.name = "residual";
  return {step, ""};
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

std::string GroupPlanner::addSteps(const GroupRow &row, GroupSpec &group) {
  products.clear();
  for (StringRef text : split(row.steps, ' ')) {
    Word word = readWord(text, group);
    if (!word.problem.empty())
      return word.problem;
    if (!word.step)
      continue;
    word.step->position = group.position;
    group.steps.push_back(std::move(*word.step));
  }
  return checkBiases(false);
}

void GroupPlanner::planGroup(const GroupRow &row) {
  GroupSpec group;
  group.name = row.name.str();
  group.position = model.size(Size::Hidden).position;
  bool hasHead = any_of(library.kernels, [](const KernelSpec &kernel) { return kernel.name == "lm_head"; });
  if (group.name == "head" && !hasHead)
    return; // on request only
  std::string problem = model.groupsProblem;
  if (group.name == "head" && tensors && tensors->has("lm_head.bias"))
    problem = "lm_head has a bias, which the group does not add";
  if (group.name == "experts") {
    if (model.family->experts.empty())
      return;
    group.experts = model.size(Size::ExpertCount).value;
    group.top = model.expertsPerToken;
    if (!group.top)
      problem = "the config does not say how many experts a token has";
  }
  // A family without dense layers has recipes for them, which are not missing.
  auto hasLayers = [&](StringRef role) {
    const ProjectionRow *projection = findRole(*model.family, role);
    return !projection || layersOf(*projection) > 0;
  };
  for (StringRef word : split(row.steps, ' '))
    for (StringRef role : split(word, ','))
      if (role.contains("_proj") && (!findRole(*model.family, role) || !hasLayers(role)))
        return;
  if (problem.empty())
    problem = foreignTensor();
  if (problem.empty())
    problem = addSteps(row, group);
  if (problem.empty())
    library.groups.push_back(std::move(group));
  else
    library.withheld.push_back({group.name, problem});
}

// Weights of projections and their biases, norms of recipes, and what the engine applies.
bool GroupPlanner::isKnown(StringRef inside) const {
  for (ArrayRef<ProjectionRow> rows : {model.family->attention, model.family->ffn, model.family->experts})
    for (const ProjectionRow &row : rows)
      if (inside.starts_with((row.path + ".").str()) && !inside.ends_with("norm.weight"))
        return true;
  static constexpr StringLiteral stacks[] = {"gate_up_proj", "down_proj"};
  for (StringRef stack : stacks) {
    StringRef rest = inside.split(".experts.").second;
    if (rest.consume_front(stack) && (rest.empty() || rest == "_blocks" || rest == "_scales"))
      return true;
  }
  auto isOf = [&](StringRef module) { return inside == module || inside.starts_with((module + ".").str()); };
  for (StringRef module : split(model.family->beside, ' '))
    if (isOf(module))
      return true;
  for (const GroupRow &row : model.family->groups)
    for (StringRef word : split(row.steps, ' '))
      if (word.contains(':') && inside.starts_with((word.split(':').second + ".").str()))
        return true;
  return false;
}

// Why the layers are not this family's; empty: they are.
std::string GroupPlanner::foreignTensor() const {
  if (!tensors)
    return "";
  for (StringRef name : tensors->names())
    if (!isKnown(name))
      return ("layers hold " + name + ", which " + model.family->modelType + " models lack").str();
  return "";
}

void GroupPlanner::plan() {
  for (const GroupRow &row : model.family->groups)
    planGroup(row);
}

void planGroups(const ModelConfig &model, const LayerTensors *tensors, LibrarySpec &library) {
  GroupPlanner(model, tensors, library).plan();
}

// A norm is of what the next products of its recipe multiply.
static std::optional<int64_t> widthBehind(const ModelConfig &model, ArrayRef<StringRef> words) {
  for (StringRef word : words)
    if (const ProjectionRow *row = findRole(*model.family, word.split(',').first))
      return model.size(row->k).value;
  return std::nullopt;
}

void checkNorms(const ModelConfig &model, const LayerTensors &tensors, StringRef path,
                Diagnostics &diagnostics) {
  for (const GroupRow &row : model.family->groups) {
    SmallVector<StringRef> words;
    StringRef(row.steps).split(words, ' ');
    for (auto [index, word] : enumerate(words)) {
      std::string name = (word.split(':').second + ".weight").str();
      auto width = word.contains(':') ? widthBehind(model, ArrayRef(words).drop_front(index)) : std::nullopt;
      auto other = width ? tensors.otherSize(name, *width) : std::nullopt;
      if (other && !diagnostics.failed())
        diagnostics.error(path,
                          "'" + name + "' of a layer has " + Twine(*other) + " elements, and normalizes " +
                              Twine(*width),
                          "the checkpoint is damaged, download it again");
    }
  }
}

} // namespace lut
