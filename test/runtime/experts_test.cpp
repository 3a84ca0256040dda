// Mixtures of experts in a hand-made group: every routing, block and segment size, thread count and order of
// tasks.
#include "threads.h"
#include "toy.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <new>
#include <random>

using namespace lut;

namespace {

constexpr size_t expertCount = 6, rowBytes = (toy::n * 4 + 63) / 64 * 64, tokenBlock = 5, segmentTokens = 3;
enum { X, Routes, Gates, Weights, Residual, Prepared, Gathered, Rows, Y, SlotCount };

template <typename T> T *rowOf(const lutc_operand &operand, size_t row) {
  return static_cast<T *>(const_cast<void *>(operand.data)) + row * operand.stride;
}

lutc_status prepare(const lutc_operand *operands, const lutc_stage *, size_t, size_t begin, size_t end) {
  for (size_t token = begin; token < end; ++token)
    *rowOf<float>(operands[Prepared], token) = *rowOf<float>(operands[X], token);
  return LUTC_OK;
}

// The first byte of the payload is that of the expert.
lutc_status compute(const lutc_operand *operands, const lutc_stage *, size_t m, size_t begin, size_t end) {
  EXPECT_LE(m, segmentTokens);
  const float expert = *static_cast<const uint8_t *>(operands[Weights].data);
  for (size_t pair = 0; pair < m; ++pair)
    for (size_t row = begin * toy::tileRows; row < std::min(end * toy::tileRows, toy::n); ++row)
      rowOf<float>(operands[Rows], pair)[row] =
          *rowOf<float>(operands[Gathered], pair) * 100 + expert * 10 + float(row % 7);
  return LUTC_OK;
}

const lutc_stage stages[] = {toy::makeStage(prepare, true, 0, 0), toy::makeStage(compute, false, 2, 1)};
const lutc_gather gathers[] = {{Prepared, Gathered}};

struct Experts : testing::TestWithParam<size_t> {
  Experts() {
    const std::vector<uint8_t> codes(toy::n * toy::k), zeros(toy::n * 3);
    const std::vector<uint16_t> scales(toy::n * 3);
    const lutc_weights weights = {codes.data(), 0,       scales.data(), zeros.data(),
                                  nullptr,      nullptr, nullptr,       nullptr};
    for (size_t e = 0; e < expertCount; ++e) {
      packed.push_back(static_cast<uint8_t *>(operator new(toy::packedBytes, std::align_val_t(64))));
      EXPECT_EQ(lutc_pack(&toy.kernel, &weights, packed[e], toy::packedBytes), LUTC_OK);
      packed[e][sizeof(lutc_packed_header)] = uint8_t(e);
      pointers.push_back(packed[e]);
    }
  }
  ~Experts() override {
    for (uint8_t *each : packed)
      operator delete(each, std::align_val_t(64));
  }

  lutc_status run(const std::vector<int32_t> &routes, size_t m, const lutc_parallel *parallel) {
    std::vector<float> x(m * toy::k), residual(m * toy::n, 0.5f);
    gates.assign(m * top, 0);
    for (size_t token = 0; token < m; ++token)
      x[token * toy::k] = float(token + 1);
    for (size_t i = 0; i < gates.size(); ++i)
      gates[i] = float(i % 5) + 1;
    y.assign(m * toy::n, -1);
    const lutc_operand operands[] = {{x.data(), toy::k},   {routes.data(), top},      {gates.data(), top},
                                     {pointers.data(), 0}, {residual.data(), toy::n}, {y.data(), toy::n}};
    const size_t bytes = lutc_group_scratch_bytes(&group, m);
    std::unique_ptr<uint8_t, void (*)(uint8_t *)> scratch(
        static_cast<uint8_t *>(operator new(bytes, std::align_val_t(64))),
        [](uint8_t *p) { operator delete(p, std::align_val_t(64)); });
    return lutc_run_group(&group, m, operands, scratch.get(), bytes, parallel);
  }
  void expectSums(const std::vector<int32_t> &routes, size_t m) {
    for (size_t token = 0; token < m; ++token)
      for (size_t row = 0; row < toy::n; ++row) {
        float sum = 0.5f;
        for (size_t j = 0; j < top; ++j)
          sum += gates[token * top + j] *
                 (float(token + 1) * 100 + float(routes[token * top + j]) * 10 + float(row % 7));
        ASSERT_EQ(y[token * toy::n + row], sum) << "token " << token << " of " << m << ", row " << row;
      }
  }

  const size_t top = GetParam();
  toy::Library toy;
  const lutc_slot slots[SlotCount] = {{LUTC_ROWS, 0, LUTC_F32, toy::k, nullptr, 0},
                                      {LUTC_ROUTES, 0, LUTC_F32, top, nullptr, 0},
                                      {LUTC_ROWS, 0, LUTC_F32, top, nullptr, 0},
                                      {LUTC_EXPERTS, 0, LUTC_F32, toy::n, &toy.kernel, 0},
                                      {LUTC_ROWS, 0, LUTC_F32, toy::n, nullptr, 0},
                                      {LUTC_SCRATCH, 0, LUTC_F32, toy::preparedBytes, nullptr, 128},
                                      {LUTC_SCRATCH, 1, LUTC_F32, toy::preparedBytes, nullptr, 0},
                                      {LUTC_SCRATCH, 1, LUTC_F32, rowBytes, nullptr, 0},
                                      {LUTC_RESULT, 0, LUTC_F32, toy::n, nullptr, 0}};
  const lutc_routing routing = {expertCount, top, segmentTokens, Routes, Gates,
                                Rows,        Y,   Residual,      1,      gathers};
  const lutc_program program = {
      tokenBlock, toy::preparedBytes + top * (toy::preparedBytes + rowBytes) + (top * 20 + 63) / 64 * 64,
      128 + 64,   SlotCount,
      2,          slots,
      stages,     &routing};
  const lutc_program *programs[3] = {&program, &program, &program};
  const lutc_group group = {{"experts", 0, nullptr}, &toy.library, programs};
  std::vector<uint8_t *> packed;
  std::vector<const void *> pointers;
  std::vector<float> gates, y;
};

TEST_P(Experts, TakesAnyRoute) {
  std::mt19937 random(1);
  for (size_t m = 1; m <= 3 * tokenBlock + 1; ++m)
    for (size_t used : {size_t(1), size_t(2), expertCount}) {
      std::vector<int32_t> routes(m * top);
      for (int32_t &route : routes)
        route = int32_t(expertCount - 1 - random() % used);
      for (size_t threads : {1, 3}) {
        const lutc_parallel backwards = backwardParallel(threads);
        ASSERT_EQ(run(routes, m, &backwards), LUTC_OK);
        expectSums(routes, m);
      }
      size_t threads = 4;
      const lutc_parallel parallel = threadParallel(threads);
      ASSERT_EQ(run(routes, m, &parallel), LUTC_OK);
      expectSums(routes, m);
    }
}

TEST_P(Experts, NeedsOnlyTheExpertsInUse) {
  std::fill(pointers.begin() + 1, pointers.end(), nullptr);
  const std::vector<int32_t> none(7 * top, 0);
  ASSERT_EQ(run(none, 7, nullptr), LUTC_OK);
  expectSums(none, 7);
  std::vector<int32_t> routes = none;
  routes.back() = 1;
  EXPECT_EQ(run(routes, 7, nullptr), LUTC_NULL_POINTER);
  pointers[1] = packed[1] + 1;
  EXPECT_EQ(run(routes, 7, nullptr), LUTC_MISALIGNED);
  pointers[1] = packed[1];
  packed[1][0] = 0;
  EXPECT_EQ(run(routes, 7, nullptr), LUTC_NOT_PACKED);
}

TEST_P(Experts, RefusesWrongRoutesBeforeItWrites) {
  for (int32_t wrong : {-1, int32_t(expertCount), INT32_MIN, INT32_MAX}) {
    std::vector<int32_t> routes(2 * tokenBlock * top, 0);
    routes.back() = wrong;
    EXPECT_EQ(run(routes, 2 * tokenBlock, nullptr), LUTC_BAD_ROUTE);
    EXPECT_EQ(y, std::vector<float>(y.size(), -1.0f));
  }
}

INSTANTIATE_TEST_SUITE_P(Top, Experts, testing::Values(1, 2, 8));

} // namespace
