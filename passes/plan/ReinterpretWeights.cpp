#include "dialects/lut/Lut.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Passes.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_REINTERPRETWEIGHTS
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

static void reinterpret(LookupGemmOp op) {
  WeightsType w = op.getW().getType();
  if (w.getEncoding() != Encoding::codes)
    return;
  OpBuilder b(op);
  Encoding encoding = w.getFormat().getFormat().row->trits ? Encoding::trits : Encoding::planes;
  auto type = WeightsType::get(b.getContext(), w.getN(), w.getK(), w.getFormat(), encoding);
  op.getWMutable().assign(ReinterpretOp::create(b, op.getLoc(), type, op.getW()));
}

namespace {
struct ReinterpretWeights : lut::impl::ReinterpretWeightsBase<ReinterpretWeights> {
  void runOnOperation() override { getOperation().walk(reinterpret); }
};
} // namespace
