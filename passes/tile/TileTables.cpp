// Tables of partial sums, the activation side of lookups. Those of bit planes are built a lane for each unit;
// only patterns whose last sign is plus are summed, since rounding is odd: T[~c] = -T[c].
#include "passes/tile/TileTables.h"

using namespace mlir;
using namespace lut;

namespace {
struct PlaneEmitter : TableEmitter {
  static constexpr int64_t roundedZero = 0x4b400000; // bits of 1.5 * 2^23
  /// v rounded half to even for |v| < 2^22, in the low bits of what is returned: 1.5 * 2^23 + v.
  Value roundedBits(Value v) {
    Type type = e.vec(cast<VectorType>(v.getType()).getNumElements(), e.i32());
    return e.bitcast(e.add(v, e.real(v.getType(), 12582912.0)), type);
  }
  Values terms(Value k, int64_t units);
  Value maxOfUnits(Value k, int64_t units);
  Value maxOfStarts(Value k);
  Value maxOfUnit(Value k);
  Value tables(Value k, int64_t units, Value inverse);
  void digitTable(Value k);
};
} // namespace

//===----------------------------------------------------------------------===//
// For all tables
//===----------------------------------------------------------------------===//

Value TableEmitter::pointerOf(Value k) {
  Value unit = e.div(k, g.unit);
  int64_t side = g.tablesPerVector();
  if (side == 1)
    return e.at(out, e.mul(unit, g.tableOffset(1, 0)));
  Value row = e.div(unit, side), column = e.rem(unit, side);
  return e.at(e.at(out, e.mul(row, g.tableOffset(side, 0))), e.mul(column, g.tables.getEntryBytes()));
}

Value TableEmitter::joinBytes(ArrayRef<Value> lanes) {
  Value joined;
  for (auto [i, lane] : llvm::enumerate(lanes)) {
    Value byte =
        i + 1 < cast<VectorType>(lane.getType()).getElementTypeBitWidth() / 8 ? e.bitAnd(lane, 0xff) : lane;
    byte = e.shiftLeft(byte, 8 * i);
    joined = joined ? arith::OrIOp::create(e.b, e.loc, joined, byte).getResult() : byte;
  }
  auto type = cast<VectorType>(joined.getType());
  return e.bitcast(joined, e.vec(type.getNumElements() * type.getElementTypeBitWidth() / 8, e.i8()));
}

std::pair<Value, Value> TableEmitter::digitsOf(Value sum) {
  int64_t radix = g.radix();
  sum = e.add(sum, positiveDigits * radix);
  Value high = arith::DivUIOp::create(e.b, e.loc, sum, e.constant(sum.getType(), radix));
  Value low = e.add(e.sub(sum, e.mul(high, radix)), -radix / 2);
  return {e.add(high, -positiveDigits), low};
}

Value TableEmitter::valueAt(Value k) {
  Value pointer = e.at(values, e.mul(k, g.valueBytes));
  if (g.valueBytes == 2)
    return e.load(e.i16(), pointer, 2);
  return arith::ExtSIOp::create(e.b, e.loc, e.i16(), e.load(e.i8(), pointer));
}

//===----------------------------------------------------------------------===//
// Bit planes: entry c is the sum of +-x, + where bit e of c is set
//===----------------------------------------------------------------------===//

/// Element e of `units` units from k on, one vector for each e. Lane 4 L + t belongs to unit (units/4) t + L,
/// the order in which 4 x 4 transpositions of dwords within 16 bytes leave whole tables side by side.
Values PlaneEmitter::terms(Value k, int64_t units) {
  Values loaded, result;
  Value pointer = e.at(x, e.mul(k, 4));
  for (int64_t part = 0; part < g.unit; ++part)
    loaded.push_back(e.load(e.vec(units, e.f32()), e.at(pointer, part * units * 4), 4));
  Value low = shuffle(loaded[0], loaded[1], llvm::to_vector(llvm::seq<int64_t>(0, 2 * units)));
  Value high = shuffle(loaded[2], loaded[3], llvm::to_vector(llvm::seq<int64_t>(0, 2 * units)));
  for (int64_t element = 0; element < g.unit; ++element) {
    SmallVector<int64_t> indices;
    for (int64_t lane = 0; lane < units; ++lane)
      indices.push_back(g.unit * (units / 4 * (lane % 4) + lane / 4) + element);
    result.push_back(shuffle(low, high, indices));
  }
  return result;
}

Value PlaneEmitter::maxOfUnits(Value k, int64_t units) {
  Value sum;
  Type ints = e.vec(units, e.i32()), floats = e.vec(units, e.f32());
  for (Value term : terms(k, units)) {
    Value magnitude = e.bitcast(e.bitAnd(e.bitcast(term, ints), 0x7fffffff), floats);
    sum = sum ? e.add(sum, magnitude) : magnitude;
  }
  return e.bitcast(sum, ints);
}

/// Stores the tables of `units` units; returns the all-ones entries as rounded bits.
Value PlaneEmitter::tables(Value k, int64_t units, Value inverse) {
  Values x = terms(k, units), sums = {x[0], e.sub(e.real(x[0].getType(), -0.0), x[0])};
  std::swap(sums[0], sums[1]); // by bit 0: -x0, x0
  for (int64_t element = 1; element < g.unit; ++element) {
    Values longer;
    for (int64_t sign = element + 1 < g.unit ? 0 : 1; sign < 2; ++sign)
      for (Value sum : sums)
        longer.push_back(sign ? e.add(sum, x[element]) : e.sub(sum, x[element]));
    sums = longer;
  }
  Value factor = e.splat(inverse, units);
  for (Value &sum : sums) // of the patterns 8 .. 15
    sum = roundedBits(e.mul(sum, factor));
  // Four entries of a unit to a dword; entry 15 - c is minus entry c.
  Value upper[] = {joinBytes(ArrayRef(sums).take_front(4)), joinBytes(ArrayRef(sums).drop_front(4))},
        dwords[4];
  SmallVector<int64_t> reversed;
  for (int64_t b = 0; b < 4 * units; ++b)
    reversed.push_back(b ^ 3);
  VectorType lanes = e.vec(units, e.i32());
  for (int64_t i = 0; i < 2; ++i) {
    Value negative = e.sub(e.constant(upper[i].getType(), 0), shuffle(upper[i], upper[i], reversed));
    dwords[2 + i] = upper[i];
    dwords[1 - i] = negative;
  }
  for (Value &vector : dwords) {
    vector = e.bitcast(biased(vector), lanes);
  }
  Value pointer = pointerOf(k);
  if (g.tables.getMirrored()) { // the patterns 0 .. 7
    for (int64_t half = 0; half < 2; ++half) {
      SmallVector<int64_t> indices;
      for (int64_t at = half * units; at < (half + 1) * units; ++at) {
        int64_t unit = at / 2, lane = 4 * (unit % (units / 4)) + unit / (units / 4);
        indices.push_back(at % 2 * units + lane);
      }
      e.store(shuffle(dwords[0], dwords[1], indices), e.at(pointer, half * units * 4));
    }
    return sums.back();
  }
  // Dword j of lanes 4 L .. 4 L + 3 becomes dword t of lane 4 L + j: whole tables.
  auto unpack = [&](Value a, Value c, int64_t half, int64_t width) {
    SmallVector<int64_t> indices;
    for (int64_t L = 0; L < units / 4; ++L)
      for (int64_t i = 0; i < 4; ++i) {
        int64_t pair = i / width, source = pair % 2, word = width == 1 ? 2 * half + i / 2 : 2 * half + i % 2;
        if (width == 1)
          source = i % 2;
        indices.push_back(source * units + 4 * L + word);
      }
    return shuffle(a, c, indices);
  };
  for (int64_t t = 0; t < 4; ++t) {
    Value low = unpack(dwords[0], dwords[1], t / 2, 1), high = unpack(dwords[2], dwords[3], t / 2, 1);
    e.store(unpack(low, high, t % 2, 2), e.at(pointer, t * units * 4));
  }
  return sums.back();
}

void PlaneEmitter::digitTable(Value k) {
  int64_t entries = g.tables.getEntryBytes(), width = std::min(2 * W, entries);
  VectorType words = e.vec(width, e.i16());
  Value pointer = pointerOf(k);
  for (int64_t first = 0; first < entries; first += width) {
    Value sum;
    for (int64_t term = 0; term < g.unit; ++term) {
      SmallVector<int64_t> signs;
      for (int64_t entry = first; entry < first + width; ++entry)
        signs.push_back((entry >> term & 1) ? 1 : -1);
      Value product = e.mul(e.splat(valueAt(e.add(k, term)), width), e.constantVector(words, signs));
      sum = sum ? e.add(sum, product) : product;
    }
    auto [high, low] = digitsOf(sum);
    Value digits[] = {high, low};
    for (auto [digit, value] : llvm::enumerate(digits)) {
      Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(width, e.i8()), value);
      e.store(biased(narrow), e.at(pointer, g.tableOffset(0, digit) + first));
    }
  }
}

//===----------------------------------------------------------------------===//
// Ranges of k
//===----------------------------------------------------------------------===//

/// Units of bit planes done at a time: a power of two that divides groups and padded rows.
static int64_t planeUnits(const Body &g) {
  int64_t length = g.format.group ? g.format.group : g.padding;
  return std::min(g.laneRows, length / g.unit);
}

/// The largest magnitudes of `step` elements from k on, for any unit: sums start at every element, and those
/// that start a unit count. Reads `unit - 1` elements more than a vector.
Value PlaneEmitter::maxOfStarts(Value k) {
  Value sum;
  VectorType ints = e.vec(W, e.i32()), floats = e.vec(W, e.f32());
  SmallVector<int64_t> starts;
  for (int64_t lane = 0; lane < W; ++lane)
    starts.push_back(lane % g.unit == 0 && lane + g.unit <= W ? 0x7fffffff : 0);
  for (int64_t term = 0; term < g.unit; ++term) {
    Value bits = e.load(ints, e.at(x, e.mul(e.add(k, term), 4)), 4);
    Value magnitude = e.bitcast(e.bitAnd(bits, 0x7fffffff), floats);
    sum = sum ? e.add(sum, magnitude) : magnitude;
  }
  return arith::AndIOp::create(e.b, e.loc, e.bitcast(sum, ints), e.constantVector(ints, starts));
}

Value PlaneEmitter::maxOfUnit(Value k) {
  Value sum;
  for (int64_t term = 0; term < g.unit; ++term) {
    Value bits = e.load(e.i32(), e.at(x, e.mul(e.add(k, term), 4)), 4);
    Value magnitude = e.bitcast(e.bitAnd(bits, 0x7fffffff), e.f32());
    sum = sum ? e.add(sum, magnitude) : magnitude;
  }
  return e.bitcast(sum, e.i32());
}

Value lut::emitMaxUnitMagnitude(Emitter &e, const Body &g, Value x, Value k0, Value length) {
  PlaneEmitter emitter{{e, g, x, {}, {}}};
  auto largest = [&](Value steps, int64_t units, function_ref<Value(Value i)> magnitudes) {
    Value none = e.constant(e.vec(units, e.i32()), 0);
    Value lanes = e.loop(steps, {none}, [&](Value i, Values carried) {
      return Values{arith::MaxSIOp::create(e.b, e.loc, carried[0], magnitudes(i))};
    })[0];
    return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXSI, lanes).getResult();
  };
  if (g.unit == 4) {
    int64_t units = planeUnits(g), step = units * g.unit;
    return largest(e.div(length, step), units,
                   [&](Value i) { return emitter.maxOfUnits(e.add(k0, e.mul(i, step)), units); });
  }
  // The last units, which a vector would read beyond, are summed alone.
  int64_t units = emitter.W, step = units / g.unit * g.unit, read = units + g.unit - 1;
  if (!step)
    return e.loop(e.div(length, g.unit), {e.constant(e.i32(), 0)}, [&](Value i, Values carried) {
      Value unit = emitter.maxOfUnit(e.add(k0, e.mul(i, g.unit)));
      return Values{arith::MaxSIOp::create(e.b, e.loc, carried[0], unit)};
    })[0];
  Value steps = e.add(e.div(e.add(length, -read), step), 1); // whole rows: longer than `read`
  Value vectors =
      largest(steps, units, [&](Value i) { return emitter.maxOfStarts(e.add(k0, e.mul(i, step))); });
  return e.loop(e.mul(steps, step), length, g.unit, {vectors}, [&](Value i, Values carried) {
    Value unit = emitter.maxOfUnit(e.add(k0, i));
    return Values{arith::MaxSIOp::create(e.b, e.loc, carried[0], unit)};
  })[0];
}

Value lut::emitTables(Emitter &e, const Body &g, Value x, Value out, Value values, Value k0, Value length,
                      Value inverse) {
  PlaneEmitter emitter{{e, g, x, out, values}};
  if (g.valueBytes) {
    e.each(e.div(length, g.unit), [&](Value i) {
      Value k = e.add(k0, e.mul(i, g.unit));
      g.format.row->trits ? emitTritTable(emitter, k) : emitter.digitTable(k);
    });
    return e.constant(e.i32(), 0);
  }
  int64_t units = planeUnits(g), step = units * g.unit;
  Value zero = e.constant(e.vec(units, e.i32()), 0);
  Value lanes = e.loop(e.div(length, step), {zero}, [&](Value i, Values carried) {
    Value ones = emitter.tables(e.add(k0, e.mul(i, step)), units, inverse);
    return Values{e.add(carried[0], e.add(ones, -int64_t(PlaneEmitter::roundedZero)))};
  })[0];
  return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, lanes);
}
