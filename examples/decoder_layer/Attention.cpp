#include "Attention.h"
#include <algorithm>
#include <cmath>
#include <cstring>

using namespace lut::example;

Rope::Rope(const Shape &shape, size_t positions) : shape(shape) {
  const size_t half = shape.headDim / 2;
  for (size_t position = 0; position < positions; ++position)
    for (size_t i = 0; i < half; ++i) {
      const double angle = position * std::pow(shape.ropeTheta, -double(i) / half);
      cosines.push_back(float(std::cos(angle)));
      sines.push_back(float(std::sin(angle)));
    }
}

static void normalize(float *head, size_t size) {
  float sum = 0;
  for (size_t i = 0; i < size; ++i)
    sum += head[i] * head[i];
  const float factor = 1 / std::sqrt(sum / size + 1e-6f);
  for (size_t i = 0; i < size; ++i)
    head[i] *= factor;
}

void Rope::apply(float *rows, size_t m, size_t heads, size_t position) const {
  const size_t half = shape.headDim / 2;
  for (size_t token = 0; token < m; ++token)
    for (size_t h = 0; h < heads; ++h) {
      float *head = rows + (token * heads + h) * shape.headDim;
      if (shape.qkNorm)
        normalize(head, shape.headDim);
      const float *c = cosines.data() + (position + token) * half, *s = sines.data() + (position + token) * half;
      for (size_t i = 0; i < half; ++i) {
        const float a = head[i], b = head[i + half];
        head[i] = a * c[i] - b * s[i];
        head[i + half] = b * c[i] + a * s[i];
      }
    }
}

void KvCache::store(const float *k, const float *v, size_t m, size_t position) {
  const size_t d = shape.headDim;
  for (size_t token = 0; token < m; ++token)
    for (size_t h = 0; h < shape.kvHeads; ++h) {
      const size_t to = (h * positions + position + token) * d, from = (token * shape.kvHeads + h) * d;
      std::memcpy(&keys[to], k + from, d * sizeof(float));
      std::memcpy(&values[to], v + from, d * sizeof(float));
    }
}

// Sixteen sums side by side, so that compilers use vectors without being allowed to reorder sums.
static float dot(const float *a, const float *b, size_t size) {
  float sums[16] = {}, total = 0;
  size_t i = 0;
  for (; i + 16 <= size; i += 16)
    for (size_t lane = 0; lane < 16; ++lane)
      sums[lane] += a[i + lane] * b[i + lane];
  for (; i < size; ++i)
    total += a[i] * b[i];
  for (float sum : sums)
    total += sum;
  return total;
}

// One head of one token.
static void attendHead(const float *q, const float *keys, const float *values, size_t count, size_t d, float *scores,
                       float *out) {
  const float scale = 1 / std::sqrt(float(d));
  float largest = -INFINITY, sum = 0;
  for (size_t i = 0; i < count; ++i) {
    scores[i] = dot(q, keys + i * d, d) * scale;
    largest = std::max(largest, scores[i]);
  }
  std::fill_n(out, d, 0.0f);
  for (size_t i = 0; i < count; ++i) {
    const float weight = std::exp(scores[i] - largest), *value = values + i * d;
    sum += weight;
    for (size_t j = 0; j < d; ++j)
      out[j] += weight * value[j];
  }
  for (size_t j = 0; j < d; ++j)
    out[j] /= sum;
}

void KvCache::attend(const float *q, float *out, size_t m, size_t position, const lutc_parallel *parallel) const {
  struct Call {
    const KvCache &cache;
    const float *q;
    float *out;
    size_t position;
  } call{*this, q, out, position};
  // A task for each head of each token.
  const auto task = [](void *argument, size_t index) {
    const Call &c = *static_cast<const Call *>(argument);
    const Shape &s = c.cache.shape;
    const size_t token = index / s.heads, head = index % s.heads, kvHead = head / (s.heads / s.kvHeads);
    const size_t first = kvHead * c.cache.positions * s.headDim;
    thread_local std::vector<float> scores;
    scores.resize(c.cache.positions);
    attendHead(c.q + index * s.headDim, &c.cache.keys[first], &c.cache.values[first], c.position + token + 1,
               s.headDim, scores.data(), c.out + index * s.headDim);
  };
  if (parallel && parallel->threads > 1)
    return parallel->run(parallel->context, m * shape.heads, task, &call);
  for (size_t i = 0; i < m * shape.heads; ++i)
    task(&call, i);
}
