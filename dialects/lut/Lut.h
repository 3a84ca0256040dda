// The lut dialect; documentation of every op, type and attribute is in Lut.td.
#ifndef LUT_DIALECTS_LUT_LUT_H
#define LUT_DIALECTS_LUT_LUT_H

#include "dialects/lut/Format.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/lut/LutDialect.h.inc"
#include "dialects/lut/LutEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/lut/LutAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/lut/LutTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/lut/LutOps.h.inc"

namespace lut {
/// The module attribute that holds the target's facts.
inline constexpr llvm::StringLiteral kTargetAttrName = "lut.target";
} // namespace lut

#endif
