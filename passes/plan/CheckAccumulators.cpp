#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Geometry.h"
#include "passes/Passes.h"
#include "passes/plan/Schedule.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_CHECKACCUMULATORS
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

/// The largest |entry| of a table digit.
static int64_t digitBound(TablesType tables) {
  return tables.getDigits() == 2 ? tables.getRadix() / 2
                                 : 127; // digits in [-r/2, r/2); rounded entries in +-127
}

/// The largest |value| of a weight before its scale.
static int64_t weightBound(const Format &format) {
  const FormatRow &row = *format.row;
  if (format.zeroPoints)
    return 255; // |code - zero point|, both in 0 .. 255
  int64_t bound = format.minimums ? row.codes() - 1 : std::max(-row.offset, row.largestValue());
  return format.subgroup ? 128 * bound : bound; // multiples are bytes
}

/// The largest |sum| over `k` elements before scales. 32-bit sums wrap, so only the result has to fit.
static int64_t sumBound(const Body &g, int64_t k) {
  int64_t factor = g.doubled() ? 2 : 1;
  if (g.numerics == Numerics::a8) {
    int64_t field = g.strategy == Strategy::dot && g.dot == DotKind::quads
                        ? 255
                        : 0; // one that stays at the top of its byte
    int64_t minimum =
        g.format.subgroup && g.format.minimums ? 128 : 0; // the multiple, once for each activation
    return k * 127 * std::max({field, weightBound(g.format) * factor, minimum});
  }
  int64_t planes = g.format.row->trits ? 1 : (1 << g.format.row->bits) - 1;
  int64_t zero = g.format.zeroPoints ? 2 * 255 + 1 : 1; // minimums take the sum of all-plus entries itself
  return (k + g.unit - 1) / g.unit * 127 * (planes + zero);
}

int64_t lut::longestRow(const Body &body) {
  if (!body.wholeRow())
    return 0;
  return INT32_MAX / sumBound(body, body.unit) * body.unit;
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
  int64_t step = g.layout == Layout::base3 ? s.getKBlock() / g.unit : 8;
  while (step % run)
    --run;
  ScheduleFields fields = ScheduleFields::of(s);
  fields.run = run;
  fields.widen = std::min<int64_t>(s.getWiden(), 65535 / 255);
  return fields.get(s.getContext());
}

static LogicalResult check(Operation *op, TargetAttr target) {
  Geometry g = getGeometry(op, target);
  int64_t bound = sumBound(g, g.wholeRow() ? g.k : g.format.group);
  if (bound > INT32_MAX) {
    InFlightDiagnostic error = op->emitError() << "sums over " << (g.wholeRow() ? g.k : g.format.group)
                                               << " elements of k reach " << bound << " and overflow 32 bits";
    if (!g.format.row->trits)
      error.attachNote() << "write a format with groups, such as " << g.format.row->name << "g128";
    return error;
  }
  if (g.layout == Layout::quad) {
    int64_t multiplier = largestMultiplier(g.format, g.tables);
    if (multiplier > 255)
      return op->emitError() << "the multiplier " << multiplier
                             << " of the highest bit plane does not fit a byte";
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
