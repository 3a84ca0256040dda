// Which kernel of a library computes which modules of a checkpoint.
#ifndef LUT_COMPILER_PACK_MODULECLAIMS_H
#define LUT_COMPILER_PACK_MODULECLAIMS_H

#include "compiler/checkpoint/Checkpoint.h"
#include "compiler/pack/Manifest.h"

namespace lut {

struct ModuleClaim {
  std::string module;
  size_t kernel; // index in the manifest
};

struct ModuleClaims {
  std::vector<ModuleClaim> claims;
  std::vector<std::string> left; // modules that no pattern of a list of kernels matches
};

// Of a model, the projections; of a list of kernels, the modules that match its patterns. A pattern without
// any, and a module of two kernels, are errors.
llvm::Expected<ModuleClaims> claimModules(const Checkpoint &checkpoint, const Manifest &manifest);

} // namespace lut

#endif
