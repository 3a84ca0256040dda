// AVX-512BW: the AVX2 instructions on 64 bytes.
#include "codegen/targets/Lower.h"
#include "codegen/targets/x86/LowerX86.h"

using namespace mlir;
using namespace lut;

void lut::populateAvx512bwPatterns(RewritePatternSet &patterns) {
  patterns.add(+[](LookupOp op, PatternRewriter &b) { return lowerLookupByShuffles(op, b, kAvx512Bytes); });
  patterns.add(+[](DotOp op, PatternRewriter &b) { return lowerDotByPairs(op, b, kAvx512Bytes); });
  patterns.add(+[](AddPairsOp op, PatternRewriter &b) { return lowerAddPairs(op, b, kAvx512Bytes); });
}
