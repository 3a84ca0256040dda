// The groups of a kernel list: steps that are read one by one and checked against what the steps before them
// leave.
#ifndef LUT_COMPILER_CONFIG_GROUPS_H
#define LUT_COMPILER_CONFIG_GROUPS_H

#include "codegen/library/LibrarySpec.h"
#include "compiler/config/ConfigTree.h"

namespace lut {

/// Reads one member of `groups`; its kernels are those of `library`. Mistakes have been reported.
GroupSpec readGroup(const ConfigNode &mapping, const LibrarySpec &library, Diagnostics &diagnostics);

} // namespace lut

#endif
