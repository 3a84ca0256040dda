// The part of a Hugging Face config.json that describes the language model: what is nested wins over what is
// around it.
#ifndef LUT_COMPILER_MODEL_LANGUAGEMODEL_H
#define LUT_COMPILER_MODEL_LANGUAGEMODEL_H

#include "compiler/config/ConfigFields.h"
#include "compiler/families/Families.h"
#include "llvm/ADT/SmallVector.h"

namespace lut {

class LanguageModel {
public:
  explicit LanguageModel(const ConfigNode &root);

  const ConfigNode *find(llvm::StringRef key) const; // null: there is none, or it is null
  // The mapping that has the key, and the innermost one where none has.
  const ConfigNode &holding(llvm::StringRef key) const;
  const ConfigNode *findNamed(llvm::StringRef name) const; // as Blocks.def calls a key, or several
  // A value that is there, and neither false, 0 nor empty.
  bool has(llvm::StringRef name) const;

  // What the config calls the family, from the inside out; null: none that lutc knows.
  llvm::SmallVector<llvm::StringRef, 2> modelTypes() const;
  llvm::StringRef architecture() const; // the first one; empty: it names none
  const Family *family() const;

  const ConfigNode &root() const { return *nodes.back(); }
  bool isNested() const { return nodes.size() > 1; }
  llvm::StringRef prefix() const { return modules; } // of the names of its modules: "language_model."
  // Where a nested part stands, if it is no mapping.
  bool check(Diagnostics &diagnostics) const;

private:
  llvm::SmallVector<const ConfigNode *, 3> nodes; // the innermost first
  llvm::StringRef modules, broken;
};

} // namespace lut

#endif
