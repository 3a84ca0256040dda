#include "compiler/checkpoint/WeightSource.h"

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
  for (int64_t i = 0; i < count * groups; ++i) {
    if (!std::isfinite(values[i]))
      return rows->layer.error("scale " + numberText(values[i]) + " of row " + Twine(first + i / groups) +
                               ", group " + Twine(i % groups) + " is not finite; the checkpoint is damaged");
    storeScale(format.scaleType, values[i], band.scales<void>(), i);
  }
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

WeightSourceOr openWeights(const Checkpoint &checkpoint, const WeightStorage &storage, StringRef module,
                           std::optional<Format> format) {
  if (checkpoint.isGguf()) {
    GgufName found = findGgufTensor(checkpoint, module);
    Layer layer{checkpoint, module.str()};
    if (!found.tensor)
      return layer.error("the checkpoint has no weights of this name; lutc inspect lists its tensors");
    auto source = openGguf(layer, *found.tensor, found.expert, format);
    if (!source || !found.interleavedHeads)
      return source;
    return separateHalves(layer, std::move(*source), found.interleavedHeads);
  }
  if (std::optional<StackedName> stacked = findStacked(checkpoint, module))
    return openStacked({checkpoint, module.str()}, *stacked, storage, format);
  Layer layer{checkpoint, moduleNameIn(checkpoint, module)};
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

} // namespace lut
