#include "passes/Emitter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace lut;

static Type elementOf(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? vector.getElementType() : type;
}

static Value constantOf(Emitter &e, Type type, Attribute element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(vector, element));
  return arith::ConstantOp::create(e.b, e.loc, cast<TypedAttr>(element));
}

Value Emitter::constant(Type type, int64_t value) {
  unsigned width = elementOf(type).getIntOrFloatBitWidth();
  APInt bits = APInt(64, value, /*isSigned=*/true).trunc(width);
  return constantOf(*this, type, b.getIntegerAttr(elementOf(type), bits));
}

Value Emitter::real(Type type, double value) {
  return constantOf(*this, type, b.getFloatAttr(elementOf(type), value));
}

Value Emitter::constantVector(VectorType type, ArrayRef<int64_t> values) {
  SmallVector<Attribute> elements;
  for (int64_t value : values)
    elements.push_back(isa<FloatType>(type.getElementType())
                           ? Attribute(b.getFloatAttr(type.getElementType(), double(value)))
                           : b.getIntegerAttr(type.getElementType(), value));
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, elements));
}

Value Emitter::add(Value a, Value c) {
  if (isa<FloatType>(elementOf(a.getType())))
    return arith::AddFOp::create(b, loc, a, c);
  return arith::AddIOp::create(b, loc, a, c);
}

Value Emitter::sub(Value a, Value c) {
  if (isa<FloatType>(elementOf(a.getType())))
    return arith::SubFOp::create(b, loc, a, c);
  return arith::SubIOp::create(b, loc, a, c);
}

Value Emitter::mul(Value a, Value c) {
  if (isa<FloatType>(elementOf(a.getType())))
    return arith::MulFOp::create(b, loc, a, c);
  return arith::MulIOp::create(b, loc, a, c);
}

Value Emitter::bitAnd(Value a, int64_t mask) {
  return arith::AndIOp::create(b, loc, a, constant(a.getType(), mask));
}

Value Emitter::bitXor(Value a, Value c) { return arith::XOrIOp::create(b, loc, a, c); }

Value Emitter::shiftRight(Value a, int64_t bits) {
  return bits ? arith::ShRUIOp::create(b, loc, a, constant(a.getType(), bits)).getResult() : a;
}

Value Emitter::shiftRightArithmetic(Value a, int64_t bits) {
  return bits ? arith::ShRSIOp::create(b, loc, a, constant(a.getType(), bits)).getResult() : a;
}

Value Emitter::shiftLeft(Value a, int64_t bits) {
  return bits ? arith::ShLIOp::create(b, loc, a, constant(a.getType(), bits)).getResult() : a;
}

Value Emitter::shiftBytes(Value bytes, int64_t right) {
  if (!right)
    return bytes;
  Value lanes = bitcast(bytes, vec(cast<VectorType>(bytes.getType()).getNumElements() / 2, i16()));
  return bitcast(right > 0 ? shiftRight(lanes, right) : shiftLeft(lanes, -right), bytes.getType());
}

Value Emitter::bitcast(Value v, Type type) {
  if (v.getType() == type)
    return v;
  if (isa<VectorType>(type))
    return vector::BitCastOp::create(b, loc, cast<VectorType>(type), v);
  return arith::BitcastOp::create(b, loc, type, v);
}

Value Emitter::splat(Value scalar, int64_t size) {
  return vector::BroadcastOp::create(b, loc, vec(size, scalar.getType()), scalar);
}

Value Emitter::toFloat(Value integers) {
  Type type = f32();
  if (auto vector = dyn_cast<VectorType>(integers.getType()))
    type = vec(vector.getNumElements(), type);
  return arith::SIToFPOp::create(b, loc, type, integers);
}

Value Emitter::at(Value pointer, Value offset) {
  return LLVM::GEPOp::create(b, loc, pointer.getType(), i8(), pointer, ArrayRef<LLVM::GEPArg>{offset});
}

Value Emitter::at(Value pointer, int64_t offset) {
  if (!offset)
    return pointer;
  return LLVM::GEPOp::create(b, loc, pointer.getType(), i8(), pointer,
                             ArrayRef<LLVM::GEPArg>{int32_t(offset)});
}

Value Emitter::load(Type type, Value pointer, int64_t align) {
  return LLVM::LoadOp::create(b, loc, type, pointer, align);
}

Value Emitter::firstLanes(int64_t size, int64_t count) {
  SmallVector<bool> lanes(size, false);
  std::fill_n(lanes.begin(), count, true);
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vec(size, b.getI1Type()), lanes));
}

Value Emitter::loadFirst(VectorType floats, Value pointer, int64_t count) {
  int64_t size = floats.getNumElements();
  if (count >= size)
    return load(floats, pointer, 4);
  Value zero = real(floats, 0.0);
  if (count <= 0)
    return zero;
  return LLVM::MaskedLoadOp::create(b, loc, floats, pointer, firstLanes(size, count), zero, uint32_t(4));
}

Value Emitter::round(Value v) {
  Value magic = add(v, real(v.getType(), 12582912.0));
  Type integers = vec(cast<VectorType>(v.getType()).getNumElements(), i32());
  return add(bitcast(magic, integers), -int64_t(0x4b400000));
}

Value Emitter::bound(Value v, double limit, arith::CmpFPredicate beyond) {
  Value bounded = real(v.getType(), limit);
  Value isBeyond = arith::CmpFOp::create(b, loc, beyond, v, bounded);
  return arith::SelectOp::create(b, loc, isBeyond, bounded, v);
}

void Emitter::store(Value value, Value pointer, int64_t align) {
  LLVM::StoreOp::create(b, loc, value, pointer, align);
}

Value Emitter::allocate(int64_t bytes) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&b.getBlock()->getParent()->getParentOfType<func::FuncOp>().front());
  return LLVM::AllocaOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), i8(), index(bytes), 64);
}

void Emitter::choose(Value condition, function_ref<void()> then, function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.thenYield());
  then();
  b.setInsertionPoint(branch.elseYield());
  otherwise();
}

Values Emitter::loop(Value lower, Value upper, int64_t step, Values inits,
                     function_ref<Values(Value, Values)> body) {
  auto loop = scf::ForOp::create(b, loc, lower, upper, index(step), inits);
  OpBuilder::InsertionGuard guard(b);
  // Without carried values the builder has already made the terminator.
  if (inits.empty())
    b.setInsertionPoint(loop.getBody()->getTerminator());
  else
    b.setInsertionPointToEnd(loop.getBody());
  Values results = body(loop.getInductionVar(), Values(loop.getRegionIterArgs()));
  if (!inits.empty())
    scf::YieldOp::create(b, loc, results);
  return Values(loop.getResults());
}

Values Emitter::loop(int64_t count, Values inits, function_ref<Values(Value, Values)> body) {
  if (count == 0)
    return inits;
  if (count == 1)
    return body(index(0), inits);
  return loop(index(0), index(count), 1, inits, body);
}
