// What holds for every generated library besides its products: descriptors, layouts that agree with the
// packed bytes, packed weights that are exchanged between variants, and misuse.
#include "draw.h"
#include "guarded.h"
#include "kernels.h"
#include "reference.h"
#include "unpack.h"
#include <cmath>
#include <memory>
#include <set>

using namespace lut;
using namespace lut::reference;

namespace {

TEST(Library, NamesKernelsAndVariantsOnce) {
  std::set<std::string> kernels, variants;
  for (size_t i = 0; i < library.kernel_count; ++i) {
    kernels.insert(library.kernels[i]->info.name);
    EXPECT_EQ(library.kernels[i]->library, &library);
  }
  for (size_t i = 0; i < library.variant_count; ++i)
    variants.insert(library.variants[i]);
  EXPECT_EQ(kernels.size(), library.kernel_count);
  EXPECT_EQ(variants.size(), library.variant_count);
}

TEST(Library, TakesTheFirstVariantThisCpuRuns) {
  for (size_t i = 0; i < library.variant_count; ++i) {
    if (lutc_can_use_variant(&library, library.variants[i]) != LUTC_OK)
      continue;
    ASSERT_EQ(lutc_use_variant(&library, nullptr), LUTC_OK);
    EXPECT_STREQ(lutc_kernel_variant(library.kernels[0])->variant, library.variants[i]);
    return;
  }
  EXPECT_EQ(lutc_use_variant(&library, nullptr), LUTC_UNSUPPORTED_CPU);
}

TEST(Library, RefusesUnknownVariants) {
  EXPECT_EQ(lutc_use_variant(&library, "z80"), LUTC_UNKNOWN_VARIANT);
  EXPECT_EQ(lutc_can_use_variant(&library, "z80"), LUTC_UNKNOWN_VARIANT);
}

struct Descriptor : KernelTest {
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure())
      return;
    packed = std::make_unique<Guarded>(bytes(), LUTC_ALIGNMENT, Place::Begin);
    random.seed(5);
    weights = drawWeights(info, random);
    view = weights.view();
    ASSERT_EQ(lutc_pack(kernel, &view, packed->as<void>(), bytes()), LUTC_OK);
  }
  size_t bytes() const { return lutc_packed_bytes(kernel); }
  lutc_status check(size_t size) const { return lutc_check_packed(kernel, packed->as<void>(), size); }

  const lutc_kernel *kernel = GetParam().kernel;
  const lutc_kernel_info &info = kernel->info;
  const lutc_variant_code &code = GetParam().code();
  std::unique_ptr<Guarded> packed;
  Random random;
  DrawnWeights weights;
  lutc_weights view;
};

TEST_P(Descriptor, SaysWhatTheFormatMeans) {
  const lutc_kernel_info expected = describe(info.format, info.numerics, info.n, info.k);
  EXPECT_EQ(info.group, expected.group);
  EXPECT_EQ(info.codes, expected.codes);
  EXPECT_EQ(info.scales_per_tensor, expected.scales_per_tensor);
  EXPECT_EQ(info.scale_type, expected.scale_type);
  EXPECT_EQ(info.has_zero_points, expected.has_zero_points);
  EXPECT_EQ(info.has_minimums, expected.has_minimums);
  EXPECT_EQ(info.has_columns, expected.has_columns);
  EXPECT_EQ(info.subgroup, expected.subgroup);
  for (size_t code = 0; code < info.codes; ++code)
    EXPECT_EQ(info.values[code], expected.values[code]) << code;
  EXPECT_STREQ(code.info.variant, GetParam().variantName());
}

TEST_P(Descriptor, HasAConsistentLayout) {
  const lutc_layout &layout = code.layout;
  const bool columns = layout.kind == LUTC_LAYOUT_COLUMN || layout.kind == LUTC_LAYOUT_BASE3;
  const bool fragments = layout.kind == LUTC_LAYOUT_NIBBLES || layout.kind == LUTC_LAYOUT_TRITS;
  EXPECT_EQ(4 * layout.tile_rows, layout.row_vectors * layout.vector_bytes *
                                      (fragments ? 8
                                       : columns ? 4
                                                 : 1));
  const size_t chunk[] = {32, 32, 8, 5, 32, 24, 32}, paddedK = layout.k_padded;
  EXPECT_EQ(layout.k_block % chunk[layout.kind], 0u);
  EXPECT_GE(paddedK, info.k);
  EXPECT_EQ(paddedK % chunk[layout.kind], 0u);
  EXPECT_LT(paddedK - std::min(paddedK, std::max<size_t>(layout.k_block, layout.group ? layout.group : 64)),
            info.k);
  if (layout.group) {
    EXPECT_EQ(layout.group, info.group);
    EXPECT_LT(paddedK - info.k, std::max<size_t>(layout.group, 32));
    EXPECT_TRUE(layout.k_block >= paddedK || layout.k_block % layout.group == 0);
  }
  const Unpacked unpacked(info, layout, nullptr);
  EXPECT_GE(bytes(), sizeof(lutc_packed_header) + unpacked.payloadBytes());
  EXPECT_LT(bytes(), sizeof(lutc_packed_header) + unpacked.payloadBytes() + LUTC_ALIGNMENT);
  EXPECT_GE(code.program->token_block, 1u);
}

TEST_P(Descriptor, FindsEveryCodeInThePackedBytes) {
  const Unpacked unpacked(info, code.layout, packed->as<uint8_t>() + sizeof(lutc_packed_header));
  const size_t stride = view.codes_stride ? view.codes_stride : info.k;
  for (int i = 0; i < 20000; ++i) {
    const size_t row = draw(random, 0, info.n - 1), k = draw(random, 0, info.k - 1);
    ASSERT_EQ(unpacked.code(row, k), view.codes[row * stride + k]) << "row " << row << ", k " << k;
  }
}

TEST_P(Descriptor, ReadsRowsBack) {
  const Weights reference(info, view);
  Guarded row(4 * info.k, 4, Place::End);
  for (int i = 0; i < 20; ++i) {
    const size_t r = i == 0 ? info.n - 1 : draw(random, 0, info.n - 1);
    ASSERT_EQ(lutc_unpack_rows(kernel, packed->as<void>(), bytes(), r, 1, row.as<float>(), info.k), LUTC_OK);
    for (size_t k = 0; k < info.k; ++k) {
      // Half an ulp for each of a product and a sum, of their larger term.
      const double exact = reference.weight(r, k), term = std::fabs(reference.product(r, k));
      ASSERT_NEAR(row.as<float>()[info.has_columns ? size_t(view.columns[k]) : k], exact,
                  (std::fabs(exact) + term) * 0x1p-24 + 0x1p-145)
          << "row " << r << ", k " << k;
    }
  }
}

TEST_P(Descriptor, SharesPackedWeightsWithEqualLayouts) {
  const size_t size = bytes();
  for (size_t other = 0; other < library.variant_count; ++other) {
    if (lutc_use_variant(&library, library.variants[other]) != LUTC_OK)
      continue;
    const lutc_status status = check(std::max(size, bytes()));
    EXPECT_EQ(status, kernel->variants[other]->layout_id == code.layout_id ? LUTC_OK : LUTC_WRONG_LAYOUT)
        << GetParam().variantName() << " read by " << library.variants[other];
  }
}

TEST_P(Descriptor, RefusesForeignAndDamagedWeights) {
  for (size_t i = 0; i < library.kernel_count; ++i) {
    const lutc_kernel_info &other = library.kernels[i]->info;
    const bool same = other.n == info.n && other.k == info.k && std::string(other.format) == info.format;
    if (!same) {
      EXPECT_EQ(lutc_check_packed(library.kernels[i], packed->as<void>(), bytes()),
                other.n == 0 ? LUTC_BAD_SHAPE : LUTC_WRONG_KERNEL)
          << other.name;
    }
  }
  EXPECT_EQ(check(bytes() - 1), LUTC_BUFFER_TOO_SMALL);
  packed->as<uint8_t>()[bytes() - 1] ^= 1;
  EXPECT_EQ(check(bytes()), LUTC_CORRUPT);
  if (info.codes == 256)
    return; // every byte is a code
  weights.codes[info.k - 1] = uint8_t(info.codes);
  EXPECT_EQ(lutc_pack(kernel, &view, packed->as<void>(), bytes()), LUTC_BAD_CODE);
  EXPECT_EQ(check(bytes()), LUTC_NOT_PACKED);
}

TEST_P(Descriptor, RefusesMisuseOfTheCall) {
  const size_t m = 3, scratchBytes = lutc_scratch_bytes(kernel, m);
  std::vector<float> x(m * info.k), y(m * info.n);
  Guarded memory(scratchBytes, LUTC_ALIGNMENT, Place::Begin);
  uint8_t *scratch = memory.as<uint8_t>();
  const auto run = [&](const float *xs, size_t ldx, size_t ldy, void *room, size_t size) {
    return lutc_run(kernel, m, xs, ldx, packed->as<void>(), y.data(), ldy, room, size, nullptr);
  };
  EXPECT_EQ(run(x.data(), info.k, info.n, scratch, scratchBytes), LUTC_OK);
  EXPECT_EQ(run(nullptr, info.k, info.n, scratch, scratchBytes), LUTC_NULL_POINTER);
  EXPECT_EQ(run(x.data(), info.k, info.n, scratch + 4, scratchBytes), LUTC_MISALIGNED);
  EXPECT_EQ(run(x.data(), info.k - 1, info.n, scratch, scratchBytes), LUTC_BAD_STRIDE);
  EXPECT_EQ(run(x.data(), info.k, info.n - 1, scratch, scratchBytes), LUTC_BAD_STRIDE);
  EXPECT_EQ(run(x.data(), info.k, info.n, scratch, scratchBytes - 1), LUTC_BUFFER_TOO_SMALL);
}

TEST_P(Descriptor, RefusesMisuseOfPreparedActivations) {
  const size_t m = 3, size = lutc_prepared_bytes(kernel, m), scratchBytes = lutc_scratch_bytes(kernel, m);
  std::vector<float> x(m * info.k), y(m * info.n);
  Guarded memory(size, LUTC_ALIGNMENT, Place::Begin), scratch(scratchBytes, LUTC_ALIGNMENT, Place::Begin);
  uint8_t *prepared = memory.as<uint8_t>();
  const auto prepare = [&](const float *xs, size_t ldx, void *to, size_t room) {
    return lutc_prepare(kernel, m, xs, ldx, packed->as<void>(), to, room, nullptr);
  };
  EXPECT_EQ(prepare(x.data(), info.k, prepared, size), LUTC_OK);
  EXPECT_EQ(prepare(nullptr, info.k, prepared, size), LUTC_NULL_POINTER);
  EXPECT_EQ(prepare(x.data(), info.k, prepared + 4, size), LUTC_MISALIGNED);
  EXPECT_EQ(prepare(x.data(), info.k - 1, prepared, size), LUTC_BAD_STRIDE);
  EXPECT_EQ(prepare(x.data(), info.k, prepared, size - 1), LUTC_BUFFER_TOO_SMALL);
  EXPECT_EQ(lutc_prepare(kernel, m, x.data(), info.k, nullptr, prepared, size, nullptr),
            info.has_columns ? LUTC_NULL_POINTER : LUTC_OK);
  const auto run = [&](const void *from, size_t room, size_t ldy, size_t scratchRoom) {
    return lutc_run_prepared(kernel, m, from, room, packed->as<void>(), y.data(), ldy, scratch.as<void>(),
                             scratchRoom, nullptr);
  };
  EXPECT_EQ(run(prepared, size, info.n, scratchBytes), LUTC_OK);
  EXPECT_EQ(run(nullptr, size, info.n, scratchBytes), LUTC_NULL_POINTER);
  EXPECT_EQ(run(prepared, size - 1, info.n, scratchBytes), LUTC_BUFFER_TOO_SMALL);
  EXPECT_EQ(run(prepared, size, info.n - 1, scratchBytes), LUTC_BAD_STRIDE);
  EXPECT_EQ(run(prepared, size, info.n, scratchBytes - 1), LUTC_BUFFER_TOO_SMALL);
  EXPECT_EQ(lutc_shares_prepared(kernel, kernel), !info.has_columns); // which belong to the weights
}

TEST_P(Descriptor, IsMadeOfNoKernelButAnOpenOne) {
  const lutc_kernel *made = nullptr;
  Guarded memory(lutc_made_kernel_bytes(kernel), LUTC_ALIGNMENT, Place::End);
  EXPECT_EQ(lutc_make_kernel(kernel, 8, 64, memory.as<void>(), lutc_made_kernel_bytes(kernel), &made),
            LUTC_BAD_SHAPE);
  EXPECT_EQ(made, nullptr);
}

TEST(Open, RefusesWhatNeedsAShape) {
  alignas(LUTC_ALIGNMENT) uint8_t memory[4096] = {}, packed[256] = {};
  for (size_t i = 0; i < library.kernel_count; ++i) {
    const lutc_kernel *open = library.kernels[i], *made = nullptr;
    if (open->info.n != 0)
      continue;
    SCOPED_TRACE(open->info.name);
    float x[4] = {};
    const lutc_weights weights = {};
    EXPECT_EQ(lutc_packed_bytes(open), 0u);
    EXPECT_EQ(lutc_scratch_bytes(open, 1), 0u);
    EXPECT_EQ(lutc_prepared_bytes(open, 1), 0u);
    EXPECT_EQ(lutc_shares_prepared(open, open), 0);
    EXPECT_EQ(lutc_pack(open, &weights, packed, sizeof packed), LUTC_BAD_SHAPE);
    EXPECT_EQ(lutc_check_packed(open, packed, sizeof packed), LUTC_BAD_SHAPE);
    EXPECT_EQ(lutc_run(open, 1, x, 4, packed, x, 4, memory, sizeof memory, nullptr), LUTC_BAD_SHAPE);
    EXPECT_EQ(lutc_prepare(open, 1, x, 4, packed, memory, sizeof memory, nullptr), LUTC_BAD_SHAPE);
    const size_t bytes = lutc_made_kernel_bytes(open);
    ASSERT_LE(bytes, sizeof memory);
    const auto make = [&](size_t n, size_t k, void *place, size_t room) {
      return lutc_make_kernel(open, n, k, place, room, &made);
    };
    EXPECT_EQ(make(0, 64, memory, bytes), LUTC_BAD_SHAPE);
    EXPECT_EQ(make(64, 0, memory, bytes), LUTC_BAD_SHAPE);
    EXPECT_EQ(make(SIZE_MAX, 64, memory, bytes), LUTC_BAD_SHAPE);
    EXPECT_EQ(make(64, SIZE_MAX, memory, bytes), LUTC_BAD_SHAPE);
    EXPECT_EQ(make(64, 64, memory, bytes - 1), LUTC_BUFFER_TOO_SMALL);
    EXPECT_EQ(make(64, 64, memory + 4, bytes), LUTC_MISALIGNED);
    EXPECT_EQ(make(64, 64, nullptr, bytes), LUTC_NULL_POINTER);
    EXPECT_EQ(made, nullptr);
    EXPECT_EQ(make(64, 64, memory, bytes), LUTC_OK);
    EXPECT_STREQ(lutc_kernel_describe(made)->format, open->info.format);
  }
}

LUT_INSTANTIATE_KERNELS(Descriptor);

} // namespace
