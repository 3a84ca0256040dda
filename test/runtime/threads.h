// lutc_parallel by threads of little stack, and one that runs the tasks backwards.
#ifndef LUT_TEST_RUNTIME_THREADS_H
#define LUT_TEST_RUNTIME_THREADS_H

#include "lutc.h"
#include <atomic>
#include <cstdlib>
#include <pthread.h>
#include <vector>

namespace lut {

// What lutc.h promises to leave, and something for these functions.
constexpr size_t stackOfThread = (160 + 16) << 10;

struct SharedTasks {
  size_t count;
  void (*task)(void *, size_t);
  void *argument;
  std::atomic<size_t> next{0};

  static void *work(void *self) {
    auto *tasks = static_cast<SharedTasks *>(self);
    for (size_t i = tasks->next++; i < tasks->count; i = tasks->next++)
      tasks->task(tasks->argument, i);
    return nullptr;
  }
};

inline void runOnThreads(void *context, size_t tasks, void (*task)(void *, size_t), void *argument) {
  SharedTasks shared{tasks, task, argument};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  std::vector<pthread_t> threads(*static_cast<size_t *>(context) - 1);
  for (pthread_t &thread : threads)
    if (pthread_attr_setstacksize(&attributes, stackOfThread) ||
        pthread_create(&thread, &attributes, SharedTasks::work, &shared))
      std::abort();
  SharedTasks::work(&shared);
  for (pthread_t &thread : threads)
    pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
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
