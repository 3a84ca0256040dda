// What a checkpoint's quantization_config says about each of its weight matrices.
#ifndef LUT_COMPILER_QUANTIZATION_H
#define LUT_COMPILER_QUANTIZATION_H

#include "compiler/ModulePattern.h"
#include "llvm/ADT/StringMap.h"

namespace lut {

// A module's weights: in a format, or kept in float for a reason.
struct WeightDecision {
  std::optional<Format> format;
  std::string reason;
  bool operator==(const WeightDecision &other) const {
    return reason == other.reason && bool(format) == bool(other.format) &&
           (!format || format->str() == other.format->str());
  }
};

struct Quantization {
  llvm::StringMap<WeightDecision> modules; // by name; the rules are for others
  ModuleRules<WeightDecision> rules;
  WeightDecision otherwise;
  // Whether lm_head and the routers follow the rules; else the checkpoint keeps them in float.
  bool coversHead = false, coversRouters = false;

  WeightDecision decide(llvm::StringRef module) const;
  // Why the config keeps a module in float; empty: it does not say so.
  std::string keptBy(llvm::StringRef module) const;
  // Whether all modules are decided alike.
  bool isUniform() const { return modules.empty() && rules.empty(); }
};

// Reads a quantization_config. `weights` is --weights: the format where the config gives none, an error where
// it gives another.
std::optional<Quantization> readQuantization(const ConfigNode &config, std::optional<Format> weights,
                                             Diagnostics &diagnostics);

} // namespace lut

#endif
