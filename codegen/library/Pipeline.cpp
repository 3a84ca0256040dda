#include "codegen/library/Pipeline.h"
#include "codegen/targets/Lower.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "llvm/Passes/PassBuilder.h"

void lut::buildTablesPipeline(mlir::OpPassManager &pm) {
  pm.addPass(createDecompose());          // first: everything later is about tables, not products
  pm.addPass(createReinterpretWeights()); // fixes what a table entry means (a sum of +-x) ...
  pm.addPass(createSymmetrizeTables());   // ... which makes tables antisymmetric, so half of one can go ...
  pm.addPass(createQuantizeTables());     // ... and the rest gets the type that lookups read
  pm.addPass(createShareTables());        // one for the experts of a token ...
  pm.addPass(mlir::createCSEPass());      // ... and equal quantizations and tables become one
}

void lut::buildPlanPipeline(mlir::OpPassManager &pm) {
  buildTablesPipeline(pm);
  pm.addPass(createChooseSchedule());    // now a lookup's cost is known: keep it, or multiply instead
  pm.addPass(createCheckAccumulators()); // needs the schedule's sums; may widen earlier
  pm.addPass(createFusePrecompute());    // last: which products share activations depends on their layouts
}

void lut::buildLowerPipeline(mlir::OpPassManager &pm) {
  pm.addPass(createConvertToLmma());  // products of a LUT-instruction machine become programs ...
  pm.addPass(createTile());           // ... and all other stages loops
  pm.addPass(createEncodePrograms()); // constants, which the runtime executes
  pm.addPass(mlir::createCSEPass());  // before lowering: equal table loads are still visible as one
  pm.addPass(createLower());          // the target's own instructions; from here on it is MLIR's
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(mlir::createSCFToControlFlowPass());
  pm.addPass(mlir::createConvertVectorToLLVMPass());
  pm.addPass(mlir::createArithToLLVMConversionPass());
  pm.addPass(mlir::createConvertControlFlowToLLVMPass());
  pm.addPass(mlir::createConvertFuncToLLVMPass());
  pm.addPass(mlir::createReconcileUnrealizedCastsPass());
}

void lut::registerLowerPasses() {
  mlir::registerCSEPass();
  mlir::registerCanonicalizerPass();
  mlir::registerPass([] { return mlir::createSCFToControlFlowPass(); });
  mlir::registerPass([] { return mlir::createConvertVectorToLLVMPass(); });
  mlir::registerPass([] { return mlir::createArithToLLVMConversionPass(); });
  mlir::registerPass([] { return mlir::createConvertControlFlowToLLVMPass(); });
  mlir::registerPass([] { return mlir::createConvertFuncToLLVMPass(); });
  mlir::registerPass([] { return mlir::createReconcileUnrealizedCastsPass(); });
}

/// Loops come from tiling with their vectors and unrolling decided: what is left is to fold, share and hoist.
/// LLVM's whole pipeline takes four times as long for code of the same size and speed.
static constexpr llvm::StringLiteral optimizations =
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine,loop-mssa(loop-rotate,licm),simplifycfg,"
    "instcombine,loop(indvars),gvn,instcombine,loop-mssa(licm),simplifycfg)";

void lut::optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  llvm::cantFail(builder.parsePassPipeline(passes, optimizations));
  passes.run(module, modules);
}
