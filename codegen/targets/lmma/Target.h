// A described machine as a target.
#ifndef LUT_CODEGEN_TARGETS_LMMA_TARGET_H
#define LUT_CODEGEN_TARGETS_LMMA_TARGET_H

#include "codegen/targets/Targets.h"

namespace lut {

/// The row of LUT-instruction machines with the facts of one. The error says why there are no programs for
/// it.
llvm::Expected<TargetRow> targetFor(const lmma::Machine &machine);

} // namespace lut

#endif
