// Where a checkpoint keeps a linear layer that Models.def calls model.layers.3.self_attn.q_proj.
#ifndef LUT_COMPILER_CHECKPOINT_MODULENAMES_H
#define LUT_COMPILER_CHECKPOINT_MODULENAMES_H

#include "compiler/checkpoint/Checkpoint.h"

namespace lut {

struct GgufName {
  const Tensor *tensor = nullptr; // null: there is none
  int64_t expert = 0;             // which of those that the tensor stacks
  // Of the queries and keys of architecture llama, asked for by their Hugging Face name: heads whose rows the
  // converter interleaved, first half and second half in turn. 0: rows are in their own order; -1: the file does not say
  // how many heads there are.
  int64_t interleavedHeads = 0;
};

// Takes names of Hugging Face and of GGUF.
GgufName findGgufTensor(const Checkpoint &checkpoint, llvm::StringRef module);

// Where a row of a head stands when the rows of both its halves, `half` each, are interleaved.
inline int64_t interleavedRow(int64_t row, int64_t half) {
  int64_t inside = row % (2 * half);
  return row - inside + inside % half * 2 + inside / half;
}

// The modules that a tensor of GGUF may be, by model family: "model.layers.3.self_attn.q_proj" for
// "blk.3.attn_q.weight", "....experts.{expert}.up_proj" for stacked experts. None: it is not a linear
// layer's.
std::vector<std::string> modulesOfGguf(llvm::StringRef tensor);

// The other way round: "blk.3.attn_q" for "model.layers.3.self_attn.q_proj", "blk.3.ffn_up_exps.7" for an
// expert, which may share its tensor. Empty: no linear layer of the table.
std::string ggufNameOf(llvm::StringRef module);

// A projection of an expert in a tensor that stacks all experts of a layer (StackedExperts.cpp).
struct StackedName {
  enum class Part { All, Gate, Up }; // of the tensor's rows

  std::string experts;    // "model.layers.3.mlp.experts"
  llvm::StringRef tensor; // "gate_up_proj": <experts>.<tensor>, or <experts>.<tensor>_blocks and _scales
  int64_t expert = 0;
  Part part = Part::All;
};

// Of "....experts.7.up_proj"; "....experts.gate_up_proj" is expert 0 with all rows.
std::optional<StackedName> findStacked(const Checkpoint &checkpoint, llvm::StringRef module);

// Multimodal models put the language model's modules below different names.
std::string moduleNameIn(const Checkpoint &checkpoint, llvm::StringRef module);

} // namespace lut

#endif
