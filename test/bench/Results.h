// The results as JSON.
#ifndef LUT_BENCH_RESULTS_H
#define LUT_BENCH_RESULTS_H

#include "Options.h"
#include "Rounds.h"

namespace lut::bench {

struct Results {
  std::vector<Cell> cells;
  std::vector<Missing> missing;
  std::string json(const Options &options) const;
};

} // namespace lut::bench

#endif
