// A file that lutc pack wrote, mapped.
#ifndef LUT_COMPILER_PACK_PACKEDMODEL_H
#define LUT_COMPILER_PACK_PACKEDMODEL_H

#include "runtime/file.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace lut {

// Its bytes, of which nothing has been checked.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> mapPacked(llvm::StringRef path);

// F32, as safetensors calls it.
llvm::StringRef elementName(lutc_type type);

} // namespace lut

#endif
