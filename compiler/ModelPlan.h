// From a model's sizes and quantization to the kernels it needs and the projections that use them.
#ifndef LUT_COMPILER_MODELPLAN_H
#define LUT_COMPILER_MODELPLAN_H

#include "compiler/Config.h"
#include "compiler/Models.h"
#include "compiler/quantizers/Quantization.h"
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
  bool attentionBias = false, mlpBias = false;
  int64_t expertsPerToken = 0; // 0: the config does not say
  Quantization quantization;
  llvm::SMRange quantizationAt;

  const Extent &size(Size size) const { return sizes[unsigned(size)]; }
};

std::optional<LibrarySpec> planModel(const ModelConfig &model, const ConfigOptions &options,
                                     Diagnostics &diagnostics);

} // namespace lut

#endif
