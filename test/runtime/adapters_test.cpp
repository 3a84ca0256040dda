// The ready adapters of lutc.h: compiled with LUTC_USE_OPENMP or LUTC_USE_PTHREADPOOL, or both.
#include "lutc.h"
#include <atomic>
#include <gtest/gtest.h>
#include <vector>

namespace {

// Every task runs once.
[[maybe_unused]] void expectRunsAll(const lutc_parallel &parallel, size_t tasks) {
  std::vector<std::atomic<int>> calls(tasks);
  parallel.run(
      parallel.context, tasks,
      [](void *argument, size_t i) { ++(*static_cast<std::vector<std::atomic<int>> *>(argument))[i]; },
      &calls);
  for (size_t i = 0; i < tasks; ++i)
    EXPECT_EQ(calls[i], 1) << "task " << i;
}

#ifdef LUTC_USE_OPENMP
TEST(Adapters, OpenMP) {
  const lutc_parallel parallel = lutc_openmp();
  EXPECT_EQ(parallel.threads, size_t(omp_get_max_threads()));
  for (size_t tasks : {0, 1, 5, 1000})
    expectRunsAll(parallel, tasks);
}
#endif

#ifdef LUTC_USE_PTHREADPOOL
TEST(Adapters, Pthreadpool) {
  for (size_t threads : {1, 3}) {
    const pthreadpool_t pool = pthreadpool_create(threads);
    const lutc_parallel parallel = lutc_pthreadpool(pool);
    EXPECT_EQ(parallel.threads, threads);
    for (size_t tasks : {0, 1, 5, 1000})
      expectRunsAll(parallel, tasks);
    pthreadpool_destroy(pool);
  }
}
#endif

} // namespace
