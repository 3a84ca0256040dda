// AVX-512 with VBMI and VNNI: full byte permutes of one and two registers, and exact sums of four byte
// products.
#include "codegen/targets/Lower.h"
#include "codegen/targets/x86/LowerX86.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lut;

/// vpermb on 64 entries: one table of 64, or tables side by side that byte b reaches by its position.
static Value permute(Emitter &e, LookupOp op) {
  auto type = cast<VectorType>(op.getType());
  int64_t entries = op.getEntries(), tables = 64 / entries;
  Value index = e.bitAnd(op.getIndex(), entries - 1);
  if (tables > 1) {
    SmallVector<int64_t> base;
    for (int64_t b = 0; b < 64; ++b)
      base.push_back(b % tables * entries);
    index = arith::OrIOp::create(e.b, e.loc, index, e.constantVector(type, base));
  }
  return callIntrinsic(e, "llvm.x86.avx512.permvar.qi.512", type, {op.getTable(), index});
}

/// vpermi2b on 128 entries; it ignores bit 7 of the index.
static Value permuteTwo(Emitter &e, LookupOp op) {
  Value halves[2];
  for (int64_t i = 0; i < 2; ++i)
    halves[i] = vector::ExtractStridedSliceOp::create(e.b, e.loc, op.getTable(), {64 * i}, {64}, {1});
  return callIntrinsic(e, "llvm.x86.avx512.vpermi2var.qi.512", op.getType(),
                       {halves[0], op.getIndex(), halves[1]});
}

static LogicalResult lowerLookup(LookupOp op, PatternRewriter &rewriter) {
  int64_t tableBytes = cast<VectorType>(op.getTable().getType()).getNumElements();
  if (cast<VectorType>(op.getType()).getNumElements() != 64)
    return failure();
  Emitter e{rewriter, op.getLoc()};
  if (tableBytes == 64)
    rewriter.replaceOp(op, permute(e, op));
  else if (tableBytes == 128 && op.getEntries() == 128)
    rewriter.replaceOp(op, permuteTwo(e, op));
  else
    return lowerLookupByShuffles(op, rewriter, kAvx512Bytes);
  return success();
}

static LogicalResult lowerDot(DotOp op, PatternRewriter &rewriter) {
  Emitter e{rewriter, op.getLoc()};
  if (op.getType() != e.vec(16, e.i32()))
    return failure();
  rewriter.replaceOp(op, callIntrinsic(e, "llvm.x86.avx512.vpdpbusd.512", op.getType(),
                                       {op.getAcc(), op.getCodes(), op.getValues()}));
  return success();
}

/// The sign of every byte as a mask: one affine transformation whose rows all select bit 7.
static LogicalResult lowerSign(arith::ShRSIOp op, PatternRewriter &rewriter) {
  auto type = dyn_cast<VectorType>(op.getType());
  IntegerAttr::ValueType bits;
  if (!type || type != VectorType::get({64}, rewriter.getI8Type()) ||
      !matchPattern(op.getRhs(), m_ConstantInt(&bits)) || bits != 7)
    return failure();
  Emitter e{rewriter, op.getLoc()};
  Value rows = e.constant(type, 0x80), none = e.constant(e.i8(), 0);
  rewriter.replaceOp(op, callIntrinsic(e, "llvm.x86.vgf2p8affineqb.512", type, {op.getLhs(), rows, none}));
  return success();
}

void lut::populateAvx512vbmiPatterns(RewritePatternSet &patterns) {
  patterns.add(lowerLookup);
  patterns.add(lowerDot);
  patterns.add(+[](AddPairsOp op, PatternRewriter &b) { return lowerAddPairs(op, b, kAvx512Bytes); });
  patterns.add(lowerSign);
}
