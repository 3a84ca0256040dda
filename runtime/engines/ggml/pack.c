/* pack.c: blocks of GGUF into packed weights, a band of rows at a time, on all cores: a loader calls
   set_tensor from one thread. */
#define _GNU_SOURCE
#include "internal.h"
#include "plugin.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BAND_CODES = 1 << 18, MOST_THREADS = 64 };

/* All bands of all matrices of a tensor. */
typedef struct job {
  const lutc_kernel_info *info;
  const lutc_variant_code *code;
  const lutc_block_type *type;
  const uint8_t *blocks;
  uint8_t *packed;
  size_t matrix_bytes, row_blocks; /* blocks of a row */
  size_t stride;                   /* of rows of codes */
  size_t band_rows, bands, all_bands;
  uint8_t *memory; /* band_bytes for each worker */
  size_t band_bytes;
  atomic_size_t workers, next;
  _Atomic lutc_status status;
} job;

/* Rows unpacked to lutc_weights, and their payload, in one piece of memory. */
typedef struct band {
  uint8_t *codes, *scales, *zero_points, *payload;
  uint16_t *minimums;
  int8_t *scale_multiples, *minimum_multiples;
} band;

static uint8_t *take(uint8_t *memory, size_t *used, size_t bytes) {
  uint8_t *taken = memory != NULL ? memory + *used : NULL;
  *used += lutc_round_up(bytes, LUTC_ALIGNMENT);
  return taken;
}

static lutc_kernel_info info_of(const job *j, size_t rows) {
  lutc_kernel_info info = *j->info;
  info.n = rows;
  return info;
}

/* Places the parts of a band in `memory`, which may be null; how many bytes they take. */
static size_t place_band(const job *j, uint8_t *memory, band *b) {
  const size_t rows = j->band_rows, k = j->info->k, groups = rows * j->row_blocks * j->type->scales;
  const size_t multiples = j->type->subgroup ? rows * k / j->type->subgroup : 0;
  const lutc_kernel_info info = info_of(j, rows);
  size_t used = 0;
  b->codes = take(memory, &used, rows * j->stride);
  b->scales = take(memory, &used, groups * sizeof(float));
  b->minimums = (uint16_t *)(void *)take(memory, &used, groups * sizeof(uint16_t));
  b->zero_points = take(memory, &used, groups);
  b->scale_multiples = (int8_t *)take(memory, &used, multiples);
  b->minimum_multiples = (int8_t *)take(memory, &used, multiples);
  b->payload = take(memory, &used, lutc_payload_bytes(&info, &j->code->layout));
  return used;
}

/* Trits whose scale lies outside the blocks: a block of zeros may have scale 0. */
static void read_shared_scale(const job *j, const uint8_t *block, size_t row, uint8_t *codes, band *b) {
  uint16_t half;
  memcpy(&half, block + j->type->scale_at, sizeof half);
  const float scale = lutc_widen(half);
  if ((half & 0x7fff) == 0)
    memset(codes, 1, j->type->elements);
  else
    memcpy(b->scales + sizeof scale * (j->info->scales_per_tensor ? 0 : row), &scale, sizeof scale);
}

static void read_row(const job *j, const uint8_t *blocks, size_t row, band *b) {
  const lutc_block_type *type = j->type;
  const size_t count = j->row_blocks, first = row * count,
               subgroups = j->info->subgroup ? count * type->elements / type->subgroup : 0;
  uint8_t *codes = b->codes + row * j->stride;
  type->codes(blocks, count, codes);
  if (j->code->layout.group == 0) {
    for (size_t i = 0; i < count; ++i)
      read_shared_scale(j, blocks + i * type->bytes, row, codes + i * type->elements, b);
    return;
  }
  if (type->is_ternary)
    for (size_t i = 0, k = j->info->k; i < k; ++i)
      ++codes[i]; /* w2: code 1 of -1 */
  lutc_unpack_scales(type, blocks, count, b->scales + first * type->scales * type->scale_bytes);
  memset(b->zero_points + first, (int)type->zero_point, count);
  if (type->minimum_at >= 0)
    lutc_unpack_minimums(type, blocks, count, b->minimums + first);
  if (type->multiples != NULL)
    type->multiples(blocks, count, b->scale_multiples + row * subgroups,
                    b->minimum_multiples + row * subgroups);
}

static lutc_status pack_band(const job *j, size_t index, band *b) {
  const size_t matrix = index / j->bands, first = index % j->bands * j->band_rows;
  const size_t rows = lutc_min(j->band_rows, j->info->n - first), row_bytes = j->row_blocks * j->type->bytes;
  const uint8_t *blocks = j->blocks + (matrix * j->info->n + first) * row_bytes;
  memset(b->scales, 0, sizeof(float) * (j->info->scales_per_tensor ? 1 : rows));
  for (size_t row = 0; row < rows; ++row)
    read_row(j, blocks + row * row_bytes, row, b);

  const lutc_kernel_info info = info_of(j, rows);
  const lutc_layout *layout = &j->code->layout;
  const size_t payload_bytes = lutc_payload_bytes(&info, layout);
  const lutc_weights weights = {
      b->codes, j->stride, b->scales, b->zero_points, b->minimums, b->scale_multiples, b->minimum_multiples,
      NULL};
  uint8_t *packed = j->packed + matrix * j->matrix_bytes + sizeof(lutc_packed_header);
  lutc_piece piece;
  const lutc_status status = lutc_pack_payload(&info, layout, &weights, b->payload, payload_bytes);
  for (size_t i = 0; status == LUTC_OK && lutc_band_piece(j->info, layout, first, rows, i, &piece); ++i)
    memcpy(packed + piece.to, b->payload + piece.from, piece.bytes);
  return status;
}

/* Takes bands until there are no more. */
static void *work(void *argument) {
  job *j = argument;
  band b;
  place_band(j, j->memory + atomic_fetch_add(&j->workers, 1) * j->band_bytes, &b);
  for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->all_bands;) {
    const lutc_status status = pack_band(j, i, &b);
    if (status != LUTC_OK)
      atomic_store(&j->status, status);
  }
  return NULL;
}

static size_t cores(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? lutc_min((size_t)CPU_COUNT(&set), MOST_THREADS) : 1;
}

/* The memory is one piece of the caller's, which malloc keeps from one tensor to the next. */
static lutc_status run_job(job *j) {
  pthread_t threads[MOST_THREADS];
  size_t count = 0;
  const size_t most = lutc_min(cores(), lutc_divide_up(j->all_bands, 4));
  band b;
  j->band_bytes = place_band(j, NULL, &b);
  j->memory = aligned_alloc(LUTC_ALIGNMENT, most * j->band_bytes);
  if (j->memory == NULL)
    return LUTC_BUFFER_TOO_SMALL;
  while (count + 1 < most && pthread_create(&threads[count], NULL, work, j) == 0)
    ++count;
  work(j);
  while (count > 0)
    pthread_join(threads[--count], NULL);
  free(j->memory);
  return j->status;
}

lutc_status lutc_pack_blocks(const lutc_product *product, const lutc_block_type *type, size_t matrices,
                             const uint8_t *blocks, uint8_t *packed) {
  const lutc_kernel_info *info = lutc_kernel_describe(product->kernel);
  const lutc_variant_code *code = lutc_kernel_code(product->kernel);
  const size_t tile = code->layout.tile_rows;
  job j = {.info = info,
           .code = code,
           .type = type,
           .blocks = blocks,
           .packed = packed,
           .matrix_bytes = product->matrix_bytes,
           .row_blocks = info->k / type->elements};
  j.stride = lutc_round_up(info->k, LUTC_ALIGNMENT) + LUTC_ALIGNMENT; /* rows of a tile in different sets */
  j.band_rows = lutc_round_up(lutc_max(BAND_CODES / info->k, 1), tile);
  j.bands = lutc_divide_up(info->n, j.band_rows);
  j.all_bands = j.bands * matrices;
  const lutc_status status = run_job(&j);
  const size_t payload_bytes = code->info.packed_bytes - sizeof(lutc_packed_header);
  for (size_t i = 0; i < matrices && status == LUTC_OK; ++i) /* without a checksum: they stay in memory */
    lutc_make_header(info, code->layout_id, payload_bytes, 0,
                     (lutc_packed_header *)(void *)(packed + i * product->matrix_bytes));
  return status;
}
