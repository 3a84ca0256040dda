// A described machine: a GPU-like processor whose tensor cores are LUT arrays or multiply-accumulate units.
// Machines are data: files that compiler/simulate/MachineReader reads, `#lmma.machine` in the IR.
#ifndef LUT_DIALECTS_LMMA_MACHINE_H
#define LUT_DIALECTS_LMMA_MACHINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>

namespace lut::lmma {

enum class Number { i8, i16, i24, i32, f8, f16, f32 };

llvm::StringRef name(Number type);
std::optional<Number> parseNumber(llvm::StringRef name);
int64_t bits(Number type);
bool isFloat(Number type);

/// Weights in memory and in the arrays: bit planes of -1/+1, or three trits as one 5-bit index.
struct WeightType {
  int64_t planes = 2; // 16: weights of a multiply-accumulate unit's own type
  bool trits = false;

  double bitsPerWeight() const { return trits ? 5.0 / 3 : double(planes); }
  /// Passes over a table that one group of k takes.
  int64_t passes() const { return trits ? 1 : planes; }
};

/// A LUT array: tables of m rows, n lanes that read them, k weights to a lookup.
struct Array {
  int64_t m = 2, n = 64, k = 4;
  Number entry = Number::i8; // of a table
  WeightType weights;        // the widest that its registers and sums hold

  int64_t lanes() const { return m * n; }
  /// Half a table: the other half is its negative. Three trits: the 14 sums that are not the negative of
  /// another.
  int64_t entries() const { return weights.trits ? 14 : int64_t(1) << (k - 1); }
  int64_t tableBits() const { return m * entries() * bits(entry); }
  int64_t weightBits() const { return n * (weights.trits ? 5 : k * weights.planes); }
  /// Bytes of a table for each of the k activations behind it; trits are padded to 16 entries.
  double tableBytes() const { return (weights.trits ? 16 : entries()) * bits(entry) / 8.0 / k; }
};

/// Adders that make one table of `array`: the butterfly, pairs first. `bits`: bits of all these adders.
struct TableAdders {
  int64_t additions = 0, bits = 0;
};
TableAdders tableAdders(const Array &array, bool reinterpreted = true);

/// Multiply-accumulate units, for baselines and attention.
struct Mac {
  int64_t rate = 0; // multiply-accumulates of a slot in a cycle
  Number operand = Number::f16;
  double area = 0;       // mm2 of a core's
  double efficiency = 0; // 10^12 operations per joule
};

struct Machine {
  std::string name, summary;
  double clock = 0;                // GHz
  int64_t cores = 0, slots = 0;    // streaming multiprocessors; tensor-core slots of each
  int64_t arrays = 0;              // of a slot; 0: the slots hold `mac`
  Array array;                     // where there are arrays
  std::optional<Number> sums;      // of results in registers; i24: four in three of them
  Mac mac, attention;              // attention stays with multiply-accumulate units
  int64_t registerBytes = 0;       // of a core, before `registerMultiple`
  int64_t registersPerThread = 0;  // of 4 bytes, before `registerMultiple`
  int64_t registerMultiple = 1;    // larger register files, which cost area
  int64_t scratchpadBytes = 0;     // of a core
  double scratchpadBandwidth = 0;  // bytes of a core in a cycle
  int64_t cacheBytes = 0;          // L2
  double cacheBandwidth = 0;       // bytes in a cycle, all cores
  double portBandwidth = 0;        // bytes in a cycle from L2 to one core
  double memoryBandwidth = 0;      // GB/s
  int64_t latency = 0, launch = 0; // cycles of a load from memory; of starting a kernel
  int64_t maxBlocks = 0;           // resident on a core
  int64_t adders = 0;              // 16-bit additions of a core in a cycle, outside the arrays

  bool isLut() const { return arrays > 0; }
  double memoryBytesPerCycle() const { return memoryBandwidth / clock; }
  /// Of results where `sums` is absent: i32, or as the published RTL f16, or as tensor cores f32.
  Number sumType() const;
  int64_t registerFile() const { return registerBytes * registerMultiple; }
  /// 10^12 operations a second with weights of `passes` planes (two operations to a multiply-accumulate).
  double peak(int64_t passes) const;
};

/// Calls `fact(name, value)`, or with the least that is legal instead of 1, for all that the time of a
/// program depends on.
template <class AnyMachine, class Fact> void eachFact(AnyMachine &machine, Fact &&fact) {
  fact("name", machine.name);
  fact("clock", machine.clock);
  fact("cores", machine.cores);
  fact("slots", machine.slots);
  fact("arrays", machine.arrays);
  fact("array_m", machine.array.m);
  fact("array_n", machine.array.n);
  fact("register_bytes", machine.registerBytes);
  fact("registers_per_thread", machine.registersPerThread);
  fact("registers_multiple", machine.registerMultiple);
  fact("scratchpad_bytes", machine.scratchpadBytes);
  fact("scratchpad_bandwidth", machine.scratchpadBandwidth);
  fact("cache_bytes", machine.cacheBytes);
  fact("cache_bandwidth", machine.cacheBandwidth);
  fact("port_bandwidth", machine.portBandwidth);
  fact("memory_bandwidth", machine.memoryBandwidth);
  fact("latency", machine.latency);
  fact("launch", machine.launch, 0);
  fact("blocks", machine.maxBlocks);
  fact("adders", machine.adders);
}

} // namespace lut::lmma

#endif
