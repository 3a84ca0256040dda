#include "compiler/checkpoint/WeightSource.h"

#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/ModuleNames.h"
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
  for (int64_t i = 0; i < count * groups; ++i) {
    uint16_t half = halfOfFloat(values[i]);
    if (floatOfHalf(half) != values[i] || !std::isfinite(values[i])) {
      return rows->layer.error("scale " + numberText(values[i]) + " of row " + Twine(first + i / groups) +
                               ", group " + Twine(i % groups) +
                               (std::isfinite(values[i]) ? " is no f16 number; save the scales as F16"
                                                         : " is not finite; the checkpoint is damaged"));
    }
    band.scales<uint16_t>()[i] = half;
  }
  return Error::success();
}

// The format with the bits, groups and order of stored integers; nothing: there is none.
static std::optional<Format> formatOf(const IntegerRows &rows, bool zeroPoints, bool permuted) {
  std::string name = "w" + std::to_string(rows.bits);
  if (rows.group < rows.k)
    name += "g" + std::to_string(rows.group);
  Expected<Format> format = parseFormat(name + (zeroPoints ? "z" : "") + (permuted ? "p" : ""));
  if (format)
    return *format;
  consumeError(format.takeError());
  return std::nullopt;
}

// Groups of the whole row may be written as groups of at least k.
static bool isFormat(const Format &wanted, const Format &stored, int64_t k) {
  Format written = stored;
  if (!stored.group && wanted.group >= k)
    written.group = wanted.group;
  return wanted.str() == written.str();
}

static WeightSourceOr openIntegers(std::unique_ptr<IntegerRows> rows, std::optional<Format> wanted) {
  const Layer &layer = rows->layer;
  // Zero points in the middle of the codes are the same as none, and any order may be written as one.
  bool zeroPoints = !rows->symmetric || (wanted && wanted->zeroPoints);
  bool permuted = !rows->order.empty() || (wanted && wanted->permuted);
  std::optional<Format> stored = formatOf(*rows, zeroPoints, permuted);
  std::string what = std::to_string(rows->bits) + "-bit weights in groups of " + std::to_string(rows->group);
  if (!stored && !wanted)
    return layer.error("no format holds " + what +
                       "; name a format that the weights are rounded to, such as --weights=w4g32");
  if (!stored)
    return roundWeights(std::move(rows), what, *wanted);
  if (wanted && !isFormat(*wanted, *stored, rows->k))
    return otherFormat(layer, stored->str(), *wanted);
  return std::make_unique<StoredSource>(std::move(rows), wanted ? *wanted : *stored);
}

static WeightSourceOr openIntegers(IntegerRowsOr rows, std::optional<Format> wanted) {
  if (!rows)
    return rows.takeError();
  return openIntegers(std::move(*rows), wanted);
}

static WeightSourceOr openFloats(const Layer &layer, const WeightStorage &storage,
                                 std::optional<Format> wanted) {
  const Tensor *tensor = layer.find("weight");
  if (!tensor)
    return layer.error("the checkpoint has no weights of this name; lutc inspect lists its tensors");
  if (storage.isTernary && !wanted && !StringRef(layer.name).ends_with("lm_head"))
    wanted = cantFail(parseFormat("w158"));
  auto checked = layer.get("weight", floatTypes(), {-1, -1});
  if (!checked)
    return checked.takeError();
  if (!wanted)
    return unnamedFormat(layer, *tensor->type);
  return roundWeights(floatRows(layer, *tensor, tensor->bytes), tensor->type->name, *wanted);
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
    bool isOwn = suffix.consume_front(".") || suffix.starts_with("_");
    if (isOwn && !isBesideWeights(suffix) && !is_contained(*layer.used, tensor))
      return layer.error("tensor " + quoted(tensor->name) + " (" + tensor->type->name + ", " +
                         tensor->shapeText() +
                         ") stands beside its weights, and lutc does not know what it does to them; merge it "
                         "into the weights, or remove it if it does nothing");
  }
  return Error::success();
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
  using Method = WeightStorage::Method;
  if (layer.find("qweight"))
    return openIntegers(storage.method == Method::AwqGemm || storage.method == Method::AwqGemv
                            ? openAwq(layer, storage)
                            : openGptq(layer, storage),
                        format);
  if (layer.find("weight_packed"))
    return openIntegers(openCompressedTensors(layer, storage), format);
  const Tensor *weights = layer.find("weight");
  if (weights && weights->type->id == TensorType::Id::U8 && storage.method == Method::Bitnet) {
    auto source = openBitnet(layer, storage);
    if (source && format && format->str() != "w158")
      return otherFormat(layer, "w158", *format);
    return source;
  }
  return openFloats(layer, storage, format);
}

static OpenedLayer openLayer(const Layer &layer, const WeightStorage &storage, std::optional<Format> format) {
  if (layer.checkpoint.isGguf())
    return openGgufLayer(layer, format);
  if (std::optional<StackedName> stacked = findStacked(layer.checkpoint, layer.name))
    return {(stacked->experts + "." + stacked->tensor).str(), openStacked(layer, *stacked, storage, format)};
  return {layer.name + ".", openModule(layer, storage, format)};
}

WeightSourceOr openWeights(const Checkpoint &checkpoint, const WeightStorage &storage, StringRef module,
                           std::optional<Format> format) {
  bool isStacked = !checkpoint.isGguf() && findStacked(checkpoint, module);
  Layer layer{checkpoint, checkpoint.isGguf() || isStacked ? module.str() : moduleNameIn(checkpoint, module)};
  OpenedLayer opened = openLayer(layer, storage, format);
  if (!opened.source)
    return opened.source.takeError();
  if (Error problem = checkOthers(layer, opened.stem))
    return std::move(problem);
  (*opened.source)->tensors = *layer.used;
  return std::move(opened.source);
}

} // namespace lut
