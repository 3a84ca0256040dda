// Activations of one token: scales, sums and int8 values (class a8); TileTables.cpp emits tables.
#include "passes/tile/TileEmitter.h"

using namespace mlir;
using namespace lut;

namespace {

/// Scale and reciprocal of a group whose largest magnitude is known.
struct GroupScale {
  Value scale, inverse;
};

struct PrepareEmitter {
  Emitter &e;
  const Body &g;
  StageCall &call;
  Value x, out; // of one token
  int64_t W = g.laneRows;
  VectorType floats = e.vec(W, e.f32()), ints = e.vec(W, e.i32());
  PreparedPlace place = call.prepared(g.unpacked);
  Value values = e.at(out, place.values);

  void token();
  void group(Value index, Value length);
  GroupScale groupScale(Value magnitudeBits);
  void storeScale(Value index, Value scale);
  void storeSum(Value index, Value sum);
  void unpackedOrder();

  Value maxMagnitude(Value k0, Value length);
  Value quantize(Value k0, Value length, Value inverse);
  void quantizeSubgroups(Value index, Value inverse);
};

} // namespace

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

/// inverse = 127 / max and scale = max / 127; both 0 below 2^-120, where 127 / max would overflow; NaN and 0
/// where an activation is not finite.
GroupScale PrepareEmitter::groupScale(Value bits) {
  auto select = [&](Value condition, Value a, Value c) {
    return arith::SelectOp::create(e.b, e.loc, condition, a, c).getResult();
  };
  auto compare = [&](arith::CmpIPredicate predicate, int64_t value) {
    return arith::CmpIOp::create(e.b, e.loc, predicate, bits, e.constant(e.i32(), value)).getResult();
  };
  Value magnitude = e.bitcast(bits, e.f32()), zero = e.real(e.f32(), 0.0), c127 = e.real(e.f32(), 127.0);
  Value tiny = compare(arith::CmpIPredicate::slt, (127 - 120) << 23);
  Value wild = compare(arith::CmpIPredicate::sge, 0x7f800000);
  Value unusable = arith::OrIOp::create(e.b, e.loc, tiny, wild);
  Value inverse = select(unusable, zero, arith::DivFOp::create(e.b, e.loc, c127, magnitude));
  Value scale = select(tiny, zero, arith::DivFOp::create(e.b, e.loc, magnitude, c127));
  Value nan = e.bitcast(e.constant(e.i32(), 0x7fc00000), e.f32());
  return {select(wild, nan, scale), inverse};
}

void PrepareEmitter::storeScale(Value index, Value scale) {
  e.store(scale, e.at(e.at(out, place.scales), e.mul(index, 4)), 4);
}

void PrepareEmitter::storeSum(Value index, Value sum) {
  e.store(sum, e.at(e.at(out, place.sums), e.mul(index, 4)), 4);
}

//===----------------------------------------------------------------------===//
// Quantized activations
//===----------------------------------------------------------------------===//

/// Bits of the largest |x|: magnitudes order as integers, and a NaN is the largest.
Value PrepareEmitter::maxMagnitude(Value k0, Value length) {
  Value largest = e.loop(e.div(e.add(length, W - 1), W), {e.constant(ints, 0)}, [&](Value i, Values carried) {
    Value lanes = e.load(ints, e.at(x, e.mul(e.add(k0, e.mul(i, W)), 4)), 4);
    Value bits = e.bitAnd(lanes, 0x7fffffff);
    return Values{arith::MaxSIOp::create(e.b, e.loc, carried[0], bits)};
  })[0];
  return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXSI, largest);
}

/// Stores the integers of [k0, k0 + length); returns their sum. The last vector of a row may reach beyond
/// k_padded, where x is 0 and integers have room.
Value PrepareEmitter::quantize(Value k0, Value length, Value inverse) {
  Value factor = e.splat(inverse, W);
  Type type = e.b.getIntegerType(8 * g.valueBytes);
  Value sum = e.loop(e.div(e.add(length, W - 1), W), {e.constant(ints, 0)}, [&](Value i, Values carried) {
    Value k = e.add(k0, e.mul(i, W));
    Value scaled = e.mul(e.load(floats, e.at(x, e.mul(k, 4)), 4), factor);
    if (g.valueBytes == 2) // tables of trits are rounded from 64ths of an entry
      scaled = e.mul(scaled, e.real(floats, 64.0));
    Value q = e.round(scaled);
    Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(W, type), q);
    e.store(narrow, e.at(values, e.mul(k, g.valueBytes)));
    return Values{e.add(carried[0], q)};
  })[0];
  return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, sum);
}

/// The integers of group `index`, with a sum for each subgroup.
void PrepareEmitter::quantizeSubgroups(Value index, Value inverse) {
  int64_t size = g.format.subgroup, count = g.format.group / size;
  Value k0 = e.mul(index, g.format.group), first = e.mul(index, count);
  e.each(e.index(count), [&](Value i) {
    Value sum = quantize(e.add(k0, e.mul(i, size)), e.index(size), inverse);
    if (g.subgroupSumBytes() == 4)
      return storeSum(e.add(first, i), sum);
    Value narrow = arith::TruncIOp::create(e.b, e.loc, e.i16(), sum);
    e.store(narrow, e.at(e.at(out, place.sums), e.mul(e.add(first, i), 2)), 2);
  });
}

//===----------------------------------------------------------------------===//
// Groups and tokens
//===----------------------------------------------------------------------===//

void PrepareEmitter::group(Value index, Value length) {
  Value k0 = e.mul(index, g.format.group); // of a whole row 0
  bool a8 = g.numerics == Numerics::a8;
  GroupScale scale = groupScale(a8 ? maxMagnitude(k0, length) : emitMaxUnitMagnitude(e, g, x, k0, length));
  storeScale(index, scale.scale);
  if (g.format.subgroup)
    return quantizeSubgroups(index, scale.inverse);
  Value sum;
  if (g.valueBytes)
    sum = quantize(k0, length, scale.inverse);
  if (g.unpacked)
    unpackedOrder();
  else if (g.digits()) {
    Value allOnes = emitTables(e, g, x, out, values, k0, length, scale.inverse);
    sum = a8 ? sum : allOnes;
  }
  storeSum(index, sum);
}

/// A copy of the integers: of every 20 k in the order in which TileUnpack.cpp takes them from bytes of five
/// trits, [e < 5][byte < 4].
void PrepareEmitter::unpackedOrder() {
  SmallVector<int64_t> indices(32);
  for (int64_t i = 0; i < 20; ++i)
    indices[i] = 5 * (i % 4) + i / 4;
  e.each(e.div(call.number(&lutc_shape::k_padded), 20), [&](Value i) {
    Value k = e.mul(i, 20);
    Value integers = e.load(e.vec(32, e.i8()), e.at(values, k));
    e.store(vector::ShuffleOp::create(e.b, e.loc, integers, integers, indices), e.at(out, k));
  });
}

void PrepareEmitter::token() {
  if (g.wholeRow())
    return group(e.index(0), call.number(&lutc_shape::k_padded));
  e.each(call.number(&lutc_shape::groups), [&](Value index) { group(index, e.index(g.format.group)); });
}

void lut::emitPrepare(Emitter &e, const Body &g, StageCall &call, Value x, Value out) {
  PrepareEmitter{e, g, call, x, out}.token();
}
