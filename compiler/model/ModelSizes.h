// Sizes of a model: expressions of Families.def with the values of its config.
#ifndef LUT_COMPILER_MODEL_MODELSIZES_H
#define LUT_COMPILER_MODEL_MODELSIZES_H

#include "compiler/model/LanguageModel.h"
#include "llvm/ADT/StringMap.h"

namespace lut {

class ModelSizes {
public:
  ModelSizes(const LanguageModel &config, const Family &family, Diagnostics &diagnostics)
      : config(config), family(family), diagnostics(diagnostics) {}

  // Missing and wrong values are reported, once, and count as 1.
  int64_t value(llvm::StringRef expression);
  // Nothing where config and family are silent.
  std::optional<int64_t> find(llvm::StringRef name);
  // The key that gives the first size of an expression, or stands for it.
  llvm::StringRef key(llvm::StringRef expression) const;
  llvm::SMRange where(llvm::StringRef expression) const;

private:
  int64_t size(llvm::StringRef name);
  int64_t read(llvm::StringRef name);
  int64_t readNode(const ConfigNode &node, llvm::StringRef key);

  const LanguageModel &config;
  const Family &family;
  Diagnostics &diagnostics;
  llvm::StringMap<int64_t> known; // by name
};

} // namespace lut

#endif
