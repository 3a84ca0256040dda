// `lutc bench`: times kernels in this process, on this CPU.
#ifndef LUT_COMPILER_BENCH_BENCH_H
#define LUT_COMPILER_BENCH_BENCH_H

#include "compiler/config/ConfigOptions.h"

namespace lut {

struct BenchRequest {
  std::string config, output, variant; // output: the tuning file; variant: of the CPU; empty: none, the best
  ConfigOptions options;
  bool tune = false, verbose = false; // verbose: every schedule of every kernel
};

// Times the schedule that `lutc compile --cpu=host`, or with the variant, takes for each kernel; with `tune`
// all that are legal.
int bench(const BenchRequest &request);

} // namespace lut

#endif
