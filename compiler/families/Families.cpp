#include "compiler/families/Families.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace lut {

namespace {

// The rows of a table that belong to one owner stand together.
template <typename Row>
ArrayRef<Row> rowsOf(StringRef owner, ArrayRef<StringLiteral> owners, ArrayRef<Row> rows) {
  auto first = find(owners, owner);
  auto last = std::find_if(first, owners.end(), [&](StringRef other) { return other != owner; });
  return rows.slice(first - owners.begin(), last - first);
}

struct FamilyRow {
  StringLiteral modelType, frame, blocks, recipe, summary;
};

} // namespace

static ArrayRef<ProjectionRow> projectionsOf(StringRef block) {
  static constexpr StringLiteral owners[] = {
#define LUT_PROJECTION(block, ...) #block,
#include "compiler/families/Blocks.def"
  };
  static constexpr ProjectionRow rows[] = {
#define LUT_PROJECTION(block, ...) {__VA_ARGS__},
#include "compiler/families/Blocks.def"
  };
  return rowsOf<ProjectionRow>(block, owners, rows);
}

static ArrayRef<GroupRow> groupsOf(StringRef recipe) {
  static constexpr StringLiteral owners[] = {
#define LUT_GROUP(recipe, ...) #recipe,
#include "compiler/families/Recipes.def"
  };
  static constexpr GroupRow rows[] = {
#define LUT_GROUP(recipe, ...) {__VA_ARGS__},
#include "compiler/families/Recipes.def"
  };
  return rowsOf<GroupRow>(recipe, owners, rows);
}

static ArrayRef<WithheldRow> withheldOf(StringRef recipe) {
  static constexpr StringLiteral owners[] = {
#define LUT_WITHHELD(recipe, ...) #recipe,
#include "compiler/families/Recipes.def"
  };
  static constexpr WithheldRow rows[] = {
#define LUT_WITHHELD(recipe, ...) {__VA_ARGS__},
#include "compiler/families/Recipes.def"
  };
  return rowsOf<WithheldRow>(recipe, owners, rows);
}

static StringRef besideOf(StringRef recipe) {
  return StringSwitch<StringRef>(recipe)
#define LUT_BESIDE(recipe, modules) .Case(#recipe, modules)
#include "compiler/families/Recipes.def"
      .Default("");
}

ArrayRef<Frame> frames() {
  static constexpr Frame rows[] = {
#define LUT_FRAME(frame, ...) {#frame, __VA_ARGS__},
#include "compiler/families/Families.def"
  };
  return rows;
}

static bool lists(StringRef modelTypes, StringRef modelType) {
  return is_contained(split(modelTypes, ' '), modelType);
}

static bool hasQkNorm(StringRef modelType) {
  return false
#define LUT_QK_NORM(modelTypes) || lists(modelTypes, modelType)
#include "compiler/families/Families.def"
      ;
}

static void addStacks(Family &family) {
  enum { InHalves, InTurn };
  enum { InOrder, Transposed };
#define LUT_STACKS(types, rows, columns)                                                                     \
  if (lists(types, family.modelType)) {                                                                      \
    family.interleaved = rows == InTurn;                                                                     \
    family.transposed = columns == Transposed;                                                               \
  }
#include "compiler/families/Families.def"
}

static Family makeFamily(const FamilyRow &row) {
  Family family;
  family.modelType = row.modelType;
  family.summary = row.summary;
  family.frame = find_if(frames(), [&](const Frame &it) { return it.name == row.frame; });
  family.groups = groupsOf(row.recipe);
  family.withheld = withheldOf(row.recipe);
  family.hasQkNorm = hasQkNorm(row.modelType);
  for (StringRef use : split(row.blocks, ' ')) {
    auto [block, where] = use.split(':');
    family.blocks.push_back({projectionsOf(block), where});
    for (const ProjectionRow &projection : family.blocks.back().rows)
      family.rows.push_back(&projection);
  }
  for (StringRef pair : split(besideOf(row.recipe), ' ')) {
    auto [module, gguf] = pair.split('=');
    family.beside.push_back({module, gguf});
  }
  addStacks(family);
  return family;
}

ArrayRef<Family> families() {
  static constexpr FamilyRow rows[] = {
#define LUT_FAMILY(modelType, frame, blocks, recipe, summary) {#modelType, #frame, blocks, #recipe, summary},
#include "compiler/families/Families.def"
  };
  static const std::vector<Family> made(map_range(rows, makeFamily).begin(),
                                        map_range(rows, makeFamily).end());
  return made;
}

const Family *findFamily(StringRef modelType) {
  auto found = find_if(families(), [&](const Family &family) { return family.modelType == modelType; });
  return found == families().end() ? nullptr : found;
}

const Architecture *findArchitecture(StringRef gguf, bool hasExperts) {
  static const Architecture rows[] = {
#define LUT_ARCHITECTURE(gguf, modelType, normOffset, heads)                                                 \
  {gguf, findFamily(#modelType), normOffset, HeadOrder::heads},
#include "compiler/families/Families.def"
  };
  const Architecture *first = nullptr; // where no family of the name has as many experts
  for (const Architecture &row : rows) {
    if (row.gguf != gguf)
      continue;
    if (row.family->hasExperts() == hasExperts)
      return &row;
    first = first ? first : &row;
  }
  return first;
}

const ProjectionRow *Family::findRole(StringRef role) const {
  auto found = find_if(rows, [&](const ProjectionRow *row) { return row->role == role; });
  return found == rows.end() ? nullptr : *found;
}

ArrayRef<const ProjectionRow *> allProjections() {
  auto make = [] {
    std::vector<const ProjectionRow *> all;
    for (const Family &family : families())
      for (const ProjectionRow *row : family.rows)
        if (none_of(all, [&](auto *it) { return it->path == row->path && it->gguf == row->gguf; }))
          all.push_back(row);
    return all;
  };
  static const std::vector<const ProjectionRow *> rows = make();
  return rows;
}

ArrayRef<KeyRow> keyRows() {
  static constexpr KeyRow rows[] = {
#define LUT_KEY(...) {__VA_ARGS__},
#include "compiler/families/Blocks.def"
  };
  return rows;
}

const KeyRow *findKey(StringRef name) {
  auto found = find_if(keyRows(), [&](const KeyRow &row) { return row.name == name; });
  return found == keyRows().end() ? nullptr : found;
}

const Family *findClass(StringRef architecture, StringRef published) {
#define LUT_CLASS(name, type, family)                                                                        \
  if (architecture == name && published == #type)                                                            \
    return findFamily(#family);
#include "compiler/families/Families.def"
  return nullptr;
}

static bool uses(const Family &family, StringRef expression, StringRef name) {
  return any_of(split(expression, ' '), [&](StringRef word) {
    return word == name ||
           (isAlpha(word.empty() ? '0' : word.front()) && uses(family, fallbackOf(family, word), name));
  });
}

// All families read the sizes of attention and the functions between products; those of other parts only
// some.
bool usesKey(const Family &family, StringRef name) {
  static constexpr StringLiteral all[] = {
      "layers",       "heads",      "kv_heads",         "head_dim", "experts_per_token",
      "norm_epsilon", "rope_theta", "predicting_layers"};
  return is_contained(all, name) || any_of(family.rows, [&](const ProjectionRow *row) {
           return uses(family, row->n, name) || uses(family, row->k, name);
         });
}

// What the model's code takes where its config is silent.
static StringRef defaultOf(const Family &family, StringRef name) {
#define LUT_DEFAULT(modelTypes, size, value)                                                                 \
  if (name == size && lists(modelTypes, family.modelType))                                                   \
    return value;
#include "compiler/families/Families.def"
  return "";
}

StringRef fallbackOf(const Family &family, StringRef name) {
  StringRef own = defaultOf(family, name);
  const KeyRow *row = own.empty() ? findKey(name) : nullptr;
  return row ? StringRef(row->fallback) : own;
}

StringRef activationOf(const Family &family, std::optional<StringRef> published) {
#define LUT_ACTIVATION(modelTypes, name, activation)                                                         \
  if (published.value_or(name) == name && lists(modelTypes, family.modelType))                               \
    return activation;
#include "compiler/families/Families.def"
  return StringSwitch<StringRef>(published.value_or("silu"))
      .Cases({"silu", "swish"}, "silu")
      .Cases({"gelu_pytorch_tanh", "gelu_new", "gelu_fast"}, "gelu")
      .Case("relu2", "relu2")
      .Default("");
}

} // namespace lut
