// A kernel of known shape and one made for that shape are the same: weights packed for one serve the other.
#include "draw.h"
#include "guarded.h"
#include "kernels.h"
#include <cstring>

using namespace lut;
using namespace lut::reference;

namespace {

// The open kernel that differs from `known` in nothing but its shape.
const lutc_kernel *openFor(const lutc_kernel &known) {
  for (size_t i = 0; i < library.kernel_count; ++i) {
    const lutc_kernel *kernel = library.kernels[i];
    if (kernel->info.n == 0 && std::string(kernel->info.format) == known.info.format)
      return kernel;
  }
  return nullptr;
}

std::vector<const lutc_kernel *> knownKernels() {
  std::vector<const lutc_kernel *> result;
  for (size_t i = 0; i < library.kernel_count; ++i)
    if (library.kernels[i]->info.n != 0)
      result.push_back(library.kernels[i]);
  return result;
}

struct Interchange : testing::TestWithParam<const lutc_kernel *> {};

TEST_P(Interchange, WeightsOfOneServeTheOther) {
  const lutc_kernel *known = GetParam(), *open = openFor(*known);
  ASSERT_NE(open, nullptr);
  const lutc_kernel *made = makeKernel(open, known->info.n, known->info.k);
  Random random(1);
  const DrawnWeights weights = drawWeights(known->info, random);
  const lutc_weights view = weights.view();
  for (size_t variant = 0; variant < library.variant_count; ++variant) {
    SCOPED_TRACE(library.variants[variant]);
    EXPECT_EQ(known->variants[variant]->layout_id, made->variants[variant]->layout_id);
    if (lutc_use_variant(&library, library.variants[variant]) != LUTC_OK)
      continue; // only the order can be compared; runOracleTests names the variant
    const size_t bytes = lutc_packed_bytes(known);
    ASSERT_EQ(lutc_packed_bytes(made), bytes);
    Guarded packed(bytes, LUTC_ALIGNMENT, Place::End), other(bytes, LUTC_ALIGNMENT, Place::End);
    ASSERT_EQ(lutc_pack(known, &view, packed.as<void>(), bytes), LUTC_OK);
    ASSERT_EQ(lutc_pack(made, &view, other.as<void>(), bytes), LUTC_OK);
    EXPECT_EQ(std::memcmp(packed.as<void>(), other.as<void>(), bytes), 0);
    EXPECT_EQ(lutc_check_packed(made, packed.as<void>(), bytes), LUTC_OK);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Interchange, testing::ValuesIn(knownKernels()),
                         [](const auto &info) { return std::string(info.param->info.name); });

} // namespace
