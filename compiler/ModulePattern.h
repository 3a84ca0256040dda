// Selects modules by name, as the writers of checkpoints do.
#ifndef LUT_COMPILER_MODULEPATTERN_H
#define LUT_COMPILER_MODULEPATTERN_H

#include "compiler/ConfigTree.h"
#include "llvm/Support/Regex.h"

namespace lut {

class ModulePattern {
public:
  static ModulePattern all();
  static ModulePattern exactly(llvm::StringRef name);
  static ModulePattern startingWith(llvm::StringRef beginning);
  static ModulePattern containing(llvm::StringRef part);
  // transformers' should_convert_module: a regular expression for the name's start, or the name's end.
  static std::optional<ModulePattern> startOrEnd(const ConfigNode &node, Diagnostics &diagnostics);
  // A Python regular expression for the name's start.
  static std::optional<ModulePattern> python(llvm::SMRange where, llvm::StringRef text,
                                             Diagnostics &diagnostics);

  bool matches(llvm::StringRef module) const;

private:
  std::string exact, ending, beginning, part; // empty: not tested
  std::optional<llvm::Regex> regex;
  bool any = false;
};

} // namespace lut

#endif
