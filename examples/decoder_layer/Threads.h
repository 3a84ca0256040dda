// A lutc_parallel on std::thread: an own thread pool is all that a library needs from its user.
#ifndef LUT_EXAMPLES_THREADS_H
#define LUT_EXAMPLES_THREADS_H

#include "lutc.h"
#include <atomic>
#include <thread>
#include <vector>

namespace lut::example {

class Threads {
public:
  explicit Threads(size_t count) : parallel{run, this, count} {
    for (size_t i = 1; i < count; ++i)
      workers.emplace_back([this] { serve(); });
  }
  ~Threads() {
    stop = true;
    round.fetch_add(1);
    for (std::thread &worker : workers)
      worker.join();
  }
  Threads(const Threads &) = delete;
  Threads &operator=(const Threads &) = delete;

  const lutc_parallel *get() const { return &parallel; }

private:
  static void run(void *context, size_t tasks, void (*task)(void *, size_t), void *argument) {
    Threads &threads = *static_cast<Threads *>(context);
    threads.tasks = tasks, threads.task = task, threads.argument = argument;
    threads.next = 0, threads.finished = 0;
    threads.round.fetch_add(1);
    threads.work();
    while (threads.finished != threads.workers.size())
      std::this_thread::yield();
  }

  void work() {
    for (size_t i = next++; i < tasks; i = next++)
      task(argument, i);
  }

  // Waits without sleeping: the products of a layer follow each other within microseconds.
  void serve() {
    for (size_t seen = 0; !stop; ++seen) {
      while (round == seen)
        std::this_thread::yield();
      if (!stop)
        work();
      ++finished;
    }
  }

  lutc_parallel parallel;
  size_t tasks = 0;
  void (*task)(void *, size_t) = nullptr;
  void *argument = nullptr;
  std::atomic<size_t> next{0}, round{0}, finished{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;
};

} // namespace lut::example

#endif
