/* epilogue.c: what follows the scaled sums of a product: additions, scalings, other types. */
#include "convert.h"

/* The element of `other` for token m and row n of a fragment with `rows` rows. */
static size_t spread_index(int32_t spread, size_t m, size_t n, size_t rows) {
  return spread == LMMA_FULL ? m * rows + n : spread == LMMA_VECTOR ? n : 0;
}

void lmma_combine(const lmma_instruction *i, uint8_t *const reg[4]) {
  const size_t tokens = (size_t)i->imm[0], rows = (size_t)i->imm[1];
  for (size_t m = 0; m < tokens; ++m)
    for (size_t n = 0; n < rows; ++n) {
      const size_t at = m * rows + n;
      const float y = lmma_get(reg[0], LMMA_F32, at);
      const float other = lmma_get(reg[1], LMMA_F32, spread_index(i->imm[2], m, n, rows));
      lmma_put(reg[0], LMMA_F32, at, i->opcode == LMMA_ADD ? y + other : y * other);
    }
}

/* To nearest even; NaN as 0x7fc0. */
static uint16_t to_bf16(float value) {
  const uint32_t bits = lutc_float_bits(value);
  return value != value ? 0x7fc0 : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* To nearest even, within -127 .. 127: 1.5 * 2^23 + v has the integer in its low bits. NaN as 0. */
static uint8_t to_i8(float value) {
  const float bounded = value > 127.0f ? 127.0f : value < -127.0f ? -127.0f : value;
  return value != value ? 0 : (uint8_t)lutc_float_bits(bounded + 0x1.8p23f);
}

void lmma_convert(const lmma_instruction *i, uint8_t *const reg[4]) {
  const size_t elements = (size_t)i->imm[0] * (size_t)i->imm[1];
  for (size_t at = 0; at < elements; ++at) {
    const float value = lmma_get(reg[1], LMMA_F32, at);
    uint16_t half;
    if (i->type[0] == LMMA_I8) {
      reg[0][at] = to_i8(value);
      continue;
    }
    half = i->type[0] == LMMA_F16 ? lutc_narrow(value) : to_bf16(value);
    memcpy(reg[0] + 2 * at, &half, sizeof half);
  }
}
