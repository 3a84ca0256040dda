// The two kinds of config, each read by a file of its own. Config.cpp tells them apart.
#ifndef LUT_COMPILER_READERS_H
#define LUT_COMPILER_READERS_H

#include "compiler/Config.h"
#include "compiler/ConfigTree.h"

namespace lut {

std::optional<LibrarySpec> readKernelList(const ConfigNode &root, const ConfigOptions &options,
                                          Diagnostics &diagnostics);
std::optional<LibrarySpec> readModelConfig(const ConfigNode &root, const ConfigOptions &options,
                                           Diagnostics &diagnostics);

} // namespace lut

#endif
