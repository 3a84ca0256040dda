// `lutc bench`: times kernels in this process, on this CPU.
#ifndef LUT_COMPILER_BENCH_BENCH_H
#define LUT_COMPILER_BENCH_BENCH_H

#include "compiler/config/ConfigOptions.h"

namespace lut {

struct BenchRequest {
  std::string config, output; // output: the tuning file; empty: none
  ConfigOptions options;
  bool tune = false, verbose = false; // verbose: every schedule of every kernel
};

// Times the schedule that `lutc compile --cpu=host` takes for each kernel; with `tune` all that are legal.
int bench(const BenchRequest &request);

} // namespace lut

#endif
