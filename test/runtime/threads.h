// lutc_parallel by std::thread, and one that runs the tasks backwards.
#ifndef LUT_TEST_RUNTIME_THREADS_H
#define LUT_TEST_RUNTIME_THREADS_H

#include "lutc.h"
#include <atomic>
#include <thread>
#include <vector>

namespace lut {

inline void runOnThreads(void *context, size_t tasks, void (*task)(void *, size_t), void *argument) {
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < tasks; i = next++)
      task(argument, i);
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < *static_cast<size_t *>(context); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
}

// `threads` must outlive the result.
inline lutc_parallel threadParallel(size_t &threads) { return {runOnThreads, &threads, threads}; }

inline void runBackwards(void *, size_t tasks, void (*task)(void *, size_t), void *argument) {
  while (tasks-- > 0)
    task(argument, tasks);
}

inline lutc_parallel backwardParallel(size_t threads) { return {runBackwards, nullptr, threads}; }

} // namespace lut

#endif
