// lutc inspect of a packed model.
#ifndef LUT_COMPILER_PACK_INSPECTPACKED_H
#define LUT_COMPILER_PACK_INSPECTPACKED_H

#include "compiler/Inspect.h"

namespace lut {

int inspectPacked(const InspectRequest &request);

} // namespace lut

#endif
