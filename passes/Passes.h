// The passes from products to loops; codegen/library/Pipeline.cpp orders them.
#ifndef LUT_PASSES_PASSES_H
#define LUT_PASSES_PASSES_H

#include "mlir/Pass/Pass.h"
#include <memory>

namespace lut {

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

} // namespace lut

#endif
