#include "compiler/model/Models.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace lut {

namespace {

enum class Block { None, Attention, FusedAttention, Ffn, FusedFfn, Experts, MixtralExperts, GptOssExperts };

enum class Recipe { PreNorm, OwnExperts, QueryBias, SubNorm, PostNorm, Fused };

struct DefaultRow {
  StringLiteral modelType, key;
  int64_t value;
};

} // namespace

// Rows of a block stand together in the table.
static ArrayRef<ProjectionRow> projections(Block block) {
  static const ProjectionRow rows[] = {
#define LUT_PROJECTION(block, role, path, n, k) {role, path, Size::n, Size::k},
#include "compiler/model/Models.def"
  };
  static constexpr Block blocks[] = {
#define LUT_PROJECTION(block, role, path, n, k) Block::block,
#include "compiler/model/Models.def"
  };
  const Block *first = find(blocks, block);
  const Block *last = std::find_if(first, std::end(blocks), [&](Block other) { return other != block; });
  return ArrayRef(rows).slice(first - blocks, last - first);
}

// Rows of a recipe stand together in the table.
static ArrayRef<GroupRow> groups(Recipe recipe) {
  static const GroupRow rows[] = {
#define LUT_GROUP(recipe, name, steps) {name, steps},
#include "compiler/model/Models.def"
  };
  static constexpr Recipe recipes[] = {
#define LUT_GROUP(recipe, name, steps) Recipe::recipe,
#include "compiler/model/Models.def"
  };
  const Recipe *first = find(recipes, recipe);
  const Recipe *last = std::find_if(first, std::end(recipes), [&](Recipe other) { return other != recipe; });
  return ArrayRef(rows).slice(first - recipes, last - first);
}

static StringLiteral besideGroups(Recipe recipe) {
  switch (recipe) {
#define LUT_BESIDE(recipe, modules)                                                                          \
  case Recipe::recipe:                                                                                       \
    return modules;
#include "compiler/model/Models.def"
  }
  return "";
}

ArrayRef<ModelRow> modelRows() {
  static const ModelRow rows[] = {
#define LUT_MODEL(type, attention, ffn, experts, recipe, count, expertFfn, summary)                          \
  {StringLiteral(#type),                                                                                     \
   projections(Block::attention),                                                                            \
   projections(Block::ffn),                                                                                  \
   projections(Block::experts),                                                                              \
   groups(Recipe::recipe),                                                                                   \
   besideGroups(Recipe::recipe),                                                                             \
   count,                                                                                                    \
   expertFfn,                                                                                                \
   summary},
#include "compiler/model/Models.def"
  };
  return rows;
}

const ModelRow *findModel(StringRef modelType) {
  const ModelRow *row = find_if(modelRows(), [&](const ModelRow &row) { return row.modelType == modelType; });
  return row == modelRows().end() ? nullptr : row;
}

std::optional<int64_t> modelDefault(const ModelRow &model, StringRef key) {
  static const DefaultRow rows[] = {
#define LUT_DEFAULT(type, key, value) {StringLiteral(#type), key, value},
#include "compiler/model/Models.def"
  };
  for (const DefaultRow &row : rows)
    if (row.modelType == model.modelType && row.key == key)
      return row.value;
  return std::nullopt;
}

bool hasQkNorm(const ModelRow &model) {
  static constexpr StringLiteral types[] = {
#define LUT_QK_NORM(type) #type,
#include "compiler/model/Models.def"
  };
  return is_contained(types, model.modelType);
}

StringRef activationOf(const ModelRow &model, std::optional<StringRef> published) {
  struct ActivationRow {
    StringLiteral modelType, published, activation;
  };
  static constexpr ActivationRow rows[] = {
#define LUT_ACTIVATION(type, published, activation) {#type, published, activation},
#include "compiler/model/Models.def"
  };
  for (const ActivationRow &row : rows)
    if (row.modelType == model.modelType && row.published == published.value_or(row.published))
      return row.activation;
  return StringSwitch<StringRef>(published.value_or("silu"))
      .Cases({"silu", "swish"}, "silu")
      .Cases({"gelu_pytorch_tanh", "gelu_new", "gelu_fast"}, "gelu")
      .Case("relu2", "relu2")
      .Default("");
}

} // namespace lut
