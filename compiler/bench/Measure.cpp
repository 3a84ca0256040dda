#include "compiler/bench/Measure.h"

#include "runtime/scales.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <sys/mman.h>

using namespace llvm;

namespace lut {

namespace {

// Bytes on huge pages where the system has them: on small ones, scattered by what ran before, the copies of
// one layout were read a fifth slower than another's.
struct Buffer {
  explicit Buffer(size_t bytes) : bytes(bytes) {
    void *memory = mmap(nullptr, mapped(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      report_bad_alloc_error("no memory for the weights of a measurement");
    madvise(memory, mapped(), MADV_HUGEPAGE);
    data = static_cast<uint8_t *>(memory);
  }
  Buffer(Buffer &&other) : bytes(other.bytes), data(std::exchange(other.data, nullptr)) {}
  Buffer &operator=(Buffer &&) = delete;
  ~Buffer() {
    if (data)
      munmap(data, mapped());
  }
  size_t mapped() const { return alignTo(bytes, size_t(2) << 20); }
  size_t bytes;
  uint8_t *data;
};

// Copies of one packing, read in turn, so that each is out of the caches when its turn comes again.
struct Pool {
  Pool(size_t bytes, size_t copies)
      : stride(alignTo(bytes, LUTC_ALIGNMENT)), copies(copies), memory(stride * copies) {}
  uint8_t *copy(size_t index) const { return memory.data + index % copies * stride; }
  uint8_t *take() { return copy(next++); }
  size_t stride, copies, next = 0;
  Buffer memory;
};

// n, k and contents of a product, the same for all kernels.
class Workload {
public:
  Workload(const LoadedLibrary &library, ArrayRef<const lutc_kernel *> kernels, size_t batch);
  Error pack();
  // Seconds of one call.
  double time(size_t kernel, size_t m, bool cold);
  double timePrepare(size_t kernel);

private:
  void fill(const lutc_kernel_info &info);
  size_t copiesOf(size_t bytes) const;

  const LoadedLibrary &library;
  ArrayRef<const lutc_kernel *> kernels;
  lutc_weights weights(const lutc_kernel_info &info) const;

  std::vector<uint8_t> codes, scales, zeros; // scales: bytes of their type; minimums are the same
  std::vector<int8_t> multiples;
  std::vector<int32_t> columns;
  std::vector<float> x, y;
  std::map<uint32_t, Pool> pools; // by layout id
  size_t scratchBytes = 0;
  std::optional<Buffer> scratch;
};

} // namespace

// Seconds of this thread on the CPU: other work on the machine is not counted.
static double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

// Of the first CPU; 64 MiB where Linux does not say.
static size_t lastLevelCache() {
  size_t largest = 0;
  for (int i = 0; i < 8; ++i) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/size");
    size_t kilobytes = 0; // as in "32768K"
    if (file >> kilobytes)
      largest = std::max(largest, kilobytes << 10);
  }
  return largest ? largest : size_t(64) << 20;
}

Workload::Workload(const LoadedLibrary &library, ArrayRef<const lutc_kernel *> kernels, size_t batch)
    : library(library), kernels(kernels) {
  const lutc_kernel_info &info = kernels[0]->info;
  fill(info);
  x.resize(batch * info.k);
  y.resize(batch * info.n);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (float &value : x)
    value = normal(random);
  for (const lutc_kernel *kernel : kernels) {
    const lutc_program *program = library.code(kernel)->program;
    scratchBytes =
        std::max(scratchBytes, program->token_block * program->scratch_bytes + program->fixed_bytes);
  }
  scratch.emplace(scratchBytes);
}

void Workload::fill(const lutc_kernel_info &info) {
  std::mt19937 random(2);
  codes.resize(info.n * info.k);
  for (uint8_t &code : codes)
    code = uint8_t(random() % info.codes);
  if (const lutc_book *book = info.book) { // vectors without minuses or shifts
    size_t base = book->signs == LUTC_SIGNS_EACH || book->signs == LUTC_SIGNS_EVEN ? book->levels : 0,
           vector = 0;
    for (size_t i = 0; i < codes.size(); ++i) {
      size_t column = i % info.k;
      if (column % book->length == 0)
        vector = random() % book->count;
      uint8_t digit = book->digits[vector * book->length + column % book->length];
      codes[i] = uint8_t(base ? base + digit : 2 * digit);
    }
  }
  size_t groups = (info.k + info.group - 1) / info.group;
  const lutc_scale_type &type = *lutc_find_scale_type(info.scale_type);
  const uint32_t sixteenth = (type.bias - 4) << type.fraction;
  const size_t bytes = type.bits / 8;
  scales.resize(info.n * groups * bytes);
  for (size_t i = 0; i < scales.size(); i += bytes)
    std::memcpy(&scales[i], &sixteenth, bytes);
  zeros.assign(info.n * groups, 1);
  multiples.assign(info.subgroup ? info.n * ((info.k + info.subgroup - 1) / info.subgroup) : 0, 1);
  columns.resize(info.k);
  std::iota(columns.begin(), columns.end(), 0);
  std::shuffle(columns.begin(), columns.end(), random);
}

lutc_weights Workload::weights(const lutc_kernel_info &info) const {
  return {codes.data(),  0, scales.data(), zeros.data(), scales.data(), multiples.data(), multiples.data(),
          columns.data()};
}

size_t Workload::copiesOf(size_t bytes) const { return lastLevelCache() * 3 / 2 / bytes + 2; }

Error Workload::pack() {
  for (const lutc_kernel *kernel : kernels) {
    const lutc_variant_code *code = library.code(kernel);
    size_t bytes = code->info.packed_bytes;
    auto [entry, fresh] = pools.try_emplace(code->layout_id, bytes, copiesOf(bytes));
    if (!fresh)
      continue;
    const Pool &pool = entry->second;
    lutc_weights weights = this->weights(kernel->info);
    if (library.pack(kernel, &weights, pool.copy(0), bytes) != LUTC_OK)
      return createStringError("the weights of a measurement could not be packed");
    for (size_t copy = 1; copy < pool.copies; ++copy)
      std::memcpy(pool.copy(copy), pool.copy(0), bytes);
  }
  return Error::success();
}

double Workload::time(size_t kernel, size_t m, bool cold) {
  const lutc_kernel_info &info = kernels[kernel]->info;
  Pool &pool = pools.at(library.code(kernels[kernel])->layout_id);
  const void *packed = cold ? pool.take() : pool.copy(0);
  double begin = now();
  lutc_status status = library.run(kernels[kernel], m, x.data(), info.k, packed, y.data(), info.n,
                                   scratch->data, scratchBytes, nullptr);
  return status == LUTC_OK ? now() - begin : INFINITY;
}

double Workload::timePrepare(size_t kernel) {
  const lutc_variant_code *code = library.code(kernels[kernel]);
  const uint8_t *payload = pools.at(code->layout_id).copy(0) + sizeof(lutc_packed_header);
  // Activations, weights, what is prepared, results, and a buffer where the program has one.
  const lutc_operand operands[] = {{x.data(), kernels[kernel]->info.k},
                                   {payload, 0},
                                   {scratch->data, 0},
                                   {},
                                   {scratch->data + code->program->slots[2].size, 0}};
  double begin = now();
  code->program->stages[0].run(operands, &code->program->stages[0], 1, 0, 1);
  return now() - begin;
}

static double fasterHalf(std::vector<double> &seconds) {
  llvm::sort(seconds);
  size_t half = (seconds.size() + 1) / 2;
  double sum = 0;
  for (double s : ArrayRef(seconds).take_front(half))
    sum += s;
  return sum / double(half);
}

Expected<std::vector<KernelTimes>> measure(const LoadedLibrary &library,
                                           ArrayRef<const lutc_kernel *> kernels) {
  constexpr size_t batch = 96, aloneRounds = 24, batchRounds = 5;
  Workload work(library, kernels, batch);
  if (Error error = work.pack())
    return std::move(error);
  std::vector<std::vector<double>> alone(kernels.size()), together(kernels.size()), prepare(kernels.size());
  // Every round starts with another kernel, so that none is always the one after a pause.
  auto inTurn = [&](size_t rounds, function_ref<void(size_t kernel)> time) {
    for (size_t round = 0; round < rounds; ++round)
      for (size_t i = 0; i < kernels.size(); ++i)
        time((i + round) % kernels.size());
  };
  inTurn(aloneRounds, [&](size_t kernel) {
    alone[kernel].push_back(work.time(kernel, 1, /*cold=*/true));
    prepare[kernel].push_back(work.timePrepare(kernel));
  });
  inTurn(batchRounds, [&](size_t kernel) {
    together[kernel].push_back(work.time(kernel, batch, /*cold=*/false) / batch);
  });
  std::vector<KernelTimes> times;
  for (size_t kernel = 0; kernel < kernels.size(); ++kernel)
    times.push_back({1e6 * fasterHalf(alone[kernel]), 1e6 * fasterHalf(together[kernel]),
                     1e6 * fasterHalf(prepare[kernel])});
  return times;
}

} // namespace lut
