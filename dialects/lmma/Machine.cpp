#include "dialects/lmma/Machine.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include <array>

using namespace llvm;

namespace lut::lmma {

namespace {
struct NumberRow {
  StringLiteral name;
  int64_t bits;
  bool isFloat;
};
} // namespace

static constexpr std::array<NumberRow, 7> numbers{{{"i8", 8, false},
                                                   {"i16", 16, false},
                                                   {"i24", 24, false},
                                                   {"i32", 32, false},
                                                   {"f8", 8, true},
                                                   {"f16", 16, true},
                                                   {"f32", 32, true}}};

StringRef name(Number type) { return numbers[size_t(type)].name; }
int64_t bits(Number type) { return numbers[size_t(type)].bits; }
bool isFloat(Number type) { return numbers[size_t(type)].isFloat; }

std::optional<Number> parseNumber(StringRef text) {
  for (size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i].name == text)
      return Number(i);
  return std::nullopt;
}

Number Machine::sumType() const {
  if (sums)
    return *sums;
  if (!isFloat(isLut() ? array.entry : mac.operand))
    return Number::i32;
  return isLut() ? Number::f16 : Number::f32;
}

double Machine::peak(int64_t passes) const {
  double perCycle = isLut() ? double(arrays * array.lanes() * array.k) / passes : double(mac.rate);
  return 2 * perCycle * slots * cores * clock / 1e3;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// All sums of +-a over `k` activations, up to the sign: halves first, then every sum of two halves.
static TableAdders butterfly(int64_t k, int64_t entryBits) {
  if (k < 2)
    return {};
  TableAdders low = butterfly(k / 2, entryBits), high = butterfly(k - k / 2, entryBits);
  int64_t sums = int64_t(1) << (k - 1);
  return {low.additions + high.additions + sums, low.bits + high.bits + sums * (entryBits + Log2_64_Ceil(k))};
}

/// All sums of a subset of `k` activations: each from one of a smaller subset.
static TableAdders subsets(int64_t k, int64_t entryBits) {
  TableAdders all;
  for (uint64_t set = 0; set < uint64_t(1) << k; ++set) {
    int64_t size = popcount(set);
    if (size < 2)
      continue;
    ++all.additions;
    all.bits += entryBits + Log2_64_Ceil(size);
  }
  return all;
}

TableAdders tableAdders(const Array &array, bool reinterpreted) {
  // Of the 13 sums of three trits that are not 0, up to the sign, 3 are an activation; the others take one
  // addition each.
  if (array.weights.trits)
    return {10, 10 * (bits(array.entry) + 2)};
  return reinterpreted ? butterfly(array.k, bits(array.entry)) : subsets(array.k, bits(array.entry));
}

} // namespace lut::lmma
