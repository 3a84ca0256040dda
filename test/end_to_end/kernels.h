// The library under test, by the macros LIBRARY_HEADER ("tiny.h") and LIBRARY (tiny_library), as test
// parameters.
#ifndef LUT_TEST_END_TO_END_KERNELS_H
#define LUT_TEST_END_TO_END_KERNELS_H

#include LIBRARY_HEADER
#include "kernel.h"
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace lut {

// A kernel in one of its variants.
struct KernelVariant {
  const lutc_kernel *kernel;
  size_t variant;

  const lutc_variant_code &code() const { return *kernel->variants[variant]; }
  const char *variantName() const { return LIBRARY.variants[variant]; }
  std::string name() const { return std::string(kernel->info.name) + "_" + variantName(); }
  std::string describe() const {
    const lutc_kernel_info &info = kernel->info;
    return name() + " (" + info.format + ", " + info.numerics + ", n = " + std::to_string(info.n) +
           ", k = " + std::to_string(info.k) + ", " + code().info.strategy + ")";
  }
};

// All variants of a kernel follow each other.
inline std::vector<KernelVariant> kernelVariants() {
  std::vector<KernelVariant> result;
  for (size_t i = 0; i < LIBRARY.kernel_count; ++i)
    for (size_t variant = 0; variant < LIBRARY.variant_count; ++variant)
      result.push_back({LIBRARY.kernels[i], variant});
  return result;
}

inline void PrintTo(const KernelVariant &k, std::ostream *out) { *out << k.describe(); }

// Takes the variant, or skips the test by name where this CPU cannot run it.
struct KernelTest : testing::TestWithParam<KernelVariant> {
  void SetUp() override {
    const lutc_status status = lutc_use_variant(&LIBRARY, GetParam().variantName());
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
