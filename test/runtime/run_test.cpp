// How lutc_run cuts its work: the same result for every m, stride, thread count and order of tasks.
#include "threads.h"
#include "toy.h"
#include <gtest/gtest.h>
#include <limits>
#include <new>
#include <thread>

using namespace lut;

namespace {

struct Aligned {
  explicit Aligned(size_t bytes) : data(static_cast<uint8_t *>(operator new(bytes, std::align_val_t(64)))) {}
  ~Aligned() { operator delete(data, std::align_val_t(64)); }
  Aligned(const Aligned &) = delete;
  uint8_t *data;
};

struct Run : testing::Test {
  Run() : packed(toy::packedBytes) {
    const std::vector<uint8_t> codes(toy::n * toy::k), zeros(toy::n * 3);
    const std::vector<uint16_t> scales(toy::n * 3);
    const lutc_weights weights = {codes.data(), 0,       scales.data(), zeros.data(),
                                  nullptr,      nullptr, nullptr,       nullptr};
    EXPECT_EQ(lutc_pack(&toy.kernel, &weights, packed.data, toy::packedBytes), LUTC_OK);
  }

  void expectProduct(size_t m, size_t ldx, size_t ldy, const lutc_parallel *parallel) {
    std::vector<float> x(m * ldx), y(m * ldy, -7.0f);
    for (size_t token = 0; token < m; ++token)
      x[token * ldx] = float(token + 1);
    const size_t bytes = lutc_scratch_bytes(&toy.kernel, m);
    const Aligned scratch(bytes);
    ASSERT_EQ(
        lutc_run(&toy.kernel, m, x.data(), ldx, packed.data, y.data(), ldy, scratch.data, bytes, parallel),
        LUTC_OK);
    for (size_t token = 0; token < m; ++token)
      for (size_t row = 0; row < ldy; ++row)
        ASSERT_EQ(y[token * ldy + row], row < toy::n ? toy::expected(float(token + 1), row) : -7.0f)
            << "token " << token << " of " << m << ", row " << row;
  }

  toy::Library toy;
  Aligned packed;
};

TEST_F(Run, CoversEveryTokenAndRow) {
  for (size_t m = 1; m <= 3 * toy::tokenBlock + 1; ++m) {
    expectProduct(m, toy::k, toy::n, nullptr);
    expectProduct(m, toy::k + 5, toy::n + 3, nullptr);
  }
}

TEST_F(Run, CutsForAnyThreadCount) {
  for (size_t threads : {size_t(0), size_t(1), size_t(2), size_t(3), size_t(7), size_t(64), size_t(1) << 40,
                         std::numeric_limits<size_t>::max()}) {
    const lutc_parallel parallel = backwardParallel(threads);
    for (size_t m : {1, 7, 8, 9, 20})
      expectProduct(m, toy::k, toy::n, &parallel);
  }
}

TEST_F(Run, RunsOnThreads) {
  for (size_t threads = 1; threads <= 4; ++threads) {
    const lutc_parallel parallel = threadParallel(threads);
    for (int repetition = 0; repetition < 20; ++repetition)
      expectProduct(19, toy::k, toy::n, &parallel);
  }
}

TEST_F(Run, IsThreadSafe) {
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&, i] {
      for (int repetition = 0; repetition < 50; ++repetition)
        expectProduct(size_t(i + repetition % 9 + 1), toy::k, toy::n, nullptr);
    });
  for (std::thread &caller : callers)
    caller.join();
}

} // namespace
