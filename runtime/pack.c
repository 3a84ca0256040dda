/* pack.c: reorders weights into the stream that kernel.h describes. */
#include "packer.h"

#include <string.h>

/* Column `column` of `values`, [n][columns] of `bytes` each, for the rows of a tile. */
LUTC_INLINED void pack_column_of(lutc_packer *p, const void *values, size_t columns, size_t column,
                                 size_t bytes, size_t first_row) {
  const size_t rows = p->layout->tile_rows;
  const size_t inside =
      column < columns && first_row < p->info->n ? lutc_min(p->info->n - first_row, rows) : 0;
  const uint8_t *from = (const uint8_t *)values + bytes * (first_row * columns + column);
  uint8_t *out = p->out;
  for (size_t row = 0; row < inside; ++row)
    memcpy(out + bytes * row, from + bytes * row * columns, bytes);
  memset(out + bytes * inside, 0, bytes * (rows - inside));
  p->out += bytes * rows;
}

static void pack_column(lutc_packer *p, const void *values, size_t columns, size_t column, size_t bytes,
                        size_t first_row) {
  if (bytes == 1)
    pack_column_of(p, values, columns, column, 1, first_row);
  else if (bytes == 2)
    pack_column_of(p, values, columns, column, 2, first_row);
  else
    pack_column_of(p, values, columns, column, 4, first_row);
}

/* What follows group `group` of a tile. */
static void pack_scales(lutc_packer *p, size_t first_row, size_t group) {
  const size_t bytes = lutc_type_bytes(p->info->scale_type);
  pack_column(p, p->weights->scales, p->groups, group, bytes, first_row);
  if (p->info->has_zero_points)
    pack_column(p, p->weights->zero_points, p->groups, group, 1, first_row);
  if (p->info->has_minimums)
    pack_column(p, p->weights->minimums, p->groups, group, bytes, first_row);
}

/* Adds column `column` of the multiples of a group, of 4 or 6 bits, to `out`, where the four quarters of the
   columns share bytes: those of subgroup `subgroup` in `multiples`. */
static void add_multiples(const lutc_packer *p, size_t first_row, const int8_t *multiples, size_t subgroup,
                          size_t column, uint8_t *out) {
  const lutc_kernel_info *info = p->info;
  const size_t rows = p->layout->tile_rows, quarter = multiple_count(p) / 4, part = column / quarter;
  const size_t subgroups = lutc_divide_up(info->k, info->subgroup);
  const size_t inside = subgroup < subgroups && first_row < info->n ? lutc_min(info->n - first_row, rows) : 0;
  const int8_t *from = multiples + first_row * subgroups + subgroup;
  uint8_t *low = out + column % (2 * quarter) * rows, *high = out + (2 * quarter + column % quarter) * rows;
  for (size_t row = 0; row < inside; ++row) {
    const unsigned v = multiple_code(info, from[row * subgroups]);
    low[row] = (uint8_t)(low[row] | (v & 15) << 4 * (part / 2));
    if (info->multiple_bits == 6)
      high[row] = (uint8_t)(high[row] | v >> 4 << 2 * part);
  }
}

/* Those before the chunks of a group. */
static void pack_multiples(lutc_packer *p, size_t first_row, size_t group) {
  const lutc_kernel_info *info = p->info;
  const size_t kinds = info->has_minimums ? 2 : 1, columns = multiple_count(p);
  uint8_t *begin = p->out;
  memset(begin, 0, multiple_bytes(p));
  for (size_t column = 0; column < columns; ++column) {
    const size_t subgroup = group * (p->layout->group / info->subgroup) + column / kinds;
    const int8_t *of = column % kinds ? p->weights->minimum_multiples : p->weights->scale_multiples;
    if (info->multiple_bits == 8)
      pack_column(p, of, lutc_divide_up(info->k, info->subgroup), subgroup, 1, first_row);
    else
      add_multiples(p, first_row, of, subgroup, column, begin);
  }
  p->out = begin + multiple_bytes(p);
}

/* The k block of a tile that begins at `begin`. */
static void pack_block(lutc_packer *p, size_t row, size_t begin) {
  const lutc_layout *layout = p->layout;
  const size_t chunk = lutc_chunk_k(layout), end = begin + block_length(p, begin);
  /* Whole chunks before the scales of one group or, of 16, two. */
  const size_t span = layout->group ? lutc_round_up(layout->group, chunk) : layout->k_block;
  for (size_t first = begin; first < end; first += span) {
    if (p->info->subgroup && !multiples_are_inside(p))
      pack_multiples(p, row, first / layout->group);
    for (size_t k = first; k < lutc_min(first + span, end); k += chunk)
      lutc_pack_chunk(p, row, k);
    for (size_t k = first; layout->group && k < lutc_min(first + span, end); k += layout->group)
      pack_scales(p, row, k / layout->group);
  }
}

static void pack_stream(lutc_packer *p) {
  const lutc_layout *layout = p->layout;
  for (size_t first = 0; first < p->tiles; first += p->panel)
    for (size_t begin = 0; begin < layout->k_padded; begin += layout->k_block)
      for (size_t tile = first; tile < lutc_min(first + p->panel, p->tiles); ++tile)
        pack_block(p, tile * layout->tile_rows, begin);
}

static float row_scale(const lutc_packer *p, size_t row) {
  const lutc_type type = p->info->scale_type;
  const size_t index = p->info->scales_per_tensor ? 0 : row;
  const uint8_t *scales = p->weights->scales;
  return row < p->info->n ? lutc_widen_scale(type, scales + lutc_type_bytes(type) * index) : 0.0f;
}

static void pack_tail(const lutc_packer *p, uint8_t *tail) {
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

static lutc_status check_weights(const lutc_packer *p) {
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
static int codes_are_valid(const lutc_packer *p) {
  const uint64_t ones = UINT64_C(0x0101010101010101), excess = ones * (128 - p->info->codes);
  uint64_t bad = 0;
  if (p->info->codes == 256)
    return 1;
  for (size_t row = 0; row < p->info->n; ++row) {
    const uint8_t *codes = p->weights->codes + row * p->stride;
    const size_t eights = p->info->k / 8;
    for (size_t i = 0; i < eights; ++i)
      bad |= lutc_load64(codes + 8 * i) | (lutc_load64(codes + 8 * i) + excess);
    for (size_t k = 8 * eights; k < p->info->k; ++k)
      bad |= codes[k] | (codes[k] + (128 - p->info->codes));
  }
  return (bad & ones << 7) == 0;
}

LUTC_INLINED int all_finite_of(const lutc_scale_type *type, const uint8_t *values, size_t count,
                               size_t bytes) {
  int finite = 1;
  for (size_t i = 0; i < count; ++i) {
    uint32_t scale = 0;
    memcpy(&scale, values + bytes * i, bytes);
    finite &= lutc_is_finite_scale(type, scale);
  }
  return finite;
}

static int all_finite(const lutc_packer *p, const void *values, size_t count) {
  const lutc_scale_type *type = lutc_find_scale_type(p->info->scale_type);
  if (type->bits == 8)
    return all_finite_of(type, values, count, 1);
  if (type->bits == 16)
    return all_finite_of(type, values, count, 2);
  return all_finite_of(type, values, count, 4);
}

static int multiples_fit(const lutc_packer *p, const int8_t *multiples) {
  const size_t count = p->info->n * lutc_divide_up(p->info->k, p->info->subgroup);
  const int bits = (int)p->info->multiple_bits, bias = multiple_bias(p->info);
  int bad = 0;
  for (size_t i = 0; i < count && p->info->book == NULL; ++i)
    bad |= (multiples[i] + bias) & ~((1 << bits) - 1);
  for (size_t i = 0; i < count && p->info->book != NULL; ++i)
    bad |= (multiples[i] & ~((2 << bits) - 2)) ^ 1;
  return !bad;
}

static int scales_are_valid(const lutc_packer *p) {
  const size_t count = p->info->n * p->groups;
  if (p->info->subgroup && p->info->multiple_bits < 8 &&
      !(multiples_fit(p, p->weights->scale_multiples) &&
        (!p->info->has_minimums || multiples_fit(p, p->weights->minimum_multiples))))
    return 0;
  return all_finite(p, p->weights->scales, p->info->scales_per_tensor ? 1 : count) &&
         (!p->info->has_minimums || all_finite(p, p->weights->minimums, count));
}

/* Whether columns are 0 .. k-1 in some order: marks what it has seen, where they will lie. */
static int columns_are_valid(const lutc_packer *p, uint8_t *payload) {
  int32_t *seen = (int32_t *)(void *)(payload + order_offset(p));
  memset(seen, 0, order_bytes(p));
  for (size_t i = 0; p->info->has_columns && i < p->info->k; ++i) {
    const int32_t column = p->weights->columns[i];
    if (column < 0 || (size_t)column >= p->info->k || seen[column]++)
      return 0;
  }
  return 1;
}

static void fill_payload(lutc_packer *p, uint8_t *payload, size_t bytes) {
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
  const lutc_packer p = make_packer(info, layout, NULL);
  return order_offset(&p) + order_bytes(&p);
}

lutc_status lutc_pack_payload(const lutc_kernel_info *info, const lutc_layout *layout,
                              const lutc_weights *weights, void *payload, size_t payload_bytes) {
  lutc_packer p = make_packer(info, layout, weights);
  const lutc_status status = check_weights(&p);
  if (status != LUTC_OK)
    return status;
  if (payload_bytes < order_offset(&p) + order_bytes(&p))
    return LUTC_BUFFER_TOO_SMALL;
  if (!codes_are_valid(&p))
    return LUTC_BAD_CODE;
  if (!scales_are_valid(&p))
    return LUTC_BAD_SCALE;
  if (!columns_are_valid(&p, payload))
    return LUTC_BAD_COLUMNS;
  uint16_t numbers[LUTC_BOOK_KEYS];
  if (info->book != NULL)
    lutc_index_book(info->book, numbers);
  p.numbers = numbers;
  fill_payload(&p, payload, payload_bytes);
  return p.is_bad ? LUTC_BAD_CODE : LUTC_OK;
}

int lutc_band_piece(const lutc_kernel_info *info, const lutc_layout *layout, size_t first_row, size_t rows,
                    size_t index, lutc_piece *piece) {
  lutc_kernel_info band_info = *info;
  band_info.n = rows;
  const lutc_packer all = make_packer(info, layout, NULL), band = make_packer(&band_info, layout, NULL);
  const size_t blocks = band.tiles * lutc_divide_up(layout->k_padded, layout->k_block);
  const size_t rest = blocks + tail_columns(&all);
  if (index < blocks) {
    const size_t tile = index % band.tiles, k = index / band.tiles * layout->k_block;
    piece->from = stream_offset(&band, tile, k);
    piece->to = stream_offset(&all, first_row / layout->tile_rows + tile, k);
    piece->bytes = tile_bytes(&all, block_length(&all, k));
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
  if (lutc_is_open(kernel))
    return LUTC_BAD_SHAPE;
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
