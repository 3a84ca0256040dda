// The table of tensor types as data: TensorTypes.def and runtime/gguf/types.def.
#ifndef LUT_COMPILER_CHECKPOINT_TENSORTYPE_H
#define LUT_COMPILER_CHECKPOINT_TENSORTYPE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace lut {

struct TensorType {
  enum class Id {
#define LUT_TENSOR_TYPE(name, ...) name,
#include "compiler/checkpoint/TensorTypes.def"
#define LUTC_BLOCK_TYPE(name, ...) name,
#include "runtime/gguf/types.def"
  };

  Id id;
  llvm::StringLiteral name;
  int gguf;                        // ggml's number of the type; -1: none
  llvm::StringLiteral safetensors; // dtype; empty: none
  int64_t block, blockBytes;       // elements and bytes of a block
  llvm::StringLiteral format;      // of lutc, that holds it losslessly: w4g32; empty: none

  bool isFloat() const { return id == Id::F32 || id == Id::F16 || id == Id::BF16; }
  // Whether weights may be of it.
  bool hasValues() const { return isFloat() || !format.empty(); }
  // The values of `blocks` blocks, bit for bit those of ggml's to_float.
  void decode(const uint8_t *bytes, size_t blocks, float *values) const;
  // Absent when the elements are no whole blocks or the bytes exceed 2^63.
  std::optional<uint64_t> bytesOf(uint64_t elements) const;
};

llvm::ArrayRef<TensorType> tensorTypes();
const TensorType &tensorType(TensorType::Id id);
const TensorType *findGgufType(uint32_t number);
// A type of ggml, perhaps one that it no longer has, whose weights lutc does not read, and the nearest that
// it does.
struct RequantizedType {
  llvm::StringLiteral name;
  uint32_t gguf;
  llvm::StringLiteral nearest;
};
const RequantizedType *findRequantized(uint32_t gguf); // null: none
const TensorType *findSafetensorsType(llvm::StringRef dtype);

} // namespace lut

#endif
