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

/// Values, negative where codes are. Not those of codes 0, which count nothing.
static Value withSigns(Emitter &e, Value values, Value codes, const X86Bytes &names) {
  if (!names.sign.empty())
    return callIntrinsic(e, names.sign, values.getType(), {values, codes});
  Value zero = e.constant(values.getType(), 0);
  Value negative = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, codes, zero);
  return arith::SelectOp::create(e.b, e.loc, negative, e.sub(zero, values), values);
}

LogicalResult lut::lowerDotByPairs(DotOp op, PatternRewriter &rewriter, const X86Bytes &names) {
  Type sums = op.getType(), words = VectorType::get({names.size / 2}, rewriter.getIntegerType(16));
  if (sums != words)
    return failure();
  Emitter e{rewriter, op.getLoc()};
  Value codes = op.getCodes(), values = op.getValues();
  if (op.getIsSigned()) {
    values = withSigns(e, values, codes, names);
    codes = LLVM::AbsOp::create(e.b, e.loc, codes.getType(), codes, /*is_int_min_poison=*/false);
  }
  Value pairs = callIntrinsic(e, names.multiply, sums, {codes, values});
  rewriter.replaceOp(op, e.add(pairs, op.getAcc()));
  return success();
}

LogicalResult lut::lowerAddPairs(AddPairsOp op, PatternRewriter &rewriter, const X86Bytes &names) {
  if (4 * cast<VectorType>(op.getType()).getNumElements() != names.size)
    return failure();
  Emitter e{rewriter, op.getLoc()};
  Value sums = callIntrinsic(e, names.addPairs, op.getType(), {op.getWords(), op.getFactors()});
  rewriter.replaceOp(op, e.add(sums, op.getAcc()));
  return success();
}
