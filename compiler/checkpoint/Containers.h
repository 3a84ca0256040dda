// The readers of single files, and what they share. Checkpoint.cpp tells the files apart.
#ifndef LUT_COMPILER_CHECKPOINT_CONTAINERS_H
#define LUT_COMPILER_CHECKPOINT_CONTAINERS_H

#include "compiler/checkpoint/Checkpoint.h"

namespace lut {

// Adds the tensors of one file.
llvm::Error readSafetensors(llvm::StringRef path, Checkpoint &checkpoint);

// A GGUF file, with the other parts of a split model: their names follow from its own,
// model-00001-of-00003.gguf.
llvm::Error readGgufParts(llvm::StringRef path, Checkpoint &checkpoint);

// model.safetensors.index.json: names the files and the tensors in them.
llvm::Error readShardIndex(llvm::StringRef path, Checkpoint &checkpoint);

// "path: message", from "what is wrong; what to do".
llvm::Error fileError(llvm::StringRef path, const llvm::Twine &message);
llvm::Error tensorError(llvm::StringRef path, llvm::StringRef tensor, const llvm::Twine &message);

// A name as messages show it: in quotes, escaped, cut short.
std::string quoted(llvm::StringRef name);

// The error where [begin, end) of two tensors of a file intersect. `tensors` are those of the file.
llvm::Error checkDisjoint(llvm::StringRef path, llvm::ArrayRef<Tensor> tensors);

// Elements of a shape; absent above 2^63.
std::optional<uint64_t> countElements(llvm::ArrayRef<int64_t> shape);

} // namespace lut

#endif
