// lutc's own YAML or JSON: names, shapes and formats of kernels. ConfigKeys.cpp holds the table of its keys.
#ifndef LUT_COMPILER_CONFIG_KERNELLIST_H
#define LUT_COMPILER_CONFIG_KERNELLIST_H

#include "codegen/library/LibrarySpec.h"
#include "compiler/config/ConfigOptions.h"
#include "compiler/config/ConfigTree.h"

namespace lut {

std::optional<LibrarySpec> readKernelList(const ConfigNode &root, const ConfigOptions &options,
                                          Diagnostics &diagnostics);

} // namespace lut

#endif
