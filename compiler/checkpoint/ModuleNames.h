// Where a checkpoint keeps a linear layer that families call model.layers.3.self_attn.q_proj.
#ifndef LUT_COMPILER_CHECKPOINT_MODULENAMES_H
#define LUT_COMPILER_CHECKPOINT_MODULENAMES_H

#include "compiler/checkpoint/Checkpoint.h"

namespace lut {

enum class RowPart { All, Gate, Up }; // of a tensor that holds gate's rows and up's

struct GgufName {
  const Tensor *tensor = nullptr; // null: there is none
  int64_t expert = 0;             // which of those that the tensor stacks
  RowPart part = RowPart::All;
  // Of one element, or one for each expert: a factor of all weights. Null: there is none.
  const Tensor *scale = nullptr;
  // Of the queries and keys of architecture llama, asked for by their Hugging Face name: heads whose rows the
  // converter interleaved, first half and second half in turn. 0: rows are in their own order; -1: the file
  // does not say how many heads there are.
  int64_t interleavedHeads = 0;
};

// Takes names of Hugging Face and of GGUF; there blk.0.ffn_up_exps.3 is expert 3 of those that the tensor
// stacks.
GgufName findGgufTensor(const Checkpoint &checkpoint, llvm::StringRef module);

// Where a row of a head stands when the rows of both its halves, `half` each, are interleaved.
inline int64_t interleavedRow(int64_t row, int64_t half) {
  int64_t inside = row % (2 * half);
  return row - inside + inside % half * 2 + inside / half;
}

// The modules that a tensor of GGUF may be, by the checkpoint's family and then by others:
// "model.layers.3.self_attn.q_proj" for "blk.3.attn_q.weight", "....experts.{expert}.up_proj" for stacked
// experts. None: it is not a linear layer's.
std::vector<std::string> modulesOfGguf(const Checkpoint &checkpoint, llvm::StringRef tensor);

// The other way round: "blk.3.attn_q" for "model.layers.3.self_attn.q_proj", "blk.3.ffn_up_exps.7" for an
// expert, which may share its tensor. Empty: no linear layer of the table.
std::string ggufNameOf(const Checkpoint &checkpoint, llvm::StringRef module);

// A projection of an expert in a tensor that stacks all experts of a layer (StackedExperts.cpp).
struct StackedName {
  std::string experts;    // "model.layers.3.mlp.experts"
  std::string owner;      // of the tensor: the same, or the block
  llvm::StringRef tensor; // "gate_up_proj": <owner>.<tensor>, or <owner>.<tensor>_blocks and _scales
  int64_t expert = 0;
  RowPart part = RowPart::All;
};

// Of "....experts.7.up_proj"; "....experts.gate_up_proj" is expert 0 with all rows.
std::optional<StackedName> findStacked(const Checkpoint &checkpoint, llvm::StringRef module);

// Multimodal models put the language model's modules below different names.
std::string moduleNameIn(const Checkpoint &checkpoint, llvm::StringRef module);

// The tensor with most of a layer's weights, whatever encodes them; null: the checkpoint lacks the layer.
const Tensor *findWeights(const Checkpoint &checkpoint, llvm::StringRef module);

// A matrix of weights, as the checkpoint itself names it: "model.layers.3.mlp.up_proj", "blk.3.ffn_up";
// "model.layers.3.mlp.experts.up_proj" and "blk.3.ffn_up_exps" where experts share a tensor.
struct LinearTensor {
  std::string module;
  const Tensor *tensor;

  int64_t experts() const { return isStacked() ? tensor->shape[0] : 1; }
  bool isStacked() const { return tensor->shape.size() > 2; }
  std::string expertModule(int64_t expert) const; // which openWeights takes
};

// All of them but embeddings, which are looked up and not multiplied, in the order of the files.
std::vector<LinearTensor> linearTensors(const Checkpoint &checkpoint);

// Of tokens; a tied lm_head has its weights from it.
bool isEmbedding(llvm::StringRef tensor);

// lm_head and routers decide tokens and experts, and are compiled on request only. The role; empty: another
// layer.
llvm::StringRef optionalRole(llvm::StringRef module);

} // namespace lut

#endif
