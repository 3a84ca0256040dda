// Predicted time of a schedule, from instruction counts and the target's facts.
#ifndef LUT_PASSES_COSTMODEL_H
#define LUT_PASSES_COSTMODEL_H

#include "dialects/lut/Lut.h"
#include <string>

namespace lut {

/// One way to run a product, with its predicted cycles for one token.
struct Candidate {
  ScheduleAttr schedule;
  double computeCycles = 0; // instructions of the inner loop and of the flush of groups
  double memoryCycles = 0;  // the stored weights, read once from memory
  double cycles() const { return std::max(computeCycles, memoryCycles); }
  std::string reason() const;
};

/// Every schedule that is legal for a product of `w` in class `numerics` on `target`, the fastest first.
/// `tables` is the type of the activation-side tables that a lookup would read.
llvm::SmallVector<Candidate> candidates(TargetAttr target, WeightsType w, Numerics numerics, TablesType tables);

/// Expected NMSE of class `numerics` against the float product, on unit-normal activations.
double expectedNmse(const Format &format, int64_t k, Numerics numerics);

} // namespace lut

#endif
