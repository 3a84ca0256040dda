// The order of the passes.
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"

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
