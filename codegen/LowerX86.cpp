#include "codegen/LowerX86.h"

using namespace mlir;
using namespace lut;

Value lut::callIntrinsic(Emitter &e, StringRef name, Type result, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, result, e.b.getStringAttr(name), operands).getResult(0);
}

LogicalResult lut::lowerLookupByShuffles(LookupOp op, PatternRewriter &rewriter, const X86Bytes &names) {
  Emitter e{rewriter, op.getLoc()};
  auto type = cast<VectorType>(op.getType());
  int64_t entries = op.getEntries(), size = type.getNumElements();
  if (cast<VectorType>(op.getTable().getType()).getNumElements() != entries || entries % 16 ||
      size != names.size)
    return failure();
  Value index = e.bitAnd(op.getIndex(), entries - 1), result;
  for (int64_t first = 0; first < entries; first += 16) {
    SmallVector<int64_t> lanes;
    for (int64_t i = 0; i < size; ++i)
      lanes.push_back(first + i % 16);
    Value table = vector::ShuffleOp::create(e.b, e.loc, op.getTable(), op.getTable(), lanes);
    Value select = index;
    if (entries >
        16) { // indices of other shuffles become 16 or more; adding 0x70 with saturation sets bit 7 for those
      select = e.bitXor(index, e.constant(type, first));
      select = LLVM::UAddSat::create(e.b, e.loc, select, e.constant(type, 0x70));
    }
    Value part = callIntrinsic(e, names.shuffle, type, {table, select});
    result = result ? arith::OrIOp::create(e.b, e.loc, result, part).getResult() : part;
  }
  rewriter.replaceOp(op, result);
  return success();
}

LogicalResult lut::lowerDotByPairs(DotOp op, PatternRewriter &rewriter, const X86Bytes &names) {
  auto sums = cast<VectorType>(op.getType());
  if (2 * op.getMax() * 128 > INT16_MAX + 1 || 4 * sums.getNumElements() != names.size)
    return failure();
  Emitter e{rewriter, op.getLoc()};
  VectorType words = e.vec(2 * sums.getNumElements(), e.i16());
  Value pairs = callIntrinsic(e, names.multiply, words, {op.getCodes(), op.getValues()});
  Value quads = callIntrinsic(e, names.addPairs, sums, {pairs, e.constant(words, 1)});
  rewriter.replaceOp(op, e.add(op.getAcc(), quads));
  return success();
}
