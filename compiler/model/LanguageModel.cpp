#include "compiler/model/LanguageModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

namespace {

struct NestedRow {
  StringLiteral key, modules;
};

constexpr NestedRow nestedRows[] = {{"text_config", "language_model."},
                                    {"llm_config", "language_model."},
                                    {"language_config", "language."},
                                    {"thinker_config", "thinker."}};

} // namespace

LanguageModel::LanguageModel(const ConfigNode &root) {
  nodes.push_back(&root);
  auto isThere = [&](const NestedRow &row) { return nodes.front()->find(row.key); };
  for (auto row = find_if(nestedRows, isThere); row != std::end(nestedRows);
       row = find_if(nestedRows, isThere)) {
    const ConfigNode *inner = nodes.front()->find(row->key);
    if (inner->kind != ConfigNode::Mapping) {
      broken = row->key;
      return;
    }
    nodes.insert(nodes.begin(), inner);
    if (modules.empty())
      modules = row->modules;
  }
}

bool LanguageModel::check(Diagnostics &diagnostics) const {
  return broken.empty() || ConfigFields(*nodes.front(), diagnostics).map(broken);
}

const ConfigNode *LanguageModel::find(StringRef key) const {
  for (const ConfigNode *node : nodes)
    if (const ConfigNode *found = node->find(key))
      return found;
  return nullptr;
}

const ConfigNode &LanguageModel::holding(StringRef key) const {
  auto found = find_if(nodes, [&](const ConfigNode *node) { return node->member(key); });
  return found == nodes.end() ? root() : **found;
}

const ConfigNode *LanguageModel::findNamed(StringRef name) const {
  const KeyRow *row = findKey(name);
  for (StringRef key : split(row ? StringRef(row->keys) : name, ' '))
    if (const ConfigNode *found = find(key))
      return found;
  return nullptr;
}

bool LanguageModel::has(StringRef name) const {
  const ConfigNode *node = findNamed(name);
  return node && node->boolean().value_or(true) && node->number().value_or(1) != 0 &&
         (node->kind != ConfigNode::Sequence || !node->items.empty());
}

SmallVector<StringRef, 2> LanguageModel::modelTypes() const {
  SmallVector<StringRef, 2> types;
  for (const ConfigNode *node : nodes)
    if (const ConfigNode *type = node->find("model_type"))
      types.push_back(type->text);
  return types;
}

StringRef LanguageModel::architecture() const {
  const ConfigNode *names = root().find("architectures");
  return names && !names->items.empty() ? StringRef(names->items.front().text) : "";
}

const Family *LanguageModel::family() const {
  for (StringRef type : modelTypes()) {
    if (const Family *family = findClass(architecture(), type))
      return family;
    if (const Family *family = findFamily(type))
      return family;
  }
  return nullptr;
}

} // namespace lut
