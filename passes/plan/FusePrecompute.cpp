#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Geometry.h"
#include "passes/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_FUSEPRECOMPUTE
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

namespace {

/// Moves the ops of one function into stages.
struct StageBuilder {
  TargetAttr target;
  OpBuilder b;
  IRMapping results; // values of the old ops that stages now yield
  struct Prepared {
    Value left; // of the product
    Geometry geometry;
    Value result;
  };
  std::vector<Prepared> prepared;

  Value prepare(Value left, const Geometry &geometry);
  Value stageBefore(Value left);
  void combine(CombineOp op);
  void product(Operation *gemm);
  Value stage(Location loc, ArrayRef<Operation *> ops, Value yielded);
};

} // namespace

static bool isProduct(Operation *op) { return isa<LookupGemmOp, DotGemmOp>(op) && op->hasAttr("schedule"); }

/// What a product does to its result in registers: additions, scalings and a conversion whose input nothing
/// else sees.
static SmallVector<Operation *> epilogueOf(Operation *gemm) {
  SmallVector<Operation *> ops;
  Value value = gemm->getResult(0);
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (isa<ConvertOp>(user)) {
      ops.push_back(user);
      break;
    }
    if (!user->hasTrait<FollowsProduct>() || user->getOperand(0) != value ||
        user->getOperand(1).getDefiningOp())
      break;
    ops.push_back(user);
    value = user->getResult(0);
  }
  return ops;
}

/// A stage of `ops`, in order, which yields `yielded`. Whatever they use and do not define is an input.
Value StageBuilder::stage(Location loc, ArrayRef<Operation *> ops, Value yielded) {
  llvm::SetVector<Value> inputs;
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (!llvm::is_contained(ops, operand.getDefiningOp()))
        inputs.insert(operand);
  SmallVector<Value> outer;
  for (Value input : inputs)
    outer.push_back(results.lookupOrDefault(input));
  auto stage = StageOp::create(b, loc, yielded.getType(), outer);
  Block *block = b.createBlock(&stage.getBody());
  IRMapping inner;
  for (Value input : inputs)
    inner.map(input, block->addArgument(input.getType(), input.getLoc()));
  for (Operation *op : ops)
    b.clone(*op, inner);
  YieldOp::create(b, loc, inner.lookup(yielded));
  b.setInsertionPointAfter(stage);
  return stage.getResult();
}

/// Everything between memory and `left`, once for all products that read the same bytes.
Value StageBuilder::prepare(Value left, const Geometry &geometry) {
  if (isa<BlockArgument>(left))
    return left;
  for (const Prepared &known : prepared)
    if (known.left == left && known.geometry.sharesPrepared(geometry))
      return known.result;
  Value result;
  if (auto route = left.getDefiningOp<RouteOp>())
    result = RouteOp::create(b, route.getLoc(), left.getType(), prepare(route.getX(), geometry),
                             route.getExperts());
  else
    result = stageBefore(left);
  prepared.push_back({left, geometry, result});
  return result;
}

/// A stage of what computes `left` from arguments and other stages' results.
Value StageBuilder::stageBefore(Value left) {
  SmallVector<Operation *> ops;
  SmallVector<Value> pending = {left};
  llvm::SetVector<Operation *> reached;
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!op || results.contains(value) || !reached.insert(op))
      continue;
    pending.append(op->operand_begin(), op->operand_end());
  }
  for (Operation &op : *left.getParentBlock())
    if (reached.contains(&op))
      ops.push_back(&op);
  return stage(left.getLoc(), ops, left);
}

void StageBuilder::combine(CombineOp op) {
  Operation *clone = b.clone(*op, results);
  results.map(op.getY(), clone->getResult(0));
}

void StageBuilder::product(Operation *gemm) {
  SmallVector<Operation *> ops = {gemm};
  if (Operation *reinterpret = gemm->getOperand(1).getDefiningOp())
    ops.insert(ops.begin(), reinterpret);
  ops.append(epilogueOf(gemm));
  Value left = gemm->getOperand(0), y = ops.back()->getResult(0);
  b.setInsertionPoint(gemm->getBlock()->getTerminator());
  results.map(left, prepare(left, getGeometry(gemm, target)));
  Value result = stage(gemm->getLoc(), ops, y);
  results.erase(left); // another product may need it in another layout
  results.map(y, result);
}

/// The function returns what stages yield, and nothing else.
static LogicalResult replaceReturns(func::FuncOp function, const IRMapping &results) {
  auto terminator = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  for (OpOperand &operand : terminator->getOpOperands()) {
    if (!results.contains(operand.get()))
      return terminator.emitError() << function.getName() << " returns what no product computes; only "
                                    << "additions, scalings and conversions may follow a product";
    operand.set(results.lookup(operand.get()));
  }
  return success();
}

static LogicalResult fuse(func::FuncOp function, TargetAttr target) {
  SmallVector<Operation *> old;
  for (Operation &op : function.getBody().front().without_terminator())
    old.push_back(&op);
  if (llvm::none_of(old, isProduct))
    return success();
  StageBuilder builder{target, OpBuilder(function), {}, {}};
  for (Operation *op : old) {
    if (isProduct(op))
      builder.product(op);
    else if (auto combine = dyn_cast<CombineOp>(op))
      builder.combine(combine);
  }
  if (failed(replaceReturns(function, builder.results)))
    return failure();
  for (Operation *op : llvm::reverse(old)) {
    op->dropAllUses();
    op->erase();
  }
  return success();
}

namespace {
struct FusePrecompute : lut::impl::FusePrecomputeBase<FusePrecompute> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    if (!target)
      return signalPassFailure();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isDeclaration() && failed(fuse(function, target)))
        return signalPassFailure();
  }
};
} // namespace
