// The linear products of one decoder layer on a generated library: weights, packing, scratch, the call.
#ifndef LUT_EXAMPLES_LAYER_H
#define LUT_EXAMPLES_LAYER_H

#include "lutc.h"
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

namespace lut::example {

// Aligned memory for weights, on huge pages where the system grants them: a product that streams its weights
// through small pages spends much of its time on address translation.
class Pages {
public:
  explicit Pages(size_t bytes);
  char *data() const { return memory.get(); }

private:
  std::unique_ptr<char, decltype(&std::free)> memory;
};

// Owns what a lutc_weights points to. A real program unpacks a checkpoint to this form.
struct Weights {
  Weights(const lutc_kernel_info &info, std::mt19937_64 &random);
  lutc_weights view() const;

  std::vector<uint8_t> codes;    // [n][k]
  std::vector<uint8_t> scales;   // bytes of [n][ceil(k / group)], of one where it is the tensor's
  std::vector<uint8_t> zeros;    // [n][ceil(k / group)], with zero points
  std::vector<uint8_t> minimums; // bytes of [n][ceil(k / group)], with minimums
  std::vector<int8_t> multiples; // [n][ceil(k / subgroup)], with subgroups
  std::vector<int32_t> columns;  // [k], where they are permuted
};

// One linear product with its activations.
struct Linear {
  Linear(const lutc_kernel *kernel, size_t tokens, std::mt19937_64 &random);
  size_t packedBytes() const; // rounded up to LUTC_ALIGNMENT: products lie one after another

  const lutc_kernel *kernel;
  const lutc_kernel_info &info;
  Weights weights;
  std::vector<float> x; // [tokens][k]
  std::vector<float> y; // [tokens][n]
};

// Every kernel of the library once: what one decoder layer of a dense model calls for each token.
class Layer {
public:
  Layer(const lutc_library &library, size_t tokens);

  // Bytes of the layer's packed weights.
  size_t packedBytes() const;
  // Packs all products one after another.
  lutc_status pack(char *packed) const;
  // Multiplies the first m tokens of `linear`. `packed` are its packed weights.
  lutc_status run(Linear &linear, size_t m, const char *packed, const lutc_parallel *parallel) const;

  std::vector<Linear> linears;

private:
  size_t scratchBytes = 0; // of the library: products run one at a time and share it
  std::unique_ptr<Pages> scratch;
};

} // namespace lut::example

#endif
