// A described machine as a target.
#ifndef LUT_CODEGEN_TARGETS_LMMA_TARGET_H
#define LUT_CODEGEN_TARGETS_LMMA_TARGET_H

#include "codegen/targets/Targets.h"
#include "codegen/targets/lmma/Machine.h"

namespace lut {

/// The row of LUT-instruction machines with the facts of one, which has arrays.
TargetRow targetFor(const lmma::Machine &machine);

} // namespace lut

#endif
