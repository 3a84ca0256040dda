#include "compiler/checkpoint/ModuleList.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/STLExtras.h"
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
  void addGguf(const Tensor &tensor);
  void addSafetensors(const Tensor &tensor);
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
void ModuleLister::addGguf(const Tensor &tensor) {
  StringRef stem = tensor.name;
  size_t rank = tensor.shape.size();
  if (!stem.consume_back(".weight") || (rank != 2 && rank != 3) || stem == "token_embd")
    return;
  auto [stack, last] = stem.rsplit('.');
  int64_t first = 0; // expert
  bool isAlone = !last.getAsInteger(10, first);
  std::map<std::string, std::vector<std::string>> layers; // what families call each, by its name in GGUF
  for (const std::string &module : modulesOfGguf(isAlone ? (stack + "_exps.weight").str() : tensor.name))
    layers[ggufNameOf(numbered(module, 0))].push_back(module);
  if (layers.empty() && rank == 2)
    add({stem.str()});
  for (const auto &[layer, modules] : layers)
    for (int64_t expert = first, end = first + (rank == 3 ? tensor.shape[0] : 1); expert < end; ++expert) {
      std::vector<std::string> names;
      for (const std::string &module : modules)
        names.push_back(numbered(module, expert));
      names.push_back(ggufNameOf(names.front()));
      names.push_back(stem.str());
      add(std::move(names));
    }
}

void ModuleLister::addSafetensors(const Tensor &tensor) {
  StringRef name = tensor.name, stack = name;
  if (name.consume_back(".qweight") || name.consume_back(".weight_packed"))
    return add({name.str()});
  stack.consume_back("_blocks");
  if (tensor.shape.size() >= 3 && findStacked(checkpoint, stack)) {
    auto [experts, part] = stack.rsplit('.');
    SmallVector<StringRef, 2> projections{part};
    if (part == "gate_up_proj")
      projections = {"gate_proj", "up_proj"};
    for (int64_t expert = 0; expert < tensor.shape[0]; ++expert)
      for (StringRef projection : projections)
        add({(experts + "." + Twine(expert) + "." + projection).str()});
    return;
  }
  if (name.consume_back(".weight") && tensor.shape.size() == 2 && !name.ends_with("embed_tokens"))
    add({name.str()});
}

void ModuleLister::addTiedHead() {
  if (checkpoint.isGguf() ? checkpoint.find("token_embd.weight") && !checkpoint.find("output.weight")
                          : StringRef(moduleNameIn(checkpoint, "lm_head")).ends_with("embed_tokens"))
    add({"lm_head", "output"});
}

std::vector<CheckpointModule> ModuleLister::list() {
  for (const Tensor &tensor : checkpoint.tensors)
    checkpoint.isGguf() ? addGguf(tensor) : addSafetensors(tensor);
  addTiedHead();
  return std::move(modules);
}

std::vector<CheckpointModule> listModules(const Checkpoint &checkpoint) {
  return ModuleLister(checkpoint).list();
}

} // namespace lut
