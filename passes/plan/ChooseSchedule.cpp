#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "passes/Geometry.h"
#include "passes/Passes.h"
#include "passes/plan/CostModel.h"
#include "passes/plan/Schedule.h"
#include "llvm/Support/FormatVariadic.h"

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

/// Without what is a fact of the CPU that was tuned for, and legal for every other: the prefetch distance,
/// and the tokens that pay for unpacking.
static ScheduleAttr portable(ScheduleAttr s) {
  ScheduleFields fields = ScheduleFields::of(s);
  fields.prefetch = 0;
  fields.unpackTokens = fields.unpackTokens != 0;
  return fields.get(s.getContext());
}

static std::optional<Candidate> findSchedule(ArrayRef<Candidate> all, ScheduleAttr schedule) {
  auto *found =
      llvm::find_if(all, [&](const Candidate &it) { return portable(it.schedule) == portable(schedule); });
  return found == all.end() ? std::nullopt
                            : std::optional(Candidate{schedule, found->cost, found->typicalRows});
}

static std::optional<Candidate> pickSchedule(ArrayRef<Candidate> all, std::optional<Strategy> strategy) {
  const Candidate *found = pick(all, strategy);
  return found ? std::optional(*found) : std::nullopt;
}

/// What speaks for `best`, one of `all`.
static std::string reasonFor(const Candidate &best, ArrayRef<Candidate> all, bool tuned, bool asked) {
  if (tuned)
    return "measured as the fastest by a tuning";
  auto *other = llvm::find_if(
      all, [&](const Candidate &it) { return it.schedule.getStrategy() != best.schedule.getStrategy(); });
  if (asked || other == all.end())
    return asked ? "of the strategy that was asked for, the fastest predicted" : "no other strategy is legal";
  std::string of = best.typicalRows
                       ? llvm::formatv(" for n = {0}, k = {1}", best.typicalRows, typicalDimension).str()
                       : "";
  return llvm::formatv(
      "the fastest predicted{0}: {1:F0} cycles for a token alone and one of a batch, against {2:F0} "
      "for the best {3} in layout {4}",
      of, best.cost.total(), other->cost.total(), stringifyStrategy(other->schedule.getStrategy()),
      stringifyLayout(other->schedule.getLayout()));
}

static void record(Operation *gemm, ScheduleAttr schedule, const Cost &cost, StringRef reason) {
  Builder b(gemm->getContext());
  gemm->setAttr("schedule", schedule);
  gemm->setAttr(kComputeCyclesAttrName, b.getF64FloatAttr(cost.computeCycles));
  gemm->setAttr(kMemoryCyclesAttrName, b.getF64FloatAttr(cost.memoryCycles));
  gemm->setAttr(kBatchCyclesAttrName, b.getF64FloatAttr(cost.batchCycles));
  gemm->setAttr(kFewCyclesAttrName, b.getF64FloatAttr(cost.fewCycles));
  gemm->setAttr(kReasonAttrName, b.getStringAttr(reason));
}

static LogicalResult choose(LookupGemmOp op, TargetAttr target) {
  auto route = op.getLeft().getDefiningOp<RouteOp>();
  auto precompute = (route ? route.getX() : op.getLeft()).getDefiningOp<PrecomputeOp>();
  if (!precompute || op.getSchedule())
    return success();
  const ScheduleModel &model = scheduleModelOf(target);
  auto all = model.candidates(op, target);
  // Tokens are prepared together and multiplied by expert: not all of these would leave tables out.
  if (route)
    llvm::erase_if(all, [](const Candidate &it) {
      return it.schedule.getUnpackTokens() && it.schedule.getLayout() == Layout::base3;
    });
  auto tuned = op->getAttrOfType<ScheduleAttr>(kTunedAttrName);
  std::optional<Candidate> best = tuned ? findSchedule(all, tuned) : pickSchedule(all, op.getStrategy());
  if (tuned && !best)
    return op.emitError() << "the tuned schedule " << tuned << " is none that this lutc knows for the product"
                          << " on " << target.getName() << "; tune again";
  if (all.empty())
    return op.emitError() << target.getName() << " " << model.offer();
  if (!best)
    return op.emitError() << "no schedule of strategy " << stringifyStrategy(*op.getStrategy())
                          << " is legal for this product on " << target.getName();
  remark::passed(op.getLoc(), remark::RemarkOpts::name("ChooseSchedule").category("lut-schedule"))
      << (target.getName() + ": " + best->reason()).str();
  std::string reason = reasonFor(*best, all, bool(tuned), bool(op.getStrategy()));
  op->removeAttr(kTunedAttrName);
  Cost cost = model.costOf(*best, op, target);
  if (best->schedule.getStrategy() == Strategy::lookup) {
    record(op, best->schedule, cost, reason);
    return success();
  }
  OpBuilder b(op);
  Value source = precompute.getSource();
  if (route)
    source = RouteOp::create(b, route.getLoc(), source.getType(), source, route.getExperts());
  auto dot = DotGemmOp::create(b, op.getLoc(), op.getY().getType(), source, codesOf(op.getW()),
                               op.getStrategyAttr(), best->schedule);
  record(dot, best->schedule, cost, reason);
  op.replaceAllUsesWith(dot.getY());
  Operation *w = op.getW().getDefiningOp();
  op.erase();
  for (Operation *left : {route.getOperation(), precompute.getOperation(), w})
    if (isa_and_nonnull<RouteOp, PrecomputeOp, ReinterpretOp>(left) && left->use_empty())
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
