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
    // An array has half tables: 8 entries, and the sign in the code (LUT Tensor Core section 3.1.2).
    int64_t reach =
        target.hasArray() ? 8 : std::max<int64_t>({16, target.getPermuteBytes(), target.getPermute2Bytes()});
    getOperation().walk([&](PrecomputeOp op) {
      TablesType t = op.getTables().getType();
      bool needed = t.getTrits() || t.getEntries() > reach; // packed trits carry a sign on every target
      if (!t.isExact() || t.getMirrored() || !needed)
        return;
      op.getTables().setType(TablesType::get(t.getContext(), t.getK(), t.getGroup(), t.getUnit(),
                                             t.getTrits(),
                                             /*mirrored=*/true, t.getDigits(), t.getRadix()));
    });
  }
};
} // namespace
