#include "passes/Geometry.h"
#include "passes/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_CHECKACCUMULATORS
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

/// The largest |entry| of a table digit.
static int64_t digitBound(TablesType tables) {
  return tables.getDigits() == 2 ? tables.getRadix() / 2 : 127; // digits in [-r/2, r/2); rounded entries in +-127
}

/// The largest |sum| over `k` elements before scales. 32-bit sums wrap, so only the result has to fit.
static int64_t sumBound(const Geometry &g, int64_t k) {
  int64_t levels = int64_t(1) << g.format.row->bits;
  if (g.strategy == Strategy::dot)
    return k * 127 * (levels * g.format.row->step + (g.format.zeroPoints ? 255 : 0));
  int64_t entry = g.digits() == 2 ? 127 * g.unit + g.radix() : 127;
  int64_t weight = g.format.row->trits ? 1 : levels - 1 + (g.format.zeroPoints ? 2 * 255 + 1 : 1);
  return (k / g.unit + 1) * entry * weight;
}

/// Lowers run and widen to what 8 and 16 bits are proven to hold.
static ScheduleAttr widenEarlier(const Geometry &g) {
  ScheduleAttr s = g.schedule;
  if (!s.getRun())
    return s;
  int64_t run = s.getRun();
  while (run > 1 && run * digitBound(g.tables) > 127)
    --run;
  // A run has to divide what the loop over the stream takes at a time.
  int64_t step = g.layout == Layout::base3 ? g.units(g.kBlock) : 8;
  while (step % run)
    --run;
  int64_t widen = std::min<int64_t>(s.getWiden(), 65535 / 255);
  return ScheduleAttr::get(s.getContext(), s.getStrategy(), s.getLayout(), s.getRowVectors(), s.getTokens(),
                           s.getTokenBlock(), s.getKBlock(), run, widen);
}

static LogicalResult check(Operation *op, TargetAttr target) {
  Geometry g = getGeometry(op, target);
  int64_t bound = sumBound(g, g.wholeRow() ? g.kPadded : g.group);
  if (bound > INT32_MAX)
    return op->emitError() << "sums over " << (g.wholeRow() ? g.k : g.group) << " elements of k reach " << bound
                           << " and overflow 32 bits; choose a group size";
  if (g.layout == Layout::quad) {
    int64_t multiplier = (int64_t(1) << (g.format.row->bits - 1)) * std::max<int64_t>(1, g.radix());
    if (multiplier > 255)
      return op->emitError() << "the multiplier " << multiplier << " of the highest bit plane does not fit a byte";
  }
  op->setAttr("schedule", widenEarlier(g));
  return success();
}

namespace {
struct CheckAccumulators : lut::impl::CheckAccumulatorsBase<CheckAccumulators> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    if (!target)
      return signalPassFailure();
    WalkResult result = getOperation().walk([&](Operation *op) {
      bool scheduled = isa<LookupGemmOp, DotGemmOp>(op) && op->hasAttr("schedule");
      return scheduled && failed(check(op, target)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
