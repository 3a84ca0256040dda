// Time, traffic and energy of one product on a described machine, tile by tile. The formulas are in
// compiler/simulate/README.md.
#ifndef LUT_PASSES_MACHINE_TIMING_H
#define LUT_PASSES_MACHINE_TIMING_H

#include "dialects/lmma/Machine.h"
#include "llvm/Support/Error.h"

namespace lut::lmma {

/// Y[m,n] = X[m,k] * W[n,k]^T.
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  WeightType weights;
  Number activations = Number::i8, sums = Number::i32;
  int64_t outputBytes = 2; // of an element of Y
  double weightBytes = 0;  // of W as it is stored, scales included; 0: of its codes alone
  double tokenBytes = 0;   // of a token besides its activations, which each warp loads: steps and sums
};

/// Whether sums of entries of `array` cannot overflow: always in floats, which float entries need.
bool sumsFit(const Gemm &gemm, const Array &array);

/// What of the tables' and results' traffic counts.
enum class Mode {
  full, // all of it
  paper // as the artifact's log: activations where tables would be read, n * planes / activation bits results
};

/// Where the tables of a LUT machine come from. Nothing to a multiply-accumulate machine.
enum class Precompute {
  separate, // a kernel of its own reads activations and writes tables
  fused,    // the kernel that makes the activations writes tables instead
  block,    // every block makes its tables with the core's adders
  array     // every slot has adders in front of its arrays, at the rate of a step in a cycle
};

/// Sizes of a block and of its warps, in tokens (m), output rows (n) and k.
struct Tile {
  int64_t m = 0, n = 0, k = 0;
  int64_t warpM = 0, warpN = 0;
  int64_t stages = 2;       // buffers of the scratchpad that loads rotate through; 0: loads go to registers
  int64_t registers = 0;    // of a thread; 0: as many as the model says
  bool sharesTables = true; // else each warp makes all tables that it reads

  int64_t warps() const { return (m / warpM) * (n / warpN); }
  /// Whether weights go through the scratchpad.
  bool isStaged() const { return stages != 0; }
  std::string str() const; // 64x512x64/32x256/2, without the last where loads go to registers
};

/// What a product waits for most. latency: starting the kernel and filling the pipeline are over half of it.
enum class Bound { tensor, scratchpad, tables, port, cache, memory, latency };
llvm::StringRef name(Bound bound);

struct Estimate {
  double cycles = 0, idealCycles = 0;      // idealCycles: the product's own at peak
  double coreCycles = 0, memoryCycles = 0; // of all but memory; of memory. The greater one counts
  Bound bound = Bound::tensor;
  int64_t blocks = 0, residentBlocks = 0; // of the grid; of a core at a time
  /// Bytes. Reads of L1 are loads from L2 to the cores.
  double memoryRead = 0, memoryWritten = 0, cacheRead = 0, cacheWritten = 0, scratchpadRead = 0,
         scratchpadWritten = 0, registersRead = 0;
  int64_t registersPerThread = 0, scratchpadBytes = 0; // of a block
  double tensorCycles = 0;                             // of one slot's arrays or units, all blocks
  double tables = 0;                                   // that are made for this product, here or before
  double joules = 0;                                   // see compiler/simulate/Area.h

  double utilisation() const { return idealCycles / cycles; }
  double seconds(const Machine &machine) const { return cycles / (machine.clock * 1e9); }
};

/// The error is the reason why the machine cannot run this tile.
llvm::Expected<Estimate> estimate(const Machine &machine, const Gemm &gemm, const Tile &tile, Mode mode,
                                  Precompute precompute = Precompute::fused);

/// Cycles that making the tables of m x k activations adds to the program outside of its products.
double precomputeCycles(const Machine &machine, int64_t m, int64_t k, Number activations, Mode mode,
                        Precompute precompute);

} // namespace lut::lmma

#endif
