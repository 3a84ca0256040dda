// What the x86 instruction sets share: 16-entry byte shuffles and saturating byte products, at any vector
// width.
#ifndef LUT_CODEGEN_TARGETS_X86_LOWERX86_H
#define LUT_CODEGEN_TARGETS_X86_LOWERX86_H

#include "dialects/lut/Lut.h"
#include "mlir/IR/PatternMatch.h"
#include "passes/tile/Emitter.h"

namespace lut {

/// Names of the intrinsics of one vector width, "": it has none (toolchain: LLVM 22 IntrinsicsX86.td).
struct X86Bytes {
  int64_t size;                 // bytes of a vector
  llvm::StringLiteral shuffle;  // pshufb: 16 entries in every 128-bit lane, 0 where bit 7 of the index is set
  llvm::StringLiteral multiply; // pmaddubsw: u8 * s8, pairs added with signed saturation
  llvm::StringLiteral addPairs; // pmaddwd: s16 * s16, pairs added
  llvm::StringLiteral sign;     // psignb: negative where the other's are
};

inline constexpr X86Bytes kSse2Bytes = {16, "", "", "llvm.x86.sse2.pmadd.wd", ""};
inline constexpr X86Bytes kAvx2Bytes = {32, "llvm.x86.avx2.pshuf.b", "llvm.x86.avx2.pmadd.ub.sw",
                                        "llvm.x86.avx2.pmadd.wd", "llvm.x86.avx2.psign.b"};
inline constexpr X86Bytes kAvx512Bytes = {64, "llvm.x86.avx512.pshuf.b.512", "llvm.x86.avx512.pmaddubs.w.512",
                                          "llvm.x86.avx512.pmaddw.d.512", ""};

mlir::Value callIntrinsic(Emitter &e, llvm::StringRef name, mlir::Type result, mlir::ValueRange operands);

/// A lookup in one table of a multiple of 16 entries: one shuffle per 16, of which all but one give 0.
mlir::LogicalResult lowerLookupByShuffles(LookupOp op, mlir::PatternRewriter &rewriter,
                                          const X86Bytes &names);

/// pmaddubsw and an addition; signed codes give their signs to the values.
mlir::LogicalResult lowerDotByPairs(DotOp op, mlir::PatternRewriter &rewriter, const X86Bytes &names);

/// pmaddwd and an addition.
mlir::LogicalResult lowerAddPairs(AddPairsOp op, mlir::PatternRewriter &rewriter, const X86Bytes &names);

} // namespace lut

#endif
