// The table of model families as data: Models.def.
#ifndef LUT_COMPILER_MODEL_MODELS_H
#define LUT_COMPILER_MODEL_MODELS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace lut {

// With h = hidden_size, f = intermediate_size, d = head_dim, H query heads and KV key and value heads:
enum class Size {
  Hidden,        // h
  Query,         // H * d
  KeyValue,      // KV * d
  QueryKeyValue, // (H + 2 KV) * d
  Ffn,           // f
  TwoFfn,        // 2 f
  ExpertFfn,     // f of one expert
  ExpertCount,
  Vocabulary,
};

struct ProjectionRow {
  llvm::StringLiteral role; // names the kernel
  llvm::StringLiteral path; // inside a layer
  Size n, k;
  bool isRouter() const { return role == "router"; }
  bool isExpert() const { return role.starts_with("experts_"); }
};

struct GroupRow {
  llvm::StringLiteral name, steps; // "norm:input_layernorm q_proj,k_proj,v_proj"
};

struct ModelRow {
  llvm::StringLiteral modelType;
  llvm::ArrayRef<ProjectionRow> attention, ffn, experts; // empty where a layer has none
  llvm::ArrayRef<GroupRow> groups;
  llvm::StringLiteral beside; // modules of a layer that the engine applies between groups
  llvm::StringLiteral expertCountKey, expertFfnKey;
  llvm::StringLiteral summary;
};

llvm::ArrayRef<ModelRow> modelRows();
const ModelRow *findModel(llvm::StringRef modelType);

std::optional<int64_t> modelDefault(const ModelRow &model, llvm::StringRef key);
bool hasQkNorm(const ModelRow &model);
// Of lut.activate, where a config says `published`, or nothing; empty: one that it lacks.
llvm::StringRef activationOf(const ModelRow &model, std::optional<llvm::StringRef> published);

} // namespace lut

#endif
