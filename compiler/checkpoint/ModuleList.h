// The linear layers of a checkpoint, from its tensors.
#ifndef LUT_COMPILER_CHECKPOINT_MODULELIST_H
#define LUT_COMPILER_CHECKPOINT_MODULELIST_H

#include "compiler/checkpoint/Checkpoint.h"

namespace lut {

struct CheckpointModule {
  std::string name; // for openWeights
  // All that it may be called: "model.layers.3.mlp.experts.7.up_proj"; in GGUF also "blk.3.ffn_up_exps.7" and
  // "blk.3.ffn_up_exps", and what other families call the same tensor.
  std::vector<std::string> names;
};

// Matrices of weights but for embeddings, which are looked up and not multiplied; an lm_head that is tied to
// them is one. Experts that share a tensor stand one by one.
std::vector<CheckpointModule> listModules(const Checkpoint &checkpoint);

} // namespace lut

#endif
