// Times of kernels that compute the same product in different ways.
#ifndef LUT_COMPILER_BENCH_MEASURE_H
#define LUT_COMPILER_BENCH_MEASURE_H

#include "codegen/Jit.h"
#include <vector>

namespace lut {

// Microseconds; means over the faster half of the rounds.
struct KernelTimes {
  double alone = 0;   // a token alone, its weights cold
  double batch = 0;   // a token of a batch
  double prepare = 0; // of these, the activation work of a token alone
};

// All kernels in turn, round after round, on random weights and activations. They have equal n, k and format.
llvm::Expected<std::vector<KernelTimes>> measure(const LoadedLibrary &library,
                                                 llvm::ArrayRef<const lutc_kernel *> kernels);

} // namespace lut

#endif
