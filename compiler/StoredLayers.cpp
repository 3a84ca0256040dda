#include "compiler/StoredLayers.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

// "path: what is wrong; what to do" at no place in a text.
void reportAt(StringRef path, Error problem, Diagnostics &diagnostics) {
  std::string text = toString(std::move(problem));
  StringRef message = text;
  if (!message.consume_front((path + ": ").str()))
    path = "lutc";
  auto [what, advice] = message.split("; ");
  diagnostics.error(path, what, advice);
}

std::optional<StoredLayer> StoredLayers::take(const WeightSource &source) {
  for (const Tensor *tensor : source.tensors)
    checkpoint.dropPages(tensor->bytes); // opening may have read all of it
  return StoredLayer{source.n, source.k, {source.format, ""}};
}

// As stored; floats in the format of --weights. Layers that are stored in another format keep it.
Expected<std::unique_ptr<WeightSource>> StoredLayers::open(StringRef module) {
  auto stored = openWeights(checkpoint, storage, module, std::nullopt);
  bool isKept = config && !config->keptBy(module).empty();
  if (stored && weights && (*stored)->format.str() != weights->str()) {
    auto source = openWeights(checkpoint, storage, module, weights);
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
  auto source = openWeights(checkpoint, storage, module, weights);
  rounds |= bool(source);
  return source;
}

std::optional<StoredLayer> StoredLayers::find(StringRef module, bool isOptional) {
  const Tensor *tensor = findWeights(checkpoint, module);
  if (!tensor)
    return std::nullopt;
  used.insert(tensor->name);
  auto source = isOptional ? openWeights(checkpoint, storage, module, std::nullopt) : open(module);
  if (source) {
    compare(module, (*source)->format);
    return take(**source);
  }
  StoredLayer layer;
  if (tensor->shape.size() == 2) {
    layer.n = tensor->shape[0];
    layer.k = tensor->shape[1];
  }
  Error problem = handleErrors(source.takeError(), [&](const UnnamedFormat &) {
    std::string kept = config ? config->keptBy(module) : "";
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
    reportAt(checkpoint.path, std::move(problem), diagnostics);
  return std::nullopt;
}

std::optional<StoredLayer> StoredLayers::findIn(StringRef module, const Format &format) {
  const Tensor *tensor = findWeights(checkpoint, module);
  if (!tensor)
    return std::nullopt;
  used.insert(tensor->name);
  auto source = openWeights(checkpoint, storage, module, format);
  if (source)
    return take(**source);
  reportAt(checkpoint.path, source.takeError(), diagnostics);
  return std::nullopt;
}

// Columns in groups that the config calls ordered may be in order, and zero points in the middle of the
// codes.
void StoredLayers::compare(StringRef module, const Format &stored) {
  std::optional<Format> said = config ? config->decide(module).format : std::nullopt;
  if (!said || said->str() == stored.str())
    return;
  Format same = *said;
  same.permuted = stored.permuted;
  same.zeroPoints = stored.zeroPoints;
  if (same.str() == stored.str() && (stored.permuted <= said->permuted) &&
      (stored.zeroPoints <= said->zeroPoints))
    return;
  if (!disagreeing++)
    disagreement =
        "the config says " + said->str() + " of '" + module.str() + "', whose tensors are " + stored.str();
}

void StoredLayers::reportMissing(StringRef module, const Twine &note) {
  if (!diagnostics.failed())
    diagnostics.error(checkpoint.path, "'" + module + "': the checkpoint has no weights of this layer", note);
}

void StoredLayers::finish() {
  if (diagnostics.failed())
    return;
  if (!contradiction.empty() && !rounds)
    return reportAt(checkpoint.path, createStringError(contradiction), diagnostics);
  if (disagreeing)
    diagnostics.note(disagreement +
                     (disagreeing > 1 ? " (and " + std::to_string(disagreeing - 1) + " layers more)" : "") +
                     "; the tensors are taken");
}

std::vector<LinearTensor> StoredLayers::others() const {
  std::vector<LinearTensor> found = linearTensors(checkpoint);
  erase_if(found, [&](const LinearTensor &linear) { return used.contains(linear.tensor->name); });
  return found;
}

} // namespace lut
