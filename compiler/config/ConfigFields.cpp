#include "compiler/config/ConfigFields.h"

using namespace llvm;

namespace lut {

SMRange ConfigFields::where(StringRef key) const {
  const ConfigMember *member = mapping.member(key);
  return member ? member->value.range : mapping.range;
}

void ConfigFields::missing(StringRef key, const Twine &note) const {
  diagnostics.error(where(key), "missing key '" + key + "'", note);
}

const ConfigNode *ConfigFields::expect(StringRef key, bool good(const ConfigNode &),
                                       StringRef expected) const {
  const ConfigNode *node = mapping.find(key);
  if (!node || good(*node))
    return node;
  diagnostics.error(node->range, "'" + key + "' must be " + expected + ", found " + node->describe(),
                    "write " + expected);
  return nullptr;
}

std::optional<int64_t> ConfigFields::integer(StringRef key, int64_t low, int64_t high) const {
  const ConfigNode *node = mapping.find(key);
  if (!node)
    return std::nullopt;
  auto value = node->integer();
  if (value && *value >= low && *value <= high)
    return value;
  int64_t unquoted;
  bool onlyQuoted = node->quoted && !StringRef(node->text).getAsInteger(10, unquoted);
  diagnostics.error(node->range,
                    "'" + key + "' must be an integer from " + Twine(low) + " to " + Twine(high) +
                        ", found " + node->describe(),
                    onlyQuoted ? "write the number without quotes"
                               : "take the value from the model's published config.json");
  return std::nullopt;
}

std::optional<bool> ConfigFields::boolean(StringRef key) const {
  auto good = [](const ConfigNode &node) { return node.boolean().has_value(); };
  const ConfigNode *node = expect(key, good, "true or false");
  return node ? node->boolean() : std::nullopt;
}

const ConfigNode *ConfigFields::string(StringRef key) const {
  return expect(key, [](const ConfigNode &node) { return node.isString(); }, "a string");
}

const ConfigNode *ConfigFields::map(StringRef key) const {
  return expect(key, [](const ConfigNode &node) { return node.kind == ConfigNode::Mapping; }, "a mapping");
}

ArrayRef<ConfigNode> ConfigFields::list(StringRef key) const {
  auto good = [](const ConfigNode &node) { return node.kind == ConfigNode::Sequence; };
  const ConfigNode *node = expect(key, good, "a list");
  return node ? ArrayRef(node->items) : ArrayRef<ConfigNode>();
}

ArrayRef<ConfigNode> ConfigFields::strings(StringRef key) const {
  ArrayRef<ConfigNode> items = list(key);
  for (const ConfigNode &item : items) {
    if (item.isString())
      continue;
    diagnostics.error(item.range, "'" + key + "' must be a list of names, found " + item.describe(),
                      "write module names in quotes");
    return {};
  }
  return items;
}

} // namespace lut
