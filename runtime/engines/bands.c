/* bands.c: rows to packed weights, on all cores. */
#define _GNU_SOURCE
#include "bands.h"
#include "internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BAND_CODES = 1 << 18, MOST_THREADS = 64 };

/* All bands of all matrices. */
typedef struct job {
  const lutc_kernel_info *info;
  const lutc_variant_code *code;
  lutc_read_band *read;
  const void *context;
  uint8_t *packed;
  size_t matrix_bytes;
  size_t stride; /* of rows of codes */
  size_t band_rows, bands, all_bands;
  uint8_t *memory; /* desk_bytes for each thread */
  size_t desk_bytes;
  atomic_size_t threads, next;
  _Atomic lutc_status status;
} job;

static lutc_kernel_info info_of(const job *j, size_t rows) {
  lutc_kernel_info info = *j->info;
  info.n = rows;
  return info;
}

/* A thread's memory: a band, all but its codes in one piece, and its payload. */
typedef struct desk {
  lutc_band band;
  size_t factor_bytes; /* from the scales on */
  uint8_t *payload;
} desk;

/* Places them in `memory`, which may be null; how many bytes they take. */
static size_t set_up(const job *j, uint8_t *memory, desk *d) {
  const size_t rows = j->band_rows, groups = rows * lutc_divide_up(j->info->k, j->info->group);
  const size_t multiples = j->info->subgroup ? rows * lutc_divide_up(j->info->k, j->info->subgroup) : 0;
  const size_t scale_bytes = groups * lutc_type_bytes(j->info->scale_type);
  const lutc_kernel_info info = info_of(j, rows);
  lutc_band *b = &d->band;
  size_t used = 0;
  b->stride = j->stride;
  b->codes = lutc_take(memory, &used, rows * j->stride);
  const size_t factors = used;
  b->scales = lutc_take(memory, &used, scale_bytes);
  b->minimums = lutc_take(memory, &used, j->info->has_minimums ? scale_bytes : 0);
  b->zero_points = lutc_take(memory, &used, j->info->has_zero_points ? groups : 0);
  b->scale_multiples = lutc_take(memory, &used, multiples);
  b->minimum_multiples = lutc_take(memory, &used, multiples);
  d->factor_bytes = used - factors;
  d->payload = lutc_take(memory, &used, lutc_payload_bytes(&info, &j->code->layout));
  return used;
}

static lutc_status pack_band(const job *j, size_t index, desk *d) {
  lutc_band *b = &d->band;
  b->matrix = index / j->bands;
  b->first = index % j->bands * j->band_rows;
  b->rows = lutc_min(j->band_rows, j->info->n - b->first);
  memset(b->scales, 0, d->factor_bytes);
  j->read(j->context, b);

  const lutc_kernel_info info = info_of(j, b->rows);
  const lutc_weights weights = {
      b->codes, b->stride, b->scales, b->zero_points, b->minimums, b->scale_multiples, b->minimum_multiples,
      NULL};
  const lutc_status status = lutc_pack_payload(&info, &j->code->layout, &weights, d->payload,
                                               lutc_payload_bytes(&info, &j->code->layout));
  uint8_t *packed = j->packed + b->matrix * j->matrix_bytes + sizeof(lutc_packed_header);
  lutc_piece piece;
  for (size_t i = 0;
       status == LUTC_OK && lutc_band_piece(j->info, &j->code->layout, b->first, b->rows, i, &piece); ++i)
    memcpy(packed + piece.to, d->payload + piece.from, piece.bytes);
  return status;
}

/* Takes bands until there are no more. */
static void *work(void *argument) {
  job *j = argument;
  desk d;
  set_up(j, j->memory + atomic_fetch_add(&j->threads, 1) * j->desk_bytes, &d);
  for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->all_bands;) {
    const lutc_status status = pack_band(j, i, &d);
    if (status != LUTC_OK)
      atomic_store(&j->status, status);
  }
  return NULL;
}

size_t lutc_cores(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? lutc_min((size_t)CPU_COUNT(&set), MOST_THREADS) : 1;
}

/* The memory is one piece of the caller's, which malloc keeps from one tensor to the next. */
static lutc_status run_job(job *j) {
  pthread_t threads[MOST_THREADS];
  size_t count = 0;
  const size_t most = lutc_min(lutc_cores(), lutc_divide_up(j->all_bands, 4));
  desk d;
  j->desk_bytes = set_up(j, NULL, &d);
  j->memory = aligned_alloc(LUTC_ALIGNMENT, most * j->desk_bytes);
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

lutc_status lutc_pack_bands(const lutc_kernel *kernel, size_t matrices, lutc_read_band *read,
                            const void *context, uint8_t *packed, size_t matrix_bytes) {
  const lutc_kernel_info *info = lutc_kernel_describe(kernel);
  const lutc_variant_code *code = lutc_kernel_code(kernel);
  const size_t tile = code->layout.tile_rows;
  job j = {.info = info,
           .code = code,
           .read = read,
           .context = context,
           .packed = packed,
           .matrix_bytes = matrix_bytes};
  j.stride = lutc_round_up(info->k, LUTC_ALIGNMENT) + LUTC_ALIGNMENT; /* rows of a tile in different sets */
  j.band_rows = lutc_round_up(lutc_max(BAND_CODES / info->k, 1), tile);
  j.bands = lutc_divide_up(info->n, j.band_rows);
  j.all_bands = j.bands * matrices;
  const lutc_status status = run_job(&j);
  const size_t payload_bytes = code->info.packed_bytes - sizeof(lutc_packed_header);
  for (size_t i = 0; i < matrices && status == LUTC_OK; ++i) /* without a checksum: they stay in memory */
    lutc_make_header(info, code->layout_id, payload_bytes, 0,
                     (lutc_packed_header *)(void *)(packed + i * matrix_bytes));
  return status;
}
