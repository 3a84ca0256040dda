// lut-opt: runs lut's passes on textual IR.
#include "codegen/library/Pipeline.h"
#include "codegen/targets/Lower.h"
#include "dialects/lmma/Lmma.h"
#include "dialects/lut/Lut.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<lut::LutDialect, lut::lmma::LmmaDialect, mlir::arith::ArithDialect,
                  mlir::cf::ControlFlowDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                  mlir::scf::SCFDialect, mlir::tensor::TensorDialect, mlir::vector::VectorDialect>();
  lut::registerLowerPasses();
  lut::registerLutPasses();
  lut::registerLutCodegenPasses();
  mlir::PassPipelineRegistration<>("lut-plan-pipeline", "everything up to a checked schedule",
                                   lut::buildPlanPipeline);
  mlir::PassPipelineRegistration<>("lut-lower-pipeline", "from there to the LLVM dialect",
                                   lut::buildLowerPipeline);
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "lut-opt: runs the passes of lut\n", registry));
}
