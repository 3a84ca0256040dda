// This machine's caches and memory, and loops that read memory as fast as it goes.
#ifndef LUT_EXAMPLES_MEMORY_H
#define LUT_EXAMPLES_MEMORY_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <unistd.h>

namespace lut::example {

// Bytes of the largest cache of the first CPU; 64 MiB where Linux does not say.
inline size_t lastLevelCache() {
  size_t largest = 0;
  for (int i = 0; i < 8; ++i) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/size");
    size_t size = 0; // as in "32768K"
    char unit = 0;
    if (file >> size >> unit)
      largest = std::max(largest, size << (unit == 'K' ? 10 : unit == 'M' ? 20 : 0));
  }
  return largest ? largest : 64 << 20;
}

// Bytes that can be allocated without swapping.
inline size_t availableMemory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key;) {
    size_t kilobytes;
    if (key == "MemAvailable:" && file >> kilobytes)
      return kilobytes << 10;
  }
  return static_cast<size_t>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Loads one word of every cache line, which moves as much as loading all of it. The volatile loads keep their
// order: memory is read fastest in ascending addresses. `streams` parts of the data are read side by side,
// with a prefetch `ahead` bytes ahead (0: none).
template <size_t streams, size_t ahead> void readLines(const char *data, size_t bytes) {
  const size_t line = 64, part = bytes / streams / line * line;
  for (size_t i = 0; i < part; i += line)
    for (size_t stream = 0; stream < streams; ++stream) {
      if (ahead)
        __builtin_prefetch(data + stream * part + i + ahead);
      (void)*reinterpret_cast<const volatile uint64_t *>(data + stream * part + i);
    }
}

} // namespace lut::example

#endif
