// The two kinds of config, each read by a file of its own. Config.cpp tells them apart.
#ifndef LUT_COMPILER_READERS_H
#define LUT_COMPILER_READERS_H

#include "compiler/Config.h"
#include "compiler/ConfigTree.h"
#include "compiler/quantizers/Quantization.h"

namespace lut {

std::optional<LibrarySpec> readKernelList(const ConfigNode &root, const ConfigOptions &options,
                                          Diagnostics &diagnostics);
// `quantization` is what the tensors of a checkpoint say; absent: the config says it.
std::optional<LibrarySpec> readModelConfig(const ConfigNode &root, std::optional<Quantization> quantization,
                                           const ConfigOptions &options, Diagnostics &diagnostics);

} // namespace lut

#endif
