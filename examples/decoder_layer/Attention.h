// Attention with a cache of keys and values, in plain C++: what an engine has of its own between the
// library's groups.
#ifndef LUT_EXAMPLES_ATTENTION_H
#define LUT_EXAMPLES_ATTENTION_H

#include "lutc.h"
#include <vector>

namespace lut::example {

// Sizes of a model's layers.
struct Shape {
  size_t layers, hidden, heads, kvHeads, headDim;
  double ropeTheta, normEpsilon;
  const char *activation; // silu, gelu or relu2
  bool qkNorm;            // queries and keys are normalized, head by head
};

// Multiplies by weights and rotates pairs (i, i + headDim/2) of every head by position * theta^(-2i/headDim).
class Rope {
public:
  Rope(const Shape &shape, size_t positions);
  // Rows of `heads` heads; row t stands at `position` + t. With qkNorm each head is first divided by its root
  // mean square.
  void apply(float *rows, size_t m, size_t heads, size_t position) const;

private:
  const Shape shape;
  std::vector<float> cosines, sines; // [position][headDim / 2]
};

// Keys and values of one layer.
class KvCache {
public:
  KvCache(const Shape &shape, size_t positions)
      : shape(shape), positions(positions), keys(shape.kvHeads * positions * shape.headDim),
        values(keys.size()) {}
  // Stores the rows [m][kvHeads][headDim] of positions from `position` on.
  void store(const float *k, const float *v, size_t m, size_t position);
  // Tokens whose heads are attended together, so that each key and value is read once for all of them.
  static constexpr size_t tokenBlock = 8;
  // out[t] = softmax(q[t] K^T / sqrt(headDim)) V over positions up to position + t, for every head.
  void attend(const float *q, float *out, size_t m, size_t position, const lutc_parallel *parallel) const;

private:
  struct Call;
  static void attendBlock(void *call, size_t index);

  const Shape shape;
  size_t positions;
  std::vector<_Float16> keys, values; // [kvHead][position][headDim]
};

} // namespace lut::example

#endif
