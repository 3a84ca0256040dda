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

namespace lut {
/// Of ops that make rows of f32 from the rows of their first operand. All others are rows of its type or
/// vectors over its elements.
mlir::LogicalResult verifyRows(mlir::Operation *op);
template <typename Op> struct ComputesRows : mlir::OpTrait::TraitBase<Op, ComputesRows> {
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) { return verifyRows(op); }
};

/// Of those that do it element by element with a second operand, which may be one element for all: so that
/// they can be computed where the results of a product are stored.
template <typename Op> struct FollowsProduct : mlir::OpTrait::TraitBase<Op, FollowsProduct> {};
} // namespace lut

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

/// What a layout is made of: a row of runtime/layouts.def.
struct LayoutFacts {
  int64_t chunkK, chunkQuarters, quarterRows;
  bool trits;
  /// Whether a byte of a vector is of one row, so that lookups are added in bytes.
  bool hasBytePerRow() const { return quarterRows == 4; }
  /// Whether chunks are fragments that warps of a LUT-instruction machine load, and tables are made in its
  /// registers.
  bool isOfFragments() const { return quarterRows == 8; }
};
const LayoutFacts &factsOf(Layout layout);

/// Whether the second operand of what follows a product is one element for all rows.
bool isOneForAll(mlir::Operation &op);
} // namespace lut

#endif
