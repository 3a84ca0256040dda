#include "codegen/library/Steps.h"
#include "dialects/lut/Lut.h"
#include "mlir/AsmParser/AsmParser.h"

using namespace mlir;
using namespace lut;

template <typename Enum> static std::vector<StringRef> wordsOf(unsigned most) {
  std::vector<StringRef> words;
  for (unsigned i = 0; i <= most; ++i)
    words.push_back(stringifyEnum(Enum(i)));
  return words;
}

using Operands = StepRow::Operands;

static Operands normOperands(const GroupStep &step, StringRef, int64_t size) {
  Operands operands = {{step.name + "_weight", size}};
  if (step.word == stringifyEnum(NormKind::layer))
    operands.push_back({step.name + "_bias", size});
  return operands;
}

static Operands biasOperands(const GroupStep &, StringRef value, int64_t size) {
  return {{(value + "_bias").str(), size}};
}

static Operands scaleOperands(const GroupStep &step, StringRef value, int64_t size) {
  return {{(value + "_scale").str(), step.word == "tensor" ? 1 : size}};
}

static Operands residualOperands(const GroupStep &step, StringRef, int64_t size) {
  return {{step.name, size, /*isResidual=*/true}};
}

static Value norm(ImplicitLocOpBuilder &b, const GroupStep &step, ValueRange x, ValueRange operands) {
  return NormOp::create(b, x[0].getType(), *symbolizeNormKind(step.word), x[0], operands[0],
                        operands.size() == 2 ? operands[1] : Value(), APFloat(float(step.epsilon)));
}

static Value activate(ImplicitLocOpBuilder &b, const GroupStep &step, ValueRange x, ValueRange) {
  return ActivateOp::create(b, x[0].getType(), *symbolizeActivation(step.word), x[0],
                            x.size() == 2 ? x[1] : Value());
}

static Value rotate(ImplicitLocOpBuilder &b, const GroupStep &step, ValueRange x, ValueRange) {
  return RotateOp::create(b, x[0].getType(), x[0], step.number);
}

static llvm::Error checkBlock(int64_t block, int64_t size) {
  if (block >= 2 && llvm::isPowerOf2_64(block) && size % block == 0)
    return llvm::Error::success();
  return llvm::createStringError("a rotation takes blocks of a power of two that divides its " +
                                 (size ? std::to_string(size) + " " : "") +
                                 "elements; write the block size of the model's Hadamard rotation");
}

template <typename Op>
static Value binary(ImplicitLocOpBuilder &b, const GroupStep &, ValueRange x, ValueRange operands) {
  return Op::create(b, x[0].getType(), x[0], operands[0]);
}

static Value convert(ImplicitLocOpBuilder &b, const GroupStep &step, ValueRange x, ValueRange) {
  Type element = parseType(step.word, b.getContext());
  return ConvertOp::create(b, cast<RankedTensorType>(x[0].getType()).clone(element), x[0]);
}

ArrayRef<StepRow> lut::stepRows() {
  using Takes = StepRow::Takes;
  using Place = StepRow::Place;
  static const StepRow rows[] = {{"norm", wordsOf<NormKind>(getMaxEnumValForNormKind()),
                                  "normalizes every token: rms or layer, then a weight for each element",
                                  "{0} norm", Takes::one, Place::before, norm, normOperands, "norm",
                                  /*hasEpsilon=*/true},
                                 {"activate", wordsOf<Activation>(getMaxEnumValForActivation()),
                                  "a function of a value, times the second if there are two", "{0}",
                                  Takes::gate, Place::before, activate},
                                 {"rotate",
                                  {},
                                  "size of the Hadamard blocks that rotate every token",
                                  "Hadamard rotation of {1}",
                                  Takes::one,
                                  Place::before,
                                  rotate,
                                  nullptr,
                                  "",
                                  /*hasEpsilon=*/false,
                                  checkBlock},
                                 {"add",
                                  {"bias"},
                                  "bias: a vector for each value; residual: rows",
                                  "bias",
                                  Takes::each,
                                  Place::after,
                                  binary<AddOp>,
                                  biasOperands},
                                 {"add",
                                  {"residual"},
                                  "",
                                  "+ {2}",
                                  Takes::one,
                                  Place::after,
                                  binary<AddOp>,
                                  residualOperands,
                                  "residual"},
                                 {"scale",
                                  {"elements", "tensor"},
                                  "multiplies each value by a vector of its own, or (tensor) by one number",
                                  "scale",
                                  Takes::each,
                                  Place::after,
                                  binary<ScaleOp>,
                                  scaleOperands},
                                 {"convert",
                                  {"f16", "bf16", "i8"},
                                  "stores results as f16, bf16 or i8 (rounded and clamped to -127 .. 127)",
                                  "{0}",
                                  Takes::each,
                                  Place::last,
                                  convert}};
  return rows;
}

GroupStep lut::makeStep(StringRef verb, StringRef word) {
  GroupStep step;
  step.word = word.str();
  step.row = llvm::find_if(stepRows(), [&](const StepRow &row) {
    return row.verb == verb && (row.words.empty() || llvm::is_contained(row.words, word));
  });
  return step;
}
