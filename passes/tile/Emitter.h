// Short names for the IR that tiling emits: vectors, pointers, loops.
#ifndef LUT_PASSES_TILE_EMITTER_H
#define LUT_PASSES_TILE_EMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace lut {

using Values = llvm::SmallVector<mlir::Value>;

/// Builds at one insertion point and location. Offsets are bytes, loops count in i64.
struct Emitter {
  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Type i8() { return b.getI8Type(); }
  mlir::Type i16() { return b.getIntegerType(16); }
  mlir::Type i32() { return b.getI32Type(); }
  mlir::Type i64() { return b.getI64Type(); }
  mlir::Type f32() { return b.getF32Type(); }
  mlir::Type pointer() { return mlir::LLVM::LLVMPointerType::get(b.getContext()); }
  mlir::VectorType vec(int64_t size, mlir::Type element) { return mlir::VectorType::get({size}, element); }

  /// A constant; a splat where `type` is a vector.
  mlir::Value constant(mlir::Type type, int64_t value);
  mlir::Value real(mlir::Type type, double value);
  mlir::Value constantVector(mlir::VectorType type, llvm::ArrayRef<int64_t> values);
  mlir::Value index(int64_t value) { return constant(i64(), value); }
  /// The value of a constant; nothing where it is known at run time only.
  static std::optional<int64_t> known(mlir::Value value);

  mlir::Value add(mlir::Value a, mlir::Value c);
  mlir::Value sub(mlir::Value a, mlir::Value c);
  mlir::Value mul(mlir::Value a, mlir::Value c);
  mlir::Value add(mlir::Value a, int64_t c) { return c ? add(a, constant(a.getType(), c)) : a; }
  mlir::Value mul(mlir::Value a, int64_t c) { return c == 1 ? a : mul(a, constant(a.getType(), c)); }
  /// Unsigned.
  mlir::Value div(mlir::Value a, int64_t c);
  mlir::Value rem(mlir::Value a, int64_t c);
  mlir::Value least(mlir::Value a, mlir::Value c);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value c);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value c);
  mlir::Value bitAnd(mlir::Value a, int64_t mask);
  mlir::Value bitXor(mlir::Value a, mlir::Value c);
  mlir::Value shiftRight(mlir::Value a, int64_t bits); // logical
  mlir::Value shiftRightArithmetic(mlir::Value a, int64_t bits);
  mlir::Value shiftLeft(mlir::Value a, int64_t bits);
  /// Shifts all bytes of a vector by moving 16-bit lanes; bits that cross a byte must be masked off by the
  /// caller.
  mlir::Value shiftBytes(mlir::Value bytes, int64_t right);
  mlir::Value bitcast(mlir::Value v, mlir::Type type);
  mlir::Value splat(mlir::Value scalar, int64_t size);
  mlir::Value toFloat(mlir::Value integers);
  /// f32 lanes |v| < 2^22 rounded half to even, as i32: 1.5 * 2^23 + v has the integer in its low bits.
  mlir::Value round(mlir::Value v);
  /// `limit` where v is beyond it; a NaN stays.
  mlir::Value bound(mlir::Value v, double limit, mlir::arith::CmpFPredicate beyond);

  mlir::Value at(mlir::Value pointer, mlir::Value offset);
  mlir::Value at(mlir::Value pointer, int64_t offset);
  mlir::Value load(mlir::Type type, mlir::Value pointer, int64_t align = 1);
  void store(mlir::Value value, mlir::Value pointer, int64_t align = 1);

  /// Memory of the stack, which the function makes where it is entered.
  mlir::Value allocate(int64_t bytes);
  void choose(mlir::Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise);
  /// What one of the two gives, of `types`.
  Values chosen(mlir::TypeRange types, mlir::Value condition, llvm::function_ref<Values()> then,
                llvm::function_ref<Values()> otherwise);
  void when(mlir::Value condition, llvm::function_ref<void()> then);

  /// for i in [lower, upper) step `step`, carrying `inits`; returns what the last iteration yields. No loop
  /// where it is known to have one iteration, or none.
  Values loop(mlir::Value lower, mlir::Value upper, int64_t step, Values inits,
              llvm::function_ref<Values(mlir::Value i, Values carried)> body);
  /// The same for i in [0, count).
  Values loop(mlir::Value count, Values inits,
              llvm::function_ref<Values(mlir::Value i, Values carried)> body) {
    return loop(index(0), count, 1, std::move(inits), body);
  }
  Values loop(int64_t count, Values inits, llvm::function_ref<Values(mlir::Value i, Values carried)> body) {
    return loop(index(count), std::move(inits), body);
  }
  void each(mlir::Value lower, mlir::Value upper, int64_t step, llvm::function_ref<void(mlir::Value i)> body);
  void each(mlir::Value count, llvm::function_ref<void(mlir::Value i)> body) {
    each(index(0), count, 1, body);
  }
};

} // namespace lut

#endif
