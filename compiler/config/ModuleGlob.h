// Patterns for names of modules, as lists of kernels write them: model.layers.*.self_attn.q_proj.
#ifndef LUT_COMPILER_CONFIG_MODULEGLOB_H
#define LUT_COMPILER_CONFIG_MODULEGLOB_H

#include "llvm/Support/Error.h"
#include "llvm/Support/Regex.h"
#include <string>

namespace lut {

// *                  any text without a dot: one part of a name, or a piece of one
// **                 any text
// {layer}, {expert}  a number, as manifests write names of projections
// All other characters stand for themselves.
class ModuleGlob {
public:
  // An error says "what is wrong; what to write".
  static llvm::Expected<ModuleGlob> parse(llvm::StringRef text);

  bool matches(llvm::StringRef module) const { return regex.match(module); }

private:
  explicit ModuleGlob(const std::string &expression) : regex(expression) {}

  llvm::Regex regex;
};

} // namespace lut

#endif
