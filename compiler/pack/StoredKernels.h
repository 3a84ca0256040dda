// Kernels of every format and shape that a checkpoint stores, for packing it without a library.
#ifndef LUT_COMPILER_PACK_STOREDKERNELS_H
#define LUT_COMPILER_PACK_STOREDKERNELS_H

#include "compiler/checkpoint/WeightSource.h"
#include "compiler/pack/ModuleClaims.h"

namespace lut {

// A manifest of no library, whose hash is 0, in all variants for CPUs. Its layouts are those of kernels
// that lutc_make_kernel makes of open ones, in any library.
Manifest storedManifest();
// Adds a kernel for all matrices that a format holds losslessly, embeddings of GGUF included.
llvm::Expected<ModuleClaims> addStoredKernels(const Checkpoint &checkpoint, const WeightStorage &storage,
                                              Manifest &manifest);

} // namespace lut

#endif
