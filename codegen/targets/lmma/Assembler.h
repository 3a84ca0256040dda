// Programs of the LUT-instruction machine: ops to bytes and back.
#ifndef LUT_CODEGEN_TARGETS_LMMA_ASSEMBLER_H
#define LUT_CODEGEN_TARGETS_LMMA_ASSEMBLER_H

#include "dialects/lmma/Lmma.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace lut::lmma {

/// The encoded program. What the machine would refuse is reported at its instruction.
mlir::FailureOr<std::string> assemble(ProgramOp program);

/// The program that `bytes` encode, called `name`, in a module of its own.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> disassemble(mlir::MLIRContext &context,
                                                              llvm::StringRef bytes, llvm::StringRef name);

} // namespace lut::lmma

#endif
