#include "mlir/IR/BuiltinOps.h"
#include "passes/Geometry.h"
#include "passes/Passes.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_QUANTIZETABLES
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

/// The smallest even r with r * r >= 2 * bound + 1: two digits in [-r/2, r/2) cover all sums of -bound ..
/// bound.
static int64_t smallestRadix(int64_t bound) {
  int64_t radix = 2;
  while (radix * radix < 2 * bound + 1)
    radix += 2;
  return radix;
}

static void quantize(PrecomputeOp op) {
  TablesType t = op.getTables().getType();
  if (!t.isExact())
    return;
  bool exact = isa<ActivationsType>(op.getSource().getType());
  TargetAttr target = findTarget(op);
  if (exact && target && target.hasWideEntries())
    return;
  int64_t radix = exact ? smallestRadix(127 * t.getUnit()) : 0; // |q| <= 127
  op.getTables().setType(TablesType::get(t.getContext(), t.getK(), t.getGroup(), t.getUnit(), t.getTrits(),
                                         t.getMirrored(), exact ? 2 : 1, radix));
}

namespace {
struct QuantizeTables : lut::impl::QuantizeTablesBase<QuantizeTables> {
  void runOnOperation() override { getOperation().walk(quantize); }
};
} // namespace
