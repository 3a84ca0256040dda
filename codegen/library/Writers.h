// The texts beside a library's archive.
#ifndef LUT_CODEGEN_LIBRARY_WRITERS_H
#define LUT_CODEGEN_LIBRARY_WRITERS_H

#include "codegen/library/LibraryPlan.h"

namespace lut {

/// <name>.h: lutc.h verbatim, then macros, data and two inline functions for each kernel.
std::string writeHeader(const LibraryPlan &plan, llvm::StringRef configHash);

/// <name>.json: kernels, variants, and the kernel of every projection of the model. `codeBytes` is one per
/// target.
std::string writeManifest(const LibraryPlan &plan, llvm::StringRef configHash,
                          llvm::ArrayRef<size_t> codeBytes);

/// <name>.d, a Make rule: `outputs` depend on `inputs`.
std::string writeDepfile(llvm::ArrayRef<std::string> outputs, llvm::ArrayRef<std::string> inputs);

} // namespace lut

#endif
