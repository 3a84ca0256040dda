#include "compiler/model/StoredLayers.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

std::optional<StoredLayer> StoredLayers::take(const WeightSource &source) {
  for (const Tensor *tensor : source.tensors)
    checkpoint.dropPages(tensor->bytes); // opening may have read all of it
  return StoredLayer{source.n, source.k, {source.format, ""}};
}

// As stored; floats in the format of --weights. Layers that are stored in another format keep it.
Expected<std::unique_ptr<WeightSource>> StoredLayers::open(StringRef module) {
  auto stored = openWeights(checkpoint, quantization, module, std::nullopt);
  bool isKept = !quantization.keptBy(module).empty();
  if (stored && weights && (*stored)->format.str() != weights->str()) {
    auto source = openWeights(checkpoint, quantization, module, weights);
    if (source)
      return source;
    std::string problem = toString(source.takeError());
    if (contradiction.empty())
      contradiction = problem;
    return stored;
  }
  if (stored || !weights || isKept)
    return stored;
  consumeError(stored.takeError());
  auto source = openWeights(checkpoint, quantization, module, weights);
  rounds |= bool(source);
  return source;
}

std::optional<StoredLayer> StoredLayers::find(StringRef module, bool isOptional) {
  const Tensor *tensor = findWeights(checkpoint, module);
  if (!tensor)
    return std::nullopt;
  used.insert(tensor->name);
  auto source = isOptional ? openWeights(checkpoint, quantization, module, std::nullopt) : open(module);
  if (source) {
    compare(module, **source);
    return take(**source);
  }
  StoredLayer layer;
  if (tensor->shape.size() >= 2) {
    layer.n = tensor->shape[tensor->shape.size() - 2];
    layer.k = tensor->shape.back();
  }
  Error problem = handleErrors(source.takeError(), [&](const UnnamedFormat &) {
    std::string kept = quantization.keptBy(module);
    layer.decision.reason = kept.empty() ? ("stored as " + tensor->type->name).str() : kept;
  });
  if (!problem)
    return layer;
  if (isOptional) { // the path and the name stand in front of the message
    std::string text = toString(std::move(problem));
    layer.decision.reason = StringRef(text).split("': ").second.split("; ").first.str();
    return layer;
  }
  if (diagnostics.failed())
    consumeError(std::move(problem));
  else
    diagnostics.error(checkpoint.path, std::move(problem));
  return std::nullopt;
}

std::optional<StoredLayer> StoredLayers::findIn(StringRef module, const Format &format) {
  const Tensor *tensor = findWeights(checkpoint, module);
  if (!tensor)
    return std::nullopt;
  used.insert(tensor->name);
  auto source = openWeights(checkpoint, quantization, module, format);
  if (source)
    return take(**source);
  diagnostics.error(checkpoint.path, source.takeError());
  return std::nullopt;
}

void StoredLayers::compare(StringRef module, const WeightSource &source) {
  std::string text = lut::disagreement(quantization.decide(module), source);
  if (!text.empty() && !disagreeing++)
    disagreement = "'" + module.str() + "': " + text;
}

void StoredLayers::reportMissing(StringRef module, const Twine &note) {
  if (!diagnostics.failed())
    diagnostics.error(checkpoint.path, "'" + module + "': the checkpoint has no weights of this layer", note);
}

void StoredLayers::finish() {
  if (diagnostics.failed())
    return;
  if (!contradiction.empty() && !rounds)
    return diagnostics.error(checkpoint.path, createStringError(contradiction));
  if (disagreeing)
    diagnostics.note(disagreement +
                     (disagreeing > 1 ? " (and " + std::to_string(disagreeing - 1) + " layers more)" : ""));
}

std::vector<LinearTensor> StoredLayers::others() const {
  std::vector<LinearTensor> found = linearTensors(checkpoint);
  erase_if(found, [&](const LinearTensor &linear) { return used.contains(linear.tensor->name); });
  return found;
}

} // namespace lut
