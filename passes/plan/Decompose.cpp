#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Geometry.h"
#include "passes/Passes.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_DECOMPOSE
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

static int64_t unitOf(const FormatRow &row, Operation *op) {
  TargetAttr target = findTarget(op);
  return target ? target.unitOf(row) : row.unit;
}

static void decompose(MpGemmOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  WeightsType w = op.getW().getType();
  Format format = w.getFormat().getFormat();
  int64_t k = w.getK(), group = format.group ? std::min(format.group, k) : k;
  Value source = op.getX();
  if (format.permuted)
    source = PermuteOp::create(b, loc, source.getType(), source, op.getW());
  if (op.getNumerics() == Numerics::a8)
    source = QuantizeActivationsOp::create(
        b, loc, ActivationsType::get(b.getContext(), k, group, format.subgroup), source);
  auto tables = TablesType::get(b.getContext(), k, group, unitOf(*format.row, op), format.row->trits,
                                /*mirrored=*/false, /*digits=*/0, /*radix=*/0);
  Value table = PrecomputeOp::create(b, loc, tables, source);
  auto gemm = LookupGemmOp::create(b, loc, op.getY().getType(), table, op.getW(), op.getStrategyAttr(),
                                   /*schedule=*/nullptr);
  gemm->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  op.replaceAllUsesWith(gemm.getY());
  op.erase();
}

namespace {
struct Decompose : lut::impl::DecomposeBase<Decompose> {
  void runOnOperation() override { getOperation().walk(decompose); }
};
} // namespace
