/* unchunk.c: the codes of one row of a chunk, read back: the inverse of chunk.c. Any bytes are codes of the
   layout's bits, but trits may come out of bytes that chunk.c does not write. */
#include "packer.h"

static void unpack_dot(const lutc_layout *layout, const uint8_t *chunk, size_t row, uint8_t *codes) {
  const unsigned bits = layout->bits, whole = 8 / bits, rest = 8 % bits;
  const uint32_t mask = 0x01010101u * ((1u << bits) - 1);
  uint32_t quads[8] = {0};
  for (unsigned vector = 0; vector < bits; ++vector) {
    uint32_t word;
    memcpy(&word, chunk + 4 * (vector * (size_t)layout->tile_rows + row), sizeof word);
    for (unsigned f = 0; f < whole; ++f)
      quads[vector * whole + f] = word >> f * bits & mask;
    for (unsigned i = vector * rest; i < (vector + 1) * rest; ++i) {
      const lutc_split_bit place = split_bit(i, bits);
      quads[place.quad] |= (word >> (8 - rest + i % rest) & 0x01010101u) << place.bit;
    }
  }
  memcpy(codes, quads, sizeof quads);
}

/* Adds the `count` bits of `byte` to as many codes, as bits of `plane`. */
static void add_plane(uint8_t *codes, unsigned byte, unsigned count, unsigned plane) {
  for (unsigned f = 0; f < count; ++f)
    codes[f] |= (uint8_t)((byte >> f & 1) << plane);
}

static void unpack_quad(const lutc_layout *layout, const uint8_t *chunk, size_t row, uint8_t *codes) {
  for (unsigned plane = 0; plane < layout->bits; ++plane)
    for (unsigned j = 0; j < 4; ++j) {
      const unsigned byte = chunk[4 * (plane * (size_t)layout->tile_rows + row) + j];
      add_plane(codes + 4 * j, byte, 4, plane);
      add_plane(codes + 16 + 4 * j, byte >> 4, 4, plane);
    }
}

/* The codes of `count` trits whose number is v, most 3^5 / 2. */
static void unpack_trits(int v, unsigned count, uint8_t *codes) {
  v += count == 5 ? 243 + 121 : 243 + 13; /* not below 0: digits 0, 1, 2 */
  for (unsigned e = 0; e < count; ++e, v /= 3)
    codes[e] = (uint8_t)(v % 3);
}

static int signed_magnitude(unsigned byte) { return byte & 0x80 ? -(int)(byte & 0x7f) : (int)byte; }

/* COLUMN and BASE3. */
static void unpack_columns(const lutc_layout *layout, const uint8_t *chunk, size_t row, uint8_t *codes) {
  const size_t bytes = layout->vector_bytes, quarter = bytes / 4, in_vector = row % bytes;
  const size_t at = row - in_vector + 4 * (in_vector % quarter) + in_vector / quarter;
  if (layout->kind == LUTC_LAYOUT_BASE3)
    unpack_trits(signed_magnitude(chunk[at]), 5, codes);
  else
    for (unsigned plane = 0; plane < layout->bits; ++plane)
      add_plane(codes, chunk[plane * (size_t)layout->tile_rows + at], 8, plane);
}

static unsigned nibble_at(const uint8_t *nibbles, size_t index) {
  return nibbles[index / 2] >> index % 2 * 4 & 15;
}

static void unpack_nibbles(const lutc_layout *layout, const uint8_t *fragment, size_t row, uint8_t *codes) {
  const size_t rows = 2 * (size_t)layout->vector_bytes;
  for (unsigned plane = 0; plane < layout->bits; ++plane)
    for (unsigned unit = 0; unit < 8; ++unit) {
      const unsigned index = nibble_at(fragment, (plane * 8 + unit) * rows + row);
      add_plane(codes + 4 * unit, index & 8 ? index ^ 7 : index, 4, plane);
    }
}

static void unpack_signed_trits(const lutc_layout *layout, const uint8_t *fragment, size_t row,
                                uint8_t *codes) {
  const size_t rows = 2 * (size_t)layout->vector_bytes;
  const uint8_t *signs = fragment + 8 * rows / 2;
  for (unsigned unit = 0; unit < 8; ++unit) {
    const size_t at = unit * rows + row;
    const int magnitude = (int)nibble_at(fragment, at);
    unpack_trits(signs[at / 8] >> at % 8 & 1 ? -magnitude : magnitude, 3, codes + 3 * unit);
  }
}

void lutc_unpack_chunk(const lutc_layout *layout, const uint8_t *chunk, size_t row, uint8_t codes[32]) {
  const size_t warp_rows = 2 * (size_t)layout->vector_bytes;
  const size_t warp_bytes =
      (size_t)layout->bits * lutc_layout_kinds[layout->kind].chunk_quarters * (layout->vector_bytes / 4);
  memset(codes, 0, 32);
  switch (layout->kind) {
  case LUTC_LAYOUT_DOT:
    unpack_dot(layout, chunk, row, codes);
    break;
  case LUTC_LAYOUT_QUAD:
    unpack_quad(layout, chunk, row, codes);
    break;
  case LUTC_LAYOUT_NIBBLES:
    unpack_nibbles(layout, chunk + row / warp_rows * warp_bytes, row % warp_rows, codes);
    break;
  case LUTC_LAYOUT_TRITS:
    unpack_signed_trits(layout, chunk + row / warp_rows * warp_bytes, row % warp_rows, codes);
    break;
  default:
    unpack_columns(layout, chunk, row, codes);
  }
}
