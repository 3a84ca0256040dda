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

static void put(float *to, Lanes lanes) { std::memcpy(to, &lanes, sizeof lanes); }

// Adds halves until one lane is left.
static float sum(const Lanes &lanes) {
  float parts[16];
  put(parts, lanes);
  for (size_t half = 8; half >= 1; half /= 2)
    for (size_t i = 0; i < half; ++i)
      parts[i] += parts[i + half];
  return parts[0];
}

// headDim is a multiple of 16.
static float dot(const float *a, const float *b, size_t size) {
  Lanes lanes = {};
  for (size_t i = 0; i < size; i += 16)
    lanes += load(a + i) * load(b + i);
  return sum(lanes);
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

// Of the first `count` scores; the others become 0.
static void softmax(float *scores, size_t count, size_t all) {
  const float largest = *std::max_element(scores, scores + count);
  float total = 0;
  for (size_t i = 0; i < count; ++i)
    scores[i] = exponential(scores[i] - largest);
  for (size_t i = 0; i < count; ++i)
    total += scores[i];
  for (size_t i = 0; i < count; ++i)
    scores[i] /= total;
  std::fill(scores + count, scores + all, 0.0f);
}

// Keys or values that are converted to float at a time.
static constexpr size_t tileKeys = 16;

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
  thread_local std::vector<float> scores, tile;
  scores.assign(rows * longest, 0.0f);
  tile.resize(tileKeys * d);
  const float scale = 1 / std::sqrt(float(d));
  // Scores of masked positions are computed, too, and not used.
  for (size_t first = 0; first < longest; first += tileKeys) {
    const size_t count = std::min(tileKeys, longest - first);
    std::copy_n(keys + first * d, count * d, tile.data());
    for (size_t r = 0; r < rows; ++r)
      for (size_t i = 0; i < count; ++i)
        scores[r * longest + first + i] = dot(c.q + place(r), &tile[i * d], d) * scale;
  }
  for (size_t r = 0; r < rows; ++r) {
    softmax(&scores[r * longest], length(r), longest);
    std::fill_n(c.out + place(r), d, 0.0f);
  }
  for (size_t first = 0; first < longest; first += tileKeys) {
    const size_t count = std::min(tileKeys, longest - first);
    std::copy_n(values + first * d, count * d, tile.data());
    for (size_t r = 0; r < rows; ++r)
      for (size_t j = 0; j < d; j += 16) {
        Lanes lanes = load(c.out + place(r) + j);
        for (size_t i = 0; i < count; ++i)
          lanes += scores[r * longest + first + i] * load(&tile[i * d + j]);
        put(c.out + place(r) + j, lanes);
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
