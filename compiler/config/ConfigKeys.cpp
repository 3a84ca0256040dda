#include "compiler/config/ConfigKeys.h"

#include "codegen/library/Steps.h"
#include "compiler/config/ModuleGlob.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

static const std::vector<StringRef> numerics = {"auto", "a8", "t8"};
static const std::vector<StringRef> strategies = {"auto", "dot", "lookup"};

ArrayRef<StringRef> numericsNames() { return numerics; }
ArrayRef<StringRef> strategyNames() { return strategies; }

// What defaults and kernels have in common.
static const ConfigKey formatKey = {"format", KeyKind::Format, false,
                                    "weight format, such as w2g128 or w158"};
static const ConfigKey numericsKey = {
    "numerics", KeyKind::Choice, false,
    "numerics class: a8 (int8 activations), t8 (int8 tables), or the fastest within error_budget", numerics};
static const ConfigKey strategyKey = {
    "strategy", KeyKind::Choice, false,
    "dot (weight-side tables), lookup (activation-side tables), or the faster", strategies};
static const ConfigKey budgetKey = {
    "error_budget", KeyKind::Fraction, false,
    "NMSE against the float product that numerics auto may spend, default 1e-4"};

static std::vector<ConfigKey> stepKeys() {
  std::vector<ConfigKey> keys = {{"products", KeyKind::Names, false,
                                  "kernels that multiply the same activations; each leaves its result"}};
  for (const StepRow &row : stepRows())
    if (keys.back().name == row.verb)
      append_range(keys.back().choices, row.words);
    else
      keys.push_back(
          {row.verb, row.words.empty() ? KeyKind::Dimension : KeyKind::Choice, false, row.help, row.words});
  keys.push_back({"epsilon", KeyKind::Fraction, false, "of the norm"});
  keys.push_back(
      {"name", KeyKind::Identifier, false, "of the norm's or the residual's operand in the header"});
  return keys;
}

ArrayRef<ConfigKey> kernelListKeys() {
  static const ConfigKey defaults[] = {formatKey, numericsKey, strategyKey, budgetKey};
  static const ConfigKey kernel[] = {
      {"name", KeyKind::Identifier, false,
       "C identifier; the entry point is <library>_<name>. By default the format, where n and k are left out "
       "and given at run time"},
      {"n", KeyKind::Dimension, false, "number of output rows"},
      {"k", KeyKind::Dimension, false, "number of weights in a row"},
      {"modules", KeyKind::Modules, false,
       "the modules of a checkpoint that lutc pack packs for the kernel: model.layers.*.self_attn.q_proj, or "
       "a "
       "list of such patterns; * is any text without a dot, ** any text"},
      formatKey,
      numericsKey,
      strategyKey,
      budgetKey};
  static const ConfigKey targets[] = {
      {"variants", KeyKind::Identifiers, false, "instruction sets to compile for, default all of them"}};
  static const std::vector<ConfigKey> step = stepKeys();
  static const ConfigKey experts[] = {{"count", KeyKind::Dimension, true,
                                       "number of experts, each with weights of its own for every product"},
                                      {"top", KeyKind::Dimension, true, "number of experts of each token"}};
  static const ConfigKey group[] = {
      {"name", KeyKind::Identifier, true, "C identifier; the entry point is <library>_<name>"},
      {"experts",
       KeyKind::Mapping,
       false,
       "sends every token to the weights of some of many experts",
       {},
       experts},
      {"steps", KeyKind::Mappings, true, "what happens to x, in order", {}, step}};
  static const ConfigKey root[] = {
      {"library", KeyKind::Identifier, false,
       "C identifier, prefix of every symbol; default: the file's name"},
      {"defaults", KeyKind::Mapping, false, "for kernels that do not say otherwise", {}, defaults},
      {"kernels",
       KeyKind::Mappings,
       true,
       "the kernels to compile, each Y[m,n] = X[m,k] * W[n,k]^T",
       {},
       kernel},
      {"groups",
       KeyKind::Mappings,
       false,
       "kernels with norms, activation functions, residuals and biases around them, behind one entry point",
       {},
       group},
      {"targets", KeyKind::Mapping, false, "what to compile for", {}, targets}};
  return root;
}

ArrayRef<ConfigKey> tuningKeys() {
  static const ConfigKey kernel[] = {
      {"product", KeyKind::Text, true, "numerics class, format and shape"},
      {"schedule", KeyKind::Text, true, "the fastest #lut.schedule<...> of the product"},
      {"alone_us", KeyKind::Positive, true, "microseconds of a token alone, its weights cold"},
      {"batch_us", KeyKind::Positive, true, "microseconds of one token of a batch"}};
  static const ConfigKey root[] = {
      {"lutc_tuning", KeyKind::Dimension, true, "the version of the file's form"},
      {"cpu", KeyKind::Text, true, "the CPU that was measured"},
      {"variant", KeyKind::Identifier, true, "the instruction set that was measured"},
      {"kernels", KeyKind::Mappings, true, "what was measured", {}, kernel}};
  return root;
}

bool isIdentifier(StringRef name) {
  return !name.empty() && !isDigit(name[0]) && all_of(name, [](char c) { return isAlnum(c) || c == '_'; });
}

namespace {

// Checks one value against its row of the table. `what` names it in messages.
class KeyChecker {
public:
  KeyChecker(const ConfigKey &key, Diagnostics &diagnostics) : key(key), diagnostics(diagnostics) {}

  bool check(const ConfigNode &value);

private:
  bool reject(const ConfigNode &value, const Twine &expected, const Twine &note);
  bool checkIdentifier(const ConfigNode &value);
  bool checkNumber(const ConfigNode &value);
  bool checkFormat(const ConfigNode &value);
  bool checkChoice(const ConfigNode &value);
  bool checkPattern(const ConfigNode &value);
  bool checkList(const ConfigNode &value);

  const ConfigKey &key;
  Diagnostics &diagnostics;
};

} // namespace

bool KeyChecker::reject(const ConfigNode &value, const Twine &expected, const Twine &note) {
  diagnostics.error(value.range, "'" + key.name + "' must be " + expected + ", found " + value.describe(),
                    note);
  return false;
}

bool KeyChecker::checkIdentifier(const ConfigNode &value) {
  if (value.isString() && isIdentifier(value.text))
    return true;
  return reject(value, "a C identifier", "write letters, digits and underscores, not starting with a digit");
}

bool KeyChecker::checkNumber(const ConfigNode &value) {
  if (key.kind == KeyKind::Dimension || key.kind == KeyKind::Count) {
    int64_t least = key.kind == KeyKind::Dimension;
    auto integer = value.integer();
    if (integer && *integer >= least && *integer <= maxDimension)
      return true;
    return reject(value, "an integer from " + Twine(least) + " to " + Twine(maxDimension),
                  "write the " + key.help);
  }
  auto number = value.number();
  if (key.kind == KeyKind::Positive) {
    if (number && *number > 0)
      return true;
    return reject(value, "a number above 0", "write the " + key.help);
  }
  if (number && *number > 0 && *number <= 1)
    return true;
  return reject(value, "a number above 0 and at most 1", "write a number such as 1e-5");
}

bool KeyChecker::checkFormat(const ConfigNode &value) {
  if (!value.isString())
    return reject(value, "the name of a weight format", "write one such as w2g128 (`lutc list formats`)");
  Expected<Format> format = parseFormat(value.text);
  if (format)
    return true;
  diagnostics.error(value.range, format.takeError());
  return false;
}

bool KeyChecker::checkChoice(const ConfigNode &value) {
  if (value.isString() && is_contained(key.choices, value.text))
    return true;
  return reject(value, alternatives(key.choices),
                suggest(value.text, key.choices) + "write " + alternatives(key.choices));
}

bool KeyChecker::checkPattern(const ConfigNode &value) {
  if (!value.isString())
    return reject(value, "a pattern of modules' names or a list of them",
                  "write " + key.name + ": model.layers.*.self_attn.q_proj");
  Expected<ModuleGlob> glob = ModuleGlob::parse(value.text);
  if (glob)
    return true;
  diagnostics.error(value.range, glob.takeError());
  return false;
}

bool KeyChecker::checkList(const ConfigNode &value) {
  if (value.kind != ConfigNode::Sequence)
    return reject(value, "a list", "write " + key.name + ": [...]");
  if (value.items.empty()) {
    diagnostics.error(value.range, "'" + key.name + "' is empty", "list at least one entry");
    return false;
  }
  bool good = true;
  for (const ConfigNode &item : value.items) {
    if (key.kind == KeyKind::Modules)
      good &= checkPattern(item);
    else if (key.kind == KeyKind::Identifiers || key.kind == KeyKind::Names)
      good &= checkIdentifier(item);
    else if (item.kind == ConfigNode::Mapping)
      good &= checkKeys(item, key.members, diagnostics);
    else
      good = reject(item, "a list of mappings", "write - {" + key.members.front().name + ": ..., ...}");
  }
  return good;
}

bool KeyChecker::check(const ConfigNode &value) {
  switch (key.kind) {
  case KeyKind::Identifier:
    return checkIdentifier(value);
  case KeyKind::Dimension:
  case KeyKind::Fraction:
  case KeyKind::Positive:
  case KeyKind::Count:
    return checkNumber(value);
  case KeyKind::Text:
    return value.isString() || reject(value, "a string", "write the " + key.help);
  case KeyKind::Format:
    return checkFormat(value);
  case KeyKind::Choice:
    return checkChoice(value);
  case KeyKind::Modules:
    return value.kind == ConfigNode::Sequence ? checkList(value) : checkPattern(value);
  case KeyKind::Identifiers:
  case KeyKind::Names:
  case KeyKind::Mappings:
    return checkList(value);
  case KeyKind::Mapping:
    break;
  }
  if (value.kind == ConfigNode::Mapping)
    return checkKeys(value, key.members, diagnostics);
  return reject(value, "a mapping", "write " + key.name + ": {" + key.members.front().name + ": ...}");
}

bool checkKeys(const ConfigNode &mapping, ArrayRef<ConfigKey> keys, Diagnostics &diagnostics) {
  SmallVector<StringRef> names(map_range(keys, [](const ConfigKey &key) { return key.name; }));
  bool good = true;
  for (const ConfigMember &member : mapping.members) {
    const ConfigKey *key = find_if(keys, [&](const ConfigKey &key) { return key.name == member.key; });
    if (key != keys.end()) {
      good &= KeyChecker(*key, diagnostics).check(member.value);
      continue;
    }
    good = false;
    diagnostics.error(member.range, "unknown key '" + member.key + "'",
                      suggest(member.key, names) + "the keys here are " + alternatives(names));
  }
  for (const ConfigKey &key : keys) {
    if (!key.required || mapping.member(key.name))
      continue;
    good = false;
    diagnostics.error(mapping.range, "missing key '" + key.name + "'", "add `" + key.name + "`: " + key.help);
  }
  return good;
}

} // namespace lut
