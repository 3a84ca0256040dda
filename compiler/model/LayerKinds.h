// Which layers of a model have which blocks, by its config.
#ifndef LUT_COMPILER_MODEL_LAYERKINDS_H
#define LUT_COMPILER_MODEL_LAYERKINDS_H

#include "compiler/model/LanguageModel.h"
#include <vector>

namespace lut {

// As the conditions of blocks in Families.def call them.
struct LayerKind {
  llvm::StringRef mixer =
      "full";                    // full, sliding, linear; of layers with one part: mamba, attention, mlp, moe
  llvm::StringRef ffn = "dense"; // dense, sparse
  bool sharesKeys = false;       // takes keys and values of an earlier layer
};

// Wrong lists are reported.
std::vector<LayerKind> readLayerKinds(const LanguageModel &config, const Family &family, int64_t layers,
                                      Diagnostics &diagnostics);

// Whether the layer has a block: all words of its condition hold. `mixer` and `ffn` are the layer's; `own`
// means that it has its own keys and values; any other word is a key that the config has, or with ! lacks. Of
// GGUF the tensors tell which layers have a block; none has one with !gguf.
bool hasBlock(const Block &block, const LayerKind &layer, const LanguageModel &config);

} // namespace lut

#endif
