// The order of all passes, lut's, MLIR's and LLVM's; Pipeline.cpp gives the reasons.
#ifndef LUT_CODEGEN_LIBRARY_PIPELINE_H
#define LUT_CODEGEN_LIBRARY_PIPELINE_H

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm
namespace mlir {
class OpPassManager;
} // namespace mlir

namespace lut {

/// From lut.mpgemm to lookups in quantized tables.
void buildTablesPipeline(mlir::OpPassManager &pm);
/// The same, on to stages of scheduled products.
void buildPlanPipeline(mlir::OpPassManager &pm);
/// Then loops, the target's instructions and the LLVM dialect.
void buildLowerPipeline(mlir::OpPassManager &pm);
/// MLIR's passes among these, for lut-opt.
void registerLowerPasses();
/// Then, of LLVM IR.
void optimize(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace lut

#endif
