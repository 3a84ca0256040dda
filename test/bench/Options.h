// The command line of the benchmark.
#ifndef LUT_BENCH_OPTIONS_H
#define LUT_BENCH_OPTIONS_H

#include "Contender.h"

namespace lut::bench {

struct Options {
  bool parse(int argc, char **argv);
  bool wantsPeer(const std::string &name) const;

  bool quick = false, kernels = false, cpuClock = false;
  double seconds = 0; // of a cell; 0: by `quick`
  double load = 0;    // of the machine before the run
  std::vector<Shape> shapes;
  std::vector<size_t> tokens, threads;
  std::vector<std::string> temperatures, peers; // no peers: all
  std::string output, command;
  Settings settings;

private:
  bool set(const std::string &name, const std::string &value);
  bool addShapes(const std::string &item);
  void setDefaults();
};

extern const char *const usage;

} // namespace lut::bench

#endif
