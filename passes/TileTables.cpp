// Tables of partial sums, the activation side of lookups.
//
// Bit planes: `W` units at a time, a lane for each; only patterns whose last sign is plus are summed, since
// rounding is odd: T[~c] = -T[c]. Trits: one unit at a time, a lane for each pattern of its first three
// trits; the vectors of sums for the others follow by adding them. Both end in bytes that shuffles put in the
// order of the entries.
#include "passes/TileEmitter.h"

using namespace mlir;
using namespace lut;

namespace {

struct TableEmitter {
  Emitter &e;
  const Geometry &g;
  Value x, out; // of one token
  int64_t W = g.laneRows;

  Value pointerOf(Value k);
  Value shuffle(Value a, Value c, ArrayRef<int64_t> indices) {
    return vector::ShuffleOp::create(e.b, e.loc, a, c, indices);
  }
  /// v rounded half to even for |v| < 2^22, in the low bits of what is returned: 1.5 * 2^23 + v.
  Value roundedBits(Value v) {
    Type type = e.vec(cast<VectorType>(v.getType()).getNumElements(), e.i32());
    return e.bitcast(e.add(v, e.real(v.getType(), 12582912.0)), type);
  }
  static constexpr int64_t roundedZero = 0x4b400000; // bits of 1.5 * 2^23
  Value joinBytes(ArrayRef<Value> lanes);
  Value assemble(ArrayRef<Value> sources, ArrayRef<int64_t> places);

  // Bit planes.
  Values terms(Value k, int64_t units);
  Value maxOfUnits(Value k, int64_t units);
  Value maxOfStarts(Value k);
  Value planeTables(Value k, int64_t units, Value inverse);
  Value planeTable(Value k, int64_t valid, Value inverse);
  void planeDigits(Value k);

  // Trits.
  struct Patterns {
    Values sums;                              // one vector for every choice of the last two trits
    SmallVector<SmallVector<int64_t>> values; // of each lane: the pattern's value, -1 where there is none
  };
  Value tritSum(ArrayRef<Value> x, int64_t count, ArrayRef<int64_t> values);
  Patterns tritSums(ArrayRef<Value> x, int64_t width);
  Values tritEntries(Value sum);
  void tritTable(Value k);
  void denseTritTable(ArrayRef<Value> terms, Value pointer);
  void storeTrits(const Patterns &patterns, ArrayRef<Value> bytes, Value pointer);
};

} // namespace

/// Where the tables of the unit at k start.
Value TableEmitter::pointerOf(Value k) {
  Value unit = arith::DivUIOp::create(e.b, e.loc, k, e.index(g.unit));
  int64_t side = g.tablesPerVector();
  if (side == 1)
    return e.at(out, e.mul(unit, g.tableOffset(1, 0)));
  Value row = arith::DivUIOp::create(e.b, e.loc, unit, e.index(side));
  Value column = arith::RemUIOp::create(e.b, e.loc, unit, e.index(side));
  return e.at(e.at(out, e.mul(row, g.tableOffset(side, 0))), e.mul(column, g.tables.getEntryBytes()));
}

/// Byte i of every lane is the low byte of that lane of `lanes[i]`.
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

/// A vector of bytes by their place in the concatenated sources, each of its size; -1 is any byte.
Value TableEmitter::assemble(ArrayRef<Value> sources, ArrayRef<int64_t> places) {
  int64_t size = places.size();
  Value result;
  for (auto [index, source] : llvm::enumerate(sources)) {
    auto here = [&, index = int64_t(index)](int64_t place) { return place >= 0 && place / size == index; };
    if (!llvm::any_of(places, here))
      continue;
    SmallVector<int64_t> indices;
    for (auto [b, place] : llvm::enumerate(places))
      indices.push_back(here(place) ? (result ? size : 0) + place % size : int64_t(b));
    result = shuffle(result ? result : source, source, indices);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Bit planes: entry c is the sum of +-x, + where bit e of c is set
//===----------------------------------------------------------------------===//

/// Element e of `units` units from k on, one vector for each e. Lane 4 L + t belongs to unit (units/4) t + L,
/// the order in which 4 x 4 transpositions of dwords within 16 bytes leave whole tables side by side.
Values TableEmitter::terms(Value k, int64_t units) {
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

Value TableEmitter::maxOfUnits(Value k, int64_t units) {
  Value sum;
  Type ints = e.vec(units, e.i32()), floats = e.vec(units, e.f32());
  for (Value term : terms(k, units)) {
    Value magnitude = e.bitcast(e.bitAnd(e.bitcast(term, ints), 0x7fffffff), floats);
    sum = sum ? e.add(sum, magnitude) : magnitude;
  }
  return e.bitcast(sum, ints);
}

/// Stores the tables of `units` units; returns the all-ones entries as rounded bits.
Value TableEmitter::planeTables(Value k, int64_t units, Value inverse) {
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
    if (g.schedule.getRun() == 1) // biased for unsigned 16-bit sums
      vector = e.bitXor(vector, e.constant(vector.getType(), 0x80));
    vector = e.bitcast(vector, lanes);
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
  Value pointer = pointerOf(k);
  for (int64_t t = 0; t < 4; ++t) {
    Value low = unpack(dwords[0], dwords[1], t / 2, 1), high = unpack(dwords[2], dwords[3], t / 2, 1);
    e.store(unpack(low, high, t % 2, 2), e.at(pointer, t * units * 4));
  }
  return sums.back();
}

/// The table of a unit of which `valid` elements exist; returns its all-ones entry.
Value TableEmitter::planeTable(Value k, int64_t valid, Value inverse) {
  int64_t entryBytes = g.tables.getEntryBytes(), width = std::min(W, entryBytes);
  VectorType entries = e.vec(width, e.f32());
  Value last, pointer = pointerOf(k), factor = e.splat(inverse, width);
  for (int64_t first = 0; first < entryBytes; first += width) {
    Value sum = e.real(entries, 0.0);
    for (int64_t term = 0; term < valid; ++term) {
      SmallVector<int64_t> signs;
      for (int64_t entry = first; entry < first + width; ++entry)
        signs.push_back((entry >> term & 1) ? 1 : -1);
      Value scalar = e.load(e.f32(), e.at(x, e.mul(e.add(k, term), 4)), 4);
      Value product = e.mul(e.splat(scalar, width), e.constantVector(entries, signs));
      sum = term ? e.add(sum, product) : product;
    }
    last = roundedBits(e.mul(sum, factor));
    Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(width, e.i8()), last);
    if (g.schedule.getRun() == 1)
      narrow = e.bitXor(narrow, e.constant(narrow.getType(), 0x80));
    e.store(narrow, e.at(pointer, first));
  }
  return vector::ExtractOp::create(e.b, e.loc, last, ArrayRef<int64_t>{width - 1});
}

/// Both digits of the sums of int8 values: hi = floor(T / radix), lo = T mod radix - radix / 2.
static std::pair<Value, Value> digitsOf(Emitter &e, const Geometry &g, Value sum) {
  int64_t radix = g.radix(), positive = 64; // makes sums positive: 64 * radix > 127 * unit
  sum = e.add(sum, positive * radix);
  Value high = arith::DivUIOp::create(e.b, e.loc, sum, e.constant(sum.getType(), radix));
  Value low = e.add(e.sub(sum, e.mul(high, radix)), -radix / 2);
  return {e.add(high, -positive), low};
}

/// The value at k as i16.
static Value emitValue(Emitter &e, const Geometry &g, Value out, Value k) {
  Value pointer = e.at(e.at(out, e.mul(k, g.valueBytes)), g.valueOffset);
  if (g.valueBytes == 2)
    return e.load(e.i16(), pointer, 2);
  return arith::ExtSIOp::create(e.b, e.loc, e.i16(), e.load(e.i8(), pointer));
}

void TableEmitter::planeDigits(Value k) {
  int64_t entries = g.tables.getEntryBytes(), width = std::min(2 * W, entries);
  VectorType words = e.vec(width, e.i16());
  Value pointer = pointerOf(k);
  for (int64_t first = 0; first < entries; first += width) {
    Value sum;
    for (int64_t term = 0; term < g.unit; ++term) {
      SmallVector<int64_t> signs;
      for (int64_t entry = first; entry < first + width; ++entry)
        signs.push_back((entry >> term & 1) ? 1 : -1);
      Value product =
          e.mul(e.splat(emitValue(e, g, out, e.add(k, term)), width), e.constantVector(words, signs));
      sum = sum ? e.add(sum, product) : product;
    }
    auto [high, low] = digitsOf(e, g, sum);
    Value digits[] = {high, low};
    for (auto [digit, value] : llvm::enumerate(digits)) {
      Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(width, e.i8()), value);
      if (g.schedule.getRun() == 1)
        narrow = e.bitXor(narrow, e.constant(narrow.getType(), 0x80));
      e.store(narrow, e.at(pointer, g.tableOffset(0, digit) + first));
    }
  }
}

//===----------------------------------------------------------------------===//
// Trits: entry v >= 0 is the sum of c_e x_e with v = sum_e 3^e c_e
//===----------------------------------------------------------------------===//

/// Balanced digit `term` of a value, lowest first.
static int64_t tritOf(int64_t value, int64_t term) {
  int64_t digit = 0;
  for (int64_t e = 0; e <= term; ++e) {
    digit = (value % 3 + 4) % 3 - 1;
    value = (value - digit) / 3;
  }
  return digit;
}

/// Sums of `count` trits with the values of the lanes.
Value TableEmitter::tritSum(ArrayRef<Value> x, int64_t count, ArrayRef<int64_t> values) {
  auto type = cast<VectorType>(x[0].getType());
  Value sum;
  for (int64_t term = 0; term < count; ++term) {
    SmallVector<int64_t> trits;
    for (int64_t value : values)
      trits.push_back(tritOf(value, term));
    Value product = e.mul(x[term], e.constantVector(type, trits));
    sum = sum ? e.add(sum, product) : product;
  }
  return sum;
}

/// Sums of every pattern with value 0 and more. The first three trits take the lanes: values 0 .. 13, -13 ..
/// -1.
TableEmitter::Patterns TableEmitter::tritSums(ArrayRef<Value> x, int64_t width) {
  Patterns patterns;
  for (int64_t first = 0; first < 27; first += width) {
    SmallVector<int64_t> inner;
    for (int64_t lane = first; lane < first + width; ++lane)
      inner.push_back(lane < 14 ? lane : lane < 27 ? lane - 27 : 0);
    Value innerSum = tritSum(x, 3, inner);
    for (int64_t outer : {0, 1, 2, 3, 4}) { // the last two trits
      int64_t fourth = tritOf(outer, 0), fifth = tritOf(outer, 1);
      SmallVector<int64_t> values;
      for (int64_t lane = first; lane < first + width; ++lane)
        values.push_back(lane < 27 ? std::max<int64_t>(-1, inner[lane - first] + 27 * outer) : -1);
      if (llvm::all_of(values, [](int64_t v) { return v < 0; }))
        continue;
      Value sum = fourth < 0 ? e.sub(innerSum, x[3]) : fourth ? e.add(innerSum, x[3]) : innerSum;
      patterns.sums.push_back(fifth ? e.add(sum, x[4]) : sum);
      patterns.values.push_back(values);
    }
  }
  return patterns;
}

/// `bytes` are the entries, joined two vectors of sums at a time.
void TableEmitter::storeTrits(const Patterns &patterns, ArrayRef<Value> bytes, Value pointer) {
  int64_t entries = g.tables.getEntryBytes(), size = cast<VectorType>(bytes[0].getType()).getNumElements();
  SmallVector<int64_t> places(entries, -1);
  for (auto [index, values] : llvm::enumerate(patterns.values))
    for (auto [lane, value] : llvm::enumerate(values))
      if (value >= 0)
        places[value] = int64_t(index) / 2 * size + lane * 2 + index % 2;
  for (int64_t first = 0; first < entries; first += size) {
    Value part = assemble(bytes, ArrayRef(places).slice(first, size));
    if (g.schedule.getRun() == 1)
      part = e.bitXor(part, e.constant(part.getType(), 0x80));
    e.store(part, e.at(pointer, first));
  }
}

/// Digits of entries from sums of integers: int8 (class a8) or in steps of 1/64 of an entry (class t8).
Values TableEmitter::tritEntries(Value sum) {
  if (g.digits() == 1)
    return {e.shiftRightArithmetic(e.add(sum, 32), 6)};
  auto [high, low] = digitsOf(e, g, sum);
  return {high, low};
}

void TableEmitter::tritTable(Value k) {
  int64_t width = 2 * W;
  Values terms;
  for (int64_t term = 0; term < g.unit; ++term)
    terms.push_back(e.splat(emitValue(e, g, out, e.add(k, term)), width));
  if (!g.permutes)
    return denseTritTable(terms, pointerOf(k));
  Patterns patterns = tritSums(terms, width);
  SmallVector<Values> digits(g.digits());
  for (Value sum : patterns.sums)
    for (auto [digit, entries] : llvm::enumerate(tritEntries(sum)))
      digits[digit].push_back(entries);
  for (auto [digit, all] : llvm::enumerate(digits)) {
    Values bytes;
    for (size_t first = 0; first < all.size(); first += 2)
      bytes.push_back(joinBytes(ArrayRef(all).slice(first, std::min<size_t>(2, all.size() - first))));
    storeTrits(patterns, bytes, e.at(pointerOf(k), g.tableOffset(0, digit)));
  }
}

/// Without byte permutes every entry is summed in its place.
void TableEmitter::denseTritTable(ArrayRef<Value> terms, Value pointer) {
  int64_t width = 2 * W, entries = g.tables.getEntryBytes();
  for (int64_t first = 0; first < entries; first += width) {
    SmallVector<int64_t> values;
    for (int64_t v = first; v < first + width; ++v)
      values.push_back(v < g.tables.getEntries() ? v : 0);
    for (auto [digit, sum] : llvm::enumerate(tritEntries(tritSum(terms, g.unit, values)))) {
      Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(width, e.i8()), sum);
      if (g.schedule.getRun() == 1)
        narrow = e.bitXor(narrow, e.constant(narrow.getType(), 0x80));
      e.store(narrow, e.at(pointer, g.tableOffset(0, digit) + first));
    }
  }
}

//===----------------------------------------------------------------------===//
// Ranges of k
//===----------------------------------------------------------------------===//

/// Units of bit planes done at a time in `length` elements: a power of two.
static int64_t planeUnits(const Geometry &g, int64_t length) {
  if (g.unit != 4)
    return 0;
  int64_t units = g.laneRows;
  while (units * g.unit > length)
    units /= 2;
  return units >= 4 ? units : 0;
}

/// The largest magnitudes of `step` elements from k on, for any unit: sums start at every element, and those
/// that start a unit count. Reads `unit - 1` elements more than a vector.
Value TableEmitter::maxOfStarts(Value k) {
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

Value lut::emitMaxUnitMagnitude(Emitter &e, const Geometry &g, Value x, Value k0, int64_t length) {
  TableEmitter emitter{e, g, x, {}};
  int64_t units = planeUnits(g, length), step = units * g.unit, steps = units ? length / step : 0;
  bool planes = units != 0;
  if (!planes) {
    units = emitter.W;
    step = units / g.unit * g.unit;
    int64_t read = units + g.unit - 1;
    steps = step && length >= read ? (length - read) / step + 1 : 0;
  }
  Value largest = e.constant(e.i32(), 0);
  if (steps) {
    Value lanes = e.loop(steps, {e.constant(e.vec(units, e.i32()), 0)}, [&](Value i, Values carried) {
      Value k = e.add(k0, e.mul(i, step));
      Value magnitudes = planes ? emitter.maxOfUnits(k, units) : emitter.maxOfStarts(k);
      return Values{arith::MaxSIOp::create(e.b, e.loc, carried[0], magnitudes)};
    })[0];
    largest = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXSI, lanes);
  }
  int64_t done = steps * step;
  auto unit = [&](Value k, int64_t valid, Value largest) {
    Value sum;
    for (int64_t term = 0; term < valid; ++term) {
      Value bits = e.load(e.i32(), e.at(x, e.mul(e.add(k, term), 4)), 4);
      Value magnitude = e.bitcast(e.bitAnd(bits, 0x7fffffff), e.f32());
      sum = sum ? e.add(sum, magnitude) : magnitude;
    }
    return arith::MaxSIOp::create(e.b, e.loc, largest, e.bitcast(sum, e.i32())).getResult();
  };
  int64_t whole = (length - done) / g.unit;
  largest = e.loop(whole, {largest}, [&](Value i, Values carried) {
    return Values{unit(e.add(e.add(k0, done), e.mul(i, g.unit)), g.unit, carried[0])};
  })[0];
  int64_t rest = length % g.unit;
  return rest ? unit(e.add(k0, length - rest), rest, largest) : largest;
}

Value lut::emitTables(Emitter &e, const Geometry &g, Value x, Value out, Value k0, int64_t length,
                      int64_t padded, Value inverse) {
  TableEmitter emitter{e, g, x, out};
  Value zero = e.constant(e.i32(), 0);
  auto each = [&](int64_t first, int64_t count, Value sum, function_ref<Value(Value k)> unit) {
    return e.loop(count, {sum}, [&](Value i, Values carried) {
      Value ones = unit(e.add(e.add(k0, first), e.mul(i, g.unit)));
      return Values{ones ? e.add(carried[0], ones) : carried[0]};
    })[0];
  };
  if (g.valueBytes) // values are padded with zeros already
    return each(0, padded / g.unit, zero, [&](Value k) {
      g.format.row->trits ? emitter.tritTable(k) : emitter.planeDigits(k);
      return Value();
    });
  auto table = [&](int64_t valid) {
    return [&emitter, valid, inverse, &e](Value k) {
      return e.add(emitter.planeTable(k, valid, inverse), -int64_t(TableEmitter::roundedZero));
    };
  };
  int64_t units = planeUnits(g, length), step = units * g.unit, done = units ? length / step * step : 0;
  Value sum = zero;
  if (units) {
    Value lanes = e.loop(done / step, {e.constant(e.vec(units, e.i32()), 0)}, [&](Value i, Values carried) {
      Value ones = emitter.planeTables(e.add(k0, e.mul(i, step)), units, inverse);
      return Values{e.add(carried[0], e.add(ones, -int64_t(TableEmitter::roundedZero)))};
    })[0];
    sum = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, lanes);
  }
  int64_t whole = length / g.unit * g.unit, rest = length % g.unit;
  sum = each(done, (whole - done) / g.unit, sum, table(g.unit));
  if (rest)
    sum = each(whole, 1, sum, table(rest));
  whole += rest ? g.unit : 0;
  return each(whole, (padded - whole) / g.unit, sum, table(0));
}
