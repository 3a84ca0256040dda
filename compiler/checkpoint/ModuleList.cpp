#include "compiler/checkpoint/ModuleList.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/StringSet.h"
#include <map>

using namespace llvm;

namespace lut {

namespace {

class ModuleLister {
public:
  explicit ModuleLister(const Checkpoint &checkpoint) : checkpoint(checkpoint) {}

  std::vector<CheckpointModule> list();

private:
  void add(std::vector<std::string> names);
  void addGguf(const LinearTensor &linear);
  void addSafetensors(const LinearTensor &linear);
  void addTiedHead();

  const Checkpoint &checkpoint;
  std::vector<CheckpointModule> modules;
  StringSet<> known;
};

} // namespace

// By the first of its names.
void ModuleLister::add(std::vector<std::string> names) {
  if (known.insert(names.front()).second)
    modules.push_back({names.front(), std::move(names)});
}

static std::string numbered(StringRef name, int64_t expert) {
  auto [head, tail] = name.split("{expert}");
  return head.size() == name.size() ? name.str() : (head + Twine(expert) + tail).str();
}

// A tensor may hold a layer, which families call differently; an expert, or all experts of a layer; or two
// layers, fused.
void ModuleLister::addGguf(const LinearTensor &linear) {
  StringRef stem = linear.module;
  auto [stack, last] = stem.rsplit('.');
  int64_t first = 0; // expert
  bool isAlone = !last.getAsInteger(10, first);
  std::map<std::string, std::vector<std::string>> layers; // what families call each, by its name in GGUF
  for (const std::string &module :
       modulesOfGguf(checkpoint, isAlone ? (stack + "_exps.weight").str() : (stem + ".weight").str()))
    layers[ggufNameOf(checkpoint, numbered(module, 0))].push_back(module);
  if (layers.empty())
    for (int64_t expert = 0; expert < linear.experts(); ++expert)
      add({linear.isStacked() ? linear.expertModule(expert) : linear.module, linear.module});
  for (const auto &[layer, modules] : layers)
    for (int64_t expert = first, end = first + linear.experts(); expert < end; ++expert) {
      std::vector<std::string> names;
      for (const std::string &module : modules)
        names.push_back(numbered(module, expert));
      names.push_back(ggufNameOf(checkpoint, names.front()));
      names.push_back(stem.str());
      add(std::move(names));
    }
}

void ModuleLister::addSafetensors(const LinearTensor &linear) {
  if (!linear.isStacked())
    return add({linear.module});
  auto [experts, part] = StringRef(linear.module).rsplit('.');
  SmallVector<StringRef, 2> projections{part};
  if (part == "gate_up_proj")
    projections = {"gate_proj", "up_proj"};
  for (int64_t expert = 0; expert < linear.experts(); ++expert)
    for (StringRef projection : projections)
      add({(experts + "." + Twine(expert) + "." + projection).str()});
}

void ModuleLister::addTiedHead() {
  if (checkpoint.isGguf() ? checkpoint.find("token_embd.weight") && !checkpoint.find("output.weight")
                          : isEmbedding(moduleNameIn(checkpoint, "lm_head") + ".weight"))
    add({"lm_head", "output"});
}

std::vector<CheckpointModule> ModuleLister::list() {
  // A tensor without bytes may claim any number of experts, and no model has so many.
  constexpr int64_t mostExperts = 1 << 16;
  for (const LinearTensor &linear : linearTensors(checkpoint))
    if (!linear.tensor->bytes.empty() && linear.experts() <= mostExperts)
      checkpoint.isGguf() ? addGguf(linear) : addSafetensors(linear);
  addTiedHead();
  return std::move(modules);
}

std::vector<CheckpointModule> listModules(const Checkpoint &checkpoint) {
  return ModuleLister(checkpoint).list();
}

} // namespace lut
