// The keys of lutc's own kernel list. The reader checks files against this table and `lutc schema` prints it.
#ifndef LUT_COMPILER_CONFIG_CONFIGKEYS_H
#define LUT_COMPILER_CONFIG_CONFIGKEYS_H

#include "compiler/config/ConfigTree.h"

namespace lut {

enum class KeyKind {
  Identifier,
  Dimension,
  Fraction,
  Format,
  Choice,
  Identifiers, // names of variants
  Names,       // C identifiers
  Modules,     // a pattern of modules' names, or a list of them
  Mapping,
  Mappings,
  Text,
  Positive, // a number above 0
  Count     // an integer, at least 0
};

struct ConfigKey {
  llvm::StringRef name;
  KeyKind kind;
  bool required;
  llvm::StringRef help;
  std::vector<llvm::StringRef> choices = {}; // of a Choice
  llvm::ArrayRef<ConfigKey> members = {};    // of a Mapping, or of each of the Mappings
};

// C identifiers name libraries and kernels.
bool isIdentifier(llvm::StringRef name);

inline constexpr int64_t maxDimension = int64_t(1) << 24; // of n and k

// The top level of the file.
llvm::ArrayRef<ConfigKey> kernelListKeys();
// The top level of a tuning file.
llvm::ArrayRef<ConfigKey> tuningKeys();

llvm::ArrayRef<llvm::StringRef> numericsNames();
llvm::ArrayRef<llvm::StringRef> strategyNames();

// Reports unknown and missing keys and values of the wrong kind, at any depth; true: there were none.
bool checkKeys(const ConfigNode &mapping, llvm::ArrayRef<ConfigKey> keys, Diagnostics &diagnostics);

// The JSON schema of the kernel list.
void printSchema(llvm::ArrayRef<std::string> variants, llvm::raw_ostream &out);

} // namespace lut

#endif
