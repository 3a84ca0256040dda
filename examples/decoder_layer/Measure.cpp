#include "Measure.h"
#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <unistd.h>

using namespace lut::example;

double Times::min() const { return *std::min_element(all.begin(), all.end()); }

double Times::median() const {
  std::vector<double> sorted = all;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  return sorted[sorted.size() / 2];
}

// Bytes of the largest cache of the first CPU; 64 MiB where Linux does not say.
static size_t lastLevelCache() {
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

static size_t availableMemory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key;) {
    size_t kilobytes;
    if (key == "MemAvailable:" && file >> kilobytes)
      return kilobytes << 10;
  }
  return static_cast<size_t>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Three times the cache, but no more than 1.5 GiB and half of the free memory.
static size_t copyCount(size_t copyBytes, size_t cacheBytes) {
  const size_t bytes = std::min({3 * cacheBytes, size_t(3) << 29, availableMemory() / 2});
  return std::max<size_t>(1, bytes / copyBytes);
}

Copies::Copies(const Layer &layer)
    : copyBytes(layer.packedBytes()), cacheBytes(lastLevelCache()), count(copyCount(copyBytes, cacheBytes)),
      pages(bytes()) {
  status = layer.pack(pages.data());
  for (size_t i = 1; i < count; ++i)
    std::memcpy(pages.data() + i * copyBytes, pages.data(), copyBytes);
}

const char *Copies::temperature() const {
  return bytes() >= 2 * cacheBytes ? "cold" : bytes() > cacheBytes ? "partly cached" : "cached";
}

// Loads one word of every cache line, which moves as much as loading all of it. The volatile loads keep their
// order: memory is read fastest in ascending addresses. `streams` parts of the data are read side by side.
template <size_t streams> static void readLines(const char *data, size_t bytes) {
  const size_t line = 64, part = bytes / streams / line * line;
  for (size_t i = 0; i < part; i += line)
    for (size_t stream = 0; stream < streams; ++stream)
      (void)*reinterpret_cast<const volatile uint64_t *>(data + stream * part + i);
}

// As above with a prefetch 2 KiB ahead.
static void readAhead(const char *data, size_t bytes) {
  for (size_t i = 0; i + 64 <= bytes; i += 64) {
    __builtin_prefetch(data + i + 2048);
    (void)*reinterpret_cast<const volatile uint64_t *>(data + i);
  }
}

namespace {
struct Reader {
  const char *name;
  void (*read)(const char *data, size_t bytes);
};

constexpr Reader readers[] = {{"one stream", readLines<1>},
                              {"two streams", readLines<2>},
                              {"four streams", readLines<4>},
                              {"prefetch", readAhead}};
constexpr size_t readerCount = std::size(readers);

// A part of the data for each thread.
struct Reading {
  const Reader &reader;
  const char *data;
  size_t partBytes;
};

class Clock {
public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

private:
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};
} // namespace

static double timeReading(const Reader &reader, const char *data, size_t bytes,
                          const lutc_parallel *parallel) {
  Reading reading{reader, data, bytes / parallel->threads / 64 * 64};
  const auto readPart = [](void *argument, size_t index) {
    const Reading &r = *static_cast<Reading *>(argument);
    r.reader.read(r.data + index * r.partBytes, r.partBytes);
  };
  const Clock clock;
  parallel->run(parallel->context, parallel->threads, readPart, &reading);
  return clock.seconds();
}

// Adds the times of one pass: of each product, and of the layer.
static lutc_status timePass(Layer &layer, size_t m, const char *packed, const lutc_parallel *parallel,
                            Measurement &result) {
  double total = 0;
  for (size_t i = 0; i < layer.linears.size(); ++i) {
    const Clock clock;
    const lutc_status status = layer.run(layer.linears[i], m, packed, parallel);
    if (status != LUTC_OK)
      return status;
    const double seconds = clock.seconds();
    result.linears[i].add(seconds);
    total += seconds;
    packed += layer.linears[i].packedBytes();
  }
  result.layer.add(total);
  return LUTC_OK;
}

lutc_status lut::example::measure(Layer &layer, const Copies &copies, size_t m, double seconds,
                                  const lutc_parallel *parallel, Measurement &result) {
  result.linears.resize(layer.linears.size());
  Measurement warmUp = result;
  lutc_status status = timePass(layer, m, copies.at(copies.count - 1), parallel, warmUp);
  Times reads[readerCount];
  const Clock clock;
  for (size_t pass = 0; status == LUTC_OK && (pass < readerCount || clock.seconds() < seconds); ++pass) {
    status = timePass(layer, m, copies.at(pass), parallel, result);
    // Half the copies ahead: as long untouched as the weights of the next pass.
    const char *data = copies.at(pass + copies.count / 2);
    const size_t loop = pass % readerCount;
    reads[loop].add(timeReading(readers[loop], data, copies.copyBytes, parallel));
  }
  size_t best = 0;
  for (size_t loop = 1; status == LUTC_OK && loop < readerCount; ++loop)
    if (reads[loop].median() < reads[best].median())
      best = loop;
  result.read = reads[best];
  result.reader = readers[best].name;
  return status;
}
