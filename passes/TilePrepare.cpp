// Activations of one token: int8 values with scales (class a8), and tables of partial sums.
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

  Value loadX(Value k, int64_t valid);
  Value maxMagnitude(Value k0, int64_t length);
  Value quantize(Value k0, int64_t length, int64_t padded, Value inverse);
  Value round(Value v);

  Value maxUnitMagnitude(Value k0, int64_t length);
  Value tables(Value k0, int64_t length, int64_t padded, Value inverse);
  Value floatTable(Value k, int64_t valid, Value inverse, Value tablePointer);
  void digitTable(Value k, Value tablePointer);
  Value tablePointer(Value k);
  SmallVector<int64_t> coefficients(int64_t term, int64_t firstEntry, int64_t count);
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
  if (g.numerics == Numerics::t8 && g.doubled())
    scale = e.mul(scale, e.real(e.f32(), 0.5));
  e.store(scale, e.at(e.at(out, e.mul(index, 4)), g.scalesOffset), 4);
}

void PrepareEmitter::storeSum(Value index, Value sum) {
  e.store(sum, e.at(e.at(out, e.mul(index, 4)), g.sumsOffset), 4);
}

/// v rounded half to even for |v| < 2^22, as i32: 1.5 * 2^23 + v has the integer in its low bits.
Value PrepareEmitter::round(Value v) {
  Value magic = e.add(v, e.real(v.getType(), 12582912.0));
  Type type = e.vec(cast<VectorType>(v.getType()).getNumElements(), e.i32());
  return e.add(e.bitcast(magic, type), -int64_t(0x4b400000));
}

//===----------------------------------------------------------------------===//
// Quantized activations
//===----------------------------------------------------------------------===//

/// W floats at k, of which the first `valid` exist; the rest are 0.
Value PrepareEmitter::loadX(Value k, int64_t valid) {
  Value zero = e.real(floats, 0.0), pointer = e.at(x, e.mul(k, 4));
  if (valid <= 0)
    return zero;
  if (valid >= W)
    return e.load(floats, pointer, 4);
  SmallVector<bool> mask(W, false);
  std::fill_n(mask.begin(), valid, true);
  Value lanes =
      arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(e.vec(W, e.b.getI1Type()), mask));
  return LLVM::MaskedLoadOp::create(e.b, e.loc, floats, pointer, lanes, zero, uint32_t(4));
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

/// Stores int8 values of [k0, k0 + padded), 0 from `length` on; returns their sum.
Value PrepareEmitter::quantize(Value k0, int64_t length, int64_t padded, Value inverse) {
  Value factor = e.splat(inverse, W);
  auto step = [&](Value k, int64_t valid, Value sum) {
    Value q = round(e.mul(loadX(k, valid), factor));
    Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(W, e.i8()), q);
    e.store(narrow, e.at(e.at(out, k), g.valueOffset));
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
    e.store(e.constant(e.vec(std::min(W, padded - k), e.i8()), 0),
            e.at(e.at(out, e.add(k0, k)), g.valueOffset));
  return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, sum);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// The coefficient of term `term` of a unit in entries [first, first + count); entries past the last pattern
/// are 0.
SmallVector<int64_t> PrepareEmitter::coefficients(int64_t term, int64_t first, int64_t count) {
  SmallVector<int64_t> result;
  for (int64_t entry = first; entry < first + count; ++entry) {
    if (!g.tables.getTrits()) {
      result.push_back((entry >> term & 1) ? 1 : -1);
      continue;
    }
    int64_t rest = entry < g.tables.getEntries() ? entry : 0, digit = 0;
    for (int64_t e = 0; e <= term; ++e) { // balanced base 3, lowest digit first
      digit = rest % 3 == 2 ? -1 : rest % 3;
      rest = (rest - digit) / 3;
    }
    result.push_back(digit);
  }
  return result;
}

/// The largest sum of |x| over a unit, as bits: it is the magnitude of a unit's largest entry, rounding
/// included.
Value PrepareEmitter::maxUnitMagnitude(Value k0, int64_t length) {
  auto unit = [&](Value k, int64_t valid, Value largest) {
    Value sum;
    for (int64_t term = 0; term < valid; ++term) {
      Value bits = e.load(e.i32(), e.at(x, e.mul(e.add(k, term), 4)), 4);
      Value magnitude = e.bitcast(e.bitAnd(bits, 0x7fffffff), e.f32());
      sum = sum ? e.add(sum, magnitude) : magnitude;
    }
    return arith::MaxSIOp::create(e.b, e.loc, largest, e.bitcast(sum, e.i32())).getResult();
  };
  Value largest = e.loop(length / g.unit, {e.constant(e.i32(), 0)}, [&](Value i, Values carried) {
    return Values{unit(e.add(k0, e.mul(i, g.unit)), g.unit, carried[0])};
  })[0];
  return length % g.unit ? unit(e.add(k0, length / g.unit * g.unit), length % g.unit, largest) : largest;
}

/// Where the tables of the unit at k start.
Value PrepareEmitter::tablePointer(Value k) {
  Value unit = arith::DivUIOp::create(e.b, e.loc, k, e.index(g.unit));
  int64_t side = g.tablesPerVector();
  if (side == 1)
    return e.at(out, e.mul(unit, g.tableOffset(1, 0)));
  Value row = arith::DivUIOp::create(e.b, e.loc, unit, e.index(side));
  Value column = arith::RemUIOp::create(e.b, e.loc, unit, e.index(side));
  return e.at(e.at(out, e.mul(row, g.tableOffset(side, 0))), e.mul(column, g.tables.getEntryBytes()));
}

/// Rounds the sums of `valid` floats at k to int8 and stores them; returns the all-ones entry.
Value PrepareEmitter::floatTable(Value k, int64_t valid, Value inverse, Value pointer) {
  int64_t entryBytes = g.tables.getEntryBytes(), width = std::min(W, entryBytes);
  VectorType entries = e.vec(width, e.f32());
  Value last, factor = e.splat(inverse, width);
  for (int64_t first = 0; first < entryBytes; first += width) {
    Value sum = e.real(entries, 0.0);
    for (int64_t term = 0; term < valid; ++term) {
      Value scalar = e.load(e.f32(), e.at(x, e.mul(e.add(k, term), 4)), 4);
      Value product =
          e.mul(e.splat(scalar, width), e.constantVector(entries, coefficients(term, first, width)));
      sum = term ? e.add(sum, product) : product;
    }
    Value rounded = round(e.mul(sum, factor));
    last = rounded;
    Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(width, e.i8()), rounded);
    if (g.schedule.getRun() == 1)
      narrow = e.bitXor(narrow, e.constant(narrow.getType(), 0x80)); // biased for unsigned 16-bit sums
    e.store(narrow, e.at(pointer, first));
  }
  return vector::ExtractOp::create(e.b, e.loc, last, ArrayRef<int64_t>{width - 1});
}

/// Stores both digits of the exact sums of the int8 values at k: hi = floor(T / radix), lo = T mod radix -
/// radix / 2.
void PrepareEmitter::digitTable(Value k, Value pointer) {
  int64_t entryBytes = g.tables.getEntryBytes(), width = std::min(2 * W, entryBytes), radix = g.radix();
  int64_t digitStride = g.tableOffset(0, 1), positive = 64; // makes sums positive: 64 * radix > 127 * unit
  VectorType words = e.vec(width, e.i16());
  for (int64_t first = 0; first < entryBytes; first += width) {
    Value sum = e.constant(words, positive * radix);
    for (int64_t term = 0; term < g.unit; ++term) {
      Value scalar = e.load(e.i8(), e.at(e.at(out, e.add(k, term)), g.valueOffset));
      Value wide = e.splat(arith::ExtSIOp::create(e.b, e.loc, e.i16(), scalar), width);
      sum = e.add(sum, e.mul(wide, e.constantVector(words, coefficients(term, first, width))));
    }
    Value high = arith::DivUIOp::create(e.b, e.loc, sum, e.constant(words, radix));
    Value low = e.add(e.sub(sum, e.mul(high, radix)), -radix / 2);
    Value digits[] = {e.add(high, -positive), low};
    for (int64_t digit = 0; digit < 2; ++digit) {
      Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(width, e.i8()), digits[digit]);
      if (g.schedule.getRun() == 1)
        narrow = e.bitXor(narrow, e.constant(narrow.getType(), 0x80));
      e.store(narrow, e.at(pointer, digit * digitStride + first));
    }
  }
}

/// Tables of [k0, k0 + padded); returns the sum of the all-ones entries in class t8.
Value PrepareEmitter::tables(Value k0, int64_t length, int64_t padded, Value inverse) {
  Values sum = {e.constant(e.i32(), 0)};
  auto unit = [&](Value k, int64_t valid, Values carried) {
    if (g.numerics == Numerics::a8)
      digitTable(k, tablePointer(k));
    else
      carried[0] = e.add(carried[0], floatTable(k, valid, inverse, tablePointer(k)));
    return carried;
  };
  auto full = [&](int64_t first, int64_t count, int64_t valid) {
    sum = e.loop(count, sum, [&](Value i, Values carried) {
      return unit(e.add(e.add(k0, first), e.mul(i, g.unit)), valid, carried);
    });
  };
  if (g.numerics == Numerics::a8) { // values are padded with zeros already
    full(0, padded / g.unit, g.unit);
    return sum[0];
  }
  int64_t whole = length / g.unit * g.unit, done = whole;
  full(0, whole / g.unit, g.unit);
  if (length % g.unit) {
    full(whole, 1, length % g.unit);
    done += g.unit;
  }
  full(done, (padded - done) / g.unit, 0);
  return sum[0];
}

//===----------------------------------------------------------------------===//
// Groups and tokens
//===----------------------------------------------------------------------===//

void PrepareEmitter::group(Value index, int64_t length, int64_t padded) {
  Value k0 = e.mul(index, g.group);
  bool a8 = g.numerics == Numerics::a8;
  GroupScale scale = groupScale(a8 ? maxMagnitude(k0, length) : maxUnitMagnitude(k0, length));
  storeScale(index, scale.scale);
  Value sum = a8 ? quantize(k0, length, padded, scale.inverse) : Value();
  if (g.tables) {
    Value allOnes = tables(k0, length, padded, scale.inverse);
    sum = a8 ? sum : allOnes;
  }
  storeSum(index, sum);
}

void PrepareEmitter::token() {
  int64_t last = g.groups - 1;
  e.loop(last, {}, [&](Value index, Values) {
    group(index, g.group, g.group);
    return Values();
  });
  group(e.index(last), g.lastGroup(), g.kPadded - last * g.group);
}

void lut::emitPrepare(Emitter &e, const Geometry &g, Value x, Value ldx, Value m, Value prepared) {
  e.loop(e.index(0), m, 1, {}, [&](Value t, Values) {
    PrepareEmitter emitter{e, g, e.at(x, e.mul(e.mul(t, ldx), 4)), e.at(prepared, e.mul(t, g.preparedBytes))};
    emitter.token();
    return Values();
  });
}
