// Times the products of a layer on weights that come from memory, and how fast this machine reads memory.
#ifndef LUT_EXAMPLES_MEASURE_H
#define LUT_EXAMPLES_MEASURE_H

#include "Layer.h"
#include <string>

namespace lut::example {

// Durations of equal work, in seconds.
class Times {
public:
  void add(double seconds) { all.push_back(seconds); }
  double min() const;
  double median() const;

private:
  std::vector<double> all;
};

// Packed copies of a layer, as the layers of a model: each pass uses the next one, so that its weights were
// not touched for as long as possible.
class Copies {
public:
  explicit Copies(const Layer &layer);

  // A copy for each pass, in turn.
  const char *at(size_t pass) const { return pages.data() + pass % count * copyBytes; }
  size_t bytes() const { return count * copyBytes; }
  // "cold", "partly cached" or "cached".
  const char *temperature() const;

  const size_t copyBytes, cacheBytes; // of one copy; of the last-level cache
  const size_t count;
  lutc_status status; // of packing

private:
  Pages pages;
};

struct Measurement {
  std::vector<Times> linears;
  Times layer;        // their sum
  Times read;         // reading one copy with the fastest loop
  std::string reader; // its name
};

// Repeats passes of the layer with m tokens for `seconds`, and after each pass reads one copy. A status other
// than LUTC_OK ends it.
lutc_status measure(Layer &layer, const Copies &copies, size_t m, double seconds,
                    const lutc_parallel *parallel, Measurement &result);

} // namespace lut::example

#endif
