// lutc inspect of a packed model.
#ifndef LUT_COMPILER_PACK_INSPECTPACKED_H
#define LUT_COMPILER_PACK_INSPECTPACKED_H

#include "llvm/ADT/StringRef.h"

namespace lut {

int inspectPacked(llvm::StringRef path, bool json);

} // namespace lut

#endif
