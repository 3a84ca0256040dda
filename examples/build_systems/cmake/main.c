/* Multiplies one token by twice the identity matrix. */
#include "tiny.h"
#include <stdio.h>

enum { SIZE = TINY_SQUARE_N };

static uint8_t codes[SIZE][SIZE];
static uint16_t scales[SIZE];
static _Alignas(LUTC_ALIGNMENT) uint8_t packed[TINY_SQUARE_PACKED_BYTES];
static _Alignas(LUTC_ALIGNMENT) uint8_t scratch[TINY_SQUARE_SCRATCH_BYTES(1)];

int main(void) {
  float x[SIZE] = {0}, y[SIZE];
  const lutc_weights weights = {.codes = codes[0], .scales = scales};
  for (int row = 0; row < SIZE; ++row) {
    for (int k = 0; k < SIZE; ++k)
      codes[row][k] = row == k ? 10 : 8; /* weight = scale * (code - 8) */
    scales[row] = 0x3c00;                /* 1 in f16 */
  }
  x[0] = 127, x[SIZE - 1] = -3;
  lutc_status status = tiny_square_pack(&weights, packed, sizeof packed);
  if (status == LUTC_OK)
    status = tiny_square(1, x, SIZE, packed, y, SIZE, scratch, sizeof scratch, NULL);
  if (status != LUTC_OK) {
    fprintf(stderr, "app: %s\n", lutc_status_string(status));
    return 1;
  }
  printf("%g %g\n", (double)y[0], (double)y[SIZE - 1]);
  return y[0] != 254 || y[SIZE - 1] != -6;
}
