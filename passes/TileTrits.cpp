// Tables of five trits: entry v >= 0 is the sum of c_e x_e with v = sum_e 3^e c_e. A lane for each pattern of
// the first three trits; the vectors of sums for the others follow by adding them, and shuffles put bytes in
// the order of entries.
#include "passes/TileTables.h"

using namespace mlir;
using namespace lut;

namespace {
struct TritEmitter : TableEmitter {
  struct Patterns {
    Values sums;                              // one vector for every choice of the last two trits
    SmallVector<SmallVector<int64_t>> values; // of each lane: the pattern's value, -1 where there is none
  };
  Value sumOf(ArrayRef<Value> x, int64_t count, ArrayRef<int64_t> values);
  Patterns sums(ArrayRef<Value> x, int64_t width);
  Values entriesOf(Value sum);
  Value assemble(ArrayRef<Value> sources, ArrayRef<int64_t> places);
  void store(const Patterns &patterns, ArrayRef<Value> bytes, Value pointer);
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

/// Sums of every pattern with value 0 and more. The first three trits take the lanes: values 0 .. 13, -13 ..
/// -1.
TritEmitter::Patterns TritEmitter::sums(ArrayRef<Value> x, int64_t width) {
  Patterns patterns;
  for (int64_t first = 0; first < 27; first += width) {
    SmallVector<int64_t> inner;
    for (int64_t lane = first; lane < first + width; ++lane)
      inner.push_back(lane < 14 ? lane : lane < 27 ? lane - 27 : 0);
    Value innerSum = sumOf(x, 3, inner);
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

/// A vector of bytes by their place in the concatenated sources, each of its size; -1 is any byte.
Value TritEmitter::assemble(ArrayRef<Value> sources, ArrayRef<int64_t> places) {
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

/// `bytes` are the entries, joined two vectors of sums at a time.
void TritEmitter::store(const Patterns &patterns, ArrayRef<Value> bytes, Value pointer) {
  int64_t entries = g.tables.getEntryBytes(), size = cast<VectorType>(bytes[0].getType()).getNumElements();
  SmallVector<int64_t> places(entries, -1);
  for (auto [index, values] : llvm::enumerate(patterns.values))
    for (auto [lane, value] : llvm::enumerate(values))
      if (value >= 0)
        places[value] = int64_t(index) / 2 * size + lane * 2 + index % 2;
  for (int64_t first = 0; first < entries; first += size) {
    Value part = assemble(bytes, ArrayRef(places).slice(first, size));
    e.store(biased(part), e.at(pointer, first));
  }
}

/// Digits of entries from sums of integers: int8 (class a8) or in steps of 1/64 of an entry (class t8).
Values TritEmitter::entriesOf(Value sum) {
  if (g.digits() == 1)
    return {e.shiftRightArithmetic(e.add(sum, 32), 6)};
  auto [high, low] = digitsOf(sum);
  return {high, low};
}

void TritEmitter::table(Value k) {
  int64_t width = 2 * W;
  Values terms;
  for (int64_t term = 0; term < g.unit; ++term)
    terms.push_back(e.splat(valueAt(e.add(k, term)), width));
  if (!g.permutes)
    return denseTable(terms, pointerOf(k));
  Patterns patterns = sums(terms, width);
  SmallVector<Values> digits(g.digits());
  for (Value sum : patterns.sums)
    for (auto [digit, entries] : llvm::enumerate(entriesOf(sum)))
      digits[digit].push_back(entries);
  for (auto [digit, all] : llvm::enumerate(digits)) {
    Values bytes;
    for (size_t first = 0; first < all.size(); first += 2)
      bytes.push_back(joinBytes(ArrayRef(all).slice(first, std::min<size_t>(2, all.size() - first))));
    store(patterns, bytes, e.at(pointerOf(k), g.tableOffset(0, digit)));
  }
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
