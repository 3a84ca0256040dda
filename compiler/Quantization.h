// What a checkpoint's quantization_config says about each of its weight matrices.
#ifndef LUT_COMPILER_QUANTIZATION_H
#define LUT_COMPILER_QUANTIZATION_H

#include "compiler/ConfigTree.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Regex.h"

namespace lut {

// Selects modules by name, as the writers of checkpoints do.
class ModulePattern {
public:
  static ModulePattern all();
  static ModulePattern exactly(llvm::StringRef name);
  // transformers' modules_to_not_convert: a regular expression for the name's start, or the name's end.
  static std::optional<ModulePattern> startOrEnd(const ConfigNode &node, Diagnostics &diagnostics);
  // A Python regular expression for the name's start.
  static std::optional<ModulePattern> python(llvm::SMRange where, llvm::StringRef text,
                                             Diagnostics &diagnostics);

  bool matches(llvm::StringRef module) const;

private:
  std::string exact, ending, beginning; // empty: not tested
  std::optional<llvm::Regex> regex;
  bool any = false;
};

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
  struct Rule {
    ModulePattern pattern;
    WeightDecision decision;
  };
  llvm::StringMap<WeightDecision> modules; // by name; the rules are for others
  std::vector<Rule> rules;                 // the first that matches decides
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
