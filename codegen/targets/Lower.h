// Lowering of lut's vector ops: one populate function per instruction set, and the pass that runs them.
#ifndef LUT_CODEGEN_TARGETS_LOWER_H
#define LUT_CODEGEN_TARGETS_LOWER_H

#include "mlir/Pass/Pass.h"
#include <memory>

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace lut {

#define GEN_PASS_DECL
#include "codegen/targets/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "codegen/targets/Passes.h.inc"

#define LUT_TARGET(name, summary, features, cpuBits, populate, ...)                                          \
  void populate(mlir::RewritePatternSet &patterns);
#include "codegen/targets/Targets.def"

} // namespace lut

#endif
