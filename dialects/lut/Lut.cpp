// Registration, attributes and types of the lut dialect.
#include "dialects/lut/Lut.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "runtime/kernel.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lut;

#include "dialects/lut/LutDialect.cpp.inc"
#include "dialects/lut/LutEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/lut/LutAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/lut/LutTypes.cpp.inc"

void LutDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/lut/LutAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/lut/LutTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/lut/LutOps.cpp.inc"
      >();
}

Operation *LutDialect::materializeConstant(OpBuilder &b, Attribute value, Type type, Location loc) {
  return arith::ConstantOp::materialize(b, value, type, loc);
}

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

//===----------------------------------------------------------------------===//
// #lut.format
//===----------------------------------------------------------------------===//

Attribute WeightFormatAttr::parse(AsmParser &parser, Type) {
  StringRef name;
  if (parser.parseLess() || parser.parseKeyword(&name) || parser.parseGreater())
    return {};
  return parser.getChecked<WeightFormatAttr>(parser.getContext(), name);
}

void WeightFormatAttr::print(AsmPrinter &printer) const { printer << '<' << getName() << '>'; }

LogicalResult WeightFormatAttr::verify(EmitError emitError, StringRef name) {
  auto format = parseFormat(name);
  if (!format)
    return emitError() << llvm::toString(format.takeError());
  return success();
}

Format WeightFormatAttr::getFormat() const { return llvm::cantFail(parseFormat(getName())); }

//===----------------------------------------------------------------------===//
// #lut.target and #lut.schedule
//===----------------------------------------------------------------------===//

const LayoutFacts &lut::factsOf(Layout layout) {
#define LUTC_LAYOUT_ROW(KIND, name, ...)                                                                     \
  static_assert(uint32_t(Layout::name) == LUTC_LAYOUT_##KIND, "layouts have one order");
#include "runtime/layouts.def"
  static constexpr LayoutFacts rows[] = {
#define LUTC_LAYOUT_ROW(KIND, name, ...) {__VA_ARGS__},
#include "runtime/layouts.def"
  };
  return rows[size_t(layout)];
}

int64_t TargetAttr::getTableEntries() const {
  return hasArray() ? 8 : std::max<int64_t>({16, getPermuteBytes(), getPermute2Bytes()});
}

int64_t TargetAttr::unitOf(const FormatRow &row) const { return row.trits && hasArray() ? 3 : row.unit; }

LogicalResult TargetAttr::verify(EmitError emitError, StringRef, int64_t vectorBytes, int64_t registers,
                                 DotKind, int64_t permuteBytes, int64_t permute2Bytes, int64_t dotCycles,
                                 int64_t permuteCycles, int64_t permute2Cycles, int64_t simpleCycles,
                                 int64_t l1Bytes, int64_t streamBytes, int64_t prefetchBytes,
                                 Attribute machine) {
  if (vectorBytes < 16 || vectorBytes > 64 || !llvm::isPowerOf2_64(vectorBytes))
    return emitError() << "vector_bytes = " << vectorBytes << " must be 16, 32 or 64";
  if (registers < 8)
    return emitError() << "registers = " << registers << " must be at least 8";
  for (int64_t bytes : {permuteBytes, permute2Bytes})
    if (bytes && !llvm::isPowerOf2_64(bytes))
      return emitError() << "a permute reaches a power of two of bytes, not " << bytes;
  for (int64_t fact : {dotCycles, permuteCycles, permute2Cycles, simpleCycles, l1Bytes, streamBytes})
    if (fact < 1)
      return emitError() << "cycles, l1_bytes and stream_bytes_per_100_cycles must be positive";
  if (prefetchBytes < 0)
    return emitError() << "prefetch_bytes = " << prefetchBytes << " must not be negative";
  if (machine && machine.getAbstractAttribute().getName() != "lmma.machine")
    return emitError() << "machine = " << machine << " must be a #lmma.machine";
  return success();
}

LogicalResult ScheduleAttr::verify(EmitError emitError, Strategy strategy, Layout layout, int64_t rowVectors,
                                   int64_t tokens, int64_t tokenBlock, int64_t kBlock, int64_t run,
                                   int64_t widen, int64_t prefetch, bool, int64_t batchRowVectors,
                                   int64_t unpackTokens) {
  if ((strategy == Strategy::dot) != (layout == Layout::dot || layout == Layout::book))
    return emitError() << "strategy " << stringifyStrategy(strategy) << " cannot read layout "
                       << stringifyLayout(layout);
  if (rowVectors < 1 || tokens < 1 || kBlock < 0 || prefetch < 0)
    return emitError() << "row_vectors and tokens must be positive, k_block and prefetch not negative";
  if (batchRowVectors < 0 || (batchRowVectors && rowVectors % batchRowVectors))
    return emitError() << "batch_row_vectors = " << batchRowVectors
                       << " must divide row_vectors = " << rowVectors;
  if (tokenBlock < tokens || tokenBlock % tokens)
    return emitError() << "token_block = " << tokenBlock << " must be a multiple of tokens = " << tokens;
  // A row of layout dot is whole pairs of chunks, one of bytes whole vectors of activations.
  int64_t chunk = layout == Layout::dot ? 64 : layout == Layout::column ? 32 : factsOf(layout).chunkK;
  if (kBlock % chunk || (layout == Layout::base3 && !kBlock))
    return emitError() << "k_block = " << kBlock << " must be a multiple of " << chunk << " in layout "
                       << stringifyLayout(layout) << (layout == Layout::base3 ? "" : "; 0: all of k at once");
  bool widens = factsOf(layout).hasBytePerRow();
  if (widens != (run > 0) || widens != (widen > 0))
    return emitError() << "run and widen belong to the layouts column and base3";
  if (unpackTokens < 0 ||
      (unpackTokens && layout != Layout::dot && layout != Layout::base3 && layout != Layout::book))
    return emitError() << "unpack_tokens = " << unpackTokens << " must not be negative, and 0 in layout "
                       << stringifyLayout(layout);
  if (layout == Layout::book && unpackTokens != 1)
    return emitError() << "unpack_tokens = " << unpackTokens << " must be 1 in layout book";
  if (unpackTokens && layout == Layout::base3 && kBlock % 20)
    return emitError() << "k_block = " << kBlock << " must be a multiple of 20 to be unpacked";
  return success();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

LogicalResult WeightsType::verify(EmitError emitError, int64_t n, int64_t k, WeightFormatAttr format,
                                  Encoding encoding) {
  if (n < 1 || k < 1)
    return emitError() << "weights need n and k of at least 1, not " << n << " x " << k;
  bool trits = format.getFormat().row->trits;
  if (encoding == Encoding::trits && !trits)
    return emitError() << "format " << format.getName() << " has no trits";
  if (encoding == Encoding::planes && trits)
    return emitError() << "format " << format.getName() << " has no bit planes";
  return success();
}

static LogicalResult verifyGroup(EmitError emitError, int64_t k, int64_t group) {
  if (k < 1 || group < 1 || group > k)
    return emitError() << "group = " << group << " must be between 1 and k = " << k;
  return success();
}

LogicalResult ActivationsType::verify(EmitError emitError, int64_t k, int64_t group, int64_t subgroup) {
  if (subgroup < 0 || (subgroup && subgroup >= superGroup))
    return emitError() << "subgroup = " << subgroup << " must be below " << superGroup;
  return verifyGroup(emitError, k, group);
}

LogicalResult TablesType::verify(EmitError emitError, int64_t k, int64_t group, int64_t unit, bool trits,
                                 bool mirrored, int64_t digits, int64_t radix) {
  if (failed(verifyGroup(emitError, k, group)))
    return failure();
  if (unit < 1 || unit > (trits ? 5 : 8))
    return emitError() << "unit = " << unit << " must be between 1 and " << (trits ? 5 : 8);
  if (group < k && group % unit)
    return emitError() << "unit = " << unit << " must divide group = " << group;
  if (digits < 0 || digits > 2 || (digits == 2) != (radix > 0) || radix < 0 || radix % 2)
    return emitError() << "digits must be 0, 1 or 2, with an even radix for 2";
  return success();
}

int64_t TablesType::getEntries() const {
  int64_t all = 1;
  for (int64_t e = 0; e < getUnit(); ++e)
    all *= getTrits() ? 3 : 2;
  return getMirrored() ? (all + 1) / 2 : all;
}

int64_t TablesType::getEntryBytes() const { return llvm::PowerOf2Ceil(getEntries()); }
