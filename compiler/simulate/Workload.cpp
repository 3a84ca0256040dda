#include "compiler/simulate/Workload.h"

using namespace llvm;

namespace lut::lmma {

/// Queries times keys, softmax, scores times values. Products of so few k do not overlap with their scores.
double attentionSeconds(const Machine &machine, const Attention &attention) {
  double tokens = double(attention.tokens) * attention.sequences, pairs = tokens * attention.tokens;
  double product = pairs * attention.heads * attention.headDim /
                   (double(machine.attention.rate) * machine.slots * machine.cores);
  double perCycle = machine.memoryBytesPerCycle();
  double vectors = 2 * tokens * attention.headDim; // bytes of one head
  double readQueries = vectors * (attention.heads + attention.kvHeads) / perCycle;
  if (attention.fused)
    return std::max(2 * product, 2 * readQueries) / (machine.clock * 1e9);
  double scores = 2 * pairs * attention.heads / perCycle;
  double cycles = 2 * (product + readQueries + scores) + 2 * scores;
  return cycles / (machine.clock * 1e9);
}

/// Two norms (read, write) and two residuals (read twice, write) of the hidden size, one product of gate and
/// up (read twice, write), all f16.
static double elementwiseSeconds(const Machine &machine, const Workload &work) {
  double tokens = double(work.attention.tokens) * work.attention.sequences;
  return tokens * (10 * work.hidden + 3 * work.ffn) * 2 / (machine.memoryBandwidth * 1e9);
}

Expected<WorkResult> simulate(const Machine &machine, const Costs &costs, const Workload &work,
                              const WorkOptions &options) {
  WorkResult result;
  for (const WorkKernel &kernel : work.kernels) {
    const Gemm &gemm = kernel.gemm;
    Expected<TileChoice> choice =
        kernel.program ? Expected<TileChoice>(*kernel.program)
                       : bestTile(machine, gemm, options.mode, options.precompute, options.limits);
    if (!choice)
      return choice.takeError();
    addEnergy(costs, machine, gemm, choice->estimate);
    KernelResult row{&kernel, *choice};
    if (!kernel.sharesTables || !options.shareTables)
      row.precomputeSeconds =
          precomputeCycles(machine, gemm.m, gemm.k, gemm.activations, options.mode, options.precompute) /
          (machine.clock * 1e9);
    double products = kernel.count * choice->estimate.seconds(machine);
    row.seconds = products + kernel.count * row.precomputeSeconds;
    result.products += products;
    result.precompute += kernel.count * row.precomputeSeconds;
    result.joules += kernel.count * choice->estimate.joules;
    result.kernels.push_back(row);
  }
  result.attention = work.layers * attentionSeconds(machine, work.attention);
  result.elementwise = work.layers * elementwiseSeconds(machine, work);
  return result;
}

} // namespace lut::lmma
