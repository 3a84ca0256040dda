// The tensor-level function of a group: its steps as ops, every vector, weight and residual an argument.
#ifndef LUT_CODEGEN_LIBRARY_GROUPFUNCTION_H
#define LUT_CODEGEN_LIBRARY_GROUPFUNCTION_H

#include "codegen/library/LibraryPlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace lut {

/// Adds a product of `kernel` to the body that `b` builds.
using AddProduct =
    llvm::function_ref<mlir::Value(mlir::OpBuilder &b, size_t kernel, mlir::Value x, mlir::Value w)>;

/// Adds the function `symbol` at `b`; returns the group's operands: the function's arguments, then its
/// results.
std::vector<GroupOperand> addGroupFunction(mlir::OpBuilder &b, const LibrarySpec &library,
                                           const GroupSpec &group, llvm::StringRef symbol,
                                           AddProduct addProduct);

/// The type of a kernel's weights.
WeightsType weightsOf(mlir::MLIRContext *context, int64_t n, int64_t k, const Format &format);

} // namespace lut

#endif
