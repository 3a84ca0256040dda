/* prepared.c: a thread's last prepared token. */
#include "prepared.h"
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct token {
  const lutc_kernel *kernel; /* null: nothing is prepared */
  const float *x;
  size_t k, prepared_bytes; /* that `memory` has room for: prepared activations, then a copy of x */
  uint8_t *memory;
} token;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int has_key;

static void free_token(void *argument) {
  token *t = argument;
  free(t->memory);
  free(t);
}

static void make_key(void) { has_key = pthread_key_create(&key, free_token) == 0; }

/* Of this thread; null: no memory. */
static token *thread_token(void) {
  pthread_once(&once, make_key);
  if (!has_key)
    return NULL;
  token *t = pthread_getspecific(key);
  if (t != NULL)
    return t;
  t = calloc(1, sizeof *t);
  if (t != NULL && pthread_setspecific(key, t) != 0) {
    free(t);
    return NULL;
  }
  return t;
}

static float *copy_of(const token *t) { return (float *)(void *)(t->memory + t->prepared_bytes); }

static int make_room(token *t, size_t k, size_t prepared_bytes) {
  t->kernel = NULL;
  if (t->memory != NULL && t->k >= k && t->prepared_bytes >= prepared_bytes)
    return 1;
  free(t->memory);
  t->k = k;
  t->prepared_bytes = prepared_bytes;
  t->memory =
      aligned_alloc(LUTC_ALIGNMENT, lutc_round_up(prepared_bytes + k * sizeof(float), LUTC_ALIGNMENT));
  return t->memory != NULL;
}

const void *lutc_prepare_token(const lutc_kernel *kernel, const float *x, void *own, size_t own_bytes) {
  const size_t k = lutc_kernel_describe(kernel)->k;
  token *t = thread_token();
  if (t != NULL && t->kernel != NULL && t->x == x && lutc_shares_prepared(t->kernel, kernel) &&
      memcmp(copy_of(t), x, k * sizeof(float)) == 0)
    return t->memory;
  const int is_kept = t != NULL && make_room(t, k, own_bytes);
  void *prepared = is_kept ? t->memory : own;
  if (lutc_prepare(kernel, 1, x, k, NULL, prepared, own_bytes, NULL) != LUTC_OK)
    return NULL;
  if (is_kept) {
    memcpy(copy_of(t), x, k * sizeof(float));
    t->kernel = kernel;
    t->x = x;
  }
  return prepared;
}
