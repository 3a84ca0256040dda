#include "compiler/quantizers/ModulePattern.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

using namespace llvm;

namespace lut {

// A Python regular expression that is matched at the start of a text. PCRE2 reads Python's syntax; \d, \w and
// \s are those of Unicode in both.
class Regex {
public:
  static std::shared_ptr<const Regex> compile(SMRange where, StringRef text, Diagnostics &diagnostics);

  bool matches(StringRef module) const;
  // A text that all matches begin with.
  StringRef prefix() const { return literal; }

private:
  struct Free {
    void operator()(pcre2_code *it) const { pcre2_code_free(it); }
    void operator()(pcre2_match_context *it) const { pcre2_match_context_free(it); }
    void operator()(pcre2_match_data *it) const { pcre2_match_data_free(it); }
  };

  Regex(SMRange where, StringRef text, Diagnostics &diagnostics)
      : where(where), text(text), diagnostics(diagnostics) {}
  int compileText();

  const SMRange where;
  const std::string text;
  Diagnostics &diagnostics;
  std::string literal;
  std::unique_ptr<pcre2_code, Free> code;
  std::unique_ptr<pcre2_match_context, Free> limits;
  std::unique_ptr<pcre2_match_data, Free> data;
  mutable bool failed = false; // and reported
};

static std::string message(int error) {
  uint8_t text[256];
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char *>(text);
}

// The characters before the first that may mean something else, or be repeated.
static std::string literalPrefix(StringRef text) {
  std::string prefix;
  size_t last = 0; // where the last character begins in the prefix
  auto isPlain = [](char c) { return isAlnum(c) || c == '_' || c == '-'; };
  if (text.contains('|'))
    return "";
  while (!text.empty()) {
    bool escaped = text.size() > 1 && text[0] == '\\' && ispunct(static_cast<unsigned char>(text[1]));
    if (!escaped && !isPlain(text[0]))
      break;
    last = prefix.size();
    prefix += text[escaped];
    text = text.drop_front(escaped ? 2 : 1);
  }
  bool isRepeated = !text.empty() && StringRef("*?{+").contains(text[0]);
  return isRepeated ? prefix.substr(0, last) : prefix;
}

// Python's {,3} is a text before PCRE2 10.43.
static std::string withLeastRepetition(StringRef text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escaped = text[i] == '\\' && i + 1 < text.size();
    StringRef rest = text.drop_front(i);
    bool open = rest.consume_front("{,") && rest.ltrim("0123456789").starts_with("}");
    out += text[i];
    if (escaped)
      out += text[++i];
    else if (open)
      out += '0';
  }
  return out;
}

int Regex::compileText() {
  static constexpr uint32_t mostSteps = 1'000'000, mostKiB = 16 * 1024;
  int error = 0;
  size_t at = 0;
  uint32_t options = PCRE2_ANCHORED | PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
  std::string pattern = withLeastRepetition(text);
  code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &error, &at,
                           nullptr));
  if (!code)
    return error;
  limits.reset(pcre2_match_context_create(nullptr));
  data.reset(pcre2_match_data_create_from_pattern(code.get(), nullptr));
  if (!limits || !data)
    report_bad_alloc_error("a regular expression");
  pcre2_set_match_limit(limits.get(), mostSteps);
  pcre2_set_heap_limit(limits.get(), mostKiB);
  literal = literalPrefix(text);
  return 0;
}

std::shared_ptr<const Regex> Regex::compile(SMRange where, StringRef text, Diagnostics &diagnostics) {
  std::shared_ptr<Regex> regex(new Regex(where, text, diagnostics));
  int error = regex->compileText();
  if (!error)
    return regex;
  diagnostics.error(where, "cannot read the regular expression '" + text + "': " + message(error),
                    "write it as Python's re takes it, or list the modules by name");
  return nullptr;
}

bool Regex::matches(StringRef module) const {
  if (failed)
    return false;
  int result = pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(module.data()), module.size(), 0, 0,
                           data.get(), limits.get());
  if (result >= 0 || result == PCRE2_ERROR_NOMATCH)
    return result >= 0;
  failed = true;
  diagnostics.error(where,
                    "cannot match the regular expression '" + text + "' with module '" + module +
                        "': " + message(result),
                    "rewrite it without nested repetitions, or list the modules by name");
  return false;
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
  pattern.regex = Regex::compile(where, text, diagnostics);
  return pattern.regex ? std::optional(pattern) : std::nullopt;
}

std::optional<ModulePattern> ModulePattern::startOrEnd(const ConfigNode &node, Diagnostics &diagnostics) {
  ModulePattern pattern;
  pattern.ending = node.text;
  if (StringRef(node.text).find_first_of("*+?()[]{}|\\^$") == StringRef::npos) {
    pattern.beginning = node.text;
    return pattern;
  }
  pattern.regex = Regex::compile(node.range, node.text, diagnostics);
  return pattern.regex ? std::optional(pattern) : std::nullopt;
}

bool ModulePattern::matches(StringRef module) const {
  return any || (!exact.empty() && module == exact) ||
         (!beginning.empty() && module.starts_with(beginning)) ||
         (!ending.empty() && module.ends_with(ending)) || (!part.empty() && module.contains(part)) ||
         (regex && regex->matches(module));
}

void ModuleIndex::Texts::add(StringRef text, size_t pattern) {
  patterns[text].push_back(pattern);
  lengths.insert(text.size());
}

void ModuleIndex::add(const ModulePattern &pattern) {
  size_t number = count++;
  for (auto [texts, text] : {std::pair(&exact, StringRef(pattern.exact)),
                             {&beginnings, pattern.beginning},
                             {&endings, pattern.ending},
                             {&parts, pattern.part}})
    if (!text.empty())
      texts->add(text, number);
  if (pattern.regex)
    prefixes.add(pattern.regex->prefix(), number);
  regexes.push_back(pattern.regex);
  if (pattern.any && !any)
    any = number;
}

std::optional<size_t> ModuleIndex::findFirst(StringRef module) const {
  size_t first = any.value_or(count);
  auto lookUp = [&](const Texts &texts, StringRef text) {
    auto found = texts.patterns.find(text);
    if (found != texts.patterns.end())
      first = std::min(first, found->second.front());
  };
  lookUp(exact, module);
  for (size_t length : beginnings.lengths)
    lookUp(beginnings, module.take_front(length));
  for (size_t length : endings.lengths)
    lookUp(endings, module.take_back(length));
  for (size_t length : parts.lengths)
    for (size_t at = 0; at + length <= module.size(); ++at)
      lookUp(parts, module.substr(at, length));
  for (size_t length : prefixes.lengths) {
    auto found =
        length <= module.size() ? prefixes.patterns.find(module.take_front(length)) : prefixes.patterns.end();
    if (found == prefixes.patterns.end())
      continue;
    for (size_t number : found->second)
      if (number < first && regexes[number]->matches(module))
        first = number;
  }
  return first < count ? std::optional(first) : std::nullopt;
}

} // namespace lut
