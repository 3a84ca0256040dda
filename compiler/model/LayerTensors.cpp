#include "compiler/model/LayerTensors.h"

#include "compiler/checkpoint/TensorNames.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

// Factors of weights are part of them. What has no name in transformers keeps its own, behind the layer's.
static std::string nameOf(const TensorNames &names, const Checkpoint &checkpoint, StringRef layers,
                          StringRef tensor) {
  if (!checkpoint.isGguf())
    return tensor.str();
  if (tensor.ends_with(".scale") || tensor.ends_with(".input_scale") ||
      tensor.ends_with(".ffn_gate_up_exps.weight")) // two layers
    return "";
  std::string name = names.huggingFace(tensor);
  if (name.empty() && tensor.consume_front("blk."))
    return (layers + "." + tensor).str();
  return name;
}

// Multimodal models have the language model under one name or the other.
static StringRef withoutModel(StringRef name) {
  static constexpr StringLiteral prefixes[] = {"model.language_model.",
                                               "language_model.model.",
                                               "language_model.",
                                               "thinker.model.",
                                               "thinker.",
                                               "language.model.",
                                               "language.",
                                               "model."};
  for (StringRef prefix : prefixes)
    if (name.consume_front(prefix))
      break;
  return name;
}

// "layers.3.mlp.up_proj.weight" is layer 3 and the rest; false outside the layers.
static bool splitLayer(StringRef name, StringRef layers, int64_t &layer, StringRef &inside) {
  if (!name.consume_front(layers) || !name.consume_front("."))
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

LayerTensors::LayerTensors(const Checkpoint &checkpoint, const Family &family, int64_t known) {
  StringRef layers = family.frame->layers;
  const TensorNames names(checkpoint, Naming::HuggingFace);
  for (const Tensor &tensor : checkpoint.tensors) {
    std::string name = nameOf(names, checkpoint, layers, tensor.name);
    int64_t layer;
    StringRef inside;
    if (!splitLayer(withoutModel(name), withoutModel(layers), layer, inside)) {
      others.insert(withoutModel(name));
      continue;
    }
    count = std::max(count, layer + 1);
    if (layer >= known)
      continue;
    auto [entry, fresh] = layersOf.try_emplace(withoutExpert(inside));
    if (fresh)
      order.push_back(entry->first().str());
    entry->second.insert(layer);
    sizesOf[entry->first()].insert(tensor.elements());
  }
}

bool LayerTensors::has(StringRef outside) const { return others.contains(withoutModel(outside)); }

std::optional<int64_t> LayerTensors::otherSize(StringRef inside, int64_t elements) const {
  auto found = sizesOf.find(inside);
  if (found != sizesOf.end())
    for (int64_t size : found->second)
      if (size != elements)
        return size;
  return std::nullopt;
}

size_t LayerTensors::layersWith(StringRef inside) const {
  auto found = layersOf.find(inside);
  return found == layersOf.end() ? 0 : found->second.size();
}

} // namespace lut
