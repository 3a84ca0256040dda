// Area and energy of LUT arrays from the costs of their parts (costs.yaml). Sizes are those of README.md.
#ifndef LUT_COMPILER_SIMULATE_AREA_H
#define LUT_COMPILER_SIMULATE_AREA_H

#include "dialects/lmma/Machine.h"
#include "passes/machine/Timing.h"

namespace lut::lmma {

/// Of one part, or a sum of parts: um2, and fJ of a cycle in which they work.
struct Cost {
  double area = 0, energy = 0;
  Cost operator+(Cost other) const { return {area + other.area, energy + other.energy}; }
  Cost operator*(double count) const { return {area * count, energy * count}; }
};

/// Costs of the parts, all of one process and clock.
struct Costs {
  Cost registerBit;      // with its clock
  Cost multiplexerInput; // of a table's reader, with its share of the broadcast of the entry
  Cost adderBit;
  Cost inverterBit;         // an exclusive or
  Cost shifterBit;          // a 2-way multiplexer: one bit through one stage
  double registerFileBit{}; // um2 of a bit of the register file
  /// pJ of a byte read or written.
  double memoryByte{}, cacheByte{}, scratchpadByte{}, registerByte{};
};

/// What of LUT Tensor Core a design has, for the steps of its ablation (Table 2).
struct Design {
  bool reinterpreted = true; // weights are -1/+1: half a table is enough
  bool remapped = true;      // codes are inverted offline, not by circuits at every reader
  bool tablesOutside = true; // tables come ready made, not from adders in front of each array
  bool sumsAndDecode = true; // false: the lookup alone, a dot product of length k
  double readersOfTable = 0; // lanes that a table's registers are shared by; 0: the array's n
};

Cost arrayCost(const Costs &costs, const Array &array, const Design &design = {});

/// A floating-point adder: align, add, normalize, round.
Cost floatAdder(const Costs &costs, Number type);
/// A dot product of length k of multipliers and adders in floating point `type`.
Cost macDot(const Costs &costs, Number type, int64_t k);

/// mm2 of a core's tensor cores: from parts where they are LUT arrays, else the machine file's.
double tensorArea(const Costs &costs, const Machine &machine);
/// mm2 of the adders that make tables in front of a core's arrays, m tables a cycle in each slot.
double tableAdderArea(const Costs &costs, const Machine &machine);
/// mm2 of the registers that a core has beyond those of registerMultiple = 1.
double extraRegisterArea(const Costs &costs, const Machine &machine);
/// Sets `joules`: the tensor cores at work, and all bytes moved. Stays 0 where the machine's file does not
/// give the efficiency of its units.
void addEnergy(const Costs &costs, const Machine &machine, const Gemm &gemm, Estimate &estimate);
/// 10^12 operations per joule of the tensor cores at peak.
double peakEfficiency(const Costs &costs, const Machine &machine, int64_t passes);

} // namespace lut::lmma

#endif
