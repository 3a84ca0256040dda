// Described machines in the IR.
#ifndef LUT_DIALECTS_LMMA_MACHINEATTR_H
#define LUT_DIALECTS_LMMA_MACHINEATTR_H

#include "dialects/lmma/Lmma.h"
#include "dialects/lmma/Machine.h"
#include "dialects/lut/Lut.h"

namespace lut::lmma {

MachineAttr attributeOf(mlir::MLIRContext *context, const Machine &machine);
/// The machine of a target that has one.
Machine machineOf(TargetAttr target);

} // namespace lut::lmma

#endif
