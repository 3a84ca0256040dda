// The two kinds of config, each read by a file of its own. Config.cpp tells them apart.
#ifndef LUT_COMPILER_READERS_H
#define LUT_COMPILER_READERS_H

#include "compiler/Config.h"
#include "compiler/ConfigTree.h"
#include "compiler/Models.h"
#include "compiler/StoredLayers.h"

namespace lut {

std::optional<LibrarySpec> readKernelList(const ConfigNode &root, const ConfigOptions &options,
                                          Diagnostics &diagnostics);
// `stored` is what the tensors of a checkpoint say, which decides; null: there is only the config.
std::optional<LibrarySpec> readModelConfig(const ConfigNode &root, StoredLayers *stored,
                                           const ConfigOptions &options, Diagnostics &diagnostics);
// What a config calls the family of its model: of a nested text_config, of what is around it.
llvm::SmallVector<llvm::StringRef, 2> modelTypes(const ConfigNode &root);
// The family that a config names; null: none that lutc knows.
const ModelRow *familyOf(const ConfigNode &root);

} // namespace lut

#endif
