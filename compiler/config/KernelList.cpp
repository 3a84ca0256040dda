#include "compiler/config/KernelList.h"

#include "compiler/config/ConfigKeys.h"
#include "compiler/config/Groups.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <deque>

using namespace llvm;

namespace lut {

namespace {

class KernelListReader {
public:
  KernelListReader(const ConfigOptions &options, Diagnostics &diagnostics)
      : options(options), diagnostics(diagnostics) {}

  std::optional<LibrarySpec> read(const ConfigNode &root);

private:
  void applyDefaults(const ConfigNode *defaults);
  void readSettings(const ConfigNode &mapping, KernelSpec &kernel);
  void readShape(const ConfigNode &mapping, KernelSpec &kernel);
  void readKernel(const ConfigNode &mapping);
  void readModules(const ConfigNode &value, KernelSpec &kernel);
  void checkSettings(const ConfigNode &mapping, const KernelSpec &kernel);
  void checkSymbols(const ConfigNode &name, ArrayRef<StringRef> suffixes);
  void readChoice(const ConfigNode &mapping, StringRef key, StringRef option, std::string &value);
  void readVariants(const ConfigNode &list);

  const ConfigOptions &options;
  Diagnostics &diagnostics;
  KernelSpec defaults;
  LibrarySpec library;
  std::deque<ConfigNode> names;          // of kernels, also those that their formats give
  StringMap<const ConfigNode *> symbols; // upper-case stem of every symbol, with the name it comes from
  StringMap<const ConfigNode *> modules; // patterns, where they stand
};

} // namespace

// The command line fills what the file leaves open or calls auto, and must not contradict the rest.
void KernelListReader::readChoice(const ConfigNode &mapping, StringRef key, StringRef option,
                                  std::string &value) {
  const ConfigNode *node = mapping.find(key);
  if (!node)
    return;
  value = node->text;
  if (option.empty() || option == "auto" || value == option)
    return;
  if (value == "auto")
    value = option;
  else
    diagnostics.error(node->range, "--" + key + "=" + option + " contradicts the config",
                      "remove the option, or write " + key + ": " + option);
}

void KernelListReader::readSettings(const ConfigNode &mapping, KernelSpec &kernel) {
  if (const ConfigNode *node = mapping.find("format")) {
    kernel.format = cantFail(parseFormat(node->text));
    if (options.weights && options.weights->str() != kernel.format.str())
      diagnostics.error(node->range, "--weights=" + options.weights->str() + " contradicts the config",
                        "remove the option, or write format: " + options.weights->str());
  }
  readChoice(mapping, "numerics", options.numerics, kernel.numerics);
  readChoice(mapping, "strategy", options.strategy, kernel.strategy);
  if (const ConfigNode *node = mapping.find("error_budget"))
    kernel.errorBudget = *node->number();
}

void KernelListReader::applyDefaults(const ConfigNode *mapping) {
  if (options.weights)
    defaults.format = *options.weights;
  if (!options.numerics.empty())
    defaults.numerics = options.numerics;
  if (!options.strategy.empty())
    defaults.strategy = options.strategy;
  if (mapping)
    readSettings(*mapping, defaults);
}

// Two kernels or groups whose generated names meet: q and q_pack, or q and Q (macros are upper-case).
void KernelListReader::checkSymbols(const ConfigNode &name, ArrayRef<StringRef> suffixes) {
  for (StringRef suffix : suffixes) {
    auto [entry, fresh] = symbols.try_emplace(StringRef(name.text + suffix.str()).upper(), &name);
    if (fresh)
      continue;
    const ConfigNode &first = *entry->second;
    bool same = first.text == name.text;
    diagnostics.error(name.range,
                      same ? "two kernels or groups are called '" + name.text + "'"
                           : "the symbols of '" + name.text + "' clash with those of '" + first.text + "'",
                      "");
    diagnostics.noteAt(first.range, "the first one; give one of them another name");
    return;
  }
  if (name.text == "library")
    diagnostics.error(name.range, "'library' names the table of all kernels", "give it another name");
}

void KernelListReader::checkSettings(const ConfigNode &mapping, const KernelSpec &kernel) {
  if (!kernel.format.row)
    diagnostics.error(mapping.range, "kernel '" + kernel.name + "' has no weight format",
                      "write format: w2g128 here or in `defaults`, or give --weights");
  auto at = [&](StringRef key) {
    const ConfigNode *node = mapping.find(key);
    return node ? node->range : mapping.range;
  };
  if (kernel.numerics == "t8" && kernel.strategy == "dot")
    diagnostics.error(at(mapping.find("strategy") ? "strategy" : "numerics"),
                      "strategy dot has no tables, and numerics t8 rounds table entries",
                      "write numerics: a8, or strategy: lookup");
  if (kernel.format.row && !kernel.format.hasTables() && kernel.needsTables())
    diagnostics.error(at(mapping.find("strategy") && kernel.strategy == "lookup" ? "strategy" : "numerics"),
                      "format " + kernel.format.str() + " has no bit planes that could index tables",
                      "write numerics: a8 and strategy: dot, or remove both");
  if (mapping.find("error_budget") && kernel.numerics != "auto")
    diagnostics.error(at("error_budget"), "error_budget has no effect with numerics " + kernel.numerics,
                      "write numerics: auto, or remove error_budget");
}

// Modules that two kernels claim by different patterns are found when a checkpoint is packed.
void KernelListReader::readModules(const ConfigNode &value, KernelSpec &kernel) {
  bool isList = value.kind == ConfigNode::Sequence;
  for (const ConfigNode &pattern : isList ? ArrayRef(value.items) : ArrayRef(value)) {
    auto [entry, fresh] = modules.try_emplace(pattern.text, &pattern);
    if (!fresh) {
      diagnostics.error(pattern.range, "the modules '" + pattern.text + "' are claimed twice", "");
      diagnostics.noteAt(entry->second->range, "the first time; remove one of them");
    }
    kernel.modules.push_back(pattern.text);
  }
}

// Both of n and k, or neither: the kernel of a format for any.
void KernelListReader::readShape(const ConfigNode &mapping, KernelSpec &kernel) {
  const ConfigNode *n = mapping.find("n"), *k = mapping.find("k");
  if (n && k) {
    kernel.n = *n->integer();
    kernel.k = *k->integer();
  } else if (n || k) {
    diagnostics.error((n ? n : k)->range, n ? "n without k" : "k without n",
                      "write both, or neither for a kernel whose n and k are given at run time");
  } else if (const ConfigNode *modules = mapping.find("modules")) {
    diagnostics.error(modules->range, "modules of a kernel without n and k",
                      "write n and k, or remove modules: such weights are packed at run time");
  }
}

void KernelListReader::readKernel(const ConfigNode &mapping) {
  KernelSpec kernel = defaults;
  readSettings(mapping, kernel);
  readShape(mapping, kernel);
  const ConfigNode *named = mapping.find("name");
  if (!named && (!kernel.isOpen() || !kernel.format.row))
    return diagnostics.error(mapping.range, "a kernel has no name", "write name: q_proj");
  ConfigNode name = named ? *named : mapping;
  if (!named)
    name.text = kernel.format.str();
  kernel.name = name.text;
  kernel.position = diagnostics.position(name.range);
  if (const ConfigNode *modules = mapping.find("modules"))
    readModules(*modules, kernel);
  names.push_back(std::move(name));
  checkSymbols(names.back(), {"", "_pack", "_kernel"});
  checkSettings(mapping, kernel);
  library.kernels.push_back(std::move(kernel));
}

void KernelListReader::readVariants(const ConfigNode &list) {
  SmallVector<StringRef> known(options.knownVariants.begin(), options.knownVariants.end());
  for (const ConfigNode &item : list.items) {
    if (is_contained(library.variants, item.text))
      diagnostics.error(item.range, "'" + item.text + "' is listed twice", "remove one of them");
    else if (!known.empty() && !is_contained(known, item.text))
      diagnostics.error(item.range, "unknown variant '" + item.text + "'",
                        suggest(item.text, known) + "the variants are " + alternatives(known));
    library.variants.push_back(item.text);
  }
  for (const std::string &name : options.variants)
    if (!is_contained(library.variants, name))
      diagnostics.error(list.range, "--variants asks for '" + name + "', which the config does not list",
                        "add it here, or remove `variants` to leave the choice to the command line");
}

std::optional<LibrarySpec> KernelListReader::read(const ConfigNode &root) {
  if (!checkKeys(root, kernelListKeys(), diagnostics))
    return std::nullopt;
  if (const ConfigNode *name = root.find("library"))
    library.name = name->text;
  applyDefaults(root.find("defaults"));
  for (const ConfigNode &kernel : root.find("kernels")->items)
    readKernel(kernel);
  if (const ConfigNode *groups = root.find("groups"))
    for (const ConfigNode &group : groups->items) {
      checkSymbols(*group.find("name"), {"", "_group"});
      library.groups.push_back(readGroup(group, library, diagnostics));
    }
  const ConfigNode *targets = root.find("targets");
  const ConfigNode *variants = targets ? targets->find("variants") : nullptr;
  if (variants)
    readVariants(*variants);
  if (!options.include.empty())
    diagnostics.error(root.member("kernels")->range, "--include has no effect on a list of kernels",
                      "add the kernel to the list");
  if (diagnostics.failed())
    return std::nullopt;
  return std::move(library);
}

std::optional<LibrarySpec> readKernelList(const ConfigNode &root, const ConfigOptions &options,
                                          Diagnostics &diagnostics) {
  return KernelListReader(options, diagnostics).read(root);
}

} // namespace lut
