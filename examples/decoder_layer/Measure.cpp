#include "Measure.h"
#include "Memory.h"
#include <algorithm>
#include <chrono>
#include <cstring>

using namespace lut::example;

double Times::min() const { return *std::min_element(all.begin(), all.end()); }

double Times::median() const {
  std::vector<double> sorted = all;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  return sorted[sorted.size() / 2];
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

namespace {
struct Reader {
  const char *name;
  void (*read)(const char *data, size_t bytes);
};

constexpr Reader readers[] = {{"one stream", readLines<1, 0>},
                              {"two streams", readLines<2, 0>},
                              {"four streams", readLines<4, 0>},
                              {"prefetch", readLines<1, 2048>}};
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
