// What lutc knows of model families, as data: Families.def, Blocks.def, Recipes.def. Readers of checkpoints
// take their names from it, readers of configs their sizes, layers and groups.
#ifndef LUT_COMPILER_FAMILIES_FAMILIES_H
#define LUT_COMPILER_FAMILIES_FAMILIES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace lut {

struct KeyRow {
  llvm::StringLiteral name, keys, gguf, fallback; // keys of a config.json; fallback is an expression
};

struct ProjectionRow {
  llvm::StringLiteral role;       // names the kernel
  llvm::StringLiteral path, gguf; // inside a layer
  llvm::StringLiteral n, k;       // expressions of sizes
  bool isRouter() const { return role == "router"; }
  bool isExpert() const { return role.starts_with("experts_"); }
};

struct GroupRow {
  llvm::StringLiteral name, steps; // "norm:input_layernorm q_proj,k_proj,v_proj"
};

struct WithheldRow {
  llvm::StringLiteral group, where, reason;
};

struct Frame {
  llvm::StringLiteral name, layers, embedding, norm, head;
};

// The projections of the layers that `where` tells: "dense", or empty for all layers.
struct Block {
  llvm::ArrayRef<ProjectionRow> rows;
  llvm::StringRef where;
};

// What a layer holds besides products.
struct BesideRow {
  llvm::StringRef module, gguf; // inside a layer; gguf is empty where it lacks the module
};

struct Family {
  llvm::StringRef modelType, summary;
  const Frame *frame = nullptr;
  llvm::SmallVector<Block, 4> blocks;
  llvm::SmallVector<const ProjectionRow *, 8> rows; // of all blocks
  llvm::ArrayRef<GroupRow> groups;
  llvm::ArrayRef<WithheldRow> withheld;
  llvm::SmallVector<BesideRow, 8> beside;
  bool hasQkNorm = false;                       // attention normalizes queries and keys
  bool interleaved = false, transposed = false; // stacked experts have gate and up in turn, and floats [k][n]

  const ProjectionRow *findRole(llvm::StringRef role) const; // null: it has none
  bool hasExperts() const { return findRole("experts_down_proj"); }
};

enum class HeadOrder { Own, Interleaved };

struct Architecture {
  llvm::StringLiteral gguf; // general.architecture
  const Family *family;
  float normOffset; // that llama.cpp's converter adds to the weights of all norms
  HeadOrder heads;  // of the rows of queries and keys
};

llvm::ArrayRef<Family> families();
llvm::ArrayRef<const ProjectionRow *> allProjections(); // each name once
llvm::ArrayRef<Frame> frames();
// Null: lutc does not know it.
const Family *findFamily(llvm::StringRef modelType);
// Of a config whose model_type alone does not tell.
const Family *findClass(llvm::StringRef architecture, llvm::StringRef published);
const Architecture *findArchitecture(llvm::StringRef gguf, bool hasExperts);

llvm::ArrayRef<KeyRow> keyRows();
const KeyRow *findKey(llvm::StringRef name); // null: a key of its own
bool usesKey(const Family &family, llvm::StringRef name);
// An expression for what no key of a config gives; empty: nothing.
llvm::StringRef fallbackOf(const Family &family, llvm::StringRef name);
// Of lut.activate, where a config says `published`, or nothing; empty: one that it lacks.
llvm::StringRef activationOf(const Family &family, std::optional<llvm::StringRef> published);

} // namespace lut

#endif
