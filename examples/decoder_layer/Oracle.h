// The products of a layer compared with the oracle of test/reference.
#ifndef LUT_EXAMPLES_ORACLE_H
#define LUT_EXAMPLES_ORACLE_H

#include "Layer.h"

namespace lut::example {

struct Comparison {
  size_t wrong; // elements of Y that differ from the oracle in a bit
  double nmse;  // error relative to the float product in double precision

  // An 8-bit class stays far below this error; a wrong product is near 1.
  bool passes() const { return wrong == 0 && nmse < 1e-3; }
};

// Y of a product, all rows of a sample of tokens, by definition.
class Oracle {
public:
  Oracle(const Linear &linear, size_t tokens);
  // Compares the sampled tokens among the first m of linear.y; token 0 is always one of them.
  Comparison compare(const Linear &linear, size_t m) const;

private:
  std::vector<size_t> sample; // tokens
  std::vector<float> y;       // [sample][n]
  std::vector<double> exact;  // [sample][n]
};

} // namespace lut::example

#endif
