#include "mlir/IR/BuiltinOps.h"
#include "passes/Geometry.h"
#include "passes/Passes.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_SYMMETRIZETABLES
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

namespace {
struct SymmetrizeTables : lut::impl::SymmetrizeTablesBase<SymmetrizeTables> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    if (!target)
      return signalPassFailure();
    getOperation().walk([&](PrecomputeOp op) {
      TablesType t = op.getTables().getType();
      bool needed = t.getTrits() ||
                    t.getEntries() > target.getTableEntries(); // packed trits carry a sign on every target
      if (!t.isExact() || t.getMirrored() || !needed)
        return;
      op.getTables().setType(TablesType::get(t.getContext(), t.getK(), t.getGroup(), t.getUnit(),
                                             t.getTrits(),
                                             /*mirrored=*/true, t.getDigits(), t.getRadix()));
    });
  }
};
} // namespace
