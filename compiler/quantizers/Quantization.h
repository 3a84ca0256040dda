// What a quantization_config says of each layer: the format that it is compiled for, or why it is kept in
// float, and how its tensors are read. Read once, by the file of its method.
#ifndef LUT_COMPILER_QUANTIZERS_QUANTIZATION_H
#define LUT_COMPILER_QUANTIZERS_QUANTIZATION_H

#include "compiler/checkpoint/WeightSource.h"
#include "compiler/quantizers/ModulePattern.h"
#include "llvm/ADT/StringMap.h"

namespace lut {

class TensorReader;

// A module's weights: in a format, or kept in float for a reason. Neither: the config has no format for them.
struct WeightDecision {
  std::optional<Format> format;
  std::string reason;

  llvm::SMRange where = {};                             // in the config
  std::string problem = {};                             // why there is no format: "what is wrong; what to do"
  std::shared_ptr<const TensorReader> reader = nullptr; // null: that of the whole config

  bool isKept() const { return !reason.empty(); }
  bool operator==(const WeightDecision &other) const {
    return reason == other.reason && bool(format) == bool(other.format) &&
           (!format || format->str() == other.format->str());
  }
};

struct Quantization : WeightStorage {
  llvm::StringMap<WeightDecision> modules; // by name; the rules are for others
  ModuleRules<WeightDecision> rules;
  WeightDecision otherwise;
  // Whether lm_head and the routers follow the rules; else the checkpoint keeps them in float.
  bool coversHead = false, coversRouters = false;
  // Of an RMS norm before every product, with weights of its own: <module>.rms_norm.weight. 0: there is none.
  double productNormEpsilon = 0;
  std::shared_ptr<const TensorReader> reader; // null: the checkpoint has floats

  // What the config plans. Tensors that are there have the last word.
  const WeightDecision &decide(llvm::StringRef module) const;
  // Why the config keeps a module in float; empty: it does not.
  std::string keptBy(llvm::StringRef module) const;
  // Whether all modules are decided alike.
  bool isUniform() const { return modules.empty() && rules.empty(); }
  // Without tensors: gives weights that have no format that of --weights. Another than the config's, and none
  // where one is needed, are errors, which are reported.
  bool settle(std::optional<Format> weights, Diagnostics &diagnostics);

  std::string name() const override;
  llvm::Expected<std::unique_ptr<WeightSource>> openPacked(const Layer &layer,
                                                           std::optional<Format> format) const override;
  std::optional<Format> formatOfFloats(llvm::StringRef module) const override;
  bool hasBlocks() const override;

private:
  const TensorReader *readerOf(llvm::StringRef module) const;
};

// Reads a quantization_config. Nothing after an error, which is reported.
std::optional<Quantization> readQuantization(const ConfigNode &config, Diagnostics &diagnostics);

// Without a config: what the tensors of a safetensors checkpoint show.
Quantization quantizationOf(const Checkpoint &checkpoint);

// Where the tensors of a module have another format than the config says: one line on what is taken. Empty:
// they agree.
std::string disagreement(const WeightDecision &planned, const WeightSource &stored);

// A file beside config.json that older quantizers wrote, and its method, which it may leave out.
struct QuantizerFile {
  llvm::StringLiteral file, method;
};
llvm::ArrayRef<QuantizerFile> quantizerFiles();

} // namespace lut

#endif
