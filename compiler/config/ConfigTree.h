// A YAML or JSON document as a tree in which every key and value knows its place in the file.
#ifndef LUT_COMPILER_CONFIG_CONFIGTREE_H
#define LUT_COMPILER_CONFIG_CONFIGTREE_H

#include "compiler/config/Diagnostics.h"
#include <vector>

namespace lut {

struct ConfigMember;

struct ConfigNode {
  enum Kind { Null, Scalar, Sequence, Mapping };

  Kind kind = Null;
  std::string text;    // of a scalar, unescaped
  bool quoted = false; // a quoted scalar is a string, whatever it looks like
  llvm::SMRange range; // of a scalar; else of the key it belongs to, or of the first key
  std::vector<ConfigNode> items;
  std::vector<ConfigMember> members;

  bool isString() const;
  std::optional<int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<bool> boolean() const;
  // Null when there is no such member. A member whose value is null counts as absent.
  const ConfigMember *member(llvm::StringRef key) const;
  const ConfigNode *find(llvm::StringRef key) const;
  // "a mapping", "the string 'x'", "12": for messages.
  std::string describe() const;
};

struct ConfigMember {
  std::string key;
  llvm::SMRange range;
  ConfigNode value;
};

// Reads `path` into `sources`. Files called *.json must be JSON; everything else is YAML.
std::optional<ConfigNode> readConfigTree(llvm::StringRef path, Diagnostics &diagnostics);
// The same of a text, which goes to the sources.
std::optional<ConfigNode> readConfigTree(std::unique_ptr<llvm::MemoryBuffer> text, bool isJson,
                                         Diagnostics &diagnostics);

} // namespace lut

#endif
