// All decoder layers of a model on the groups of its library: norms, products, activation functions and
// residuals in the library, attention in plain C++. Weights are random, of the real size, and each layer has
// its own copy.
#ifndef LUT_EXAMPLES_DECODER_H
#define LUT_EXAMPLES_DECODER_H

#include "Attention.h"
#include "Layer.h"
#include <map>
#include <string>

namespace lut::example {

class Decoder {
public:
  // Up to `tokens` tokens a call and `positions` positions in all.
  Decoder(const lutc_library &library, const Shape &shape, size_t tokens, size_t positions);

  // LUTC_OK, or why the weights were not packed; null where the library has all groups that a layer needs,
  // else the one that is missing.
  lutc_status status = LUTC_OK;
  const char *missing = nullptr;

  // Sends m tokens through `layers` layers: x is [m][hidden] before and after. They stand at `position` and
  // behind it.
  lutc_status run(float *x, size_t m, size_t position, size_t layers, const lutc_parallel *parallel);

  size_t packedBytes() const { return shape.layers * layerBytes; }
  const Linear *linear(const std::string &kernel) const;
  // Null where the group has no such operand.
  const std::vector<float> *vector(const std::string &group, const std::string &operand) const;
  const lutc_group *group(const std::string &name) const;

  const Shape shape;
  double attentionSeconds = 0; // of all calls

private:
  // A group with its operands; those of weights are set for each layer.
  struct Call {
    const lutc_group *group;
    std::vector<lutc_operand> operands;
    std::vector<std::pair<size_t, size_t>> weights; // operand, offset in a layer
  };
  // `rows` says where the group's activations and results lie.
  Call bind(const std::string &name, const std::map<std::string, float *> &rows) const;
  lutc_status run(Call &call, size_t m, size_t layer, const lutc_parallel *parallel);
  void attend(size_t m, size_t position, size_t layer, const lutc_parallel *parallel);

  const lutc_library &library;
  std::vector<Linear> linears; // of every kernel, without activations
  std::vector<size_t> offsets; // of their packed weights in a layer
  size_t layerBytes = 0;
  std::unique_ptr<Pages> packed, scratch;
  size_t scratchBytes = 0;
  Rope rope;
  std::vector<KvCache> caches;                       // of each layer
  std::map<std::string, std::vector<float>> vectors; // by "group.operand"
  std::vector<float> q, k, v, attended;
};

} // namespace lut::example

#endif
