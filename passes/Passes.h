// All passes of lut and the pipeline that orders them.
#ifndef LUT_PASSES_PASSES_H
#define LUT_PASSES_PASSES_H

#include "mlir/Pass/Pass.h"
#include <memory>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace lut {

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

/// From lut.mpgemm to lookups in quantized tables; Pipeline.cpp gives the reason for the order.
void buildTablesPipeline(mlir::OpPassManager &pm);
/// The same, on to scheduled products. lut-tile comes next.
void buildPlanPipeline(mlir::OpPassManager &pm);

} // namespace lut

#endif
