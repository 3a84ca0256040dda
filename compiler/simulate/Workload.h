// The products of a model, with attention and the kernels between them, on a described machine.
#ifndef LUT_COMPILER_SIMULATE_WORKLOAD_H
#define LUT_COMPILER_SIMULATE_WORKLOAD_H

#include "compiler/simulate/Area.h"
#include "passes/machine/BestTile.h"
#include "runtime/lmma/lmma.h"
#include <vector>

namespace lut::lmma {

struct WorkKernel {
  std::string name;
  Gemm gemm;
  int64_t count = 1;                      // times that a pass over the model runs it
  bool sharesTables = false;              // reads the activations, and so the tables, of the kernel before it
  std::optional<TileChoice> program = {}; // of lutc's; absent: the best tile is to be found
  std::optional<lmma_counters> counted = {}; // by executing it once
};

/// Attention of `sequences` times `tokens` tokens in f16, every token with every other of its sequence.
struct Attention {
  int64_t heads = 0, kvHeads = 0, headDim = 0; // heads 0: none
  int64_t tokens = 0, sequences = 1;
  bool fused = true; // scores stay in the core; else they are written, normalized by a kernel, and read
};

struct Workload {
  std::vector<WorkKernel> kernels;
  Attention attention;                     // of one layer
  int64_t layers = 0, hidden = 0, ffn = 0; // layers 0: kernels alone
};

struct KernelResult {
  const WorkKernel *kernel;
  TileChoice choice;            // of one run
  double precomputeSeconds = 0; // of one run
  double seconds = 0;           // of all runs, tables included
};

struct WorkResult {
  std::vector<KernelResult> kernels;
  double products = 0, precompute = 0, attention = 0, elementwise = 0; // seconds
  double joules = 0;                                                   // of the products

  double seconds() const { return products + precompute + attention + elementwise; }
};

struct WorkOptions {
  Mode mode = Mode::full;
  Precompute precompute = Precompute::fused;
  bool shareTables = true;
  TileLimits limits;
};

llvm::Expected<WorkResult> simulate(const Machine &machine, const Costs &costs, const Workload &work,
                                    const WorkOptions &options = {});

/// Seconds of one layer's attention.
double attentionSeconds(const Machine &machine, const Attention &attention);

} // namespace lut::lmma

#endif
