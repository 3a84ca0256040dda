// SSE2: no byte permute and no byte product. Lookups read tables from memory, products widen to 16 bits, and
// f16 is widened by integer arithmetic. Correct on every x86-64 CPU; the other rows are for speed.
#include "codegen/targets/Lower.h"
#include "codegen/targets/x86/LowerX86.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lut;

/// Tables that are known: one comparison for every entry.
static LogicalResult lowerKnownLookup(LookupOp op, PatternRewriter &rewriter) {
  DenseIntElementsAttr table;
  if (!matchPattern(op.getTable(), m_Constant(&table)) || table.getNumElements() != int64_t(op.getEntries()))
    return failure();
  Emitter e{rewriter, op.getLoc()};
  Type type = op.getType();
  Value index = e.bitAnd(op.getIndex(), op.getEntries() - 1), result = e.constant(type, 0);
  for (auto [i, entry] : llvm::enumerate(table.getValues<APInt>())) {
    Value here = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, index, e.constant(type, i));
    result = arith::SelectOp::create(e.b, e.loc, here, e.constant(type, entry.getSExtValue()), result);
  }
  rewriter.replaceOp(op, result);
  return success();
}

/// Others come straight from memory: one scalar load for every byte of the index.
static LogicalResult lowerLookup(LookupOp op, PatternRewriter &rewriter) {
  auto load = op.getTable().getDefiningOp<LLVM::LoadOp>();
  if (!load)
    return failure();
  Emitter e{rewriter, op.getLoc()};
  auto type = cast<VectorType>(op.getType());
  int64_t entries = op.getEntries(), tables = cast<VectorType>(load.getType()).getNumElements() / entries;
  Value index = e.bitAnd(op.getIndex(), entries - 1);
  Value result = e.constant(type, 0);
  for (int64_t b = 0; b < type.getNumElements(); ++b) {
    Value i = vector::ExtractOp::create(e.b, e.loc, index, ArrayRef<int64_t>{b});
    Value offset = arith::ExtUIOp::create(e.b, e.loc, e.i64(), i);
    Value entry = e.load(e.i8(), e.at(e.at(load.getAddr(), b % tables * entries), offset));
    result = vector::InsertOp::create(e.b, e.loc, entry, result, ArrayRef<int64_t>{b});
  }
  rewriter.replaceOp(op, result);
  return success();
}

/// pmaddwd on both halves gives sums of pairs; sums of four add neighbours.
static LogicalResult lowerDot(DotOp op, PatternRewriter &rewriter) {
  Emitter e{rewriter, op.getLoc()};
  if (op.getType() != e.vec(4, e.i32()))
    return failure();
  VectorType words = e.vec(16, e.i16()), sums = e.vec(4, e.i32());
  Value codes = arith::ExtUIOp::create(e.b, e.loc, words, op.getCodes());
  Value values = arith::ExtSIOp::create(e.b, e.loc, words, op.getValues());
  Value pairs[2];
  for (int64_t i = 0; i < 2; ++i) {
    Value a = vector::ExtractStridedSliceOp::create(e.b, e.loc, codes, {8 * i}, {8}, {1});
    Value c = vector::ExtractStridedSliceOp::create(e.b, e.loc, values, {8 * i}, {8}, {1});
    pairs[i] = callIntrinsic(e, kSse2Bytes.addPairs, sums, {a, c});
  }
  Value even = vector::ShuffleOp::create(e.b, e.loc, pairs[0], pairs[1], ArrayRef<int64_t>{0, 2, 4, 6});
  Value odd = vector::ShuffleOp::create(e.b, e.loc, pairs[0], pairs[1], ArrayRef<int64_t>{1, 3, 5, 7});
  rewriter.replaceOp(op, e.add(op.getAcc(), e.add(even, odd)));
  return success();
}

/// f16 to f32 without F16C: exponent and mantissa as the bits of a f32, times 2^112, which also normalizes
/// denormals.
static LogicalResult lowerExtF(arith::ExtFOp op, PatternRewriter &rewriter) {
  auto from = dyn_cast<VectorType>(op.getIn().getType());
  if (!from || !from.getElementType().isF16())
    return failure();
  Emitter e{rewriter, op.getLoc()};
  int64_t size = from.getNumElements();
  VectorType ints = e.vec(size, e.i32()), floats = e.vec(size, e.f32());
  Value bits = arith::ExtUIOp::create(e.b, e.loc, ints, e.bitcast(op.getIn(), e.vec(size, e.i16())));
  Value magnitude = e.shiftLeft(e.bitAnd(bits, 0x7fff), 13);
  Value scale = e.bitcast(e.constant(ints, (112 + 127) << 23), floats);
  Value finite = e.bitcast(e.mul(e.bitcast(magnitude, floats), scale), ints);
  Value special = arith::OrIOp::create(e.b, e.loc, magnitude, e.constant(ints, 0x7f800000));
  Value isSpecial =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::uge, magnitude, e.constant(ints, 0x7c00 << 13));
  Value absolute = arith::SelectOp::create(e.b, e.loc, isSpecial, special, finite);
  Value sign = e.shiftLeft(e.bitAnd(bits, 0x8000), 16);
  rewriter.replaceOp(op, e.bitcast(arith::OrIOp::create(e.b, e.loc, absolute, sign), floats));
  return success();
}

void lut::populateSse2Patterns(RewritePatternSet &patterns) {
  patterns.add(lowerKnownLookup);
  patterns.add(lowerLookup);
  patterns.add(lowerDot);
  patterns.add(+[](AddPairsOp op, PatternRewriter &b) { return lowerAddPairs(op, b, kSse2Bytes); });
  patterns.add(lowerExtF);
}
