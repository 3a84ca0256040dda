// Selects modules by name, as the writers of checkpoints do.
#ifndef LUT_COMPILER_QUANTIZERS_MODULEPATTERN_H
#define LUT_COMPILER_QUANTIZERS_MODULEPATTERN_H

#include "compiler/config/ConfigTree.h"
#include "llvm/ADT/StringMap.h"
#include <memory>
#include <set>

namespace lut {

class Regex;

class ModulePattern {
public:
  static ModulePattern all();
  static ModulePattern exactly(llvm::StringRef name);
  static ModulePattern startingWith(llvm::StringRef beginning);
  // AutoAWQ's and vLLM's modules_to_not_convert: a part of the name, wherever it stands.
  static ModulePattern containing(llvm::StringRef part);
  // transformers' should_convert_module: a regular expression for the name's start, or the name's end.
  static std::optional<ModulePattern> startOrEnd(const ConfigNode &node, Diagnostics &diagnostics);
  // A Python regular expression for the name's start (re.match). One that takes too long to match is an error
  // then: the diagnostics have to live as long as the pattern.
  static std::optional<ModulePattern> python(llvm::SMRange where, llvm::StringRef text,
                                             Diagnostics &diagnostics);

  bool matches(llvm::StringRef module) const;

private:
  friend class ModuleIndex;

  std::string exact, beginning, ending, part; // empty: not tested
  std::shared_ptr<const Regex> regex;
  bool any = false;
};

// Finds the first of many patterns that matches a name, without trying each: plain names are hashed, and an
// expression is tried where the name begins as it does.
class ModuleIndex {
public:
  void add(const ModulePattern &pattern);
  std::optional<size_t> findFirst(llvm::StringRef module) const;
  size_t size() const { return count; }

private:
  // Texts of patterns, with the first pattern of each; they are looked up by the lengths that occur.
  struct Texts {
    llvm::StringMap<llvm::SmallVector<size_t, 1>> patterns;
    std::set<size_t> lengths;

    void add(llvm::StringRef text, size_t pattern);
  };

  Texts exact, beginnings, endings, parts, prefixes; // prefixes: of what the expressions match
  std::vector<std::shared_ptr<const Regex>> regexes; // of each pattern, or null
  std::optional<size_t> any;
  size_t count = 0;
};

// Decisions about modules by name; the first pattern that matches decides.
template <typename Decision> class ModuleRules {
public:
  void add(const ModulePattern &pattern, Decision decision) {
    index.add(pattern);
    decisions.push_back(std::move(decision));
  }
  const Decision *find(llvm::StringRef module) const {
    std::optional<size_t> first = index.findFirst(module);
    return first ? &decisions[*first] : nullptr;
  }
  bool empty() const { return decisions.empty(); }
  llvm::MutableArrayRef<Decision> all() { return decisions; }

private:
  ModuleIndex index;
  std::vector<Decision> decisions;
};

} // namespace lut

#endif
