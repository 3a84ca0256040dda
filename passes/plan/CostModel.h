// Predicted time of a schedule, from instruction counts and the target's facts.
#ifndef LUT_PASSES_PLAN_COSTMODEL_H
#define LUT_PASSES_PLAN_COSTMODEL_H

#include "dialects/lut/Lut.h"
#include <cmath>
#include <string>

namespace lut {

/// Predicted cycles. One packed copy serves decode and prefill, so schedules are ordered by the time of one
/// token of each: alone, where the slower of compute and memory counts, and in a batch, where weights stay in
/// cache.
struct Cost {
  double computeCycles = 0; // of one token alone: the inner loop and the flush of groups
  double memoryCycles = 0;  // the stored weights, read once from memory
  double batchCycles = 0;   // compute of one token of a batch, whose tokens share the decoding of weights
  double fewCycles = 0;     // the same of a batch too small to unpack codes for
  bool overlaps = false; // whether computing and reading overlap to the end, as on a LUT-instruction machine
  /// As part of a sentence.
  std::string describe() const;
  /// Computing and reading overlap on a CPU but for their peaks: the 4-norm, 1.19 times where both are equal.
  double aloneCycles() const {
    if (overlaps)
      return std::max(computeCycles, memoryCycles);
    return std::pow(std::pow(computeCycles, 4) + std::pow(memoryCycles, 4), 0.25);
  }
  double total() const { return aloneCycles() + batchCycles; }
};

/// n and k of a matrix as models have them. Schedules for CPUs are chosen for it, whatever n and k: so that a
/// format has one code and one order of packed weights on a target. But tables, which rows share, may cost
/// more than they save for less than `fewRows`: such products are chosen for 1024 rows where that decides
/// between tables and multiplying.
inline constexpr int64_t typicalDimension = 4096, fewRows = 2048, fewTypicalRows = 1024;

/// One way to run a product.
struct Candidate {
  ScheduleAttr schedule;
  Cost cost;
  int64_t typicalRows = 0; // n of the typical matrix that the cost is of; 0: it is the product's own
  std::string reason() const;
};

/// What a kind of target knows of the schedules of products whose tables have been quantized.
struct ScheduleModel {
  virtual ~ScheduleModel() = default;
  /// Every legal one, the fastest first.
  virtual llvm::SmallVector<Candidate> candidates(LookupGemmOp gemm, TargetAttr target) const = 0;
  /// What `candidate` costs the product itself.
  virtual Cost costOf(const Candidate &candidate, LookupGemmOp gemm, TargetAttr target) const = 0;
  /// What the target multiplies, where it has no candidate: the second half of a sentence.
  virtual llvm::StringRef offer() const = 0;
};

const ScheduleModel &scheduleModelOf(TargetAttr target);

/// By ascending `cycles`; of equal ones the first stays first.
llvm::SmallVector<Candidate> sorted(llvm::ArrayRef<Candidate> all,
                                    llvm::function_ref<double(const Cost &)> cycles);

/// The fastest candidate of `strategy`, or of any where none is asked for; null where none is legal.
const Candidate *pick(llvm::ArrayRef<Candidate> all, std::optional<Strategy> strategy);

/// On a product: the schedule that a measurement found, to be taken instead of the fastest predicted.
inline constexpr llvm::StringLiteral kTunedAttrName = "lut.tuned";

/// Attributes that carry a choice's predicted cycles.
inline constexpr llvm::StringLiteral kComputeCyclesAttrName = "lut.compute_cycles";
inline constexpr llvm::StringLiteral kMemoryCyclesAttrName = "lut.memory_cycles";
inline constexpr llvm::StringLiteral kBatchCyclesAttrName = "lut.batch_cycles";
inline constexpr llvm::StringLiteral kFewCyclesAttrName = "lut.few_cycles";
/// Why it was chosen, as the second half of a sentence.
inline constexpr llvm::StringLiteral kReasonAttrName = "lut.reason";

/// Expected NMSE of class `numerics` against the float product, on unit-normal activations.
double expectedNmse(const Format &format, int64_t k, Numerics numerics);

} // namespace lut

#endif
