#ifndef LUT_CODEGEN_PASSES_TD
#define LUT_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def Lower : Pass<"lut-lower", "::mlir::ModuleOp"> {
  let summary = "lower lut's vector ops to the instructions of the module's target";
  let description = [{
    The patterns come from the target's row; lut.accumulate is plain arithmetic everywhere. An op that the instruction
    set cannot express is an error.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect"];
}

def EncodePrograms : Pass<"lut-encode-programs", "::mlir::ModuleOp"> {
  let summary = "make constants of the programs of a LUT-instruction machine, and calls of the runtime of their launches";
  let description = [{ Example: test/codegen/encode-programs.mlir }];
  let dependentDialects = ["::lut::lmma::LmmaDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif
