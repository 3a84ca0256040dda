/* Two kernels of an own list: packs tiny weights once, then multiplies 1, 3 and 64 tokens. Y = down(up(X)).
 */
#include "mlp.h"
#include <stdio.h>

enum { TOKENS = 64, UP_GROUPS = 1, DOWN_GROUPS = 3 };

/* Unpacked weights, as a checkpoint would give them. */
static uint8_t up_codes[MLP_UP_N * MLP_UP_K], down_codes[MLP_DOWN_N * MLP_DOWN_K];
static uint16_t up_scales[MLP_UP_N * UP_GROUPS], down_scales[MLP_DOWN_N * DOWN_GROUPS];
static uint8_t down_zeros[MLP_DOWN_N * DOWN_GROUPS];

/* The caller owns all memory: packed weights and scratch for the largest m, aligned. */
static _Alignas(LUTC_ALIGNMENT) uint8_t up_packed[MLP_UP_PACKED_BYTES], down_packed[MLP_DOWN_PACKED_BYTES];
static _Alignas(LUTC_ALIGNMENT) uint8_t scratch[MLP_SCRATCH_BYTES(TOKENS)]; /* enough for either */

static float x[TOKENS * MLP_UP_K], h[TOKENS * MLP_UP_N], y[TOKENS * MLP_DOWN_N];

static void fill(void) {
  for (size_t i = 0; i < sizeof up_codes; ++i)
    up_codes[i] = (uint8_t)(i * i / 7 % 4); /* weight = scale * (code - 2) */
  for (size_t i = 0; i < sizeof down_codes; ++i)
    down_codes[i] = (uint8_t)(i * i / 11 % 16); /* weight = scale * (code - zero point) */
  for (size_t i = 0; i < MLP_UP_N * UP_GROUPS; ++i)
    up_scales[i] = 0x3000; /* 0.125 in f16 */
  for (size_t i = 0; i < MLP_DOWN_N * DOWN_GROUPS; ++i)
    down_scales[i] = 0x3000, down_zeros[i] = 7;
  for (size_t i = 0; i < TOKENS * MLP_UP_K; ++i)
    x[i] = (float)(i * i % 17) - 8.0f;
}

static lutc_status pack(void) {
  const lutc_weights up = {.codes = up_codes, .scales = up_scales};
  const lutc_weights down = {.codes = down_codes, .scales = down_scales, .zero_points = down_zeros};
  const lutc_status status = mlp_up_pack(&up, up_packed, sizeof up_packed);
  return status == LUTC_OK ? mlp_down_pack(&down, down_packed, sizeof down_packed) : status;
}

static lutc_status multiply(size_t m, const lutc_parallel *parallel) {
  const lutc_status status =
      mlp_up(m, x, MLP_UP_K, up_packed, h, MLP_UP_N, scratch, sizeof scratch, parallel);
  return status == LUTC_OK
             ? mlp_down(m, h, MLP_DOWN_K, down_packed, y, MLP_DOWN_N, scratch, sizeof scratch, parallel)
             : status;
}

/* Compares row 0 of the last token with float weights: kernels round the activations of a group to 8 bits. */
static int print(size_t m) {
  const size_t token = m - 1;
  double sum = 0;
  for (size_t i = 0; i < MLP_DOWN_K; ++i)
    sum += 0.125 * (down_codes[i] - 7) * (double)h[token * MLP_DOWN_K + i];
  const double error = (double)y[token * MLP_DOWN_N] - sum;
  printf("m = %2zu: y = %9.4f, from float weights %9.4f\n", m, sum + error, sum);
  return -1 < error && error < 1;
}

int main(void) {
#ifdef LUTC_USE_OPENMP
  const lutc_parallel openmp = lutc_openmp(), *parallel = &openmp;
#else
  const lutc_parallel *parallel = NULL;
#endif
  const size_t sizes[] = {1, 3, TOKENS};
  fill();
  lutc_status status = pack();
  int close = 1;
  for (size_t i = 0; i < 3 && status == LUTC_OK; ++i)
    if ((status = multiply(sizes[i], parallel)) == LUTC_OK)
      close &= print(sizes[i]);
  if (status != LUTC_OK)
    fprintf(stderr, "kernel_library: %s\n", lutc_status_string(status));
  return status != LUTC_OK || !close;
}
