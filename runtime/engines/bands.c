/* bands.c: rows to packed weights, on all cores. */
#define _GNU_SOURCE
#include "bands.h"
#include "internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
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
  size_t band_rows, bands, all_bands;
  atomic_size_t next;
  _Atomic lutc_status status;
} job;

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
  b->codes = take(memory, &used, rows * j->info->k);
  const size_t factors = used;
  b->scales = take(memory, &used, scale_bytes);
  b->minimums = take(memory, &used, j->info->has_minimums ? scale_bytes : 0);
  b->zero_points = take(memory, &used, j->info->has_zero_points ? groups : 0);
  b->scale_multiples = (int8_t *)take(memory, &used, multiples);
  b->minimum_multiples = (int8_t *)take(memory, &used, multiples);
  d->factor_bytes = used - factors;
  d->payload = take(memory, &used, lutc_payload_bytes(&info, &j->code->layout));
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
      b->codes, 0, b->scales, b->zero_points, b->minimums, b->scale_multiples, b->minimum_multiples, NULL};
  const lutc_status status = lutc_pack_payload(&info, &j->code->layout, &weights, d->payload,
                                               lutc_payload_bytes(&info, &j->code->layout));
  uint8_t *packed = j->packed + b->matrix * j->matrix_bytes + sizeof(lutc_packed_header);
  lutc_piece piece;
  for (size_t i = 0;
       status == LUTC_OK && lutc_band_piece(j->info, &j->code->layout, b->first, b->rows, i, &piece); ++i)
    memcpy(packed + piece.to, d->payload + piece.from, piece.bytes);
  return status;
}

/* Takes bands until there are no more. Without memory the other threads do it, or nobody. */
static void *work(void *argument) {
  job *j = argument;
  desk d;
  uint8_t *memory = aligned_alloc(LUTC_ALIGNMENT, set_up(j, NULL, &d));
  if (memory == NULL)
    return NULL;
  set_up(j, memory, &d);
  for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->all_bands;) {
    const lutc_status status = pack_band(j, i, &d);
    if (status != LUTC_OK)
      atomic_store(&j->status, status);
  }
  free(memory);
  return j;
}

size_t lutc_cores(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? lutc_min((size_t)CPU_COUNT(&set), MOST_THREADS) : 1;
}

/* Whether any thread had the memory that it takes. */
static bool run_job(job *j) {
  pthread_t threads[MOST_THREADS];
  size_t count = 0;
  const size_t most = lutc_min(lutc_cores(), lutc_divide_up(j->all_bands, 4)) - 1; /* the caller is one */
  while (count < most && pthread_create(&threads[count], NULL, work, j) == 0)
    ++count;
  bool done = work(j) != NULL;
  while (count > 0) {
    void *result;
    pthread_join(threads[--count], &result);
    done |= result != NULL;
  }
  return done;
}

lutc_status lutc_pack_bands(const lutc_kernel *kernel, size_t matrices, lutc_read_band *read,
                            const void *context, uint8_t *packed, size_t matrix_bytes) {
  const lutc_kernel_info *info = lutc_kernel_describe(kernel);
  const lutc_variant_code *code = lutc_kernel_code(kernel);
  const size_t tile = code->layout.tile_rows;
  job j = {info, code, read, context, packed, matrix_bytes, 0, 0, 0, 0, LUTC_OK};
  j.band_rows = lutc_round_up(lutc_max(BAND_CODES / info->k, 1), tile);
  j.bands = lutc_divide_up(info->n, j.band_rows);
  j.all_bands = j.bands * matrices;
  if (!run_job(&j))
    return LUTC_BUFFER_TOO_SMALL;
  const size_t payload_bytes = code->info.packed_bytes - sizeof(lutc_packed_header);
  for (size_t i = 0; i < matrices && j.status == LUTC_OK; ++i)
    lutc_make_header(info, code->layout_id, payload_bytes, 0,
                     (lutc_packed_header *)(void *)(packed + i * matrix_bytes));
  return j.status;
}
