#include "Attention.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
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
      const float *c = cosines.data() + (position + token) * half,
                  *s = sines.data() + (position + token) * half;
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
      std::copy_n(k + from, d, &keys[to]);
      std::copy_n(v + from, d, &values[to]);
    }
}

// 16 floats at a time, on any CPU: GCC's and Clang's vector type.
typedef float Lanes __attribute__((vector_size(64)));

static Lanes load(const float *from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

static float dot(const float *a, const float *b, size_t size) {
  Lanes even = {}, odd = {};
  float total = 0;
  size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    even += load(a + i) * load(b + i);
    odd += load(a + i + 16) * load(b + i + 16);
  }
  for (; i < size; ++i)
    total += a[i] * b[i];
  even += odd;
  for (size_t lane = 0; lane < 16; ++lane)
    total += even[lane];
  return total;
}

// exp(x) for x <= 0 in steps that compilers turn into vectors: 2^n times a polynomial on [-0.5, 0.5].
static float exponential(float x) {
  const float y = std::max(x, -80.0f) * 1.44269504f, n = (y + 12582912.0f) - 12582912.0f, f = y - n;
  const float p =
      1 + f * (0.693147f + f * (0.240227f + f * (0.0555033f + f * (0.00961813f + f * 0.00133336f))));
  const int32_t bits = (int32_t(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

struct KvCache::Call {
  const KvCache &cache;
  const float *q;
  float *out;
  size_t m, position;
};

// All heads of a key head, for a block of tokens.
void KvCache::attendBlock(void *argument, size_t index) {
  const Call &c = *static_cast<const Call *>(argument);
  const Shape &s = c.cache.shape;
  const size_t d = s.headDim, kvHead = index % s.kvHeads, sharing = s.heads / s.kvHeads;
  const size_t begin = index / s.kvHeads * tokenBlock, end = std::min(begin + tokenBlock, c.m);
  const size_t rows = (end - begin) * sharing, longest = c.position + end;
  const _Float16 *keys = &c.cache.keys[kvHead * c.cache.positions * d];
  const _Float16 *values = &c.cache.values[kvHead * c.cache.positions * d];
  // Row r is head kvHead * sharing + r % sharing of token begin + r / sharing.
  const auto place = [&](size_t r) {
    return ((begin + r / sharing) * s.heads + kvHead * sharing + r % sharing) * d;
  };
  const auto length = [&](size_t r) { return c.position + begin + r / sharing + 1; };
  thread_local std::vector<float> scores, row;
  scores.assign(rows * longest, 0.0f);
  row.resize(d);
  const float scale = 1 / std::sqrt(float(d));
  for (size_t i = 0; i < longest; ++i) {
    std::copy_n(keys + i * d, d, row.data());
    for (size_t r = 0; r < rows; ++r)
      if (i < length(r))
        scores[r * longest + i] = dot(c.q + place(r), row.data(), d) * scale;
  }
  for (size_t r = 0; r < rows; ++r) {
    float *weights = &scores[r * longest], sum = 0;
    const float largest = *std::max_element(weights, weights + length(r));
    for (size_t i = 0; i < length(r); ++i)
      weights[i] = exponential(weights[i] - largest);
    for (size_t i = 0; i < length(r); ++i)
      sum += weights[i];
    for (size_t i = 0; i < length(r); ++i)
      weights[i] /= sum;
    std::fill_n(c.out + place(r), d, 0.0f);
  }
  for (size_t i = 0; i < longest; ++i) {
    std::copy_n(values + i * d, d, row.data());
    for (size_t r = 0; r < rows; ++r)
      if (i < length(r)) {
        const float weight = scores[r * longest + i];
        float *out = c.out + place(r);
        for (size_t j = 0; j < d; ++j)
          out[j] += weight * row[j];
      }
  }
}

void KvCache::attend(const float *q, float *out, size_t m, size_t position,
                     const lutc_parallel *parallel) const {
  Call call{*this, q, out, m, position};
  const size_t tasks = (m + tokenBlock - 1) / tokenBlock * shape.kvHeads;
  if (parallel && parallel->threads > 1)
    return parallel->run(parallel->context, tasks, attendBlock, &call);
  for (size_t i = 0; i < tasks; ++i)
    attendBlock(&call, i);
}
