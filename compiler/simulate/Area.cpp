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

void addEnergy(const Costs &costs, const Machine &machine, const Gemm &gemm, Estimate &estimate) {
  double tensor; // pJ
  if (machine.isLut()) {
    Array array = machine.array;
    array.weights = gemm.weights;
    double cycles = estimate.tensorCycles * machine.cores * machine.slots * machine.arrays;
    tensor = (cycles * arrayCost(costs, array).energy +
              estimate.tables * tableAdders(array).bits * costs.adderBit.energy) /
             1e3;
  } else {
    if (machine.mac.efficiency == 0)
      return;
    tensor = 2.0 * gemm.m * gemm.n * gemm.k / machine.mac.efficiency;
  }
  double moved = (estimate.memoryRead + estimate.memoryWritten) * costs.memoryByte +
                 (estimate.cacheRead + estimate.cacheWritten) * costs.cacheByte +
                 (estimate.scratchpadRead + estimate.scratchpadWritten) * costs.scratchpadByte +
                 estimate.registersRead * costs.registerByte;
  estimate.joules = (tensor + moved) * 1e-12;
}

double peakEfficiency(const Costs &costs, const Machine &machine, int64_t passes) {
  if (!machine.isLut())
    return machine.mac.efficiency;
  double operations = 2.0 * machine.array.lanes() * machine.array.k / passes;
  return operations / arrayCost(costs, machine.array).energy * 1e3; // per fJ: 10^15; in 10^12
}

} // namespace lut::lmma
