// What decides the bytes of packed weights; the same for the descriptors, the manifest and the packer.
#ifndef LUT_CODEGEN_LIBRARY_PACKING_H
#define LUT_CODEGEN_LIBRARY_PACKING_H

#include "codegen/library/LibrarySpec.h"
#include "passes/Geometry.h"
#include "runtime/kernel.h"

namespace lut {

/// What the codes of a format stand for: lutc_kernel_info.values.
std::vector<float> codeValues(const Format &format);

/// Names, numerics and values, which do not matter to packing, are null.
lutc_kernel_info kernelInfo(int64_t n, int64_t k, const Format &format);
/// The same, in `info` of zeros.
void fillKernelInfo(lutc_kernel_info &info, int64_t n, int64_t k, const Format &format);

lutc_layout layoutOf(const Geometry &geometry);

/// Fields of lutc_layout in its order, for the manifest, where the first is a name.
inline constexpr llvm::StringLiteral layoutFields[] = {"kind", "vector_bytes", "row_vectors", "tile_rows",
                                                       "bits", "group",        "k_block",     "k_padded"};
static_assert(sizeof(lutc_layout) == std::size(layoutFields) * sizeof(uint32_t),
              "lutc_layout has other fields");

/// Equal layouts have equal ids.
uint32_t layoutId(const lutc_layout &layout);

/// lutc_library.hash: kernels' names, shapes and formats.
uint64_t libraryHash(llvm::ArrayRef<KernelSpec> kernels);

} // namespace lut

#endif
