// A Hugging Face config.json: sizes and quantization of a model, from which follow kernels and projections.
// Keys that say nothing about linear layers are ignored; nested text_config wins over the top level.
#ifndef LUT_COMPILER_MODEL_MODELCONFIG_H
#define LUT_COMPILER_MODEL_MODELCONFIG_H

#include "compiler/config/ConfigOptions.h"
#include "compiler/config/ConfigTree.h"
#include "compiler/model/Models.h"
#include "compiler/model/StoredLayers.h"
#include <array>

namespace lut {

struct ModelConfig {
  struct Extent {
    int64_t value = 0;
    SourcePosition position;
  };

  const ModelRow *family = nullptr;
  ModelShape shape;
  std::array<Extent, unsigned(Size::Vocabulary) + 1> sizes;
  std::vector<bool> sparse; // one per layer: experts instead of a dense ffn
  bool nested = false;      // a language model inside a multimodal one
  bool tiedHead = false;    // lm_head is the embedding
  bool ownHead = false;     // the config says that it is not
  bool attentionBias = false, mlpBias = false;
  bool hasSubNorms = true;       // of a family whose models mostly have them
  std::string activationProblem; // why shape.activation is empty
  std::string groupsProblem;     // why no group of the family is this model's; empty: they are
  int64_t expertsPerToken = 0;   // 0: the config does not say
  Quantization quantization;
  llvm::SMRange quantizationAt;

  const Extent &size(Size size) const { return sizes[unsigned(size)]; }
};

// `stored` is what the tensors of a checkpoint say, which decides; null: there is only the config.
std::optional<LibrarySpec> readModelConfig(const ConfigNode &root, StoredLayers *stored,
                                           const ConfigOptions &options, Diagnostics &diagnostics);
// What a config calls the family of its model: of a nested text_config, of what is around it.
llvm::SmallVector<llvm::StringRef, 2> modelTypes(const ConfigNode &root);
// The family that a config names; null: none that lutc knows.
const ModelRow *familyOf(const ConfigNode &root);

} // namespace lut

#endif
