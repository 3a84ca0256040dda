#include "compiler/quantizers/Quantizer.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

const WeightDecision &Quantization::decide(StringRef module) const {
  auto found = modules.find(module);
  if (found != modules.end())
    return found->second;
  const WeightDecision *decision = rules.find(module);
  return decision ? *decision : otherwise;
}

std::string Quantization::keptBy(StringRef module) const {
  const WeightDecision &decision = decide(module);
  return decision.reason;
}

bool Quantization::settle(std::optional<Format> weights, Diagnostics &diagnostics) {
  SMLoc reported; // decisions share their places
  auto settleOne = [&](WeightDecision &decision) {
    if (decision.isKept())
      return;
    auto [what, advice] = StringRef(decision.problem).split("; ");
    bool differs = weights && decision.format && weights->str() != decision.format->str();
    bool fails = differs || (!decision.format && !weights);
    if (fails && reported != decision.where.Start) {
      reported = decision.where.Start;
      if (differs)
        diagnostics.error(decision.where,
                          "--weights=" + weights->str() + " contradicts the config, whose weights are " +
                              decision.format->str(),
                          "remove --weights, or remove quantization_config if the weights are requantized");
      else
        diagnostics.error(decision.where, what, advice);
    }
    if (!decision.format)
      decision.format = weights;
  };
  settleOne(otherwise);
  for (WeightDecision &decision : rules.all())
    settleOne(decision);
  for (auto &entry : modules)
    settleOne(entry.second);
  return !diagnostics.failed();
}

const TensorReader *Quantization::readerOf(StringRef module) const {
  const WeightDecision &decision = decide(module);
  return decision.reader ? decision.reader.get() : reader.get();
}

std::string Quantization::name() const { return reader ? reader->name() : WeightStorage::name(); }

WeightSourceOr Quantization::openPacked(const Layer &layer, std::optional<Format> format) const {
  const TensorReader *reader = readerOf(layer.name);
  std::string found = layer.listTensors();
  if (!reader || found.empty())
    return WeightStorage::openPacked(layer, format);
  if (!reader->mainTensor().empty() && !layer.find(reader->mainTensor()))
    return layer.error("holds " + found + ", and " + reader->name() + " stores weights in " +
                       reader->mainTensor() +
                       "; lutc does not read such a layer, take the model in another form");
  return reader->open(layer, format);
}

std::optional<Format> Quantization::formatOfFloats(StringRef module) const {
  const TensorReader *reader = readerOf(module);
  return reader && !decide(module).isKept() && !module.ends_with("lm_head") ? reader->formatOfFloats()
                                                                            : std::nullopt;
}

bool Quantization::hasBlocks() const { return !reader || reader->hasBlocks(); }

Quantization quantizationOf(const Checkpoint &checkpoint) {
  Quantization result;
  for (const Tensor &tensor : checkpoint.tensors)
    if (StringRef name = tensor.name; name.consume_back(".qweight")) {
      result.reader = gptqReaderOf({checkpoint, name.str()});
      break;
    } else if (name.consume_back(".weight_packed")) {
      result.reader = packQuantizedReader(0, 0);
      break;
    }
  return result;
}

// Zero points and an order that the tensors turn out not to have are no contradiction.
std::string disagreement(const WeightDecision &planned, const WeightSource &stored) {
  if (planned.isKept() || stored.conversion != "as stored")
    return "";
  std::string taken = ", the tensors are " + stored.format.str() + ", which is taken";
  if (!planned.format && planned.problem.empty())
    return "";
  if (!planned.format)
    return "by quantization_config, " + StringRef(planned.problem).split("; ").first.str() + taken;
  Format format = *planned.format;
  format.zeroPoints |= stored.format.zeroPoints;
  Format found = stored.format;
  found.zeroPoints |= format.zeroPoints;
  found.permuted |= format.permuted;
  if (!found.group && format.group >= stored.k)
    found.group = format.group;
  return format.str() == found.str() ? "" : "quantization_config says " + planned.format->str() + taken;
}

} // namespace lut
