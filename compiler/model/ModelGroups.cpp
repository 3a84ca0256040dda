// The groups of a model's layers, from the recipe of its family. What the layers hold decides: a norm or a
// bias that a recipe does not know, or lacks, makes it the recipe of another model.
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

size_t GroupPlanner::layersOf(const ProjectionRow &row) const {
  return llvm::count(model.layersOf(row), true);
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

// "norm:input_layernorm", "norm?:mlp.ffn_sub_norm"
GroupPlanner::Word GroupPlanner::readNorm(StringRef word, const GroupSpec &group) {
  auto [kind, module] = word.split(':');
  bool mayLack = kind.ends_with("?"), isFinal = module == "final";
  size_t found = tensors && !isFinal ? tensors->layersWith((module + ".weight").str()) : 0;
  if (mayLack && (tensors ? !found : !model.hasSubNorms))
    return {};
  if (isFinal)
    module = model.family->frame->norm;
  if (tensors && isFinal ? !tensors->has((module + ".weight").str())
                         : tensors && found < size_t(model.shape.layers))
    return {{}, (Twine(found ? "only some layers have " : "the checkpoint lacks ") + module).str()};
  if (!model.shape.normEpsilon)
    return {{}, "the config has no rms_norm_eps"};
  auto isNorm = [](const GroupStep &step) { return step.kind == GroupStep::Kind::norm; };
  GroupStep step;
  step.kind = GroupStep::Kind::norm;
  step.function = "rms";
  step.name = any_of(group.steps, isNorm) ? "sub_norm" : "norm";
  step.epsilon = model.shape.normEpsilon;
  return {step, ""};
}

GroupPlanner::Word GroupPlanner::readActivation() {
  if (model.shape.activation.empty())
    return {{}, model.activationProblem};
  GroupStep step;
  step.kind = GroupStep::Kind::activate;
  step.function = model.shape.activation;
  return {step, ""};
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
  bool has = model.biases.contains(word);
  if (tensors)
    has = any_of(products, [&](auto *row) { return tensors->layersWith((row->path + ".bias").str()) > 0; });
  std::string problem = checkBiases(has);
  products.clear();
  if (!has || !problem.empty())
    return {{}, problem};
  GroupStep step;
  step.kind = GroupStep::Kind::bias;
  return {step, ""};
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
    if (const ProjectionRow *row = model.family->findRole(role))
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
  GroupStep step;
  step.kind = GroupStep::Kind::residual;
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
  group.position = model.size("hidden").position;
  bool hasHead = any_of(library.kernels, [](const KernelSpec &kernel) { return kernel.name == "lm_head"; });
  if (group.name == "head" && !hasHead)
    return; // on request only
  std::string problem = model.groupsProblem;
  if (group.name == "head" && tensors && tensors->has((model.family->frame->head + ".bias").str()))
    problem = "lm_head has a bias, which the group does not add";
  if (group.name == "experts") {
    if (!model.family->hasExperts())
      return;
    group.experts = model.experts();
    group.top = model.expertsPerToken;
    if (!group.top)
      problem = "the config does not say how many experts a token has";
  }
  // A family without dense layers has recipes for them, which are not missing.
  auto hasLayers = [&](StringRef role) {
    const ProjectionRow *projection = model.family->findRole(role);
    return !projection || layersOf(*projection) > 0;
  };
  for (StringRef word : split(row.steps, ' '))
    for (StringRef role : split(word, ','))
      if (role.contains("_proj") && (!model.family->findRole(role) || !hasLayers(role)))
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

// Weights of projections and their biases, and what stands beside them.
bool GroupPlanner::isKnown(StringRef inside) const {
  for (const ProjectionRow *row : model.family->rows)
    if (inside.starts_with((row->path + ".").str()) && !inside.ends_with("norm.weight"))
      return true;
  static constexpr StringLiteral stacks[] = {"gate_up_proj", "down_proj"};
  for (StringRef stack : stacks) {
    StringRef rest = inside.split(".experts.").second;
    if (rest.consume_front(stack) && (rest.empty() || rest == "_blocks" || rest == "_scales"))
      return true;
  }
  return any_of(model.family->beside, [&](const BesideRow &row) {
    return inside == row.module || inside.starts_with((row.module + ".").str());
  });
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
    if (const ProjectionRow *row = model.family->findRole(word.split(',').first))
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
