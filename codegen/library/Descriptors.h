// The data that the runtime reads: lutc_kernel and lutc_library of runtime/kernel.h, as one LLVM module.
#ifndef LUT_CODEGEN_LIBRARY_DESCRIPTORS_H
#define LUT_CODEGEN_LIBRARY_DESCRIPTORS_H

#include "codegen/library/LibraryPlan.h"
#include "llvm/IR/Module.h"

namespace lut {

std::unique_ptr<llvm::Module> createDescriptors(const LibraryPlan &plan, llvm::LLVMContext &context);

/// Bytes of packed weights with their header.
int64_t packedBytes(const Geometry &geometry);

} // namespace lut

#endif
