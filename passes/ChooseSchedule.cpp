#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "passes/CostModel.h"
#include "passes/Geometry.h"
#include "passes/Passes.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_CHOOSESCHEDULE
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

/// The plain weights behind a reinterpretation: a dot product reads codes.
static Value codesOf(Value w) {
  auto reinterpret = w.getDefiningOp<ReinterpretOp>();
  return reinterpret ? reinterpret.getW() : w;
}

static const Candidate *findSchedule(ArrayRef<Candidate> all, ScheduleAttr schedule) {
  auto *found = llvm::find_if(all, [&](const Candidate &it) { return it.schedule == schedule; });
  return found == all.end() ? nullptr : found;
}

static void record(Operation *gemm, const Candidate &candidate) {
  Builder b(gemm->getContext());
  gemm->setAttr("schedule", candidate.schedule);
  gemm->setAttr(kComputeCyclesAttrName, b.getF64FloatAttr(candidate.cost.computeCycles));
  gemm->setAttr(kMemoryCyclesAttrName, b.getF64FloatAttr(candidate.cost.memoryCycles));
  gemm->setAttr(kBatchCyclesAttrName, b.getF64FloatAttr(candidate.cost.batchCycles));
}

static LogicalResult choose(LookupGemmOp op, TargetAttr target) {
  auto precompute = op.getLeft().getDefiningOp<PrecomputeOp>();
  if (!precompute || op.getSchedule())
    return success();
  auto all = candidates(op, target);
  auto tuned = op->getAttrOfType<ScheduleAttr>(kTunedAttrName);
  const Candidate *best = tuned ? findSchedule(all, tuned) : pick(all, op.getStrategy());
  if (tuned && !best)
    return op.emitError() << "the tuned schedule " << tuned << " is none that this lutc knows for the product"
                          << " on " << target.getName() << "; tune again";
  if (!best)
    return op.emitError() << "no schedule of strategy " << stringifyStrategy(*op.getStrategy())
                          << " is legal for this product on " << target.getName();
  remark::passed(op.getLoc(), remark::RemarkOpts::name("ChooseSchedule").category("lut-schedule"))
      << (target.getName() + ": " + best->reason()).str();
  if (best->schedule.getStrategy() == Strategy::lookup) {
    record(op, *best);
    return success();
  }
  OpBuilder b(op);
  auto dot = DotGemmOp::create(b, op.getLoc(), op.getY().getType(), precompute.getSource(),
                               codesOf(op.getW()), op.getStrategyAttr(), best->schedule);
  record(dot, *best);
  op.replaceAllUsesWith(dot.getY());
  Operation *w = op.getW().getDefiningOp();
  op.erase();
  for (Operation *left : {precompute.getOperation(), w})
    if (isa_and_nonnull<PrecomputeOp, ReinterpretOp>(left) && left->use_empty())
      left->erase();
  return success();
}

namespace {
struct ChooseSchedule : lut::impl::ChooseScheduleBase<ChooseSchedule> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    if (!target)
      return signalPassFailure();
    SmallVector<LookupGemmOp> ops;
    getOperation().walk([&](LookupGemmOp op) { ops.push_back(op); });
    for (LookupGemmOp op : ops)
      if (failed(choose(op, target)))
        return signalPassFailure();
  }
};
} // namespace
