#include "compiler/checkpoint/WeightSource.h"

#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/Scales.h"
#include "compiler/checkpoint/WeightRows.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace llvm;

namespace lut {

namespace {

// Integers in the format that has their bits and groups.
class StoredSource : public WeightSource {
public:
  StoredSource(std::unique_ptr<IntegerRows> integers, Format format)
      : WeightSource(integers->layer.name, integers->n, integers->k, format, "as stored"),
        rows(std::move(integers)) {
    order = rows->order;
  }

  Error readRows(int64_t first, const WeightBand &band) const override;

private:
  const std::unique_ptr<IntegerRows> rows;
};

} // namespace

Error StoredSource::readRows(int64_t first, const WeightBand &band) const {
  int64_t groups = rows->groups(), count = band.count;
  std::vector<float> values(count * groups);
  std::vector<uint8_t> unused(format.zeroPoints ? 0 : count * groups);
  rows->unpack(first, count, band.codes(), values.data(), format.zeroPoints ? band.zeros() : unused.data());
  for (int64_t i = 0; i < count * groups; ++i) // finite, as openIntegers has found
    storeScale(format.scaleType, values[i], band.scales<void>(), i);
  return Error::success();
}

// The format with the bits, groups and order of stored integers, and the smallest type that holds their
// scales; nothing: there is none.
static std::optional<Format> formatOf(const IntegerRows &rows, std::optional<Format> wanted) {
  // Zero points in the middle of the codes are the same as none, and any order may be written as one.
  bool zeroPoints = !rows.symmetric || (wanted && wanted->zeroPoints);
  bool permuted = !rows.order.empty() || (wanted && wanted->permuted);
  std::string name = "w" + std::to_string(rows.bits);
  if (rows.group < rows.k)
    name += "g" + std::to_string(rows.group);
  Expected<Format> format = parseFormat(name + (zeroPoints ? "z" : "") + (permuted ? "p" : ""));
  if (!format) {
    consumeError(format.takeError());
    return std::nullopt;
  }
  return withScaleType(*format, exactScaleType(rows.scales()));
}

// Groups of the whole row may be written as groups of at least k, scales in any type that holds them.
static bool isFormat(const Format &wanted, const Format &stored, const IntegerRows &rows) {
  Format written = stored;
  if (!stored.group && wanted.group >= rows.k)
    written.group = wanted.group;
  if (wanted.scaleType != stored.scaleType && holdsScales(wanted.scaleType, rows.scales()))
    written.scaleType = wanted.scaleType;
  return wanted.str() == written.str();
}

static WeightSourceOr openIntegers(std::unique_ptr<IntegerRows> rows, std::optional<Format> wanted) {
  const Layer &layer = rows->layer;
  const Tensor &scales = rows->scales();
  for (int64_t i = 0, count = scales.elements(); i < count; ++i)
    if (float scale = floatAt(scales, size_t(i)); !std::isfinite(scale))
      return layer.error("scale " + Twine(i) + " of " + quoted(scales.name) + " is " + numberText(scale) +
                         "; the checkpoint is damaged");
  std::optional<Format> stored = formatOf(*rows, wanted);
  std::string what = std::to_string(rows->bits) + "-bit weights in groups of " + std::to_string(rows->group);
  if (!stored && !wanted)
    return layer.error("no format holds " + what +
                       "; name a format that the weights are rounded to, such as --weights=w4g32");
  if (!stored)
    return roundWeights(std::move(rows), what, *wanted);
  if (wanted && !isFormat(*wanted, *stored, *rows))
    return otherFormat(layer, stored->str(), *wanted);
  return std::make_unique<StoredSource>(std::move(rows), wanted ? *wanted : *stored);
}

WeightSourceOr openIntegers(IntegerRowsOr rows, std::optional<Format> wanted) {
  if (!rows)
    return rows.takeError();
  return openIntegers(std::move(*rows), wanted);
}

WeightSourceOr WeightStorage::openPacked(const Layer &layer, std::optional<Format>) const {
  std::string found = layer.listTensors();
  if (found.empty())
    return layer.error("the checkpoint has no weights of this name; lutc inspect lists its tensors");
  return layer.error("holds " + found +
                     ", and no quantization_config says how to read that; lutc takes floats in "
                     "F16, BF16 or F32");
}

static WeightSourceOr openFloats(const Layer &layer, const Tensor &tensor, const WeightStorage &storage,
                                 std::optional<Format> wanted) {
  if (!wanted)
    wanted = storage.formatOfFloats(layer.name);
  auto checked = layer.get("weight", floatTypes(), {-1, -1});
  if (!checked)
    return checked.takeError();
  if (!wanted)
    return unnamedFormat(layer, *tensor.type);
  return roundWeights(floatRows(layer, tensor, tensor.bytes), tensor.type->name, *wanted);
}

// What stands beside weights and is no part of them: added to results, applied to activations, or a fact of
// the router that the engine reads.
static bool isBesideWeights(StringRef suffix) {
  static constexpr StringLiteral known[] = {
      "bias", "_bias", "input_scale", "input_global_scale", "rms_norm.weight", "e_score_correction_bias"};
  return is_contained(known, suffix);
}

// A tensor of the layer that its reader did not ask for would change results.
static Error checkOthers(const Layer &layer, StringRef stem) {
  for (const Tensor *tensor : layer.checkpoint.startingWith(stem)) {
    StringRef suffix = tensor->name.drop_front(stem.size());
    bool isOwn = stem.ends_with(".") || suffix.consume_front(".") || suffix.starts_with("_");
    if (isOwn && !isBesideWeights(suffix) && !is_contained(*layer.used, tensor))
      return layer.error("tensor " + quoted(tensor->name) + " (" + tensor->type->name + ", " +
                         tensor->shapeText() +
                         ") stands beside its weights, and lutc does not know what it does to them; merge it "
                         "into the weights, or remove it if it does nothing");
  }
  return Error::success();
}

// One for each row, where the layer does not share its tensor.
static Error checkBias(const Layer &layer, StringRef stem, const WeightSource &source) {
  const Tensor *bias = layer.checkpoint.find((stem + "bias").str());
  if (!bias || source.tensors.empty() || source.tensors.front()->shape.size() != 2 ||
      bias->elements() == source.n)
    return Error::success();
  return layer.error("tensor " + quoted(bias->name) + " is of " + bias->shapeText() + ", and the layer has " +
                     Twine(source.n) + " rows; the checkpoint is damaged");
}

namespace {

// A layer with the reader's result, and how the names of all its tensors begin.
struct OpenedLayer {
  std::string stem;
  WeightSourceOr source;
};

} // namespace

static OpenedLayer openGgufLayer(const Layer &layer, std::optional<Format> format) {
  GgufName found = findGgufTensor(layer.checkpoint, layer.name);
  if (!layer.use(found.tensor))
    return {"", layer.error("the checkpoint has no weights of this name; lutc inspect lists its tensors")};
  StringRef stem = found.tensor->name;
  stem.consume_back(".weight");
  auto source = openGguf(layer, found, format);
  if (source && found.interleavedHeads)
    source = separateHalves(layer, std::move(*source), found.interleavedHeads);
  return {(stem + ".").str(), std::move(source)};
}

static WeightSourceOr openModule(const Layer &layer, const WeightStorage &storage,
                                 std::optional<Format> format) {
  if (const Tensor *floats = layer.findFloats())
    return openFloats(layer, *floats, storage, format);
  return storage.openPacked(layer, format);
}

static OpenedLayer openLayer(const Layer &layer, const WeightStorage &storage, std::optional<Format> format) {
  if (layer.checkpoint.isGguf())
    return openGgufLayer(layer, format);
  if (std::optional<StackedName> stacked = findStacked(layer.checkpoint, layer.name))
    return {(stacked->owner + "." + stacked->tensor).str(), openStacked(layer, *stacked, storage, format)};
  return {layer.name + ".", openModule(layer, storage, format)};
}

WeightSourceOr openWeights(const Checkpoint &checkpoint, const WeightStorage &storage, StringRef module,
                           std::optional<Format> format) {
  bool isStacked = !checkpoint.isGguf() && findStacked(checkpoint, module);
  Layer layer{checkpoint, checkpoint.isGguf() || isStacked ? module.str() : moduleNameIn(checkpoint, module)};
  OpenedLayer opened = openLayer(layer, storage, format);
  if (!opened.source && !opened.source.errorIsA<UnnamedFormat>())
    return opened.source.takeError();
  if (Error problem = checkOthers(layer, opened.stem)) {
    consumeError(opened.source.takeError());
    return std::move(problem);
  }
  if (!opened.source)
    return opened.source.takeError();
  (*opened.source)->tensors = *layer.used;
  if (Error problem = checkBias(layer, opened.stem, **opened.source))
    return std::move(problem);
  return std::move(opened.source);
}

} // namespace lut
