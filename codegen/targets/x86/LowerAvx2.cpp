// AVX2: 16-entry shuffles and saturating byte products on 32 bytes.
#include "codegen/targets/Lower.h"
#include "codegen/targets/x86/LowerX86.h"

using namespace mlir;
using namespace lut;

void lut::populateAvx2Patterns(RewritePatternSet &patterns) {
  patterns.add(+[](LookupOp op, PatternRewriter &b) { return lowerLookupByShuffles(op, b, kAvx2Bytes); });
  patterns.add(+[](DotOp op, PatternRewriter &b) { return lowerDotByPairs(op, b, kAvx2Bytes); });
  patterns.add(+[](AddPairsOp op, PatternRewriter &b) { return lowerAddPairs(op, b, kAvx2Bytes); });
}
