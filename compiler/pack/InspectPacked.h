// lutc inspect of a packed model.
#ifndef LUT_COMPILER_PACK_INSPECTPACKED_H
#define LUT_COMPILER_PACK_INSPECTPACKED_H

#include "compiler/Inspect.h"
#include "llvm/ADT/StringRef.h"

namespace lut {

// Whether a file starts as packed models do.
bool isPacked(llvm::StringRef path);

int inspectPacked(const InspectRequest &request);

} // namespace lut

#endif
