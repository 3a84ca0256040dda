#include "dialects/lut/Lut.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Passes.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_SHARETABLES
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

/// prepare(route(x)) -> route(prepare(x)): once for a token, not for each of its experts.
static void prepareBeforeRoute(Operation *prepare) {
  auto route = prepare->getOperand(0).getDefiningOp<RouteOp>();
  if (!route)
    return;
  OpBuilder b(prepare);
  Operation *once = b.clone(*prepare);
  once->setOperand(0, route.getX());
  Value prepared = once->getResult(0);
  auto routed = RouteOp::create(b, route.getLoc(), prepared.getType(), prepared, route.getExperts());
  prepare->getResult(0).replaceAllUsesWith(routed.getY());
  prepare->erase();
  if (route.use_empty())
    route.erase();
}

namespace {
struct ShareTables : lut::impl::ShareTablesBase<ShareTables> {
  void runOnOperation() override {
    SmallVector<Operation *> prepares; // in order: quantization comes before tables
    getOperation().walk([&](Operation *op) {
      if (isa<QuantizeActivationsOp, PrecomputeOp>(op))
        prepares.push_back(op);
    });
    for (Operation *op : prepares)
      prepareBeforeRoute(op);
  }
};
} // namespace
