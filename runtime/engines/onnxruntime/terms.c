/* terms.c: activations to terms, results to sums. */
#include "terms.h"
#include "internal.h"

#include <immintrin.h>

__attribute__((target("avx,f16c"))) static size_t widen_eights(const uint16_t *x, size_t count, float *to) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(x + i))));
  return i;
}

__attribute__((target("avx,f16c"))) static size_t narrow_eights(const float *x, size_t count, uint16_t *to) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm_storeu_si128((__m128i *)(void *)(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  return i;
}

static bool has_f16c(void) { return (lutc_cpu_features() & LUTC_CPU_AVX2) != 0; }

void lutc_widen_all(const void *halves, size_t count, float *to) {
  const uint16_t *x = halves;
  for (size_t i = has_f16c() ? widen_eights(x, count, to) : 0; i < count; ++i)
    to[i] = lutc_widen(x[i]);
}

void lutc_narrow_all(const float *x, size_t count, void *halves) {
  uint16_t *to = halves;
  for (size_t i = has_f16c() ? narrow_eights(x, count, to) : 0; i < count; ++i)
    to[i] = lutc_narrow(x[i]);
}

static uint32_t largest_magnitude(const float *x, size_t count) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t magnitude = lutc_float_bits(x[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

/* What class a8 leaves of a block: q = rne(x * inverse) stands for q * step, by test/reference/reference.h.
 */
static void subtract_rounded(const float *x, size_t count, float *rest) {
  const uint32_t bits = largest_magnitude(x, count);
  const float largest = lutc_bits_float(bits), round = 0x1.8p23f; /* floats from 2^23 on are 1 apart */
  float inverse = 0.0f, step = 0.0f;
  if (bits >= 0x7f800000) /* NaN, infinity: all terms are NaN */
    step = lutc_bits_float(0x7fc00000);
  else if (largest >= 0x1p-120f)
    inverse = 127.0f / largest, step = largest / 127.0f;
  for (size_t i = 0; i < count; ++i) {
    const float q = x[i] * inverse + round - round;
    rest[i] = (float)((double)x[i] - (double)q * (double)step); /* 7 + 24 bits: exact but for the float */
  }
}

void lutc_split_token(const void *x, bool is_half, size_t k, size_t block, size_t terms, float *rows) {
  if (is_half)
    lutc_widen_all(x, k, rows);
  else
    memcpy(rows, x, k * sizeof *rows);
  for (size_t term = 1; term < terms; ++term, rows += k)
    for (size_t i = 0; i < k; i += block)
      subtract_rounded(rows + i, lutc_min(block, k - i), rows + k + i);
}

enum { PIECE = 256 };

static float bias_at(const void *bias, bool is_half, size_t i) {
  return is_half ? lutc_widen(((const uint16_t *)bias)[i]) : ((const float *)bias)[i];
}

/* The smallest terms first. */
static void join_piece(const float *rows, size_t terms, size_t n, size_t count, float *sum) {
  memcpy(sum, rows + (terms - 1) * n, count * sizeof *sum);
  for (size_t term = terms - 1; term-- > 0;)
    for (size_t i = 0; i < count; ++i)
      sum[i] += rows[term * n + i];
}

void lutc_join_token(const float *rows, size_t terms, size_t n, const void *bias, bool is_half, void *y) {
  float sum[PIECE];
  for (size_t begin = 0; begin < n; begin += PIECE) {
    const size_t count = lutc_min(PIECE, n - begin);
    join_piece(rows + begin, terms, n, count, sum);
    for (size_t i = 0; bias != NULL && i < count; ++i)
      sum[i] += bias_at(bias, is_half, begin + i);
    if (is_half)
      lutc_narrow_all(sum, count, (uint16_t *)y + begin);
    else
      memcpy((float *)y + begin, sum, count * sizeof *sum);
  }
}
