// Verifiers and folders of the lut dialect's ops.
#include "dialects/lut/Lut.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lut;

#define GET_OP_CLASSES
#include "dialects/lut/LutOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Tensor level
//===----------------------------------------------------------------------===//

/// A dimension as types print it.
static std::string dimension(int64_t size) {
  return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
}

/// x is tensor<? x k>, y is tensor<? x n>, with the same number of tokens where it is known.
static LogicalResult verifyShapes(Operation *op, int64_t k, WeightsType w, RankedTensorType y) {
  if (k != w.getK())
    return op->emitOpError() << "reduces over k = " << dimension(k)
                             << " but the weights have k = " << w.getK();
  if (y.getDimSize(1) != w.getN())
    return op->emitOpError() << "produces " << dimension(y.getDimSize(1))
                             << " rows but the weights have n = " << w.getN();
  return success();
}

static int64_t groupOf(const Format &format, int64_t k) {
  return format.group ? std::min(format.group, k) : k;
}

LogicalResult MpGemmOp::verify() {
  auto x = cast<RankedTensorType>(getX().getType()), y = cast<RankedTensorType>(getY().getType());
  if (x.getDimSize(0) != y.getDimSize(0))
    return emitOpError() << "has tokens m = " << dimension(x.getDimSize(0)) << " in x but "
                         << dimension(y.getDimSize(0)) << " in y";
  if (getStrategy() == Strategy::dot && getNumerics() == Numerics::t8)
    return emitOpError("class t8 is defined by tables and has no dot strategy");
  return verifyShapes(*this, x.getDimSize(1), getW().getType(), y);
}

LogicalResult lut::verifyRows(Operation *op) {
  auto x = cast<RankedTensorType>(op->getOperand(0).getType());
  for (OpOperand &operand : llvm::drop_begin(op->getOpOperands())) {
    auto type = cast<RankedTensorType>(operand.get().getType());
    int64_t size = type.getShape().back();
    if (type == x || (type.getRank() == 1 && size == x.getDimSize(1)) || isOneForAll(*op))
      continue;
    auto error = op->emitOpError() << "operand #" << operand.getOperandNumber();
    if (type.getRank() == 2)
      return error << " and x differ in type";
    return error << " has " << dimension(size) << " elements but x has " << dimension(x.getDimSize(1));
  }
  return success();
}

bool lut::isOneForAll(Operation &op) {
  return op.hasTrait<FollowsProduct>() &&
         cast<RankedTensorType>(op.getOperand(1).getType()).getShape() == ArrayRef<int64_t>{1};
}

LogicalResult NormOp::verify() {
  if (!(getEpsilon().convertToFloat() >= 0))
    return emitOpError("epsilon is negative");
  return success();
}

LogicalResult RotateOp::verify() {
  int64_t elements = cast<RankedTensorType>(getX().getType()).getDimSize(1), block = getBlock();
  if (block < 2 || !llvm::isPowerOf2_64(block))
    return emitOpError() << "block " << block << " is no power of two from 2 on";
  if (elements % block)
    return emitOpError() << "block " << block << " does not divide the " << dimension(elements)
                         << " elements of a token";
  return success();
}

LogicalResult PermuteOp::verify() {
  WeightsType w = getW().getType();
  if (!w.getFormat().getFormat().permuted)
    return emitOpError() << "format " << w.getFormat().getName() << " has its columns in order";
  int64_t elements = cast<RankedTensorType>(getX().getType()).getDimSize(1);
  if (elements != w.getK())
    return emitOpError() << "x has " << dimension(elements)
                         << " elements but the weights have k = " << w.getK();
  return success();
}

LogicalResult ConvertOp::verify() {
  if (cast<RankedTensorType>(getX().getType()).getShape() !=
      cast<RankedTensorType>(getY().getType()).getShape())
    return emitOpError("changes the shape");
  return success();
}

LogicalResult CombineOp::verify() {
  auto experts = cast<RankedTensorType>(getExperts().getType()),
       gates = cast<RankedTensorType>(getGates().getType());
  if (experts.getShape() != gates.getShape())
    return emitOpError("experts and gates differ in shape");
  if (getResidual() && getResidual().getType() != getX().getType())
    return emitOpError("x and residual differ in type");
  return success();
}

LogicalResult StageOp::verify() {
  Block &block = getBody().front();
  if (!llvm::equal(block.getArgumentTypes(), getInputs().getTypes()))
    return emitOpError("inputs and arguments of the body differ in type");
  if (cast<YieldOp>(block.getTerminator()).getValue().getType() != getResult().getType())
    return emitOpError("yields another type than its result has");
  return success();
}

LogicalResult QuantizeActivationsOp::verify() {
  if (cast<RankedTensorType>(getX().getType()).getDimSize(1) != getActivations().getType().getK())
    return emitOpError("changes k");
  return success();
}

LogicalResult PrecomputeOp::verify() {
  TablesType tables = getTables().getType();
  if (auto x = dyn_cast<RankedTensorType>(getSource().getType())) {
    if (x.getDimSize(1) != tables.getK())
      return emitOpError("changes k");
    if (tables.getDigits() == 2)
      return emitOpError("float activations have no exact digits");
    return success();
  }
  auto activations = cast<ActivationsType>(getSource().getType());
  if (activations.getK() != tables.getK() || activations.getGroup() != tables.getGroup())
    return emitOpError("tables and activations differ in k or group");
  if (tables.getDigits() == 1)
    return emitOpError("rounds int8 activations a second time; their tables take two digits");
  return success();
}

LogicalResult ReinterpretOp::verify() {
  WeightsType from = getW().getType(), to = getResult().getType();
  if (from.getN() != to.getN() || from.getK() != to.getK() || from.getFormat() != to.getFormat())
    return emitOpError("changes more than the encoding");
  return success();
}

OpFoldResult ReinterpretOp::fold(FoldAdaptor) {
  if (getW().getType() == getType())
    return getW();
  if (auto inner = getW().getDefiningOp<ReinterpretOp>()) {
    getWMutable().assign(inner.getW());
    return getResult();
  }
  return {};
}

template <typename Left> static LogicalResult verifyGemm(Operation *op, Left left, WeightsType w, Type y) {
  if (left.getGroup() != groupOf(w.getFormat().getFormat(), w.getK()))
    return op->emitOpError() << "groups of " << left.getGroup() << " do not match format "
                             << w.getFormat().getName();
  return verifyShapes(op, left.getK(), w, cast<RankedTensorType>(y));
}

static LogicalResult verifySchedule(Operation *op, std::optional<ScheduleAttr> schedule, Strategy strategy,
                                    WeightsType w) {
  if (!schedule)
    return success();
  if (schedule->getStrategy() != strategy)
    return op->emitOpError() << "is scheduled as " << stringifyStrategy(schedule->getStrategy());
  int64_t group = w.getFormat().getFormat().group, kBlock = schedule->getKBlock();
  if (group && kBlock % group && kBlock < w.getK())
    return op->emitOpError() << "has k blocks of " << kBlock << ", no multiple of its groups of " << group;
  return success();
}

LogicalResult LookupGemmOp::verify() {
  if (failed(verifySchedule(*this, getSchedule(), Strategy::lookup, getW().getType())))
    return failure();
  const Format format = getW().getType().getFormat().getFormat();
  const FormatRow &row = *format.row;
  if (getSchedule() && !format.hasTables())
    return emitOpError() << "format " << format.str() << " has no bit planes that could index tables";
  if (getLeft().getType().getTrits() != row.trits)
    return emitOpError("tables of trits belong to ternary weights");
  std::optional<Layout> layout;
  if (getSchedule())
    layout = getSchedule()->getLayout();
  // Tables of an array are made in its registers, from three trits.
  bool inRegisters = layout && factsOf(*layout).isOfFragments();
  if (getLeft().getType().getUnit() != row.unit && !(row.trits && getLeft().getType().getUnit() == 3))
    return emitOpError() << "reads tables of " << getLeft().getType().getUnit()
                         << " elements of k, but format " << getW().getType().getFormat().getName()
                         << " packs units of " << row.unit;
  if (layout && !inRegisters && getLeft().getType().isExact())
    return emitOpError("is scheduled before its tables are quantized");
  if (layout && (inRegisters || layout == Layout::base3) != getLeft().getType().getMirrored())
    return emitOpError("mirrored tables and a layout whose codes have a sign need each other");
  if (getSchedule() && getSchedule()->getUnpackTokens() && getLeft().getType().getDigits() != 2)
    return emitOpError("unpacks codes, which multiply the activations of class a8 only");
  return verifyGemm(*this, getLeft().getType(), getW().getType(), getY().getType());
}

LogicalResult DotGemmOp::verify() {
  if (failed(verifySchedule(*this, getSchedule(), Strategy::dot, getW().getType())))
    return failure();
  int64_t summed = getLeft().getType().getSubgroup();
  if (summed != getW().getType().getFormat().getFormat().subgroup)
    return emitOpError() << "activations with sums of subgroups of " << summed << " do not match format "
                         << getW().getType().getFormat().getName();
  return verifyGemm(*this, getLeft().getType(), getW().getType(), getY().getType());
}

//===----------------------------------------------------------------------===//
// Vector level
//===----------------------------------------------------------------------===//

static int64_t size(Value vector) { return cast<VectorType>(vector.getType()).getNumElements(); }

LogicalResult LookupOp::verify() {
  int64_t entries = getEntries();
  if (entries < 2 || entries > 256 || (entries & (entries - 1)) || size(getTable()) % entries)
    return emitOpError() << "entries = " << entries
                         << " must be a power of two up to 256 that divides the table's " << size(getTable())
                         << " bytes";
  return success();
}

OpFoldResult LookupOp::fold(FoldAdaptor adaptor) {
  auto table = dyn_cast_or_null<DenseIntElementsAttr>(adaptor.getTable());
  if (!table)
    return {};
  if (table.isSplat())
    return DenseElementsAttr::get(cast<VectorType>(getType()), table.getSplatValue<APInt>());
  auto index = dyn_cast_or_null<DenseIntElementsAttr>(adaptor.getIndex());
  if (!index)
    return {};
  int64_t entries = getEntries(), tables = size(getTable()) / entries, b = 0;
  auto values = llvm::to_vector(table.getValues<APInt>());
  SmallVector<APInt> result;
  for (const APInt &i : index.getValues<APInt>())
    result.push_back(values[entries * (b++ % tables) + i.getZExtValue() % entries]);
  return DenseElementsAttr::get(cast<VectorType>(getType()), result);
}

LogicalResult DotOp::verify() {
  int64_t perLane = getAcc().getType().getElementTypeBitWidth() / 8, most = perLane == 2 ? 128 : 255;
  if (size(getCodes()) != perLane * size(getAcc()))
    return emitOpError() << "sums " << perLane << " bytes to a lane: " << size(getCodes()) << " bytes need "
                         << size(getCodes()) / perLane << " lanes, not " << size(getAcc());
  if (getMax() < 1 || getMax() > uint64_t(most))
    return emitOpError() << "max = " << getMax() << " must be between 1 and " << most;
  if (getIsSigned() && perLane != 2)
    return emitOpError() << "sums signed codes to lanes of 16 bits only";
  return success();
}

LogicalResult AddPairsOp::verify() {
  if (size(getWords()) != 2 * size(getAcc()))
    return emitOpError() << "sums 2 words to a lane: " << size(getWords()) << " words need "
                         << size(getWords()) / 2 << " lanes, not " << size(getAcc());
  return success();
}

OpFoldResult DotOp::fold(FoldAdaptor adaptor) {
  for (Attribute operand : {adaptor.getCodes(), adaptor.getValues()})
    if (auto value = dyn_cast_or_null<DenseIntElementsAttr>(operand))
      if (value.isSplat() && value.getSplatValue<APInt>().isZero())
        return getAcc();
  return {};
}

LogicalResult AccumulateOp::verify() {
  if (size(getValue()) != 2 * size(getEven()))
    return emitOpError() << "adds pairs of bytes to 16-bit lanes: " << size(getValue()) << " bytes need "
                         << size(getValue()) / 2 << " lanes, not " << size(getEven());
  return success();
}

LogicalResult AccumulateOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) {
  auto value = dyn_cast_or_null<DenseIntElementsAttr>(adaptor.getValue());
  if (!value || !value.isSplat() || !value.getSplatValue<APInt>().isZero())
    return failure();
  results.append({getEven(), getOdd()});
  return success();
}
