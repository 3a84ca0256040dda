/* chunk.c: where the bits of a chunk lie, as kernel.h defines for each layout. */
#include "packer.h"

const lutc_layout_facts lutc_layout_kinds[LUTC_LAYOUT_KINDS] = {
#define LUTC_LAYOUT_ROW(KIND, name, ...) [LUTC_LAYOUT_##KIND] = {__VA_ARGS__},
#include "layouts.def"
};

static uint32_t load32(const uint8_t *codes) {
  uint32_t word;
  memcpy(&word, codes, sizeof word);
  return word;
}

/* Codes of a tile's rows from `k` on, where all of them are of the matrix; null: some are not. */
static const uint8_t *tile_codes(const lutc_packer *p, size_t first_row, size_t k) {
  const int is_inside = first_row + p->layout->tile_rows <= p->info->n && k < p->info->k &&
                        p->info->k - k >= lutc_chunk_k(p->layout);
  return is_inside ? p->weights->codes + first_row * p->stride + k : NULL;
}

/* The codes of one row of a chunk. Outside the matrix they are 0, of trits the code of weight 0. */
static const uint8_t *chunk_codes(lutc_packer *p, size_t row, size_t k) {
  const size_t left = row < p->info->n && k < p->info->k ? p->info->k - k : 0;
  const uint8_t *codes = p->weights->codes;
  if (left != 0)
    codes += row * p->stride + k;
  if (left >= lutc_chunk_k(p->layout))
    return codes;
  memset(p->padded, (int)lutc_layout_kinds[p->layout->kind].trits, sizeof p->padded);
  if (left != 0)
    memcpy(p->padded, codes, left);
  return p->padded;
}

/* The `width` bits from `bit` of the codes of `quad`, in the low bits of four bytes. */
LUTC_INLINED uint32_t dot_field(const uint8_t *codes, unsigned quad, unsigned bit, unsigned width) {
  return load32(codes + 4 * quad) >> bit & 0x01010101u * ((1u << width) - 1);
}

/* Four bytes of one row in vector `vector` of a chunk, as kernel.h defines DOT. */
LUTC_INLINED uint32_t dot_word(const uint8_t *codes, unsigned vector, unsigned bits) {
  const unsigned whole = 8 / bits, rest = 8 % bits;
  uint32_t word = 0;
  for (unsigned f = 0; f < whole; ++f)
    word |= dot_field(codes, vector * whole + f, 0, bits) << f * bits;
  for (unsigned i = vector * rest; i < (vector + 1) * rest; ++i) {
    const lutc_split_bit place = split_bit(i, bits);
    word |= dot_field(codes, place.quad, place.bit, 1) << (8 - rest + i % rest);
  }
  return word;
}

LUTC_INLINED void pack_dot_bits(lutc_packer *p, size_t first_row, size_t k, unsigned bits) {
  const size_t rows = p->layout->tile_rows, stride = p->stride;
  const uint8_t *inside = tile_codes(p, first_row, k);
  uint8_t *out = p->out;
  for (size_t row = 0; row < rows; ++row) {
    const uint8_t *codes = inside != NULL ? inside + row * stride : chunk_codes(p, first_row + row, k);
    for (unsigned vector = 0; vector < bits; ++vector) {
      const uint32_t word = dot_word(codes, vector, bits);
      memcpy(out + 4 * (vector * rows + row), &word, sizeof word);
    }
  }
  p->out += 4 * rows * bits;
}

/* The compiler unrolls what it knows the bits of. */
static void pack_dot(lutc_packer *p, size_t first_row, size_t k) {
  switch (p->layout->bits) {
#define LUTC_DOT_BITS(bits)                                                                                  \
  case bits:                                                                                                 \
    pack_dot_bits(p, first_row, k, bits);                                                                    \
    break;
    LUTC_DOT_BITS(1)
    LUTC_DOT_BITS(2)
    LUTC_DOT_BITS(3)
    LUTC_DOT_BITS(4)
    LUTC_DOT_BITS(5)
    LUTC_DOT_BITS(6)
    LUTC_DOT_BITS(7)
    LUTC_DOT_BITS(8)
#undef LUTC_DOT_BITS
  }
}

/* Bit `plane` of four codes as a number: byte i of the word, at bit 8i, is multiplied to bit 28 + i. */
static uint32_t four_bits(const uint8_t *codes, unsigned plane) {
  return (load32(codes) >> plane & 0x01010101u) * 0x10204080u >> 28;
}

/* Bit `plane` of eight codes: byte i, at bit 8i, is multiplied to bit 56 + i. */
LUTC_INLINED uint8_t column_byte(const uint8_t *codes, unsigned plane) {
  return (uint8_t)((lutc_load64(codes) >> plane & UINT64_C(0x0101010101010101)) *
                       UINT64_C(0x0102040810204080) >>
                   56);
}

/* Bit `plane` of codes 0 to 7 and 16 to 23 in bytes 0 and 4, as in QUAD. */
LUTC_INLINED uint64_t quad_bytes(const uint8_t *codes, unsigned plane) {
  const uint64_t ones = UINT64_C(0x0101010101010101);
  uint64_t bits = (lutc_load64(codes) >> plane & ones) | (lutc_load64(codes + 16) >> plane & ones) << 4;
  bits |= bits >> 7;
  bits |= bits >> 14;
  return bits & UINT64_C(0x000000ff000000ff);
}

LUTC_INLINED void pack_quad_bits(lutc_packer *p, size_t first_row, size_t k, unsigned bits) {
  const size_t rows = p->layout->tile_rows, stride = p->stride;
  const uint8_t *inside = tile_codes(p, first_row, k);
  uint8_t *out = p->out;
  for (size_t row = 0; row < rows; ++row) {
    const uint8_t *codes = inside != NULL ? inside + row * stride : chunk_codes(p, first_row + row, k);
    for (unsigned plane = 0; plane < bits; ++plane) {
      const uint64_t bytes = quad_bytes(codes, plane) | quad_bytes(codes + 8, plane) << 16;
      const uint32_t word = (uint32_t)(bytes | bytes >> 24);
      memcpy(out + 4 * (plane * rows + row), &word, sizeof word);
    }
  }
  p->out += 4 * rows * bits;
}

static void pack_quad(lutc_packer *p, size_t first_row, size_t k) {
  if (p->layout->bits == 1)
    pack_quad_bits(p, first_row, k, 1);
  else if (p->layout->bits == 2)
    pack_quad_bits(p, first_row, k, 2);
  else
    pack_quad_bits(p, first_row, k, p->layout->bits);
}

/* Five trits as a number: codes 0 to 3 are multiplied to byte 3, by 1, 3, 9 and 27. */
LUTC_INLINED uint8_t base3_digits(const uint8_t *codes) {
  return (uint8_t)((load32(codes) * 0x0103091bu >> 24) + 81 * codes[4]);
}

/* Digits d to |d - 121| and bit 7 where that is negative, counted in `negatives` of the same rows. */
static void make_base3(uint8_t *column, size_t rows, int32_t *negatives) {
  for (size_t row = 0; row < rows; ++row) {
    const uint8_t digits = column[row];
    column[row] = (uint8_t)(digits < 121 ? 0x80 | (121 - digits) : digits - 121);
    negatives[row] += digits < 121;
  }
}

/* COLUMN and BASE3: one byte a row, four quarters of the rows of a vector interleaved. */
LUTC_INLINED void pack_columns(lutc_packer *p, size_t first_row, size_t k, int base3) {
  const size_t bytes = p->layout->vector_bytes, rows = p->layout->tile_rows, stride = p->stride;
  const uint8_t *inside = tile_codes(p, first_row, k);
  uint8_t column[64], *out = p->out;
  for (unsigned plane = 0; plane < p->layout->bits; ++plane)
    for (size_t first = 0; first < rows; first += bytes, out += bytes) {
      for (size_t row = 0; row < bytes; ++row) {
        const uint8_t *codes =
            inside != NULL ? inside + (first + row) * stride : chunk_codes(p, first_row + first + row, k);
        column[row] = base3 ? base3_digits(codes) : column_byte(codes, plane);
      }
      if (base3)
        make_base3(column, bytes, p->negatives + first_row + first);
      for (size_t b = 0; b < bytes / 4; ++b)
        for (size_t quarter = 0; quarter < 4; ++quarter)
          out[4 * b + quarter] = column[bytes / 4 * quarter + b];
    }
  p->out = out;
}

/* Half tables hold the sums where the last of four is -x: a set last bit negates, hence inverts the others.
 */
static unsigned half_index(const uint8_t *codes, unsigned plane) {
  const unsigned bits = four_bits(codes, plane);
  return bits & 8 ? bits ^ 7 : bits;
}

static int three_trits(const uint8_t *codes) {
  return (codes[0] - 1) + 3 * (codes[1] - 1) + 9 * (codes[2] - 1);
}

/* The fragment of one warp, whose rows begin at `row`. */
static void pack_nibbles(lutc_packer *p, size_t row, size_t k) {
  const size_t rows = 2 * p->layout->vector_bytes;
  for (unsigned plane = 0; plane < p->layout->bits; ++plane)
    for (unsigned unit = 0; unit < 8; ++unit)
      for (size_t r = row; r < row + rows; r += 2) {
        const unsigned low = half_index(chunk_codes(p, r, k) + 4 * unit, plane);
        *p->out++ = (uint8_t)(low | half_index(chunk_codes(p, r + 1, k) + 4 * unit, plane) << 4);
      }
}

static void pack_trits(lutc_packer *p, size_t row, size_t k) {
  const size_t rows = 2 * p->layout->vector_bytes;
  uint8_t *signs = p->out + 8 * rows / 2;
  memset(signs, 0, rows);
  memset(p->out, 0, 8 * rows / 2);
  for (unsigned unit = 0; unit < 8; ++unit)
    for (size_t r = 0; r < rows; ++r) {
      const int v = three_trits(chunk_codes(p, row + r, k) + 3 * unit);
      const size_t at = unit * rows + r;
      p->out[at / 2] |= (uint8_t)((v < 0 ? -v : v) << at % 2 * 4);
      signs[at / 8] |= (uint8_t)((v < 0) << at % 8);
    }
  p->out = signs + rows;
}

static void pack_fragments(lutc_packer *p, size_t first_row, size_t k) {
  for (size_t row = first_row; row < first_row + p->layout->tile_rows; row += 2 * p->layout->vector_bytes)
    if (p->layout->kind == LUTC_LAYOUT_TRITS)
      pack_trits(p, row, k);
    else
      pack_nibbles(p, row, k);
}

void lutc_pack_chunk(lutc_packer *p, size_t first_row, size_t k) {
  switch (p->layout->kind) {
  case LUTC_LAYOUT_DOT:
    pack_dot(p, first_row, k);
    break;
  case LUTC_LAYOUT_QUAD:
    pack_quad(p, first_row, k);
    break;
  case LUTC_LAYOUT_NIBBLES:
  case LUTC_LAYOUT_TRITS:
    pack_fragments(p, first_row, k);
    break;
  case LUTC_LAYOUT_BASE3:
    pack_columns(p, first_row, k, 1);
    break;
  case LUTC_LAYOUT_BOOK:
    p->is_bad |= !lutc_pack_book(p, first_row, k);
    break;
  default:
    pack_columns(p, first_row, k, 0);
  }
}
