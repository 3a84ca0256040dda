// The manifest of a compiled library, read back: what packing for it takes.
#ifndef LUT_COMPILER_PACK_MANIFEST_H
#define LUT_COMPILER_PACK_MANIFEST_H

#include "compiler/config/Diagnostics.h"
#include "runtime/file.h"

namespace lut {

// How one variant stores the weights of a kernel.
struct Packing {
  lutc_layout layout;
  uint32_t layoutId;
};

struct PackedKernel {
  std::string name, formatName;
  int64_t n = 0, k = 0;
  Format format;
  std::vector<Packing> packings; // one for each variant of the manifest
  // Patterns of the modules that it computes, from a list of kernels; of a model, projections say it.
  std::vector<std::string> modules;

  lutc_kernel_info info() const; // points to formatName
};

struct Manifest {
  std::string library;
  uint64_t hash = 0;
  std::vector<std::string> variants; // best first
  std::vector<PackedKernel> kernels; // in the library's order
  std::vector<ProjectionSpec> projections;
};

// Problems have been reported at their place in the file.
std::optional<Manifest> readManifest(llvm::StringRef path, Diagnostics &diagnostics);

} // namespace lut

#endif
