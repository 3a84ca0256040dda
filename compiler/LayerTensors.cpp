#include "compiler/LayerTensors.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

static std::string huggingFaceName(const Checkpoint &checkpoint, StringRef tensor) {
  if (!checkpoint.isGguf())
    return tensor.str();
  auto [stem, suffix] = tensor.rsplit('.');
  std::vector<std::string> modules = modulesOfGguf((stem + ".weight").str());
  return modules.empty() ? "" : modules.front() + "." + suffix.str();
}

// "language_model.model.layers.3.mlp.up_proj.weight" is layer 3 and the rest; false outside the layers of the
// language model.
static bool splitLayer(StringRef name, int64_t &layer, StringRef &inside) {
  static constexpr StringLiteral prefixes[] = {"model.language_model.", "language_model.model.",
                                               "language_model.", "model.", ""};
  for (StringRef prefix : prefixes)
    if (name.consume_front(prefix))
      break;
  if (!name.consume_front("layers."))
    return false;
  auto [number, rest] = name.split('.');
  inside = rest;
  return !number.getAsInteger(10, layer) && layer >= 0 && !rest.empty();
}

// mlp.experts.7.up_proj.bias -> mlp.experts.{expert}.up_proj.bias
static std::string withoutExpert(StringRef inside) {
  auto [head, tail] = inside.split(".experts.");
  auto [number, rest] = tail.split('.');
  int64_t expert;
  if (rest.empty() || number.getAsInteger(10, expert))
    return inside.str();
  return (head + ".experts.{expert}." + rest).str();
}

LayerTensors::LayerTensors(const Checkpoint &checkpoint) {
  for (const Tensor &tensor : checkpoint.tensors) {
    std::string name = huggingFaceName(checkpoint, tensor.name);
    int64_t layer;
    StringRef inside;
    if (!splitLayer(name, layer, inside))
      continue;
    auto [entry, fresh] = layersOf.try_emplace(withoutExpert(inside));
    if (fresh)
      order.push_back(entry->first().str());
    entry->second.insert(layer);
    count = std::max(count, layer + 1);
  }
}

size_t LayerTensors::layersWith(StringRef inside) const {
  auto found = layersOf.find(inside);
  return found == layersOf.end() ? 0 : found->second.size();
}

} // namespace lut
