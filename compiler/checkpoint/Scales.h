// Numbers as scales and minimums, of the types that formats have.
#ifndef LUT_COMPILER_CHECKPOINT_SCALES_H
#define LUT_COMPILER_CHECKPOINT_SCALES_H

#include "compiler/checkpoint/Checkpoint.h"
#include "dialects/lut/Format.h"

namespace lut {

// The nearest number of `type`, ties to even, infinity when the value is too large; of e8m0 the power of two
// below.
float roundScale(ScaleType type, float value);

// Whether `type` holds the values exactly. Those that are not finite do not count: no type helps them.
bool holdsScales(ScaleType type, llvm::ArrayRef<float> values);
bool holdsScales(ScaleType type, const Tensor &values); // of F16, BF16 or F32

// The first of f16, bf16 and f32 that does.
ScaleType exactScaleType(llvm::ArrayRef<float> values);
ScaleType exactScaleType(const Tensor &values);

// Element `index` of numbers of `type` at `to`; `type` holds the value.
void storeScale(ScaleType type, float value, void *to, int64_t index);

} // namespace lut

#endif
