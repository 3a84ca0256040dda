// The library under test, as test parameters. A program is compiled once, and linked to the tested.cpp of
// each library.
#ifndef LUT_TEST_END_TO_END_KERNELS_H
#define LUT_TEST_END_TO_END_KERNELS_H

#include "kernel.h"
#include <deque>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace lut {

extern const lutc_library &library;

// A kernel in one of its variants.
struct KernelVariant {
  const lutc_kernel *kernel;
  size_t variant;
  bool isMade;

  const lutc_variant_code &code() const { return *kernel->variants[variant]; }
  const char *variantName() const { return library.variants[variant]; }
  // With its shape where that was given at run time.
  std::string name() const {
    const lutc_kernel_info &info = kernel->info;
    const std::string shape = isMade ? std::to_string(info.n) + "x" + std::to_string(info.k) + "_" : "";
    return std::string(info.name) + "_" + shape + variantName();
  }
  std::string describe() const {
    const lutc_kernel_info &info = kernel->info;
    return name() + " (" + info.format + ", " + info.numerics + ", n = " + std::to_string(info.n) +
           ", k = " + std::to_string(info.k) + ", " + code().info.strategy + ")";
  }
};

// Rows and columns of all kinds: one, tails, several tiles, several blocks of k.
constexpr size_t madeShapes[][2] = {{1, 1}, {70, 333}, {700, 1536}, {33, 4100}};

inline const lutc_kernel *makeKernel(const lutc_kernel *open, size_t n, size_t k) {
  struct alignas(LUTC_ALIGNMENT) Line {
    uint8_t bytes[LUTC_ALIGNMENT];
  };
  static std::deque<std::vector<Line>> memory; // as long as the tests run
  const size_t bytes = lutc_made_kernel_bytes(open);
  memory.emplace_back((bytes + LUTC_ALIGNMENT - 1) / LUTC_ALIGNMENT);
  const lutc_kernel *kernel = nullptr;
  EXPECT_EQ(lutc_make_kernel(open, n, k, memory.back().data(), bytes, &kernel), LUTC_OK);
  return kernel;
}

// All variants of a kernel follow each other. Kernels of open shapes are made for some.
inline std::vector<KernelVariant> kernelVariants() {
  std::vector<KernelVariant> result;
  const auto add = [&](const lutc_kernel *kernel, bool isMade) {
    for (size_t variant = 0; variant < library.variant_count; ++variant)
      result.push_back({kernel, variant, isMade});
  };
  for (size_t i = 0; i < library.kernel_count; ++i) {
    const lutc_kernel *kernel = library.kernels[i];
    if (kernel->info.n != 0)
      add(kernel, false);
    else
      for (const auto &[n, k] : madeShapes)
        add(makeKernel(kernel, n, k), true);
  }
  return result;
}

inline void PrintTo(const KernelVariant &k, std::ostream *out) { *out << k.describe(); }

// Takes the variant, or skips the test by name where this CPU cannot run it.
struct KernelTest : testing::TestWithParam<KernelVariant> {
  void SetUp() override {
    const lutc_status status = lutc_use_variant(&library, GetParam().variantName());
    if (status == LUTC_UNSUPPORTED_CPU)
      GTEST_SKIP() << "variant " << GetParam().variantName() << " not run: " << lutc_status_string(status);
    ASSERT_EQ(status, LUTC_OK);
  }
};

} // namespace lut

// All kernels in all variants, for a test suite derived from KernelTest.
#define LUT_INSTANTIATE_KERNELS(suite)                                                                       \
  INSTANTIATE_TEST_SUITE_P(Library, suite, testing::ValuesIn(lut::kernelVariants()),                         \
                           [](const auto &info) { return info.param.name(); })

#endif
