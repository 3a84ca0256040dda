#include "compiler/model/ModelSizes.h"

#include "compiler/config/ConfigKeys.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace lut {

static StringRef keysOf(StringRef name) {
  const KeyRow *row = findKey(name);
  return row ? StringRef(row->keys) : name;
}

StringRef ModelSizes::key(StringRef expression) const {
  for (StringRef name : split(expression, ' ')) {
    if (!isAlpha(name.front()))
      continue;
    for (StringRef key : split(keysOf(name), ' '))
      if (config.find(key))
        return key;
    StringRef fallback = fallbackOf(family, name);
    return fallback.empty() || isDigit(fallback.front()) ? split(keysOf(name), ' ').begin().operator*()
                                                         : key(fallback);
  }
  return expression;
}

SMRange ModelSizes::where(StringRef expression) const {
  StringRef name = key(expression);
  return ConfigFields(config.holding(name), diagnostics).where(name);
}

// A list has one value for each layer; 0 stands for none.
int64_t ModelSizes::readNode(const ConfigNode &node, StringRef key) {
  ConfigFields fields(config.holding(key), diagnostics);
  if (node.kind != ConfigNode::Sequence)
    return fields.integer(key, 1, maxDimension).value_or(1);
  int64_t value = 0;
  for (const ConfigNode &item : node.items) {
    int64_t own = item.integer().value_or(-1);
    if (own == 0 || own == value)
      continue;
    if (own < 0 || own > maxDimension || value) {
      diagnostics.error(
          item.range, "'" + key + "' must have the same value for all layers, found " + item.describe(),
          "give the checkpoint as a list of kernels with the modules that they compute (`lutc schema`)");
      return 1;
    }
    value = own;
  }
  return std::max<int64_t>(value, 1);
}

int64_t ModelSizes::read(StringRef name) {
  for (StringRef key : split(keysOf(name), ' '))
    if (const ConfigNode *node = config.find(key))
      return readNode(*node, key);
  StringRef fallback = fallbackOf(family, name), key = *split(keysOf(name), ' ').begin();
  if (!fallback.empty())
    return value(fallback);
  ConfigFields(config.holding(key), diagnostics)
      .missing(key, "copy it from the model's published config.json");
  return 1;
}

int64_t ModelSizes::size(StringRef name) {
  int64_t number;
  if (!name.getAsInteger(10, number))
    return number;
  auto found = known.find(name);
  if (found == known.end())
    found = known.try_emplace(name, read(name)).first;
  return found->second;
}

std::optional<int64_t> ModelSizes::find(StringRef name) {
  return config.findNamed(name) || !fallbackOf(family, name).empty() ? std::optional(size(name))
                                                                     : std::nullopt;
}

// Sums of products, from left to right. A quotient is rounded down, `a up b` up to a multiple of b.
int64_t ModelSizes::value(StringRef expression) {
  int64_t sum = 0, product = 1;
  StringRef operation = "*";
  for (StringRef word : split(expression, ' ')) {
    if (word == "*" || word == "/" || word == "up" || word == "+") {
      operation = word;
      continue;
    }
    int64_t operand = size(word);
    if (operation == "+") {
      sum = SaturatingAdd(uint64_t(sum), uint64_t(product));
      product = operand;
    } else if (operation == "*") {
      product = int64_t(
          std::min<uint64_t>(SaturatingMultiply(uint64_t(product), uint64_t(operand)), INT64_MAX / 2));
    } else {
      product = operation == "/" ? product / operand : int64_t(alignTo(uint64_t(product), uint64_t(operand)));
    }
  }
  return sum + product;
}

} // namespace lut
