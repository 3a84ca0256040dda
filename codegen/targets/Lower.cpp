#include "codegen/targets/Lower.h"
#include "codegen/targets/Targets.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Geometry.h"
#include "passes/tile/Emitter.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_LOWER
#include "codegen/targets/Passes.h.inc"
} // namespace lut

using namespace lut;

static LogicalResult lowerAccumulate(AccumulateOp op, PatternRewriter &rewriter) {
  Emitter e{rewriter, op.getLoc()};
  Value words = e.bitcast(op.getValue(), op.getEven().getType());
  Value even = e.add(op.getEven(), words), odd = e.add(op.getOdd(), e.shiftRight(words, 8));
  rewriter.replaceOp(op, {even, odd});
  return success();
}

namespace {
struct Lower : lut::impl::LowerBase<Lower> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    const TargetRow *row = target ? findTarget(target.getName()) : nullptr;
    if (!row) {
      if (target)
        getOperation().emitError() << "no instruction set named " << target.getName()
                                   << " in the target table";
      return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    patterns.add(lowerAccumulate);
    row->populate(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    WalkResult left = getOperation().walk([&](Operation *op) {
      if (!isa<LutDialect>(op->getDialect()))
        return WalkResult::advance();
      op->emitError() << "has no lowering for " << row->name;
      return WalkResult::interrupt();
    });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
