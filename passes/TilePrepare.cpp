// Activations of one token: scales, sums and int8 values (class a8); TileTables.cpp emits tables.
#include "passes/TileEmitter.h"

using namespace mlir;
using namespace lut;

namespace {

/// Scale and reciprocal of a group whose largest magnitude is known.
struct GroupScale {
  Value scale, inverse;
};

struct PrepareEmitter {
  Emitter &e;
  const Geometry &g;
  Value x, out; // of one token
  int64_t W = g.laneRows;
  VectorType floats = e.vec(W, e.f32()), ints = e.vec(W, e.i32());

  void token();
  void group(Value index, int64_t length, int64_t padded);
  GroupScale groupScale(Value magnitudeBits);
  void storeScale(Value index, Value scale);
  void storeSum(Value index, Value sum);
  void unpackedOrder();

  Value loadX(Value k, int64_t valid);
  Value maxMagnitude(Value k0, int64_t length);
  Value quantize(Value k0, int64_t length, int64_t padded, Value inverse);
  void quantizeSubgroups(Value index, int64_t length, int64_t padded, Value inverse);
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
  e.store(scale, e.at(e.at(out, e.mul(index, 4)), g.scalesOffset), 4);
}

void PrepareEmitter::storeSum(Value index, Value sum) {
  e.store(sum, e.at(e.at(out, e.mul(index, 4)), g.sumsOffset), 4);
}

//===----------------------------------------------------------------------===//
// Quantized activations
//===----------------------------------------------------------------------===//

/// W floats at k, of which the first `valid` exist; the rest are 0.
Value PrepareEmitter::loadX(Value k, int64_t valid) {
  return e.loadFirst(floats, e.at(x, e.mul(k, 4)), valid);
}

/// Bits of the largest |x|: magnitudes order as integers, and a NaN is the largest.
Value PrepareEmitter::maxMagnitude(Value k0, int64_t length) {
  auto step = [&](Value k, int64_t valid, Value largest) -> Value {
    Value bits = e.bitAnd(e.bitcast(loadX(k, valid), ints), 0x7fffffff);
    return arith::MaxSIOp::create(e.b, e.loc, largest, bits);
  };
  Value largest = e.loop(length / W, {e.constant(ints, 0)}, [&](Value i, Values carried) {
    return Values{step(e.add(k0, e.mul(i, W)), W, carried[0])};
  })[0];
  if (length % W)
    largest = step(e.add(k0, length / W * W), length % W, largest);
  return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXSI, largest);
}

/// Stores the integers of [k0, k0 + padded), 0 from `length` on; returns their sum.
Value PrepareEmitter::quantize(Value k0, int64_t length, int64_t padded, Value inverse) {
  Value factor = e.splat(inverse, W);
  Type type = e.b.getIntegerType(8 * g.valueBytes);
  auto valuePointer = [&](Value k) { return e.at(e.at(out, e.mul(k, g.valueBytes)), g.valueOffset); };
  auto step = [&](Value k, int64_t valid, Value sum) {
    Value scaled = e.mul(loadX(k, valid), factor);
    if (g.valueBytes == 2) // tables of trits are rounded from 64ths of an entry
      scaled = e.mul(scaled, e.real(floats, 64.0));
    Value q = e.round(scaled);
    Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(W, type), q);
    e.store(narrow, valuePointer(k));
    return e.add(sum, q);
  };
  Value sum = e.loop(length / W, {e.constant(ints, 0)}, [&](Value i, Values carried) {
    return Values{step(e.add(k0, e.mul(i, W)), W, carried[0])};
  })[0];
  int64_t k = length / W * W;
  if (k < length) {
    sum = step(e.add(k0, k), length - k, sum);
    k += W;
  }
  // Zeros up to the padded end; padded rows of k need not be a multiple of W.
  for (; k < padded; k += W)
    e.store(e.constant(e.vec(std::min(W, padded - k), type), 0), valuePointer(e.add(k0, k)));
  return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, sum);
}

/// The integers of group `index`, with a sum for each subgroup.
void PrepareEmitter::quantizeSubgroups(Value index, int64_t length, int64_t padded, Value inverse) {
  int64_t size = g.format.subgroup, whole = length / size;
  Value k0 = e.mul(index, g.group), first = e.mul(index, g.group / size);
  e.loop(whole, {}, [&](Value i, Values) {
    storeSum(e.add(first, i), quantize(e.add(k0, e.mul(i, size)), size, size, inverse));
    return Values();
  });
  for (int64_t i = whole; i < padded / size; ++i) {
    int64_t left = std::max<int64_t>(0, length - i * size);
    storeSum(e.add(first, i), quantize(e.add(k0, i * size), left, size, inverse));
  }
}

//===----------------------------------------------------------------------===//
// Groups and tokens
//===----------------------------------------------------------------------===//

void PrepareEmitter::group(Value index, int64_t length, int64_t padded) {
  Value k0 = e.mul(index, g.group);
  bool a8 = g.numerics == Numerics::a8;
  GroupScale scale = groupScale(a8 ? maxMagnitude(k0, length) : emitMaxUnitMagnitude(e, g, x, k0, length));
  storeScale(index, scale.scale);
  if (g.format.subgroup)
    return quantizeSubgroups(index, length, padded, scale.inverse);
  Value sum;
  if (g.valueBytes)
    sum = quantize(k0, length, padded, scale.inverse);
  if (g.factorOffset() != g.valueOffset)
    unpackedOrder();
  else if (g.digits()) {
    Value allOnes = emitTables(e, g, x, out, k0, length, padded, scale.inverse);
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
  e.loop(g.kPadded / 20, {}, [&](Value i, Values) {
    Value place = e.at(out, e.mul(i, 20));
    Value values = e.load(e.vec(32, e.i8()), e.at(place, g.valueOffset));
    e.store(vector::ShuffleOp::create(e.b, e.loc, values, values, indices), e.at(place, g.factorOffset()));
    return Values();
  });
}

void PrepareEmitter::token() {
  int64_t last = g.groups - 1;
  e.loop(last, {}, [&](Value index, Values) {
    group(index, g.group, g.group);
    return Values();
  });
  group(e.index(last), g.lastGroup(), g.kPadded - last * g.group);
  for (int64_t behind = g.groups; behind < g.preparedGroups(); ++behind) {
    storeScale(e.index(behind), e.real(e.f32(), 0.0));
    storeSum(e.index(behind), e.constant(e.i32(), 0));
  }
}

void lut::emitPrepare(Emitter &e, const Geometry &g, Value x, Value out) {
  PrepareEmitter{e, g, x, out}.token();
}
