// What decoder_layer prints.
#ifndef LUT_EXAMPLES_REPORT_H
#define LUT_EXAMPLES_REPORT_H

#include "Measure.h"
#include "Oracle.h"

namespace lut::example {

// All products with one m.
struct Batch {
  size_t m;
  Measurement times;
  std::vector<Comparison> comparisons; // one for each product
};

// All layers, m tokens at a time.
struct Speed {
  size_t m, threads;
  double tokensPerSecond, attentionShare; // share: of the time
};

struct DecoderReport {
  const char *missing = nullptr; // the group that the library lacks
  size_t packedBytes = 0;
  double error = 0; // of a layer, against double precision
  std::vector<Speed> speeds;
};

void printTable(const Layer &layer, const Copies &copies, size_t threads, const std::vector<Batch> &batches,
                const DecoderReport &decoder);
void printJson(const Layer &layer, const Copies &copies, size_t threads, const std::vector<Batch> &batches,
               const DecoderReport &decoder);

} // namespace lut::example

#endif
