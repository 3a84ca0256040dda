// One decoder layer in double precision, by definition: dequantized weights, unquantized activations.
#ifndef LUT_EXAMPLES_REFERENCE_H
#define LUT_EXAMPLES_REFERENCE_H

#include "Decoder.h"

namespace lut::example {

// What the first layer of `decoder` makes of the m tokens of x, [m][hidden], from position 0 on.
std::vector<double> referenceLayer(const Decoder &decoder, const std::vector<float> &x, size_t m);

// |(y - x) - (exact - x)|^2 / |exact - x|^2: the error of what the layer adds to its input.
double layerError(const std::vector<float> &x, const std::vector<float> &y, const std::vector<double> &exact);

} // namespace lut::example

#endif
