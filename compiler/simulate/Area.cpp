#include "compiler/simulate/Area.h"

#include "llvm/Support/MathExtras.h"

namespace lut::lmma {

namespace {
struct FloatFields {
  int64_t exponent, significand; // bits; the significand with its hidden bit
};
} // namespace

static FloatFields fieldsOf(Number type) {
  switch (type) {
  case Number::f8: // e4m3
    return {4, 4};
  case Number::f16:
    return {5, 11};
  default:
    return {8, 24};
  }
}

/// Integer entries are summed in their own width and a bit for each plane, float entries in f16: the
/// published RTL's.
static Number sumType(Number entry) { return isFloat(entry) && bits(entry) < 16 ? Number::f16 : entry; }

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// All sums of +-a over `k` activations, up to the sign: halves first, then every sum of two halves.
static TableAdders butterfly(int64_t k, int64_t entryBits) {
  if (k < 2)
    return {};
  TableAdders low = butterfly(k / 2, entryBits), high = butterfly(k - k / 2, entryBits);
  int64_t sums = int64_t(1) << (k - 1);
  return {low.additions + high.additions + sums,
          low.bits + high.bits + sums * (entryBits + llvm::Log2_64_Ceil(k))};
}

/// All sums of a subset of `k` activations: each from one of a smaller subset.
static TableAdders subsets(int64_t k, int64_t entryBits) {
  TableAdders all;
  for (uint64_t set = 0; set < uint64_t(1) << k; ++set) {
    int64_t size = llvm::popcount(set);
    if (size < 2)
      continue;
    ++all.additions;
    all.bits += entryBits + llvm::Log2_64_Ceil(size);
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

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Cost floatAdder(const Costs &costs, Number type) {
  FloatFields fields = fieldsOf(type);
  int64_t width = fields.significand + 3; // guard, round and sticky bit
  int64_t stages = 2 * llvm::Log2_64_Ceil(width);
  return costs.adderBit * (width + 2 * fields.exponent) + costs.shifterBit * (width * stages);
}

Cost macDot(const Costs &costs, Number type, int64_t k) {
  FloatFields fields = fieldsOf(type);
  int64_t multiplier = fields.significand * (fields.significand - 1) + 2 * fields.exponent;
  return costs.adderBit * (multiplier * k) + floatAdder(costs, type) * (k - 1);
}

/// What one lane does with an entry it has read: sign, plane, sum.
static Cost laneCost(const Costs &costs, const Array &array) {
  int64_t entryBits = bits(array.entry), passes = array.weights.passes();
  if (isFloat(array.entry)) {
    Number sum = sumType(array.entry);
    return costs.inverterBit + costs.adderBit * fieldsOf(sum).exponent + floatAdder(costs, sum) +
           costs.registerBit * bits(sum);
  }
  // The sum moves down a bit after each plane, so that the adder is a bit wider than an entry.
  return costs.inverterBit * entryBits + costs.adderBit * (entryBits + 1) +
         costs.registerBit * (entryBits + passes);
}

Cost arrayCost(const Costs &costs, const Array &array, const Design &design) {
  int64_t entries = array.entries() * (design.reinterpreted ? 1 : 2), entryBits = bits(array.entry);
  double tables = array.m * (design.readersOfTable ? array.n / design.readersOfTable : 1);
  Cost cost = costs.registerBit * (tables * entries * entryBits + array.weightBits()) +
              costs.multiplexerInput * (array.lanes() * entries * entryBits);
  cost = cost + (design.sumsAndDecode ? laneCost(costs, array)
                                      : costs.inverterBit * (isFloat(array.entry) ? 1 : entryBits)) *
                    array.lanes();
  if (design.reinterpreted && !design.remapped)
    cost = cost + costs.inverterBit * (array.lanes() * (array.k - 1));
  if (!design.tablesOutside)
    cost = cost + costs.adderBit * (array.m * tableAdders(array, design.reinterpreted).bits);
  return cost;
}

//===----------------------------------------------------------------------===//
// Machines
//===----------------------------------------------------------------------===//

double tensorArea(const Costs &costs, const Machine &machine) {
  if (!machine.isLut())
    return machine.mac.area;
  return arrayCost(costs, machine.array).area * machine.arrays * machine.slots / 1e6;
}

double tableAdderArea(const Costs &costs, const Machine &machine) {
  if (!machine.isLut())
    return 0;
  return costs.adderBit.area * machine.array.m * tableAdders(machine.array).bits * machine.slots / 1e6;
}

double extraRegisterArea(const Costs &costs, const Machine &machine) {
  return costs.registerFileBit * 8 * (machine.registerFile() - machine.registerBytes) / 1e6;
}

double peakEfficiency(const Costs &costs, const Machine &machine, int64_t passes) {
  if (!machine.isLut())
    return machine.mac.efficiency;
  double operations = 2.0 * machine.array.lanes() * machine.array.k / passes;
  return operations / arrayCost(costs, machine.array).energy * 1e3; // per fJ: 10^15; in 10^12
}

} // namespace lut::lmma
