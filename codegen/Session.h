// Everything a compilation needs of MLIR.
#ifndef LUT_CODEGEN_SESSION_H
#define LUT_CODEGEN_SESSION_H

#include "dialects/lmma/Lmma.h"
#include "dialects/lut/Lut.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/SourceMgr.h"

namespace lut {

/// Diagnostics are printed with the user's own line.
struct Session {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  llvm::SourceMgr sources;
  mlir::SourceMgrDiagnosticHandler diagnostics{sources, &context, llvm::errs()};
  Session() {
    context.loadDialect<LutDialect, lmma::LmmaDialect, mlir::arith::ArithDialect,
                        mlir::cf::ControlFlowDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                        mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
    context.printOpOnDiagnostic(false);
  }
};

} // namespace lut

#endif
