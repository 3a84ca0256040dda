// Registration, syntax and checks of the lmma dialect.
#include "dialects/lmma/Lmma.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "runtime/lmma/lmma.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lut;
using namespace lut::lmma;

#include "dialects/lmma/LmmaDialect.cpp.inc"
#include "dialects/lmma/LmmaEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/lmma/LmmaAttrs.cpp.inc"

static_assert(int(Element::i1) == LMMA_I1 && int(Element::t3) == LMMA_T3 && int(Element::u8) == LMMA_U8 &&
              int(Element::f32) == LMMA_F32 && int(Element::e8m0) == LMMA_E8M0);

Element lut::lmma::planesOf(int64_t bits) {
  return bits == 8 ? Element::i8 : bits == 6 ? Element::i6 : bits == 5 ? Element::i5 : Element(bits);
}

int64_t lut::lmma::planesOf(Element weights) {
  switch (weights) {
  case Element::t3:
    return 1;
  case Element::i5:
    return 5;
  case Element::i6:
    return 6;
  case Element::i8:
    return 8;
  default:
    return int64_t(weights);
  }
}

void LmmaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/lmma/LmmaAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/lmma/LmmaOps.cpp.inc"
      >();
}

int64_t lut::lmma::bytesOf(Element type) {
  switch (type) {
  case Element::u8:
  case Element::i8:
  case Element::f8:
  case Element::e8m0:
    return 1;
  case Element::i16:
  case Element::f16:
  case Element::bf16:
    return 2;
  case Element::i32:
  case Element::f32:
    return 4;
  default:
    return 0;
  }
}

int64_t lut::lmma::weightBytes(Element weights, int64_t n, int64_t k) {
  int64_t units = k / unitOf(weights), nibbles = units * planesOf(weights) * n / 2;
  return nibbles + (weights == Element::t3 ? units * n / 8 : 0);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// A letter with a number: r4, s31, b0.
static ParseResult parseNamed(OpAsmParser &parser, char letter, IntegerAttr &number, StringRef what) {
  StringRef name;
  SMLoc at = parser.getCurrentLocation();
  unsigned value;
  if (parser.parseKeyword(&name))
    return failure();
  if (name.front() != letter || name.drop_front().getAsInteger(10, value) || value > INT32_MAX)
    return parser.emitError(at) << "'" << name << "' is no " << what << "; write " << letter << "0, "
                                << letter << "1, ...";
  number = parser.getBuilder().getI32IntegerAttr(value);
  return success();
}

static ParseResult parseRegister(OpAsmParser &parser, IntegerAttr &number) {
  return parseNamed(parser, 'r', number, "register");
}
static ParseResult parseScalar(OpAsmParser &parser, IntegerAttr &number) {
  return parseNamed(parser, 's', number, "scalar");
}
static void printRegister(OpAsmPrinter &p, Operation *, IntegerAttr number) { p << "r" << number.getInt(); }
static void printScalar(OpAsmPrinter &p, Operation *, IntegerAttr number) { p << "s" << number.getInt(); }

static ParseResult parseNumber(OpAsmParser &parser, IntegerAttr &number) {
  int32_t value;
  if (parser.parseInteger(value))
    return failure();
  number = parser.getBuilder().getI32IntegerAttr(value);
  return success();
}

/// A number, a scalar, or `scalar + number`.
static ParseResult parseSum(OpAsmParser &parser, IntegerAttr &scalar, IntegerAttr &number) {
  scalar = parser.getBuilder().getI32IntegerAttr(LMMA_ZERO);
  number = parser.getBuilder().getI32IntegerAttr(0);
  int32_t value;
  OptionalParseResult first = parser.parseOptionalInteger(value);
  if (first.has_value()) {
    number = parser.getBuilder().getI32IntegerAttr(value);
    return *first;
  }
  if (parseScalar(parser, scalar))
    return failure();
  return succeeded(parser.parseOptionalPlus()) ? parseNumber(parser, number) : ParseResult(success());
}

static void printSum(OpAsmPrinter &p, Operation *, IntegerAttr scalar, IntegerAttr number) {
  bool hasScalar = scalar.getInt() != LMMA_ZERO;
  if (hasScalar)
    p << "s" << scalar.getInt();
  if (hasScalar && number.getInt())
    p << " + ";
  if (!hasScalar || number.getInt())
    p << number.getInt();
}

/// b0[row, byte]
static ParseResult parsePlace(OpAsmParser &parser, IntegerAttr &buffer, IntegerAttr &rowScalar,
                              IntegerAttr &row, IntegerAttr &byteScalar, IntegerAttr &byte) {
  return failure(parseNamed(parser, 'b', buffer, "buffer") || parser.parseLSquare() ||
                 parseSum(parser, rowScalar, row) || parser.parseComma() ||
                 parseSum(parser, byteScalar, byte) || parser.parseRSquare());
}

static void printPlace(OpAsmPrinter &p, Operation *op, IntegerAttr buffer, IntegerAttr rowScalar,
                       IntegerAttr row, IntegerAttr byteScalar, IntegerAttr byte) {
  p << "b" << buffer.getInt() << "[";
  printSum(p, op, rowScalar, row);
  p << ", ";
  printSum(p, op, byteScalar, byte);
  p << "]";
}

static ParseResult parseElement(OpAsmParser &parser, ElementAttr &type) {
  FailureOr<Element> element = FieldParser<Element>::parse(parser);
  if (failed(element))
    return failure();
  type = ElementAttr::get(parser.getContext(), *element);
  return success();
}

static void printElement(OpAsmPrinter &p, Operation *, ElementAttr type) {
  p << stringifyElement(type.getValue());
}

static ParseResult parseSpread(OpAsmParser &parser, SpreadAttr &spread) {
  FailureOr<Spread> value = FieldParser<Spread>::parse(parser);
  if (failed(value))
    return failure();
  spread = SpreadAttr::get(parser.getContext(), *value);
  return success();
}
static void printSpread(OpAsmPrinter &p, Operation *, SpreadAttr spread) {
  p << stringifySpread(spread.getValue());
}

/// `none`, or a register with its type.
static ParseResult parseSteps(OpAsmParser &parser, IntegerAttr &steps, ElementAttr &type) {
  steps = parser.getBuilder().getI32IntegerAttr(0);
  type = ElementAttr::get(parser.getContext(), Element::none);
  if (succeeded(parser.parseOptionalKeyword("none")))
    return success();
  return failure(parseRegister(parser, steps) || parseElement(parser, type));
}

static void printSteps(OpAsmPrinter &p, Operation *op, IntegerAttr steps, ElementAttr type) {
  if (type.getValue() == Element::none)
    p << "none";
  else
    p << "r" << steps.getInt() << " " << stringifyElement(type.getValue());
}

/// `zero 2`, or `zeros r3 u8`.
static ParseResult parseZero(OpAsmParser &parser, IntegerAttr &zero, ElementAttr &type) {
  type = ElementAttr::get(parser.getContext(), Element::none);
  if (succeeded(parser.parseOptionalKeyword("zero")))
    return parseNumber(parser, zero);
  return failure(parser.parseKeyword("zeros") || parseRegister(parser, zero) || parseElement(parser, type));
}

static void printZero(OpAsmPrinter &p, Operation *op, IntegerAttr zero, ElementAttr type) {
  if (type.getValue() == Element::none)
    p << "zero " << zero.getInt();
  else
    p << "zeros r" << zero.getInt() << " " << stringifyElement(type.getValue());
}

//===----------------------------------------------------------------------===//
// multiply
//===----------------------------------------------------------------------===//

/// Takes a letter and a number off the front of `text`.
static bool takeDimension(StringRef &text, StringRef letter, int32_t &value) {
  return text.consume_front(letter) && !text.consumeInteger(10, value);
}

/// Takes the name of an element type off the front of `text`.
static std::optional<Element> takeElement(StringRef &text) {
  for (size_t length : {2, 3}) // no name is the start of another: i1 is of i16
    if (auto element = symbolizeElement(text.take_front(length)))
      if (length == 3 || text.size() == 2 || !llvm::isDigit(text[2])) {
        text = text.drop_front(length);
        return element;
      }
  return std::nullopt;
}

namespace {
/// What stands in the name of a multiply: m2n64k4.i16i2i32i32
struct MultiplyName {
  int32_t m, n, k;
  Element elements[4];
  static std::optional<MultiplyName> parse(StringRef text);
};
} // namespace

std::optional<MultiplyName> MultiplyName::parse(StringRef text) {
  MultiplyName name;
  if (!text.consume_front("lmma.") || !takeDimension(text, "m", name.m) ||
      !takeDimension(text, "n", name.n) || !takeDimension(text, "k", name.k) || !text.consume_front("."))
    return std::nullopt;
  for (Element &element : name.elements) {
    auto taken = takeElement(text);
    if (!taken)
      return std::nullopt;
    element = *taken;
  }
  return text.empty() ? std::optional(name) : std::nullopt;
}

/// The rest of a multiply, whose name has been read.
static ParseResult parseMultiply(OpAsmParser &parser, OperationState &state) {
  Builder &b = parser.getBuilder();
  MultiplyName name = *MultiplyName::parse(state.name.getStringRef());
  state.name = OperationName(MultiplyOp::getOperationName(), parser.getContext());
  const StringRef registers[] = {"result", "tables", "weights", "accumulator"};
  for (StringRef each : registers) {
    IntegerAttr number;
    if ((each != "result" && parser.parseComma()) || parseRegister(parser, number))
      return failure();
    state.addAttribute(each, number);
  }
  state.addAttribute("m", b.getI32IntegerAttr(name.m));
  state.addAttribute("n", b.getI32IntegerAttr(name.n));
  state.addAttribute("k", b.getI32IntegerAttr(name.k));
  const StringRef elements[] = {"a", "w", "acc", "out"};
  for (auto [each, element] : llvm::zip(elements, name.elements))
    state.addAttribute(each, ElementAttr::get(parser.getContext(), element));
  return parser.parseOptionalAttrDict(state.attributes);
}

std::optional<Dialect::ParseOpHook> LmmaDialect::getParseOperationHook(StringRef name) const {
  if (MultiplyName::parse(name))
    return parseMultiply;
  return std::nullopt;
}

ParseResult MultiplyOp::parse(OpAsmParser &parser, OperationState &) {
  return parser.emitError(parser.getNameLoc())
         << "a multiply has its shape and types in its name: lmma.m2n64k4.i16i2i32i32";
}

void MultiplyOp::print(OpAsmPrinter &p) {
  p << "lmma.m" << getM() << "n" << getN() << "k" << getK() << "." << stringifyElement(getA())
    << stringifyElement(getW()) << stringifyElement(getAcc()) << stringifyElement(getOut()) << " r"
    << getResult() << ", r" << getTables() << ", r" << getWeights() << ", r" << getAccumulator();
}

OperationName::PrintAssemblyFn MultiplyOp::getPrintAssemblyFn() {
  return [](Operation *op, OpAsmPrinter &p, StringRef) { cast<MultiplyOp>(op).print(p); };
}

//===----------------------------------------------------------------------===//
// Checks of one instruction; those of a whole program are lmma_check's
//===----------------------------------------------------------------------===//

static LogicalResult verifyDimension(Operation *op, StringRef name, int64_t value, int64_t least,
                                     int64_t most) {
  if (value >= least && value <= most && llvm::isPowerOf2_64(value))
    return success();
  return op->emitOpError() << name << " = " << value << " must be a power of two from " << least << " to "
                           << most;
}
static LogicalResult verifyM(Operation *op, int64_t m) { return verifyDimension(op, "m", m, 1, 64); }
static LogicalResult verifyN(Operation *op, int64_t n) { return verifyDimension(op, "n", n, 8, 256); }

static LogicalResult verifyK(Operation *op, int64_t k, int64_t unit) {
  if (k >= unit && k <= 128 && k % unit == 0)
    return success();
  return op->emitOpError() << "k = " << k << " must be a multiple of " << unit << " up to 128";
}

static LogicalResult verifyElement(Operation *op, StringRef name, Element element,
                                   ArrayRef<Element> allowed) {
  if (llvm::is_contained(allowed, element))
    return success();
  InFlightDiagnostic error = op->emitOpError()
                             << name << " cannot be " << stringifyElement(element) << "; write ";
  llvm::interleave(allowed, [&](Element each) { error << stringifyElement(each); }, [&] { error << " or "; });
  return error;
}

template <typename Op> static LogicalResult verifyTile(Op op) {
  return failure(failed(verifyM(op, op.getM())) || failed(verifyN(op, op.getN())));
}

LogicalResult TableOp::verify() {
  if (failed(verifyM(*this, getM())) || failed(verifyK(*this, getK(), getTrits() ? 3 : 4)))
    return failure();
  switch (getFrom()) {
  case Element::i8:
    return verifyElement(*this, "tables of i8", getTo(), {Element::i8, Element::i16});
  case Element::i16:
    return verifyElement(*this, "tables of i16", getTo(), {Element::i16});
  case Element::f8:
    return verifyElement(*this, "tables of f8", getTo(), {Element::f8, Element::f16});
  default:
    return failure(failed(verifyElement(*this, "activations", getFrom(),
                                        {Element::i8, Element::i16, Element::f8, Element::f16})) ||
                   failed(verifyElement(*this, "tables of f16", getTo(), {Element::f16})));
  }
}

LogicalResult MultiplyOp::verify() {
  const Element a = getA();
  if (failed(verifyElement(*this, "A", a, {Element::i8, Element::i16, Element::f8, Element::f16})) ||
      failed(verifyElement(*this, "W", getW(),
                           {Element::i1, Element::i2, Element::i3, Element::i4, Element::i5, Element::i6,
                            Element::i8, Element::t3})) ||
      failed(verifyM(*this, getM())) || failed(verifyN(*this, getN())) ||
      failed(verifyK(*this, getK(), unitOf(getW()))))
    return failure();
  if (a == Element::i8 || a == Element::i16)
    return failure(failed(verifyElement(*this, "Acc", getAcc(), {Element::i32})) ||
                   failed(verifyElement(*this, "O", getOut(), {Element::i32})));
  if (failed(verifyElement(*this, "Acc", getAcc(), {Element::f16, Element::f32})))
    return failure();
  const Element f32 = Element::f32, f16 = Element::f16;
  return getAcc() == f32 ? verifyElement(*this, "O", getOut(), {f32, f16})
                         : verifyElement(*this, "O", getOut(), {f16});
}

LogicalResult CorrectOp::verify() {
  if (failed(verifyTile(*this)))
    return failure();
  if (getBits() < 1 || getBits() > 8)
    return emitOpError() << "bits = " << getBits() << " must be from 1 to 8";
  return verifyElement(*this, "zeros", getZeroType(), {Element::none, Element::u8, Element::i32});
}

LogicalResult ScaleOp::verify() {
  return failure(
      failed(verifyTile(*this)) ||
      failed(verifyElement(*this, "sums", getSumType(), {Element::i32, Element::f16, Element::f32})) ||
      failed(verifyElement(*this, "steps", getStepType(), {Element::none, Element::f32})) ||
      failed(verifyElement(*this, "scales", getScaleType(),
                           {Element::f16, Element::bf16, Element::f32, Element::e8m0})));
}

LogicalResult ShiftOp::verify() {
  return failure(failed(verifyTile(*this)) ||
                 failed(verifyElement(*this, "minimums", getMinimumType(),
                                      {Element::f16, Element::bf16, Element::f32})));
}

LogicalResult AddOp::verify() { return verifyTile(*this); }
LogicalResult TimesOp::verify() { return verifyTile(*this); }

LogicalResult ConvertOp::verify() {
  if (failed(verifyTile(*this)))
    return failure();
  return verifyElement(*this, "results", getTo(), {Element::f16, Element::bf16, Element::i8});
}

#define GET_OP_CLASSES
#include "dialects/lmma/LmmaOps.cpp.inc"
