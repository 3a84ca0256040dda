// What may lie between the products of a group: the table in Steps.cpp, which readers of configs, the group's
// function and its description ask.
#ifndef LUT_CODEGEN_LIBRARY_STEPS_H
#define LUT_CODEGEN_LIBRARY_STEPS_H

#include "codegen/library/LibrarySpec.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lut {

/// What the caller gives for a step: a vector for all tokens, or a residual, which has a row for each.
struct StepOperand {
  std::string name; // in the generated header
  int64_t size;
  bool isResidual = false; // with experts: added to the sum of their results
};

/// A kind of step, which one op computes.
struct StepRow {
  enum class Takes {
    one,
    gate, // one, or two of equal size, which become one: a gate and what it scales
    each  // any number, each by itself
  };
  enum class Place {
    before, // there is a product behind it
    after,  // also behind the last products
    last    // there, and nothing follows: another type
  };
  using Operands = std::vector<StepOperand>;

  llvm::StringLiteral verb;           // {verb: word}
  std::vector<llvm::StringRef> words; // empty: the verb has a number
  llvm::StringLiteral help;           // of the verb in a kernel list
  llvm::StringLiteral text;           // as groups are described: {0} the word, {1} the number, {2} the name
  Takes takes;
  Place place;
  /// `values`: as many as it takes.
  mlir::Value (*create)(mlir::ImplicitLocOpBuilder &b, const GroupStep &step, mlir::ValueRange values,
                        mlir::ValueRange operands);
  /// For a value called `value`, of `size` elements; null: none.
  Operands (*operands)(const GroupStep &step, llvm::StringRef value, int64_t size) = nullptr;
  llvm::StringLiteral name = ""; // that a config may change; empty: operands are called after values
  bool hasEpsilon = false;
  /// Whether a number suits values of `size` elements, 0: not known yet; null: any does.
  llvm::Error (*check)(int64_t number, int64_t size) = nullptr;

  Operands operandsOf(const GroupStep &step, llvm::StringRef value, int64_t size) const {
    return operands ? operands(step, value, size) : Operands();
  }
};

/// Rows that share a verb follow one another.
llvm::ArrayRef<StepRow> stepRows();
/// A step without its options; `word` is one of the verb's, or anything where that has a number.
GroupStep makeStep(llvm::StringRef verb, llvm::StringRef word = "");

} // namespace lut

#endif
