#include "passes/tile/Emitter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

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
  return b.createOrFold<arith::AddIOp>(loc, a, c);
}

Value Emitter::sub(Value a, Value c) {
  if (isa<FloatType>(elementOf(a.getType())))
    return arith::SubFOp::create(b, loc, a, c);
  return b.createOrFold<arith::SubIOp>(loc, a, c);
}

Value Emitter::mul(Value a, Value c) {
  if (isa<FloatType>(elementOf(a.getType())))
    return arith::MulFOp::create(b, loc, a, c);
  return b.createOrFold<arith::MulIOp>(loc, a, c);
}

std::optional<int64_t> Emitter::known(Value value) {
  APInt constant;
  if (value.getType().isIntOrIndex() && matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  return std::nullopt;
}

Value Emitter::div(Value a, int64_t c) {
  return c == 1 ? a : b.createOrFold<arith::DivUIOp>(loc, a, constant(a.getType(), c));
}

Value Emitter::rem(Value a, int64_t c) {
  return b.createOrFold<arith::RemUIOp>(loc, a, constant(a.getType(), c));
}

Value Emitter::least(Value a, Value c) { return b.createOrFold<arith::MinUIOp>(loc, a, c); }

Value Emitter::compare(arith::CmpIPredicate predicate, Value a, Value c) {
  return b.createOrFold<arith::CmpIOp>(loc, predicate, a, c);
}

Value Emitter::select(Value condition, Value a, Value c) {
  return b.createOrFold<arith::SelectOp>(loc, condition, a, c);
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
  if (auto bytes = known(offset); bytes && llvm::isInt<32>(*bytes))
    return at(pointer, *bytes);
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
  chosen({}, condition, [&] { return then(), Values(); }, [&] { return otherwise(), Values(); });
}

Values Emitter::chosen(TypeRange types, Value condition, function_ref<Values()> then,
                       function_ref<Values()> otherwise) {
  if (auto always = known(condition))
    return *always ? then() : otherwise();
  auto branch = scf::IfOp::create(b, loc, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  auto fill = [&](Block *block, function_ref<Values()> values) {
    if (types.empty()) // the terminator is there
      b.setInsertionPoint(block->getTerminator());
    else
      b.setInsertionPointToEnd(block);
    Values results = values();
    if (!types.empty())
      scf::YieldOp::create(b, loc, results);
  };
  fill(branch.thenBlock(), then);
  fill(branch.elseBlock(), otherwise);
  return Values(branch.getResults());
}

void Emitter::when(Value condition, function_ref<void()> then) {
  if (auto always = known(condition))
    return *always ? then() : void();
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.thenYield());
  then();
}

Values Emitter::loop(Value lower, Value upper, int64_t step, Values inits,
                     function_ref<Values(Value, Values)> body) {
  auto first = known(lower), end = known(upper);
  if (first && end && *end <= *first)
    return inits;
  if (first && end && *end <= *first + step)
    return body(lower, inits);
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

void Emitter::each(Value lower, Value upper, int64_t step, function_ref<void(Value)> body) {
  loop(lower, upper, step, {}, [&](Value i, Values) { return body(i), Values(); });
}
