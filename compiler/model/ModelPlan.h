// From a model's sizes and quantization to the kernels it needs and the projections that use them.
#ifndef LUT_COMPILER_MODEL_MODELPLAN_H
#define LUT_COMPILER_MODEL_MODELPLAN_H

#include "compiler/model/ModelConfig.h"

namespace lut {

class LayerTensors;

// `stored` is what the tensors of a checkpoint say; null: there is only a config.
std::optional<LibrarySpec> planModel(const ModelConfig &model, StoredLayers *stored,
                                     const ConfigOptions &options, Diagnostics &diagnostics);

// What --include makes of an lm_head or a router, stored or planned so.
WeightDecision decideOptional(llvm::StringRef role, const WeightDecision &decision,
                              const ConfigOptions &options, Diagnostics &diagnostics);
// One of a checkpoint, in the format of --include where that names one.
std::optional<StoredLayer> findOptional(StoredLayers &stored, llvm::StringRef role, llvm::StringRef module,
                                        const ConfigOptions &options);

// The groups of the model's layers that its kernels are compiled for; of others the reason.
void planGroups(const ModelConfig &model, const LayerTensors *tensors, LibrarySpec &library);

// The norms of those groups have a weight for each element that they normalize. Errors are of the file
// `path`.
void checkNorms(const ModelConfig &model, const LayerTensors &tensors, llvm::StringRef path,
                Diagnostics &diagnostics);

// What the config of a family that lutc does not know says nevertheless.
struct UnknownFamily {
  std::optional<int64_t> hidden, layers;
};

// A checkpoint of such a family: kernels for all linear layers, by the names of its tensors.
std::optional<LibrarySpec> planTensors(StoredLayers &stored, const UnknownFamily &family,
                                       const ConfigOptions &options, Diagnostics &diagnostics);
// Layers of a known family that are quantized, and that its rows do not name.
void planOtherLayers(StoredLayers &stored, const ConfigOptions &options, LibrarySpec &library,
                     Diagnostics &diagnostics);

} // namespace lut

#endif
