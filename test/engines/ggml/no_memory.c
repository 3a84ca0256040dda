/* Preloaded: every FAIL_EVERY-th aligned allocation fails. ggml has others. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

extern int posix_memalign(void **memory, size_t alignment, size_t bytes);

void *aligned_alloc(size_t alignment, size_t bytes) {
  static atomic_uint calls;
  const char *every = getenv("FAIL_EVERY");
  void *memory = NULL;
  if (every != NULL && (atomic_fetch_add(&calls, 1) + 1) % (unsigned)atoi(every) == 0)
    return NULL;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}
