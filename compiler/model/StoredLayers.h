// What the tensors of a checkpoint say of a model's linear layers. They decide what is compiled: `lutc pack`
// reads the same layers in the same way.
#ifndef LUT_COMPILER_MODEL_STOREDLAYERS_H
#define LUT_COMPILER_MODEL_STOREDLAYERS_H

#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/WeightSource.h"
#include "compiler/config/Diagnostics.h"
#include "compiler/quantizers/Quantization.h"
#include "llvm/ADT/StringSet.h"

namespace lut {

struct StoredLayer {
  int64_t n = 0, k = 0; // of floats that share a tensor: those of all
  WeightDecision decision;
  bool operator==(const StoredLayer &other) const {
    return n == other.n && k == other.k && decision == other.decision;
  }
};

class StoredLayers {
public:
  // `weights` is --weights: the format of layers that are stored as floats, an error where there are none.
  StoredLayers(Checkpoint checkpoint, Quantization quantization, std::optional<Format> weights,
               Diagnostics &diagnostics)
      : checkpoint(std::move(checkpoint)), quantization(std::move(quantization)), weights(weights),
        diagnostics(diagnostics) {}

  // A layer by its family's name for it, in the checkpoint or in GGUF. Nothing where the checkpoint lacks it,
  // or after an error, which is reported. `isOptional`: lm_head and routers, which are compiled on request
  // and may be stored in a way that lutc does not read.
  std::optional<StoredLayer> find(llvm::StringRef module, bool isOptional = false);
  // The same in `format`, as --include=lm_head=w4g32 asks for.
  std::optional<StoredLayer> findIn(llvm::StringRef module, const Format &format);

  // Linear layers that find was not asked for, in the order of the files.
  std::vector<LinearTensor> others() const;

  void reportMissing(llvm::StringRef module, const llvm::Twine &note);
  // What is known only when all layers have been found: whether --weights had an effect, and where tensors
  // and config disagree.
  void finish();

  const Checkpoint checkpoint;
  const Quantization quantization;

private:
  std::optional<StoredLayer> take(const WeightSource &source);
  llvm::Expected<std::unique_ptr<WeightSource>> open(llvm::StringRef module);
  void compare(llvm::StringRef module, const WeightSource &source);

  const std::optional<Format> weights;
  Diagnostics &diagnostics;
  llvm::StringSet<> used;    // tensors
  std::string contradiction; // of --weights and the first layer that is stored in another format
  bool rounds = false;       // some layer takes --weights
  std::string disagreement;  // of the first layer that is not as the config says
  int64_t disagreeing = 0;   // layers
};

} // namespace lut

#endif
