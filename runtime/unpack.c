/* unpack.c: packed weights as floats again. Of what is read only the header has been checked, so that codes
   and columns may be anything. */
#include "packer.h"

#include <string.h>

/* A weight is scale * (value of its code - zero) + minimum. */
typedef struct lutc_line {
  float scale, zero, minimum;
} lutc_line;

/* One row on its way out of the stream. */
typedef struct lutc_unpacker {
  const lutc_packer *p; /* shapes: there are no weights to pack */
  const uint8_t *columns;
  size_t row;     /* of its tile */
  lutc_line line; /* where the whole row has one */
  float *out;
} lutc_unpacker;

/* Number `index` of scales or minimums as they stand in the stream. */
static float read_scale(const lutc_kernel_info *info, const uint8_t *scales, size_t index) {
  return lutc_widen_scale(info->scale_type, scales + index * lutc_type_bytes(info->scale_type));
}

/* From what follows a group. */
static lutc_line group_line(const lutc_unpacker *u, const uint8_t *at) {
  const lutc_kernel_info *info = u->p->info;
  const size_t rows = u->p->layout->tile_rows;
  lutc_line line = {read_scale(info, at, u->row), 0, 0};
  at += rows * lutc_type_bytes(info->scale_type);
  if (info->has_zero_points)
    line.zero = at[u->row];
  if (info->has_minimums)
    line.minimum = read_scale(info, at, u->row);
  return line;
}

/* From the tail. */
static lutc_line row_line(const lutc_packer *p, const uint8_t *payload, size_t row) {
  const uint8_t *tail = payload + stream_bytes(p);
  lutc_line line = {0, 0, 0};
  int32_t zero;
  memcpy(&line.scale, tail + 4 * row, sizeof line.scale);
  if (p->info->has_zero_points) {
    memcpy(&zero, tail + 4 * (p->rows + row), sizeof zero);
    line.zero = (float)zero;
  }
  return line;
}

/* Multiple `column` of the row in its group. */
static float read_multiple(const lutc_unpacker *u, const uint8_t *multiples, size_t column) {
  const lutc_packer *p = u->p;
  const size_t rows = p->layout->tile_rows, v = column * rows + u->row,
               quarter = multiple_count(p) / 4 * rows;
  if (p->info->multiple_bits == 8)
    return (float)(int8_t)multiples[v];
  int multiple = multiples[v % (2 * quarter)] >> 4 * (v / (2 * quarter)) & 15;
  if (p->info->multiple_bits == 6)
    multiple |= (multiples[2 * quarter + v % quarter] >> 2 * (v / quarter) & 3) << 4;
  return (float)multiple_of(p->info, multiple);
}

/* Times the multiples of subgroup `subgroup` of the group. */
static lutc_line subgroup_line(const lutc_unpacker *u, lutc_line line, const uint8_t *multiples,
                               size_t subgroup) {
  const size_t kinds = u->p->info->has_minimums ? 2 : 1;
  line.scale *= read_multiple(u, multiples, kinds * subgroup);
  if (kinds == 2)
    line.minimum *= read_multiple(u, multiples, 2 * subgroup + 1);
  return line;
}

/* Weights k .. k + count - 1, which share their line. */
static lutc_status write_weights(lutc_unpacker *u, size_t k, size_t count, const uint8_t *codes,
                                 lutc_line line) {
  const lutc_kernel_info *info = u->p->info;
  for (size_t i = 0; i < count; ++i) {
    size_t column = k + i;
    if (info->has_columns) {
      uint32_t stored;
      memcpy(&stored, u->columns + 4 * column, sizeof stored);
      column = stored;
    }
    if (codes[i] >= info->codes || column >= info->k)
      return LUTC_CORRUPT;
    const float weight = line.scale * (info->values[codes[i]] - line.zero);
    u->out[column] = info->has_minimums ? weight + line.minimum : weight;
  }
  return LUTC_OK;
}

/* The chunk at k, whose group's multiples begin at `multiples` and groups' scales at `scales`. */
static lutc_status unpack_chunk(lutc_unpacker *u, size_t k, const uint8_t *multiples, const uint8_t *chunk,
                                const uint8_t *scales) {
  const lutc_packer *p = u->p;
  const size_t length = lutc_chunk_k(p->layout), group = p->layout->group, subgroup = p->info->subgroup;
  const size_t step = subgroup ? subgroup : group && group < length ? group : length;
  uint8_t codes[32];
  int multiple = 1;
  lutc_status status = LUTC_OK;
  if (p->info->book != NULL)
    multiple = lutc_unpack_book(p, chunk, u->row, codes);
  else
    lutc_unpack_chunk(p->layout, chunk, u->row, codes);
  for (size_t i = 0; i < length && k + i < p->info->k && status == LUTC_OK; i += step) {
    lutc_line line = group ? group_line(u, scales + i / group * group_bytes(p)) : u->line;
    if (multiples_are_inside(p))
      line.scale *= (float)multiple;
    else if (subgroup)
      line = subgroup_line(u, line, multiples, (k + i) % group / subgroup);
    status = write_weights(u, k + i, lutc_min(step, p->info->k - k - i), codes + i, line);
  }
  return status;
}

/* One tile of the block of k from `begin` to `end`. */
static lutc_status unpack_block(lutc_unpacker *u, const uint8_t *tile, size_t begin, size_t end) {
  const lutc_packer *p = u->p;
  const size_t length = lutc_chunk_k(p->layout), group = p->layout->group, chunk_bytes = code_bytes(p);
  const size_t span = group ? lutc_round_up(group, length) : end - begin; /* as in pack.c */
  lutc_status status = LUTC_OK;
  for (size_t first = begin; first < end; first += span) {
    const size_t last = lutc_min(first + span, end);
    const uint8_t *multiples = tile, *scales;
    tile += multiple_bytes(p);
    scales = tile + (last - first) / length * chunk_bytes;
    for (size_t k = first; k < last && status == LUTC_OK; k += length, tile += chunk_bytes)
      status = unpack_chunk(u, k, multiples, tile, scales);
    tile = scales + (group ? lutc_divide_up(last - first, group) * group_bytes(p) : 0);
  }
  return status;
}

static lutc_status unpack_row(const lutc_packer *p, const uint8_t *payload, size_t row, float *out) {
  const lutc_layout *layout = p->layout;
  lutc_unpacker u = {p, payload + order_offset(p), row % layout->tile_rows, {0, 0, 0}, out};
  lutc_status status = LUTC_OK;
  if (!layout->group)
    u.line = row_line(p, payload, row);
  for (size_t begin = 0; begin < layout->k_padded && status == LUTC_OK; begin += layout->k_block) {
    const uint8_t *block = payload + stream_offset(p, row / layout->tile_rows, begin);
    status = unpack_block(&u, block, begin, begin + block_length(p, begin));
  }
  return status;
}

lutc_status lutc_unpack_payload(const lutc_kernel_info *info, const lutc_layout *layout, const void *payload,
                                size_t first, size_t count, float *rows, size_t stride) {
  const lutc_packer p = make_packer(info, layout, NULL);
  lutc_status status = LUTC_OK;
  for (size_t i = 0; i < count && status == LUTC_OK; ++i)
    status = unpack_row(&p, payload, first + i, rows + i * stride);
  return status;
}

lutc_status lutc_unpack_rows(const lutc_kernel *kernel, const void *packed, size_t packed_bytes, size_t first,
                             size_t count, float *rows, size_t stride) {
  if (rows == NULL)
    return LUTC_NULL_POINTER;
  const lutc_variant_code *code;
  const lutc_status status = lutc_check_packed_header(kernel, packed, packed_bytes, &code);
  if (status != LUTC_OK)
    return status;
  const lutc_kernel_info *info = &kernel->info;
  const lutc_status range = lutc_check_rows(info->n, info->k, first, count, rows, stride);
  if (range != LUTC_OK)
    return range;
  return lutc_unpack_payload(info, &code->layout, (const lutc_packed_header *)packed + 1, first, count, rows,
                             stride);
}
