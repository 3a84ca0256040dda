#include "Machine.h"
#include "Contender.h"
#include "Threads.h"
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <immintrin.h>

using namespace lut::bench;

// The number after `key:` in a file of /proc, in KiB as the files have it.
static double procValue(const char *path, const std::string &key) {
  std::ifstream file(path);
  for (std::string word; file >> word;)
    if (double value; word == key + ":" && file >> value)
      return value;
  return 0;
}

std::string lut::bench::cpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0)
      return line.substr(line.find(':') + 2);
  return "unknown CPU";
}

double lut::bench::hugePageFraction() {
  const char *path = "/proc/self/smaps_rollup";
  return procValue(path, "AnonHugePages") / std::max(1.0, procValue(path, "Rss"));
}

static double processSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

void lut::bench::waitUntilQuiet() {
  for (int i = 0; i < 200; ++i) {
    const double before = processSeconds();
    std::this_thread::sleep_for(std::chrono::microseconds(500));
    if (processSeconds() - before < 100e-6)
      return;
  }
}

namespace {
// A measurement of a limit: a task that all threads do at once.
class Limit : public Contender {
public:
  using Contender::Contender;
  std::string bind(const Problem &, size_t threadCount) override {
    threads = threadCount;
    return "";
  }
  void begin(size_t, bool) override {}
  std::string check(size_t) override { return ""; }

protected:
  void onAll(std::function<void(size_t)> task) const {
    const lut::example::Threads team(threads);
    const lutc_parallel *parallel = team.get();
    parallel->run(
        parallel->context, threads,
        [](void *argument, size_t i) { (*static_cast<decltype(task) *>(argument))(i); }, &task);
  }
  size_t threads = 1;
};

class Reader : public Limit {
public:
  Reader(const char *type, void (*read)(const char *, size_t)) : Limit("read", type, "machine"), read(read) {}
  size_t copyBytes() const override { return 64 << 20; }
  void store(size_t batches, size_t) override { data.assign(batches * copyBytes(), 1); }
  void release() override { data = {}; }
  void run(size_t batch) override {
    const size_t part = copyBytes() / threads;
    onAll([&](size_t i) { read(data.data() + batch * copyBytes() + i * part, part); });
  }

private:
  void (*read)(const char *, size_t);
  std::vector<char> data;
};

// steps * sums instructions in a run of one thread; independent sums, in registers, hide the latency.
constexpr size_t sums = 16, steps = 1 << 16;

__attribute__((target("avx512f,avx512vnni"))) void dotVnni() {
  __m512i sum[sums] = {}, a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(5);
  for (size_t i = 0; i < steps; ++i)
#pragma GCC unroll 16
    for (size_t j = 0; j < sums; ++j)
      asm volatile("vpdpbusd %2, %1, %0" : "+v"(sum[j]) : "v"(a), "v"(b));
}

__attribute__((target("avx2"))) void dotAvx2() {
  constexpr size_t few = 8; // 16 registers
  __m256i sum[few] = {}, a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(5), ones = _mm256_set1_epi16(1);
  for (size_t i = 0; i < steps * sums / few; ++i)
#pragma GCC unroll 8
    for (size_t j = 0; j < few; ++j) {
      __m256i pairs;
      asm volatile("vpmaddubsw %2, %1, %0" : "=x"(pairs) : "x"(a), "x"(b));
      asm volatile("vpmaddwd %1, %0, %0" : "+x"(pairs) : "x"(ones));
      asm volatile("vpaddd %1, %0, %0" : "+x"(sum[j]) : "x"(pairs));
    }
}

class Peak : public Limit {
public:
  Peak(const char *type, void (*dot)(), size_t bytes)
      : Limit("int8 peak", type, "machine"), dot(dot), bytes(bytes) {}
  // Multiplications of a run by all threads.
  size_t copyBytes() const override { return steps * sums * bytes * threads; }
  void store(size_t, size_t) override {}
  void release() override {}
  void run(size_t) override {
    onAll([&](size_t) { dot(); });
  }

private:
  void (*dot)();
  size_t bytes; // of a vector
};
} // namespace

void lut::bench::openMachine(const Settings &settings, Contenders &contenders, std::vector<Missing> &) {
  contenders.push_back(std::make_unique<Reader>("one stream", readLines<1, 0>));
  contenders.push_back(std::make_unique<Reader>("four streams", readLines<4, 0>));
  contenders.push_back(std::make_unique<Reader>("prefetched", readLines<1, 2048>));
  const bool wide = settings.variant.empty() || settings.variant == "avx512vbmi";
  if (wide && __builtin_cpu_supports("avx512vnni"))
    contenders.push_back(std::make_unique<Peak>("vpdpbusd zmm", dotVnni, 64));
  else if (__builtin_cpu_supports("avx2"))
    contenders.push_back(std::make_unique<Peak>("vpmaddubsw ymm", dotAvx2, 32));
}
