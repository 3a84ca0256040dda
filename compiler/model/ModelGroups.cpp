// The groups of a model's layers, from the recipe of its family. What the layers hold decides: a norm or a
// bias that a recipe does not know, or lacks, makes it the recipe of another model.
#include "compiler/model/LayerTensors.h"
#include "compiler/model/ModelPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

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

  bool isOwn(const GroupRow &row) const;
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

  const ModelConfig &model;
  const LayerTensors *const tensors; // null: only the config is known
  LibrarySpec &library;
  SmallVector<const ProjectionRow *> products; // of the last word that names some
  size_t layers = 0;                           // that have the next products
};

} // namespace

static bool isProducts(StringRef word) {
  return !word.contains(':') && !word.ends_with("bias") && word != "activate" && word != "residual";
}

// The first matrix that a rest of words multiplies by; null: none, or one that the model lacks.
static const ProjectionRow *nextProduct(const ModelConfig &model, ArrayRef<StringRef> words) {
  const auto *found = find_if(words, isProducts);
  return found == words.end() ? nullptr : model.findRole(found->split(',').first);
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

// "norm:input_layernorm", "norm?:mlp.ffn_sub_norm", "norm=1e-6:self_attn.q_a_layernorm",
// "layer:input_layernorm"
GroupPlanner::Word GroupPlanner::readNorm(StringRef word, const GroupSpec &group) {
  auto [kind, module] = word.split(':');
  bool mayLack = kind.ends_with("?"), isFinal = module == "final";
  size_t found = tensors && !isFinal ? tensors->layersWith((module + ".weight").str()) : 0;
  if (mayLack && (tensors ? !found : !model.hasSubNorms))
    return {};
  if (isFinal)
    module = model.family->frame->norm;
  if (tensors && isFinal ? !tensors->has((module + ".weight").str()) : tensors && found < layers)
    return {{}, (Twine(found ? "only some layers have " : "the checkpoint lacks ") + module).str()};
  bool hasBias = !tensors || (isFinal ? tensors->has((module + ".bias").str())
                                      : tensors->layersWith((module + ".bias").str()) == found);
  if (kind == "layer" && !hasBias)
    return {{}, (module + " has no bias, which the group would add").str()};
  double epsilon = model.shape.normEpsilon;
  kind.split('=').second.getAsDouble(epsilon);
  if (!epsilon)
    return {{}, "the config has no " + findKey("norm_epsilon")->keys.split(' ').first.str()};
  auto isNorm = [](const GroupStep &step) { return step.kind == GroupStep::Kind::norm; };
  GroupStep step;
  step.kind = GroupStep::Kind::norm;
  step.function = kind == "layer" ? "layer" : "rms";
  step.name = any_of(group.steps, isNorm) ? "sub_norm" : "norm";
  step.epsilon = epsilon;
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
    if (found != (added ? size_t(model.layersWith(*row)) : 0))
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
    if (const ProjectionRow *row = model.findRole(role))
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
  if (word.contains(':'))
    return readNorm(word, group);
  if (word == "activate")
    return readActivation();
  if (isProducts(word))
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
  SmallVector<StringRef> words;
  StringRef(row.steps).split(words, ' ');
  for (auto [index, text] : enumerate(words)) {
    const ProjectionRow *next = nextProduct(model, ArrayRef(words).drop_front(index));
    layers = next ? model.layersWith(*next) : 0;
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

// lm_head is there on request only.
static bool hasHead(const LibrarySpec &library) {
  return any_of(library.kernels, [](const KernelSpec &kernel) { return kernel.name == "lm_head"; });
}

// The layers have all of its matrices.
bool GroupPlanner::isOwn(const GroupRow &row) const {
  for (StringRef word : split(row.steps, ' '))
    for (StringRef role : isProducts(word) ? split(word, ',') : split("", ','))
      if (role == "lm_head" ? !hasHead(library) : !role.empty() && !model.findRole(role))
        return false;
  return true;
}

void GroupPlanner::planGroup(const GroupRow &row) {
  GroupSpec group;
  group.name = row.name.str();
  group.position = model.size("hidden").position;
  std::string problem = model.groupsProblem;
  if (auto withheld = model.withheld.find(row.name); withheld != model.withheld.end())
    problem = withheld->second;
  if (group.name == "head" && tensors && tensors->has((model.family->frame->head + ".bias").str()))
    problem = "lm_head has a bias, which the group does not add";
  if (group.name == "experts") {
    group.experts = model.experts();
    group.top = model.expertsPerToken;
    if (!group.top)
      problem = "the config does not say how many experts a token has";
  }
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
    StringRef rest =
        inside.starts_with("experts.") ? inside.split('.').second : inside.split(".experts.").second;
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
  StringSet<> planned;
  for (const GroupRow &row : model.family->groups)
    if (isOwn(row) && planned.insert(row.name).second)
      planGroup(row);
  for (const WithheldRow &row : model.family->withheld)
    if (auto it = model.withheld.find(row.group); it != model.withheld.end() &&
                                                  (hasHead(library) || row.group != "head") &&
                                                  planned.insert(row.group).second)
      library.withheld.push_back({row.group.str(), it->second});
}

void planGroups(const ModelConfig &model, const LayerTensors *tensors, LibrarySpec &library) {
  GroupPlanner(model, tensors, library).plan();
}

// A norm is of what the next products of its recipe multiply.
void checkNorms(const ModelConfig &model, const LayerTensors &tensors, StringRef path,
                Diagnostics &diagnostics) {
  for (const GroupRow &row : model.family->groups) {
    SmallVector<StringRef> words;
    StringRef(row.steps).split(words, ' ');
    for (auto [index, word] : enumerate(words)) {
      std::string name = (word.split(':').second + ".weight").str();
      const ProjectionRow *next =
          word.contains(':') ? nextProduct(model, ArrayRef(words).drop_front(index)) : nullptr;
      int64_t width = next ? model.size(next->k).value : 0;
      auto other = next ? tensors.otherSize(name, width) : std::nullopt;
      if (other && !diagnostics.failed())
        diagnostics.error(path,
                          "'" + name + "' of a layer has " + Twine(*other) + " elements, and normalizes " +
                              Twine(width),
                          "the checkpoint is damaged, download it again");
    }
  }
}

} // namespace lut
