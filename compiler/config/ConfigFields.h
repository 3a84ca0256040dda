// Typed values of a mapping that also holds keys of no interest to us. A wrong value is reported and read as
// absent.
#ifndef LUT_COMPILER_CONFIG_CONFIGFIELDS_H
#define LUT_COMPILER_CONFIG_CONFIGFIELDS_H

#include "compiler/config/ConfigTree.h"

namespace lut {

class ConfigFields {
public:
  ConfigFields(const ConfigNode &mapping, Diagnostics &diagnostics)
      : mapping(mapping), diagnostics(diagnostics) {}

  const ConfigNode *find(llvm::StringRef key) const { return mapping.find(key); }
  std::optional<int64_t> integer(llvm::StringRef key, int64_t low, int64_t high) const;
  std::optional<bool> boolean(llvm::StringRef key) const;
  const ConfigNode *string(llvm::StringRef key) const;
  const ConfigNode *map(llvm::StringRef key) const;
  llvm::ArrayRef<ConfigNode> list(llvm::StringRef key) const; // empty when absent
  llvm::ArrayRef<ConfigNode> strings(llvm::StringRef key) const;

  // Where to point for `key`: its value, or the mapping when it is absent.
  llvm::SMRange where(llvm::StringRef key) const;
  void missing(llvm::StringRef key, const llvm::Twine &note) const;

private:
  const ConfigNode *expect(llvm::StringRef key, bool good(const ConfigNode &),
                           llvm::StringRef expected) const;

  const ConfigNode &mapping;
  Diagnostics &diagnostics;
};

} // namespace lut

#endif
