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

void printTable(const Layer &layer, const Copies &copies, size_t threads, const std::vector<Batch> &batches);
void printJson(const Layer &layer, const Copies &copies, size_t threads, const std::vector<Batch> &batches);

} // namespace lut::example

#endif
