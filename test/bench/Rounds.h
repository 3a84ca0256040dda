// One cell of the results: all contenders on one shape, m, number of threads and temperature of the weights.
#ifndef LUT_BENCH_ROUNDS_H
#define LUT_BENCH_ROUNDS_H

#include "Contender.h"

namespace lut::bench {

struct Timing {
  const Contender *contender;
  size_t copyBytes;
  double nmse;
  std::vector<double> seconds; // of a call, one a round
  double min() const;
  double median() const;
};

struct Cell {
  Shape shape;
  size_t m, threads;
  bool hot;
  size_t cycledBytes; // of all contenders' weights
  std::vector<Timing> timings;
};

// The contenders that take part on a shape.
class Field {
public:
  // With `cpuClock`, seconds are those of the process on the CPU.
  Field(Contenders &all, const Problem &problem, size_t threads, bool cpuClock,
        std::vector<Missing> &missing);
  Cell time(size_t m, bool hot, double seconds);

private:
  // So many calls in a timed run that starting threads and graphs is spread: 2 ms of memory traffic.
  static size_t callsOf(const Contender &contender, size_t m);
  void store(size_t m);
  static std::string prepare(Contender &contender, size_t m, bool hot);
  double now() const;
  double timeRun(Contender &contender, size_t batch, bool hot) const;
  void drop(size_t index, const std::string &reason);

  const Problem &problem;
  const size_t threads;
  const bool cpuClock;
  std::vector<Missing> &missing;
  std::vector<Contender *> contenders;
  size_t regime = 0; // of m that the copies are stored for
  size_t batches = 0, cycledBytes = 0;
  std::vector<size_t> calls;
};

} // namespace lut::bench

#endif
