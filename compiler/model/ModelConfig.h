// A Hugging Face config.json: sizes and quantization of a model, from which follow kernels and projections.
// Keys that say nothing about linear layers are ignored.
#ifndef LUT_COMPILER_MODEL_MODELCONFIG_H
#define LUT_COMPILER_MODEL_MODELCONFIG_H

#include "compiler/config/ConfigOptions.h"
#include "compiler/model/LanguageModel.h"
#include "compiler/model/StoredLayers.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace lut {

struct ModelConfig {
  struct Extent {
    int64_t value = 0;
    SourcePosition position;
  };

  const Family *family = nullptr;
  ModelShape shape;
  llvm::StringMap<Extent> sizes;              // of expressions of the family's projections
  std::vector<std::vector<bool>> blockLayers; // for each block of the family, which layers have it
  bool isGguf = false;
  llvm::StringMap<std::string> withheld; // groups that cannot be, and why
  int64_t predictingLayers = 0;          // behind the model's, which a checkpoint may have
  llvm::StringRef modules;               // what stands before the names of a nested model's
  bool tiedHead = false;                 // lm_head is the embedding
  bool ownHead = false;                  // the config says that it is not
  llvm::StringSet<> biases;              // words of groups that stand for biases which the model has
  bool hasSubNorms = true;               // of a family whose models mostly have them
  std::string activationProblem;         // why shape.activation is empty
  std::string groupsProblem;             // why no group of the family is this model's; empty: they are
  int64_t expertsPerToken = 0;           // 0: the config does not say
  Quantization quantization;
  llvm::SMRange quantizationAt;

  // "model.layers.3.mlp.up_proj", of an expert too where it has a number.
  std::string path(const ProjectionRow &row, llvm::StringRef layer,
                   llvm::StringRef expert = "{expert}") const;
  const Extent &size(llvm::StringRef expression) const { return sizes.find(expression)->second; }
  int64_t layersWith(const ProjectionRow &row) const;
  // A projection that layers have, in a form that products can take; null: there is none.
  const ProjectionRow *findRole(llvm::StringRef role) const;
  bool isHeld(const ProjectionRow &row) const { return !isGguf || !row.gguf.empty(); }
  int64_t experts() const; // of a layer
};

// `stored` is what the tensors of a checkpoint say, which decides; null: there is only the config.
std::optional<LibrarySpec> readModelConfig(const ConfigNode &root, StoredLayers *stored,
                                           const ConfigOptions &options, Diagnostics &diagnostics);

} // namespace lut

#endif
