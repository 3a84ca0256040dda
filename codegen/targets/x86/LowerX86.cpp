#include "codegen/targets/x86/LowerX86.h"

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

/// Whether the only use of `op` is as the accumulator of another product.
static bool continues(DotOp op) {
  if (!op->hasOneUse())
    return false;
  auto user = dyn_cast<DotOp>(*op->user_begin());
  return user && user.getAcc() == op.getResult();
}

/// Products that accumulate into each other, `last` first, as many as 16 bits hold the sum of.
static SmallVector<DotOp> chainOf(DotOp last) {
  SmallVector<DotOp> chain;
  int64_t bound = 0;
  for (DotOp op = last; op && (op == last || continues(op)); op = op.getAcc().getDefiningOp<DotOp>()) {
    bound += 2 * op.getMax() * 128;
    if (bound > INT16_MAX + 1)
      break;
    chain.push_back(op);
  }
  return chain;
}

/// Codes of which a pair of products overflows 16 bits, by halves: low + 16 * high.
static LogicalResult splitDot(DotOp op, PatternRewriter &rewriter) {
  Emitter e{rewriter, op.getLoc()};
  auto dot = [&](Value acc, Value codes) {
    return DotOp::create(rewriter, op.getLoc(), acc, codes, op.getValues(), 15).getResult();
  };
  Value high = dot(e.constant(op.getType(), 0), e.bitAnd(e.shiftBytes(op.getCodes(), 4), 15));
  rewriter.replaceOp(op, e.add(dot(op.getAcc(), e.bitAnd(op.getCodes(), 15)), e.shiftLeft(high, 4)));
  return success();
}

LogicalResult lut::lowerDotByPairs(DotOp op, PatternRewriter &rewriter, const X86Bytes &names) {
  if (op.getMax() > 128)
    return splitDot(op, rewriter);
  auto sums = cast<VectorType>(op.getType());
  if (continues(op) || 4 * sums.getNumElements() != names.size)
    return failure();
  SmallVector<DotOp> chain = chainOf(op);
  if (chain.empty())
    return failure();
  Emitter e{rewriter, op.getLoc()};
  VectorType words = e.vec(2 * sums.getNumElements(), e.i16());
  Value acc = chain.back().getAcc(), pairs;
  // Each in its place: together their codes would not fit the registers.
  for (DotOp product : llvm::reverse(chain)) {
    rewriter.setInsertionPoint(product);
    Value pair = callIntrinsic(e, names.multiply, words, {product.getCodes(), product.getValues()});
    pairs = pairs ? e.add(pairs, pair) : pair;
  }
  rewriter.replaceOp(op, e.add(acc, callIntrinsic(e, names.addPairs, sums, {pairs, e.constant(words, 1)})));
  return success();
}
