/* pack.c: reorders weights into the stream that kernel.h describes. The layout drives everything: the packer
   knows no format and no instruction set. */
#include "internal.h"

#include <string.h>

typedef struct packer {
  const lutc_kernel_info *info;
  const lutc_layout *layout;
  const lutc_weights *weights;
  size_t stride, groups; /* row strides of the codes, and of scales and zero points */
  size_t rows;           /* n_padded */
  uint8_t *out;          /* the next byte of the stream */
  int32_t *negatives;    /* BASE3: [rows], in the tail */
  uint8_t padded[32];    /* a chunk of one row that reaches over the edge of the matrix */
} packer;

const lutc_layout_facts lutc_layout_kinds[LUTC_LAYOUT_KINDS] = {
    [LUTC_LAYOUT_DOT] = {32, 1, 1, 0},     [LUTC_LAYOUT_QUAD] = {32, 1, 1, 0},
    [LUTC_LAYOUT_COLUMN] = {8, 1, 4, 0},   [LUTC_LAYOUT_BASE3] = {5, 1, 4, 1},
    [LUTC_LAYOUT_NIBBLES] = {32, 8, 8, 0}, [LUTC_LAYOUT_TRITS] = {24, 10, 8, 1},
};

static size_t chunk_k(const lutc_layout *layout) { return lutc_layout_kinds[layout->kind].chunk_k; }

/* Of one tile in a block of k_length. */
static size_t tile_bytes(const packer *p, size_t k_length) {
  const lutc_layout *layout = p->layout;
  const size_t vectors = k_length / chunk_k(layout) * layout->bits * layout->row_vectors *
                         lutc_layout_kinds[layout->kind].chunk_vectors;
  const size_t groups = layout->group ? lutc_divide_up(k_length, layout->group) : 0;
  const size_t subgroups = p->info->subgroup ? k_length / p->info->subgroup : 0;
  const size_t scale_bytes =
      p->info->scale_bytes + (p->info->has_zero_points ? 1 : 0) + (p->info->has_minimums ? 2 : 0);
  const size_t multiple_bytes = p->info->has_minimums ? 2 : 1;
  return vectors * layout->vector_bytes +
         (groups * scale_bytes + subgroups * multiple_bytes) * layout->tile_rows;
}

/* Of all tiles in the k before `k`, the begin of a block or the end. */
static size_t stream_offset(const packer *p, size_t k) {
  const size_t block = p->layout->k_block, tiles = p->rows / p->layout->tile_rows;
  return (k / block * tile_bytes(p, block) + tile_bytes(p, k % block)) * tiles;
}

static size_t stream_bytes(const packer *p) { return stream_offset(p, p->layout->k_padded); }

/* Arrays of one word for each row. */
static size_t tail_columns(const packer *p) {
  if (p->layout->group)
    return 0;
  return 1u + (p->info->has_zero_points != 0) + (p->layout->kind == LUTC_LAYOUT_BASE3);
}

static size_t tail_bytes(const packer *p) { return p->rows * 4 * tail_columns(p); }

/* Where the order of the columns lies, and what it takes there. */
static size_t order_offset(const packer *p) { return stream_bytes(p) + tail_bytes(p); }

static size_t order_bytes(const packer *p) {
  return p->info->has_columns ? 4 * (size_t)p->layout->k_padded : 0;
}

static uint32_t load32(const uint8_t *codes) {
  uint32_t word;
  memcpy(&word, codes, sizeof word);
  return word;
}

static uint64_t load64(const uint8_t *codes) {
  uint64_t word;
  memcpy(&word, codes, sizeof word);
  return word;
}

/* The codes of one row of a chunk. Outside the matrix they are 0, of trits the code of weight 0. */
static const uint8_t *chunk_codes(packer *p, size_t row, size_t k) {
  const size_t left = row < p->info->n && k < p->info->k ? p->info->k - k : 0;
  const uint8_t *codes = p->weights->codes;
  if (left != 0)
    codes += row * p->stride + k;
  if (left >= chunk_k(p->layout))
    return codes;
  memset(p->padded, (int)lutc_layout_kinds[p->layout->kind].trits, sizeof p->padded);
  if (left != 0)
    memcpy(p->padded, codes, left);
  return p->padded;
}

/* The `width` bits from `bit` of the codes of `quad`, in the low bits of four bytes. */
static uint32_t dot_field(const uint8_t *codes, unsigned quad, unsigned bit, unsigned width) {
  return load32(codes + 4 * quad) >> bit & 0x01010101u * ((1u << width) - 1);
}

/* Four bytes of one row in vector `vector` of a chunk, as kernel.h defines DOT. */
static uint32_t dot_word(const uint8_t *codes, unsigned vector, unsigned bits) {
  const unsigned whole = 8 / bits, rest = 8 % bits;
  uint32_t word = 0;
  for (unsigned f = 0; f < whole; ++f)
    word |= dot_field(codes, vector * whole + f, 0, bits) << f * bits;
  for (unsigned i = vector * rest; i < (vector + 1) * rest; ++i) {
    const unsigned low = i - rest * rest; /* wraps where i is of the high bits */
    const unsigned quad = i < rest * rest ? i / rest : low / (bits - rest);
    const unsigned bit = i < rest * rest ? bits - rest + i % rest : low % (bits - rest);
    word |= dot_field(codes, 8 - rest + quad, bit, 1) << (8 - rest + i % rest);
  }
  return word;
}

static inline void pack_dot_bits(packer *p, size_t first_row, size_t k, unsigned bits) {
  const size_t rows = p->layout->tile_rows;
  for (size_t row = 0; row < rows; ++row) {
    const uint8_t *codes = chunk_codes(p, first_row + row, k);
    for (unsigned vector = 0; vector < bits; ++vector) {
      const uint32_t word = dot_word(codes, vector, bits);
      memcpy(p->out + 4 * (vector * rows + row), &word, sizeof word);
    }
  }
  p->out += 4 * rows * bits;
}

/* The compiler unrolls what it knows the bits of. */
static void pack_dot(packer *p, size_t first_row, size_t k) {
  const unsigned bits = p->layout->bits;
  if (bits == 4)
    pack_dot_bits(p, first_row, k, 4);
  else if (bits == 3)
    pack_dot_bits(p, first_row, k, 3);
  else if (bits == 2)
    pack_dot_bits(p, first_row, k, 2);
  else
    pack_dot_bits(p, first_row, k, bits);
}

/* Bit `plane` of four codes as a number: byte i of the word, at bit 8i, is multiplied to bit 28 + i. */
static uint32_t four_bits(const uint8_t *codes, unsigned plane) {
  return (load32(codes) >> plane & 0x01010101u) * 0x10204080u >> 28;
}

static void pack_quad(packer *p, size_t first_row, size_t k) {
  for (unsigned plane = 0; plane < p->layout->bits; ++plane)
    for (size_t row = first_row; row < first_row + p->layout->tile_rows; ++row) {
      const uint8_t *codes = chunk_codes(p, row, k);
      for (int j = 0; j < 4; ++j)
        *p->out++ = (uint8_t)(four_bits(codes + 4 * j, plane) | four_bits(codes + 16 + 4 * j, plane) << 4);
    }
}

/* Bit `plane` of eight codes: byte i, at bit 8i, is multiplied to bit 56 + i. */
static uint8_t column_byte(const uint8_t *codes, unsigned plane) {
  return (uint8_t)((load64(codes) >> plane & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >>
                   56);
}

static uint8_t base3_byte(const uint8_t *codes) {
  const int v =
      (codes[0] - 1) + 3 * (codes[1] - 1) + 9 * (codes[2] - 1) + 27 * (codes[3] - 1) + 81 * (codes[4] - 1);
  return (uint8_t)(v < 0 ? 0x80 | -v : v);
}

/* COLUMN and BASE3: one byte a row, four quarters of the rows of a vector interleaved. */
static void pack_columns(packer *p, size_t first_row, size_t k) {
  const size_t bytes = p->layout->vector_bytes;
  const int base3 = p->layout->kind == LUTC_LAYOUT_BASE3;
  for (unsigned plane = 0; plane < p->layout->bits; ++plane)
    for (size_t vector_row = first_row; vector_row < first_row + p->layout->tile_rows; vector_row += bytes)
      for (size_t b = 0; b < bytes; ++b) {
        const size_t row = vector_row + bytes / 4 * (b % 4) + b / 4;
        const uint8_t *codes = chunk_codes(p, row, k);
        const uint8_t byte = base3 ? base3_byte(codes) : column_byte(codes, plane);
        if (base3)
          p->negatives[row] += byte >> 7;
        *p->out++ = byte;
      }
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
static void pack_nibbles(packer *p, size_t row, size_t k) {
  const size_t rows = 2 * p->layout->vector_bytes;
  for (unsigned plane = 0; plane < p->layout->bits; ++plane)
    for (unsigned unit = 0; unit < 8; ++unit)
      for (size_t r = row; r < row + rows; r += 2) {
        const unsigned low = half_index(chunk_codes(p, r, k) + 4 * unit, plane);
        *p->out++ = (uint8_t)(low | half_index(chunk_codes(p, r + 1, k) + 4 * unit, plane) << 4);
      }
}

static void pack_trits(packer *p, size_t row, size_t k) {
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

static void pack_fragments(packer *p, size_t first_row, size_t k) {
  for (size_t row = first_row; row < first_row + p->layout->tile_rows; row += 2 * p->layout->vector_bytes)
    if (p->layout->kind == LUTC_LAYOUT_TRITS)
      pack_trits(p, row, k);
    else
      pack_nibbles(p, row, k);
}

static void pack_chunk(packer *p, size_t first_row, size_t k) {
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
  default:
    pack_columns(p, first_row, k);
  }
}

/* Column `column` of `values`, [n][columns] of `bytes` each, for the rows of a tile. */
static void pack_column(packer *p, const void *values, size_t columns, size_t column, size_t bytes,
                        size_t first_row) {
  const uint8_t *from = values;
  for (size_t row = first_row; row < first_row + p->layout->tile_rows; ++row, p->out += bytes)
    if (row < p->info->n && column < columns)
      memcpy(p->out, from + bytes * (row * columns + column), bytes);
    else
      memset(p->out, 0, bytes);
}

/* What follows group `group` of a tile. */
static void pack_scales(packer *p, size_t first_row, size_t group) {
  pack_column(p, p->weights->scales, p->groups, group, p->info->scale_bytes, first_row);
  if (p->info->has_zero_points)
    pack_column(p, p->weights->zero_points, p->groups, group, 1, first_row);
  if (p->info->has_minimums)
    pack_column(p, p->weights->minimums, p->groups, group, 2, first_row);
}

/* What follows the chunk at `k` of a tile. */
static void pack_multiples(packer *p, size_t first_row, size_t k) {
  const size_t subgroup = p->info->subgroup, subgroups = lutc_divide_up(p->info->k, subgroup);
  for (size_t s = k / subgroup; s < (k + chunk_k(p->layout)) / subgroup; ++s) {
    pack_column(p, p->weights->scale_multiples, subgroups, s, 1, first_row);
    if (p->info->has_minimums)
      pack_column(p, p->weights->minimum_multiples, subgroups, s, 1, first_row);
  }
}

static void pack_stream(packer *p) {
  const lutc_layout *layout = p->layout;
  /* Whole chunks before the scales of one group or, of 16, two. */
  const size_t span = layout->group ? lutc_round_up(layout->group, chunk_k(layout)) : layout->k_block;
  for (size_t begin = 0; begin < layout->k_padded; begin += layout->k_block) {
    const size_t end = lutc_min(begin + layout->k_block, layout->k_padded);
    for (size_t row = 0; row < p->rows; row += layout->tile_rows)
      for (size_t first = begin; first < end; first += span) {
        for (size_t k = first; k < lutc_min(first + span, end); k += chunk_k(layout)) {
          pack_chunk(p, row, k);
          if (p->info->subgroup)
            pack_multiples(p, row, k);
        }
        for (size_t k = first; layout->group && k < lutc_min(first + span, end); k += layout->group)
          pack_scales(p, row, k / layout->group);
      }
  }
}

static float row_scale(const packer *p, size_t row) {
  const uint8_t *scales = p->weights->scales;
  const size_t index = p->info->scales_per_tensor ? 0 : row;
  float scale;
  uint16_t half;
  if (row >= p->info->n)
    return 0.0f;
  if (p->info->scale_bytes == 4) {
    memcpy(&scale, scales + 4 * index, sizeof scale);
    return scale;
  }
  memcpy(&half, scales + 2 * index, sizeof half);
  return lutc_widen(half);
}

static void pack_tail(const packer *p, uint8_t *tail) {
  for (size_t row = 0; row < p->rows; ++row) {
    const float scale = row_scale(p, row);
    memcpy(tail + 4 * row, &scale, sizeof scale);
  }
  if (p->info->has_zero_points)
    for (size_t row = 0; row < p->rows; ++row) {
      const int32_t zero = row < p->info->n ? p->weights->zero_points[row] : 0;
      memcpy(tail + 4 * (p->rows + row), &zero, sizeof zero);
    }
}

static lutc_status check_weights(const packer *p) {
  const lutc_weights *weights = p->weights;
  const int has_multiples = p->info->subgroup != 0, has_minimums = p->info->has_minimums;
  if (weights->codes == NULL || weights->scales == NULL ||
      (p->info->has_zero_points && weights->zero_points == NULL) ||
      (has_minimums && weights->minimums == NULL) || (has_multiples && weights->scale_multiples == NULL) ||
      (has_multiples && has_minimums && weights->minimum_multiples == NULL) ||
      (p->info->has_columns && weights->columns == NULL))
    return LUTC_NULL_POINTER;
  return lutc_rows_fit(weights->codes, p->info->n, p->info->k, p->stride, 1) ? LUTC_OK : LUTC_BAD_STRIDE;
}

/* Eight codes at a time: adding 128 - codes sets the top bit of every byte that is too large. */
static int codes_are_valid(const packer *p) {
  const uint64_t ones = UINT64_C(0x0101010101010101), excess = ones * (128 - p->info->codes);
  uint64_t bad = 0;
  if (p->info->codes == 256)
    return 1;
  for (size_t row = 0; row < p->info->n; ++row) {
    const uint8_t *codes = p->weights->codes + row * p->stride;
    size_t k = 0;
    for (; k + 8 <= p->info->k; k += 8)
      bad |= load64(codes + k) | (load64(codes + k) + excess);
    for (; k < p->info->k; ++k)
      bad |= codes[k] | (codes[k] + (128 - p->info->codes));
  }
  return (bad & ones << 7) == 0;
}

static int scales_are_valid(const packer *p) {
  const uint8_t *scales = p->weights->scales;
  return p->info->scale_bytes != 1 || memchr(scales, 255, p->info->n * p->groups) == NULL;
}

/* Whether columns are 0 .. k-1 in some order: marks what it has seen, where they will lie. */
static int columns_are_valid(const packer *p, uint8_t *payload) {
  int32_t *seen = (int32_t *)(void *)(payload + order_offset(p));
  memset(seen, 0, order_bytes(p));
  for (size_t i = 0; p->info->has_columns && i < p->info->k; ++i) {
    const int32_t column = p->weights->columns[i];
    if (column < 0 || (size_t)column >= p->info->k || seen[column]++)
      return 0;
  }
  return 1;
}

static packer make_packer(const lutc_kernel_info *info, const lutc_layout *layout,
                          const lutc_weights *weights) {
  packer p = {info, layout, weights, 0, 0, 0, NULL, NULL, {0}};
  p.stride = weights != NULL && weights->codes_stride ? weights->codes_stride : info->k;
  p.groups = layout->group ? lutc_divide_up(info->k, layout->group) : 1;
  p.rows = lutc_round_up(info->n, layout->tile_rows);
  return p;
}

static void fill_payload(packer *p, uint8_t *payload, size_t bytes) {
  const size_t stream = stream_bytes(p);
  p->out = payload;
  memset(payload + stream, 0, bytes - stream);
  if (p->layout->kind == LUTC_LAYOUT_BASE3)
    p->negatives = (int32_t *)(void *)(payload + order_offset(p)) - p->rows;
  pack_stream(p);
  if (!p->layout->group)
    pack_tail(p, payload + stream);
  if (p->info->has_columns)
    memcpy(payload + order_offset(p), p->weights->columns, 4 * p->info->k);
}

size_t lutc_payload_bytes(const lutc_kernel_info *info, const lutc_layout *layout) {
  const packer p = make_packer(info, layout, NULL);
  return order_offset(&p) + order_bytes(&p);
}

lutc_status lutc_pack_payload(const lutc_kernel_info *info, const lutc_layout *layout,
                              const lutc_weights *weights, void *payload, size_t payload_bytes) {
  packer p = make_packer(info, layout, weights);
  const lutc_status status = check_weights(&p);
  if (status != LUTC_OK)
    return status;
  if (payload_bytes < order_offset(&p) + order_bytes(&p))
    return LUTC_BUFFER_TOO_SMALL;
  if (!codes_are_valid(&p) || !scales_are_valid(&p))
    return LUTC_BAD_CODE;
  if (!columns_are_valid(&p, payload))
    return LUTC_BAD_COLUMNS;
  fill_payload(&p, payload, payload_bytes);
  return LUTC_OK;
}

int lutc_band_piece(const lutc_kernel_info *info, const lutc_layout *layout, size_t first_row, size_t rows,
                    size_t index, lutc_piece *piece) {
  lutc_kernel_info band_info = *info;
  band_info.n = rows;
  const packer all = make_packer(info, layout, NULL), band = make_packer(&band_info, layout, NULL);
  const size_t blocks = lutc_divide_up(layout->k_padded, layout->k_block), rest = blocks + tail_columns(&all);
  if (index < blocks) {
    const size_t k = index * layout->k_block, length = lutc_min(layout->k_block, layout->k_padded - k);
    piece->from = stream_offset(&band, k);
    piece->to = stream_offset(&all, k) + first_row / layout->tile_rows * tile_bytes(&all, length);
    piece->bytes = band.rows / layout->tile_rows * tile_bytes(&all, length);
  } else if (index < rest) {
    piece->from = stream_bytes(&band) + (index - blocks) * 4 * band.rows;
    piece->to = stream_bytes(&all) + (index - blocks) * 4 * all.rows + 4 * first_row;
    piece->bytes = 4 * band.rows;
  } else { /* the first band brings the columns of all */
    piece->from = order_offset(&band);
    piece->to = order_offset(&all);
    piece->bytes = index == rest && first_row == 0 ? order_bytes(&all) : 0;
  }
  return piece->bytes != 0;
}

lutc_status lutc_pack(const lutc_kernel *kernel, const lutc_weights *weights, void *packed,
                      size_t packed_bytes) {
  lutc_packed_header *header = packed;
  if (packed == NULL)
    return LUTC_NULL_POINTER;
  memset(packed, 0, lutc_min(packed_bytes, sizeof *header));
  if (kernel == NULL || weights == NULL)
    return LUTC_NULL_POINTER;
  if (!lutc_is_aligned(packed, LUTC_ALIGNMENT))
    return LUTC_MISALIGNED;
  const lutc_variant_code *code = lutc_kernel_code(kernel);
  if (code == NULL)
    return LUTC_UNSUPPORTED_CPU;
  const size_t payload_bytes = code->info.packed_bytes - sizeof *header;
  const lutc_status status = lutc_pack_payload(&kernel->info, &code->layout, weights, header + 1,
                                               packed_bytes < code->info.packed_bytes ? 0 : payload_bytes);
  if (status == LUTC_OK)
    lutc_make_header(&kernel->info, code->layout_id, payload_bytes, lutc_checksum(header + 1, payload_bytes),
                     header);
  return status;
}
