#include "compiler/ModulePattern.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

// Whether the text ends in a repetition, which a ? behind it makes lazy.
static bool isQuantifier(StringRef text) {
  StringRef last = text.take_back(1);
  return !last.empty() && StringRef("*+?}").contains(last) && !text.drop_back(1).ends_with("\\");
}

// Python's regular expressions in POSIX terms: classes are spelled out, laziness does not change whether
// there is a match, groups are not captured anyway. Empty: there is no such term (look-around).
static std::string posixRegex(StringRef text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    StringRef rest = text.drop_front(i);
    if (rest.starts_with("(?") && !rest.starts_with("(?:"))
      return "";
    if (rest.starts_with("(?:")) {
      out += '(';
      i += 2;
    } else if (rest.starts_with("\\d") || rest.starts_with("\\w")) {
      out += rest[1] == 'd' ? "[0-9]" : "[A-Za-z0-9_]";
      ++i;
    } else if (rest.starts_with("\\") && rest.size() > 1) {
      if (isAlnum(rest[1]))
        return "";
      out += rest.take_front(2);
      ++i;
    } else if (rest.starts_with("?") && isQuantifier(text.take_front(i))) {
      continue;
    } else {
      out += text[i];
    }
  }
  return out;
}

ModulePattern ModulePattern::all() {
  ModulePattern pattern;
  pattern.any = true;
  return pattern;
}

ModulePattern ModulePattern::exactly(StringRef name) {
  ModulePattern pattern;
  pattern.exact = name.str();
  return pattern;
}

ModulePattern ModulePattern::startingWith(StringRef beginning) {
  ModulePattern pattern;
  pattern.beginning = beginning.str();
  return pattern;
}

ModulePattern ModulePattern::containing(StringRef part) {
  ModulePattern pattern;
  pattern.part = part.str();
  return pattern;
}

std::optional<ModulePattern> ModulePattern::python(SMRange where, StringRef text, Diagnostics &diagnostics) {
  ModulePattern pattern;
  std::string problem, posix = posixRegex(text);
  pattern.regex.emplace("^(" + posix + ")");
  if (!posix.empty() && pattern.regex->isValid(problem))
    return pattern;
  if (posix.empty())
    problem = "look-around and classes other than \\d and \\w are not read";
  diagnostics.error(where, "cannot read the regular expression '" + text + "': " + problem,
                    "list the modules by name, or rewrite the expression");
  return std::nullopt;
}

std::optional<ModulePattern> ModulePattern::startOrEnd(const ConfigNode &node, Diagnostics &diagnostics) {
  ModulePattern pattern;
  pattern.beginning = pattern.ending = node.text;
  if (StringRef(node.text).find_first_of("*+?()[]{}|\\^$") == StringRef::npos)
    return pattern;
  pattern.beginning.clear();
  auto beginning = python(node.range, node.text, diagnostics);
  if (!beginning)
    return std::nullopt;
  pattern.regex = std::move(beginning->regex);
  return pattern;
}

bool ModulePattern::matches(StringRef module) const {
  return any || (!exact.empty() && module == exact) ||
         (!beginning.empty() && module.starts_with(beginning)) ||
         (!ending.empty() && module.ends_with(ending)) || (!part.empty() && module.contains(part)) ||
         (regex && regex->match(module));
}

} // namespace lut
