#include "compiler/Inspect.h"

#include "compiler/checkpoint/FileKind.h"
#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/WeightSource.h"
#include "compiler/model/ConfigFile.h"
#include "compiler/pack/InspectPacked.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/Log.h"
#include "compiler/report/TensorRows.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace llvm;

namespace lut {

namespace {

// A linear layer, and the format that holds its weights losslessly.
struct LinearLayer {
  std::string name;
  int64_t n = 0, k = 0;
  std::string format;  // empty: none, for the reason in `problem`
  std::string problem; // "what is wrong; what to do"
  bool permuted = false;
};

} // namespace

static LinearLayer describeLayer(const Checkpoint &checkpoint, const WeightStorage &storage, StringRef module,
                                 const Tensor &tensor) {
  LinearLayer layer;
  layer.name = module.str();
  auto source = openWeights(checkpoint, storage, module, std::nullopt);
  if (source) {
    layer.n = (*source)->n;
    layer.k = (*source)->k;
    layer.format = (*source)->format.str();
    layer.permuted = (*source)->format.permuted;
    return layer;
  }
  // The path and the name stand in front of the message.
  std::string problem = toString(source.takeError());
  layer.problem = StringRef(problem).split("': ").second.str();
  if (tensor.type->hasValues() && tensor.shape.size() >= 2) {
    layer.n = tensor.shape[tensor.shape.size() - 2];
    layer.k = tensor.shape.back();
  }
  return layer;
}

static std::vector<LinearLayer> describeLayers(const Checkpoint &checkpoint, const WeightStorage &storage) {
  std::vector<LinearLayer> layers;
  for (const LinearTensor &linear : linearTensors(checkpoint))
    layers.push_back(describeLayer(checkpoint, storage, linear.module, *linear.tensor));
  return layers;
}

static void printText(const Checkpoint &checkpoint, const WeightStorage &storage,
                      ArrayRef<LinearLayer> layers, raw_ostream &out) {
  uint64_t bytes = 0;
  TensorRows tensors, linears;
  for (const Tensor &tensor : checkpoint.tensors) {
    bytes += tensor.bytes.size();
    tensors.add(tensor.name, {tensor.type->name, tensor.shapeText(), int64_t(tensor.bytes.size())});
  }
  for (const LinearLayer &layer : layers)
    linears.add(layer.name,
                {std::to_string(layer.n) + " x " + std::to_string(layer.k),
                 layer.format.empty() ? "none" : layer.format,
                 layer.permuted ? "in activation order" : StringRef(layer.problem).split(';').first});
  out << checkpoint.path << ": "
      << (checkpoint.isGguf() ? "GGUF " + std::to_string(checkpoint.version) : "safetensors") << ", "
      << checkpoint.tensors.size() << " tensors of " << bytes << " bytes in " << checkpoint.files.size()
      << (checkpoint.files.size() == 1 ? " file" : " files") << "\n";
  if (!checkpoint.isGguf())
    out << "quantization: " << storage.name() << "\n";
  for (const MetadataEntry &entry : checkpoint.metadata.entries)
    if (!entry.key.starts_with("tokenizer.")) {
      out << "  " << printable(entry.key) << " = ";
      entry.value.print(out);
      out << "\n";
    }
  out << "\n";
  tensors.print({"tensor", "count", "type", "shape", "bytes"}, out);
  if (layers.empty())
    return;
  out << "\n";
  linears.print({"linear layer", "count", "n x k", "format", ""}, out);
}

static constexpr size_t maxListed = 256; // integers of a list; vocabularies have more

static void printMetadata(const Metadata &metadata, json::OStream &json) {
  StringSet<> seen;
  for (const MetadataEntry &entry : metadata.entries) {
    if (!seen.insert(entry.key).second)
      continue;
    if (auto text = entry.value.string())
      json.attribute(entry.key, *text);
    else if (auto integer = entry.value.integer())
      json.attribute(entry.key, *integer);
    else if (auto truth = entry.value.boolean())
      json.attribute(entry.key, *truth);
    else if (auto number = entry.value.number(); number && std::isfinite(*number))
      json.attribute(entry.key, *number);
    else if (auto integers = entry.value.integers(); integers && integers->size() <= maxListed)
      json.attribute(entry.key, json::Array(*integers));
    else {
      std::string text;
      raw_string_ostream stream(text);
      entry.value.print(stream);
      json.attribute(entry.key, text);
    }
  }
}

static void printJson(const Checkpoint &checkpoint, const WeightStorage &storage,
                      ArrayRef<LinearLayer> layers, raw_ostream &out) {
  json::OStream json(out, 2);
  json.object([&] {
    json.attribute("container", checkpoint.isGguf() ? "gguf" : "safetensors");
    if (checkpoint.isGguf())
      json.attribute("version", int64_t(checkpoint.version));
    json.attribute("files", json::Array(checkpoint.files));
    json.attribute("quantization", checkpoint.isGguf() ? "by tensor" : storage.name());
    json.attributeObject("metadata", [&] { printMetadata(checkpoint.metadata, json); });
    json.attributeArray("tensors", [&] {
      for (const Tensor &tensor : checkpoint.tensors)
        json.object([&] {
          json.attribute("name", tensor.name);
          json.attribute("type", tensor.type->name);
          json.attribute("shape", json::Array(tensor.shape));
          json.attribute("bytes", int64_t(tensor.bytes.size()));
        });
    });
    json.attributeArray("linear_layers", [&] {
      for (const LinearLayer &layer : layers)
        json.object([&] {
          json.attribute("name", layer.name);
          json.attribute("n", layer.n);
          json.attribute("k", layer.k);
          json.attribute("format", layer.format.empty() ? json::Value(nullptr) : json::Value(layer.format));
          if (!layer.problem.empty())
            json.attribute("problem", layer.problem);
          json.attribute("activation_order", layer.permuted);
        });
    });
  });
  out << "\n";
}

int inspect(const InspectRequest &request) {
  if (fileKind(request.path) == FileKind::Packed)
    return inspectPacked(request.path, request.json);
  Expected<Checkpoint> checkpoint = openCheckpoint(request.path);
  if (!checkpoint)
    return reportError(checkpoint.takeError());
  SourceMgr sources;
  Diagnostics diagnostics(sources);
  std::optional<Quantization> storage = readQuantization(*checkpoint, diagnostics);
  if (!storage)
    return ExitError;
  for (const std::string &note : checkpoint->notes)
    logLine(note);
  std::vector<LinearLayer> layers = describeLayers(*checkpoint, *storage);
  if (request.json)
    printJson(*checkpoint, *storage, layers, outs());
  else
    printText(*checkpoint, *storage, layers, outs());
  return ExitOk;
}

} // namespace lut
