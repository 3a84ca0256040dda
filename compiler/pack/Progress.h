// How far a long task is: a bar on a terminal, nothing elsewhere.
#ifndef LUT_COMPILER_PACK_PROGRESS_H
#define LUT_COMPILER_PACK_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include <atomic>
#include <chrono>
#include <mutex>

namespace lut {

class Progress {
public:
  Progress(llvm::StringRef task, uint64_t bytes);
  ~Progress(); // wipes the bar

  // From any number of threads.
  void add(uint64_t bytes);

private:
  using Clock = std::chrono::steady_clock;
  void draw(uint64_t bytes, Clock::time_point now);

  const llvm::StringRef task;
  const uint64_t total;
  const bool shown;
  const Clock::time_point start = Clock::now();
  std::atomic<uint64_t> done = 0;
  std::mutex drawing;
  Clock::time_point drawn = start;
};

} // namespace lut

#endif
