// Tables of five trits: entry v >= 0 is the sum of c_e x_e with v = sum_e 3^e c_e. It adds a sum of the first
// three trits, of 27, and one of the last two; shuffles bring both to the places of the entries.
#include "passes/tile/TileTables.h"

using namespace mlir;
using namespace lut;

namespace {
struct TritEmitter : TableEmitter {
  static constexpr int64_t lanes = 32; // sums of 16 bits
  Value sumOf(ArrayRef<Value> x, int64_t count, ArrayRef<int64_t> values);
  Values sumsOf(Value inner, Value outer, int64_t first);
  Value interleaved(Value even, Value odd) { return e.add(even, e.shiftLeft(odd, 8)); }
  Values joined(const Values &sums);
  Values entriesOf(Value sum);
  void table(Value k);
  void denseTable(ArrayRef<Value> terms, Value pointer);
};
} // namespace

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
Value TritEmitter::sumOf(ArrayRef<Value> x, int64_t count, ArrayRef<int64_t> values) {
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

/// The sums of entries [first, first + 64) with even v, and of those with odd v.
Values TritEmitter::sumsOf(Value inner, Value outer, int64_t first) {
  Values sums;
  for (int64_t parity = 0; parity < 2; ++parity) {
    SmallVector<int64_t> innerLanes, outerLanes;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t v = std::min(first + 2 * lane + parity, g.tables.getEntries() - 1), high = (v + 13) / 27;
      innerLanes.push_back(v - 27 * high + 13);
      outerLanes.push_back(high);
    }
    sums.push_back(e.add(shuffle(inner, inner, innerLanes), shuffle(outer, outer, outerLanes)));
  }
  return sums;
}

/// The bytes of 64 entries for each digit, high first, of sums that `start` has been added to.
Values TritEmitter::joined(const Values &sums) {
  auto bytes = [&](Value joined) { return e.bitcast(joined, e.vec(2 * lanes, e.i8())); };
  if (g.digits() == 1) {
    Value even = e.bitAnd(e.shiftRightArithmetic(sums[0], 6), 0xff);
    return {biased(bytes(interleaved(even, e.shiftRightArithmetic(sums[1], 6))))};
  }
  // sum / radix = sum * factor / 2^16 while sum * (factor * radix - 2^16) < 2^16.
  int64_t radix = g.radix(), factor = (1 << 16) / radix + 1;
  assert((128 * radix) * (factor * radix - (1 << 16)) < 1 << 16);
  VectorType wide = e.vec(lanes, e.i32());
  Values high, low;
  for (Value sum : sums) {
    Value product = e.mul(arith::ExtUIOp::create(e.b, e.loc, wide, sum), factor);
    high.push_back(arith::TruncIOp::create(e.b, e.loc, sum.getType(), e.shiftRight(product, 16)));
    low.push_back(e.sub(sum, e.mul(high.back(), radix)));
  }
  return {e.add(bytes(interleaved(high[0], high[1])), -positiveDigits),
          e.add(bytes(interleaved(low[0], low[1])), -radix / 2)};
}

/// Digits of entries from sums of integers: int8 (class a8) or in steps of 1/64 of an entry (class t8).
Values TritEmitter::entriesOf(Value sum) {
  if (g.digits() == 1)
    return {e.shiftRightArithmetic(e.add(sum, 32), 6)};
  auto [high, low] = digitsOf(sum);
  return {high, low};
}

void TritEmitter::table(Value k) {
  Values terms;
  for (int64_t term = 0; term < g.unit; ++term)
    terms.push_back(e.splat(valueAt(e.add(k, term)), g.permutes ? lanes : 2 * W));
  if (!g.permutes)
    return denseTable(terms, pointerOf(k));
  SmallVector<int64_t> innerValues, outerValues;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    innerValues.push_back(lane < 27 ? lane - 13 : 0);
    outerValues.push_back(lane < 5 ? lane : 0);
  }
  // Rounds entries, or makes their high digits positive.
  int64_t start = g.digits() == 1 ? 32 : positiveDigits * g.radix();
  Value inner = sumOf(terms, 3, innerValues);
  Value outer = e.add(sumOf(ArrayRef(terms).drop_front(3), 2, outerValues), start);
  for (int64_t first = 0; first < g.tables.getEntryBytes(); first += 2 * lanes)
    for (auto [digit, bytes] : llvm::enumerate(joined(sumsOf(inner, outer, first))))
      e.store(bytes, e.at(pointerOf(k), g.tableOffset(0, digit) + first));
}

/// Without byte permutes every entry is summed in its place.
void TritEmitter::denseTable(ArrayRef<Value> terms, Value pointer) {
  int64_t width = 2 * W, entries = g.tables.getEntryBytes();
  for (int64_t first = 0; first < entries; first += width) {
    SmallVector<int64_t> values;
    for (int64_t v = first; v < first + width; ++v)
      values.push_back(v < g.tables.getEntries() ? v : 0);
    for (auto [digit, sum] : llvm::enumerate(entriesOf(sumOf(terms, g.unit, values)))) {
      Value narrow = arith::TruncIOp::create(e.b, e.loc, e.vec(width, e.i8()), sum);
      e.store(biased(narrow), e.at(pointer, g.tableOffset(0, digit) + first));
    }
  }
}

void lut::emitTritTable(const TableEmitter &tables, Value k) { TritEmitter{tables}.table(k); }
