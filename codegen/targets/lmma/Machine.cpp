#include "codegen/targets/lmma/Machine.h"

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

} // namespace lut::lmma
