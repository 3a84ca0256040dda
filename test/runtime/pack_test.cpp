// The packer against Unpacked: every layout, code width, vector width, row count, group, zero point and tail.
#include "draw.h"
#include "file.h"
#include "guarded.h"
#include "reference.h"
#include "unpack.h"
#include <cstring>
#include <gtest/gtest.h>
#include <set>
#include <utility>

using namespace lut;
using namespace lut::reference;

namespace {

struct LayoutCase {
  const char *format;
  lutc_layout_kind kind;
  uint32_t bits;
};

// A library of one kernel in one variant that every CPU runs and nobody calls.
struct PackOnly {
  PackOnly(const lutc_kernel_info &info, const lutc_layout &layout) {
    code.layout = layout;
    code.layout_id = 42;
    code.info = {"any", "none", sizeof(lutc_packed_header) + Unpacked(info, layout, nullptr).payloadBytes()};
    library = {"toy", "0", 0, 1, kernels, 1, names, 0, nullptr, &state};
    kernel = {info, &library, &features, codes};
  }
  const char *names[1] = {"any"};
  uint32_t features = 0;
  lutc_library_state state = {0};
  lutc_variant_code code = {};
  const lutc_variant_code *codes[1] = {&code};
  lutc_kernel kernel;
  const lutc_kernel *kernels[1] = {&kernel};
  lutc_library library;
};

lutc_layout makeLayout(const LayoutCase &c, const lutc_kernel_info &info, uint32_t V, uint32_t R,
                       size_t blocks) {
  lutc_layout layout = {};
  const bool columns = c.kind == LUTC_LAYOUT_COLUMN || c.kind == LUTC_LAYOUT_BASE3;
  layout.kind = c.kind;
  layout.vector_bytes = V;
  layout.row_vectors = R;
  const bool fragments = c.kind == LUTC_LAYOUT_NIBBLES || c.kind == LUTC_LAYOUT_TRITS;
  layout.tile_rows = R * (fragments ? 2 * V : columns ? V : V / 4);
  layout.bits = c.bits;
  layout.group = std::strpbrk(c.format, "gki") ? uint32_t(info.group) : 0;
  // Blocks of whole groups or chunks; the last may be shorter.
  const size_t chunks[] = {32, 32, 32, 5, 32, 24, 32}, chunk = chunks[c.kind],
               step = layout.group ? std::max<size_t>(layout.group, chunk) : chunk;
  const size_t steps = (info.k + step - 1) / step;
  layout.k_padded = uint32_t((info.k + chunk - 1) / chunk * chunk);
  layout.k_block = blocks == 1 ? layout.k_padded : uint32_t((steps + blocks - 1) / blocks * step);
  return layout;
}

void checkCodes(const Unpacked &unpacked, const lutc_kernel_info &info, const lutc_layout &layout,
                const Weights &weights) {
  const bool trits = layout.kind == LUTC_LAYOUT_BASE3 || layout.kind == LUTC_LAYOUT_TRITS;
  for (size_t row = 0; row < unpacked.rows; ++row)
    for (size_t k = 0; k < unpacked.paddedK; ++k) {
      const bool exists = row < info.n && k < info.k;
      if (info.book && !exists)
        continue; // any vector
      const int expected = exists ? weights.codes[row * info.k + k] : trits;
      ASSERT_EQ(unpacked.code(row, k), expected) << "row " << row << ", k " << k;
    }
}

int32_t negativeBytes(const Unpacked &unpacked, size_t row) {
  int32_t count = 0;
  for (size_t k = 0; k < unpacked.paddedK; k += 5) {
    int v = 0;
    for (size_t e = 5; e-- > 0;)
      v = 3 * v + unpacked.code(row, k + e) - 1;
    count += v < 0;
  }
  return count;
}

// Of a scale or minimum.
uint32_t bitsAt(const std::vector<uint8_t> &values, const lutc_kernel_info &info, size_t at) {
  const size_t bytes = lutc_type_bytes(info.scale_type);
  uint32_t bits = 0;
  for (size_t i = bytes; i-- > 0;)
    bits = bits << 8 | values[at * bytes + i];
  return bits;
}

void checkScales(const Unpacked &unpacked, const lutc_kernel_info &info, const lutc_layout &layout,
                 const Weights &weights, const DrawnWeights &view) {
  for (size_t row = 0; row < unpacked.rows; ++row)
    for (size_t g = 0; g < weights.groups; ++g) {
      const size_t at = row * weights.groups + g;
      const bool exists = row < info.n;
      const int zero = row < info.n ? weights.zeros[at] : 0;
      if (layout.group) {
        ASSERT_EQ(unpacked.groupScale(row, g), exists ? bitsAt(view.scales, info, at) : 0) << row;
      } else {
        ASSERT_EQ(unpacked.rowScale(row), exists ? weights.scales[at] : 0.0f) << row;
      }
      if (info.has_minimums) {
        ASSERT_EQ(unpacked.groupMinimum(row, g), exists ? bitsAt(view.minimums, info, at) : 0) << row;
      }
      if (info.has_zero_points) {
        ASSERT_EQ(layout.group ? unpacked.groupZero(row, g) : unpacked.rowZero(row), zero) << row;
      }
      if (layout.kind == LUTC_LAYOUT_BASE3) {
        ASSERT_EQ(unpacked.rowNegatives(row), negativeBytes(unpacked, row)) << row;
      }
    }
  for (size_t row = 0; row < unpacked.rows && info.subgroup; ++row)
    for (size_t s = 0; s < unpacked.paddedK / info.subgroup; ++s) {
      const bool exists = row < info.n && s < weights.subgroups;
      const int none = info.book                                      ? 1
                       : info.has_minimums || info.multiple_bits == 8 ? 0
                                                                      : -(1 << info.multiple_bits) / 2;
      const size_t at = row * weights.subgroups + s;
      ASSERT_EQ(unpacked.multiple(row, s, false), exists ? view.multiples[at] : none) << row;
      if (info.has_minimums) {
        ASSERT_EQ(unpacked.multiple(row, s, true), exists ? view.minimumMultiples[at] : none) << row;
      }
    }
}

void checkPacking(const LayoutCase &c, uint32_t V, uint32_t R, size_t blocks, size_t n, size_t k,
                  Random &random) {
  const lutc_kernel_info info = describe(c.format, "a8", n, k);
  const lutc_layout layout = makeLayout(c, info, V, R, blocks);
  SCOPED_TRACE(std::string(c.format) + " kind " + std::to_string(c.kind) + " V " + std::to_string(V) + " R " +
               std::to_string(R) + " n " + std::to_string(n) + " k " + std::to_string(k) + " k block " +
               std::to_string(layout.k_block));
  const PackOnly toy(info, layout);
  const DrawnWeights drawn = drawWeights(info, random);
  const lutc_weights view = drawn.view();
  const size_t bytes = lutc_packed_bytes(&toy.kernel);
  std::vector<uint8_t> memory(bytes + 2 * LUTC_ALIGNMENT, 0xcc);
  uint8_t *packed =
      memory.data() + LUTC_ALIGNMENT - reinterpret_cast<uintptr_t>(memory.data()) % LUTC_ALIGNMENT;
  ASSERT_EQ(lutc_pack(&toy.kernel, &view, packed, bytes), LUTC_OK);
  ASSERT_EQ(lutc_check_packed(&toy.kernel, packed, bytes), LUTC_OK);
  for (uint8_t *past = packed + bytes; past != memory.data() + memory.size(); ++past)
    ASSERT_EQ(*past, 0xcc);
  const Unpacked unpacked(info, layout, packed + sizeof(lutc_packed_header));
  const Weights weights(info, view);
  checkCodes(unpacked, info, layout, weights);
  checkScales(unpacked, info, layout, weights, drawn);
  for (size_t i = 0; info.has_columns && i < unpacked.paddedK; ++i)
    ASSERT_EQ(unpacked.column(i), i < k ? drawn.columns[i] : 0) << i;
}

// The payload put together from bands of whole tiles, each packed as a matrix of its own.
std::vector<uint8_t> packBands(const lutc_kernel_info &info, const lutc_layout &layout,
                               const lutc_weights &all, size_t bandTiles) {
  std::vector<uint8_t> payload(lutc_payload_bytes(&info, &layout), 0xcc);
  const size_t stride = all.codes_stride ? all.codes_stride : info.k, step = bandTiles * layout.tile_rows;
  const size_t groups = layout.group ? (info.k + layout.group - 1) / layout.group : 1;
  for (size_t row = 0; row < info.n; row += step) {
    lutc_kernel_info band = info;
    band.n = std::min(step, info.n - row);
    lutc_weights weights = all;
    weights.codes += row * stride;
    const size_t scaleBytes = groups * lutc_type_bytes(info.scale_type);
    if (!info.scales_per_tensor)
      weights.scales = static_cast<const uint8_t *>(all.scales) + row * scaleBytes;
    if (info.has_zero_points)
      weights.zero_points += row * groups;
    if (info.has_minimums)
      weights.minimums = static_cast<const uint8_t *>(all.minimums) + row * scaleBytes;
    const size_t subgroups = info.subgroup ? (info.k + info.subgroup - 1) / info.subgroup : 0;
    if (info.subgroup)
      weights.scale_multiples += row * subgroups;
    if (info.subgroup && info.has_minimums)
      weights.minimum_multiples += row * subgroups;
    std::vector<uint8_t> packed(lutc_payload_bytes(&band, &layout));
    EXPECT_EQ(lutc_pack_payload(&band, &layout, &weights, packed.data(), packed.size()), LUTC_OK);
    lutc_piece piece;
    size_t bytes = 0;
    for (size_t i = 0; lutc_band_piece(&info, &layout, row, band.n, i, &piece); bytes += piece.bytes, ++i)
      std::copy_n(packed.data() + piece.from, piece.bytes, payload.data() + piece.to);
    // The first band brings the columns.
    EXPECT_EQ(bytes + (info.has_columns && row != 0 ? 4 * layout.k_padded : 0), packed.size());
  }
  return payload;
}

struct Pack : testing::TestWithParam<LayoutCase> {};

TEST_P(Pack, PlacesEveryBit) {
  Random random(11);
  for (uint32_t V : {16, 32, 64})
    for (uint32_t R : {1, 2, 3})
      for (size_t blocks : {1, 3}) {
        const size_t n = draw(random, 1, 2 * R * V + 5), k = draw(random, 1, 300);
        checkPacking(GetParam(), V, R, blocks, n, k, random);
        if (HasFatalFailure())
          return;
      }
}

TEST_P(Pack, PutsBandsTogether) {
  Random random(13);
  for (uint32_t V : {16, 64})
    for (size_t blocks : {1, 3}) {
      const size_t n = draw(random, 1, 7 * V), k = draw(random, 1, 300);
      const lutc_kernel_info info = describe(GetParam().format, "a8", n, k);
      const lutc_layout layout = makeLayout(GetParam(), info, V, 1, blocks);
      const PackOnly toy(info, layout);
      const DrawnWeights drawn = drawWeights(info, random);
      const lutc_weights view = drawn.view();
      std::vector<uint8_t> memory(lutc_packed_bytes(&toy.kernel) + LUTC_ALIGNMENT);
      uint8_t *packed =
          memory.data() + LUTC_ALIGNMENT - reinterpret_cast<uintptr_t>(memory.data()) % LUTC_ALIGNMENT;
      ASSERT_EQ(lutc_pack(&toy.kernel, &view, packed, lutc_packed_bytes(&toy.kernel)), LUTC_OK);
      const std::vector<uint8_t> payload = packBands(info, layout, view, draw(random, 1, 3));
      ASSERT_EQ(payload.size() + sizeof(lutc_packed_header), lutc_packed_bytes(&toy.kernel));
      EXPECT_EQ(std::memcmp(payload.data(), packed + sizeof(lutc_packed_header), payload.size()), 0)
          << "V " << V << " n " << n << " k " << k << " blocks " << blocks;
    }
}

// Columns that are no permutation.
TEST_P(Pack, RefusesOtherColumns) {
  Random random(14);
  const lutc_kernel_info info = describe(GetParam().format, "a8", 40, 70);
  if (!info.has_columns)
    return;
  const lutc_layout layout = makeLayout(GetParam(), info, 32, 1, 1);
  const PackOnly toy(info, layout);
  DrawnWeights drawn = drawWeights(info, random);
  std::vector<uint8_t> memory(lutc_packed_bytes(&toy.kernel) + LUTC_ALIGNMENT);
  uint8_t *packed =
      memory.data() + LUTC_ALIGNMENT - reinterpret_cast<uintptr_t>(memory.data()) % LUTC_ALIGNMENT;
  const auto pack = [&](const int32_t *columns) {
    lutc_weights view = drawn.view();
    view.columns = columns;
    return lutc_pack(&toy.kernel, &view, packed, lutc_packed_bytes(&toy.kernel));
  };
  EXPECT_EQ(pack(drawn.columns.data()), LUTC_OK);
  EXPECT_EQ(pack(nullptr), LUTC_NULL_POINTER);
  for (int32_t bad : {-1, int32_t(info.k), INT32_MIN, INT32_MAX, drawn.columns[0], drawn.columns[69]}) {
    std::vector<int32_t> columns = drawn.columns;
    columns[33] = bad;
    EXPECT_EQ(pack(columns.data()), LUTC_BAD_COLUMNS) << bad;
    EXPECT_EQ(lutc_check_packed(&toy.kernel, packed, lutc_packed_bytes(&toy.kernel)), LUTC_NOT_PACKED);
  }
}

TEST_P(Pack, HandlesEdges) {
  Random random(12);
  for (size_t n : {1, 8, 31, 32, 33})
    for (size_t k : {1, 4, 31, 32, 33, 127, 128, 129, 160}) {
      checkPacking(GetParam(), 32, 1, draw(random, 1, 2), n, k, random);
      if (HasFatalFailure())
        return;
    }
}

// Weight i of a row as lutc.h defines it, in f32 operation by operation.
float weightOf(const Weights &weights, size_t row, size_t i) {
  const size_t at = row * weights.groups + i / weights.group,
               s = row * weights.subgroups + i / weights.subgroup;
  const float scale = weights.scales[at] * float(weights.multiples[s]);
  const float product = scale * float(weights.value(row, i));
  return weights.minimums.empty() ? product
                                  : product + weights.minimums[at] * float(weights.minimumMultiples[s]);
}

// Rows read from frozen memory that ends at a guard page, into such memory.
void checkRows(const PackOnly &toy, Guarded &packed, const Weights &weights, size_t first, size_t count,
               size_t stride) {
  const lutc_kernel_info &info = toy.kernel.info;
  const size_t elements = count == 0 ? 0 : (count - 1) * stride + info.k;
  Guarded rows(4 * elements, 4, Place::End);
  ASSERT_EQ(lutc_unpack_rows(&toy.kernel, packed.as<void>(), lutc_packed_bytes(&toy.kernel), first, count,
                             rows.as<float>(), stride),
            LUTC_OK);
  ASSERT_TRUE(rows.surroundingsAreIntact());
  for (size_t row = 0; row < count; ++row) {
    for (size_t i = 0; i < info.k; ++i) {
      const float weight =
          rows.as<float>()[row * stride + (info.has_columns ? size_t(weights.columns[i]) : i)];
      // Equal, but for subnormal scales in f32, which the oracle halves first where a code book is in halves.
      ASSERT_NEAR(weight, weightOf(weights, first + row, i), 0x1p-145)
          << "row " << first + row << ", k " << i;
    }
    for (size_t i = info.k; i < stride && row + 1 < count; ++i) // what lies between rows: as it was
      ASSERT_EQ(bitsOf(rows.as<float>()[row * stride + i]), 0xffffffff);
  }
}

TEST_P(Pack, ReadsRowsBack) {
  Random random(15);
  for (uint32_t V : {16, 32, 64})
    for (uint32_t R : {1, 3})
      for (size_t blocks : {1, 3}) {
        const size_t n = draw(random, 1, 2 * R * V + 5), k = draw(random, 1, 600);
        const lutc_kernel_info info = describe(GetParam().format, "a8", n, k);
        const PackOnly toy(info, makeLayout(GetParam(), info, V, R, blocks));
        const DrawnWeights drawn = drawWeights(info, random);
        const lutc_weights view = drawn.view();
        const size_t bytes = lutc_packed_bytes(&toy.kernel);
        Guarded packed(bytes, LUTC_ALIGNMENT, oneIn(random, 2) ? Place::Begin : Place::End);
        ASSERT_EQ(lutc_pack(&toy.kernel, &view, packed.as<void>(), bytes), LUTC_OK);
        packed.freeze();
        SCOPED_TRACE("V " + std::to_string(V) + " R " + std::to_string(R) + " n " + std::to_string(n) +
                     " k " + std::to_string(k) + " blocks " + std::to_string(blocks));
        const Weights weights(info, view);
        const size_t first = draw(random, 0, n - 1);
        checkRows(toy, packed, weights, 0, n, k);
        checkRows(toy, packed, weights, first, draw(random, 0, n - first), k + draw(random, 0, 3));
        if (HasFatalFailure())
          return;
      }
}

// Rows of damaged weights are others, or LUTC_CORRUPT; nothing else is read or written.
TEST_P(Pack, ReadsDamagedRowsInBounds) {
  Random random(16);
  const lutc_kernel_info info = describe(GetParam().format, "a8", 40, 200);
  const PackOnly toy(info, makeLayout(GetParam(), info, 16, 1, 2));
  const DrawnWeights drawn = drawWeights(info, random);
  const lutc_weights view = drawn.view();
  const size_t bytes = lutc_packed_bytes(&toy.kernel);
  Guarded packed(bytes, LUTC_ALIGNMENT, Place::End), rows(4 * info.n * info.k, 4, Place::End);
  ASSERT_EQ(lutc_pack(&toy.kernel, &view, packed.as<void>(), bytes), LUTC_OK);
  for (size_t i = sizeof(lutc_packed_header); i < bytes; ++i)
    packed.as<uint8_t>()[i] = uint8_t(random());
  const lutc_status status =
      lutc_unpack_rows(&toy.kernel, packed.as<void>(), bytes, 0, info.n, rows.as<float>(), info.k);
  const bool everyByteIsGood = info.codes == size_t(1) << toy.code.layout.bits && !info.has_columns;
  const bool trits = toy.code.layout.kind == LUTC_LAYOUT_BASE3 || toy.code.layout.kind == LUTC_LAYOUT_TRITS;
  EXPECT_EQ(status, everyByteIsGood || trits || info.book ? LUTC_OK : LUTC_CORRUPT);
  EXPECT_TRUE(rows.surroundingsAreIntact());
}

// Codes that the code book has, but not as a vector; marks that are not shared, or not even; even multiples.
TEST(PackVectors, RefusesWhatTheBookDoesNotHave) {
  for (auto [format, bytes] : {std::pair("iq2xxs", 8u), std::pair("iq2s", 9u), std::pair("iq3s", 13u),
                               std::pair("iq1s", 6u), std::pair("iq1m", 6u)}) {
    lutc_kernel_info info = describe(format, "a8", 3, 300);
    const lutc_layout layout = makeLayout({format, LUTC_LAYOUT_BOOK, bytes}, info, 16, 1, 1);
    Random random(21);
    const DrawnWeights drawn = drawWeights(info, random, true);
    std::vector<uint8_t> payload(lutc_payload_bytes(&info, &layout));
    auto packed = [&](const DrawnWeights &weights) {
      const lutc_weights view = weights.view();
      return lutc_pack_payload(&info, &layout, &view, payload.data(), payload.size());
    };
    EXPECT_EQ(packed(drawn), LUTC_OK);
    size_t refused = 0;
    for (size_t k = 0; k < 96; ++k) { // digits have neighbours; not all of them make another vector
      DrawnWeights changed = drawn;
      uint8_t &code = changed.codes[300 + k];
      code = uint8_t(code < 2 ? code + 2 : code - 2);
      refused += packed(changed) == LUTC_BAD_CODE;
    }
    EXPECT_GT(refused, 20u) << format;
    DrawnWeights marked = drawn;
    uint8_t &code = marked.codes[2 * 300 + 17];
    code = uint8_t(format[2] == '1' ? code ^ 1 : info.codes - 1 - code);
    EXPECT_EQ(packed(marked), info.book->signs == LUTC_SIGNS_EACH ? LUTC_OK : LUTC_BAD_CODE) << format;
    for (int multiple : {0, 2, -1, 2 << info.multiple_bits | 1, 2 << info.multiple_bits}) {
      DrawnWeights changed = drawn;
      changed.multiples.back() = int8_t(multiple);
      EXPECT_EQ(packed(changed), LUTC_BAD_SCALE) << format << " " << multiple;
    }
  }
}

TEST(UnpackRows, ChecksWhatKernelsCheck) {
  const LayoutCase c = {"w4g32", LUTC_LAYOUT_DOT, 4};
  const lutc_kernel_info info = describe(c.format, "a8", 3, 40), other = describe(c.format, "a8", 4, 40);
  const PackOnly toy(info, makeLayout(c, info, 16, 1, 1)), foreign(other, makeLayout(c, other, 16, 1, 1));
  PackOnly second(info, makeLayout(c, info, 16, 1, 1));
  second.code.layout_id = 43;
  Random random(3);
  const DrawnWeights drawn = drawWeights(info, random);
  const lutc_weights view = drawn.view();
  const size_t bytes = lutc_packed_bytes(&toy.kernel);
  Guarded packed(bytes, LUTC_ALIGNMENT, Place::Begin);
  std::vector<float> rows(3 * 40);
  const auto read = [&](const lutc_kernel *kernel, const void *from, size_t size, size_t first, size_t count,
                        float *to, size_t stride) {
    return lutc_unpack_rows(kernel, from, size, first, count, to, stride);
  };
  uint8_t *data = packed.as<uint8_t>();
  EXPECT_EQ(read(&toy.kernel, data, bytes, 0, 3, rows.data(), 40), LUTC_NOT_PACKED);
  ASSERT_EQ(lutc_pack(&toy.kernel, &view, data, bytes), LUTC_OK);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 0, 3, rows.data(), 40), LUTC_OK);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 3, 0, rows.data(), 40), LUTC_OK);
  EXPECT_EQ(read(nullptr, data, bytes, 0, 3, rows.data(), 40), LUTC_NULL_POINTER);
  EXPECT_EQ(read(&toy.kernel, nullptr, bytes, 0, 3, rows.data(), 40), LUTC_NULL_POINTER);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 0, 3, nullptr, 40), LUTC_NULL_POINTER);
  EXPECT_EQ(read(&toy.kernel, data + 4, bytes, 0, 3, rows.data(), 40), LUTC_MISALIGNED);
  float *odd = reinterpret_cast<float *>(reinterpret_cast<uint8_t *>(rows.data()) + 2);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 0, 2, odd, 40), LUTC_MISALIGNED);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 0, 3, rows.data(), 39), LUTC_BAD_STRIDE);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 0, 3, rows.data(), SIZE_MAX / 4), LUTC_BAD_STRIDE);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 0, 4, rows.data(), 40), LUTC_BAD_RANGE);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 4, 0, rows.data(), 40), LUTC_BAD_RANGE);
  EXPECT_EQ(read(&toy.kernel, data, bytes, 2, SIZE_MAX, rows.data(), 40), LUTC_BAD_RANGE);
  for (size_t size : {size_t(0), sizeof(lutc_packed_header), bytes - 1})
    EXPECT_EQ(read(&toy.kernel, data, size, 0, 3, rows.data(), 40), LUTC_BUFFER_TOO_SMALL);
  EXPECT_EQ(read(&foreign.kernel, data, bytes, 0, 3, rows.data(), 40), LUTC_WRONG_KERNEL);
  EXPECT_EQ(read(&second.kernel, data, bytes, 0, 3, rows.data(), 40), LUTC_WRONG_LAYOUT);
  data[20] ^= 1;
  EXPECT_EQ(read(&toy.kernel, data, bytes, 0, 3, rows.data(), 40), LUTC_CORRUPT);
}

TEST(PackArrays, NeedsTheArraysOfTheFormat) {
  const LayoutCase c = {"w4k32m", LUTC_LAYOUT_DOT, 4};
  const lutc_kernel_info info = describe(c.format, "a8", 3, 40);
  const lutc_layout layout = makeLayout(c, info, 16, 1, 1);
  Random random(3);
  const DrawnWeights drawn = drawWeights(info, random);
  std::vector<uint8_t> payload(lutc_payload_bytes(&info, &layout));
  auto pack = [&](const lutc_weights &weights) {
    return lutc_pack_payload(&info, &layout, &weights, payload.data(), payload.size());
  };
  EXPECT_EQ(pack(drawn.view()), LUTC_OK);
  lutc_weights weights = drawn.view();
  weights.minimums = nullptr;
  EXPECT_EQ(pack(weights), LUTC_NULL_POINTER);
  weights = drawn.view();
  weights.scale_multiples = nullptr;
  EXPECT_EQ(pack(weights), LUTC_NULL_POINTER);
  weights = drawn.view();
  weights.minimum_multiples = nullptr;
  EXPECT_EQ(pack(weights), LUTC_NULL_POINTER);
}

// Multiples of 4 and 6 bits, without a sign where there are minimums.
TEST(PackArrays, RefusesMultiplesThatDoNotFit) {
  const struct {
    LayoutCase layout;
    int least, most;
  } cases[] = {{{"w2k16m", LUTC_LAYOUT_DOT, 2}, 0, 15},
               {{"w2k16", LUTC_LAYOUT_DOT, 2}, -8, 7},
               {{"w4k32m", LUTC_LAYOUT_DOT, 4}, 0, 63},
               {{"w3k16", LUTC_LAYOUT_DOT, 3}, -32, 31},
               {{"w6k16", LUTC_LAYOUT_DOT, 6}, -128, 127}};
  for (const auto &it : cases) {
    const lutc_kernel_info info = describe(it.layout.format, "a8", 3, 300);
    const lutc_layout layout = makeLayout(it.layout, info, 16, 1, 1);
    Random random(4);
    DrawnWeights drawn = drawWeights(info, random);
    std::vector<uint8_t> payload(lutc_payload_bytes(&info, &layout));
    for (std::vector<int8_t> *of : {&drawn.multiples, &drawn.minimumMultiples})
      for (int value = -128; value < 128 && !of->empty(); ++value) {
        const int8_t kept = std::exchange(of->back(), int8_t(value));
        const lutc_weights weights = drawn.view();
        EXPECT_EQ(lutc_pack_payload(&info, &layout, &weights, payload.data(), payload.size()),
                  value < it.least || value > it.most ? LUTC_BAD_SCALE : LUTC_OK)
            << it.layout.format << " " << value;
        of->back() = kept;
      }
  }
}

// Infinities and NaNs of every type, as a scale or a minimum, of groups, rows and tensors.
TEST(PackArrays, RefusesScalesThatAreNotFinite) {
  const struct {
    LayoutCase layout;
    std::vector<uint32_t> good, bad;
  } cases[] = {{{"fp4g32e", LUTC_LAYOUT_DOT, 4}, {0, 254}, {255}},
               {{"w4g32m", LUTC_LAYOUT_DOT, 4}, {0x7bff, 0xfbff, 1}, {0x7c00, 0xfc00, 0x7e00, 0x7c01}},
               {{"w4k32m", LUTC_LAYOUT_DOT, 4}, {0x7bff}, {0xfc00, 0x7fff}},
               {{"w4g32mb", LUTC_LAYOUT_DOT, 4}, {0x7f7f, 0xff7f, 1}, {0x7f80, 0xff80, 0x7fc0, 0x7f81}},
               {{"w4g32ms", LUTC_LAYOUT_DOT, 4}, {0x7f7fffff, 1}, {0x7f800000, 0xff800000, 0x7f800001}},
               {{"fp4g16f", LUTC_LAYOUT_DOT, 4}, {0x7e, 0xfe, 0x78}, {0x7f, 0xff}},
               {{"w4", LUTC_LAYOUT_DOT, 4}, {0x7bff}, {0x7c00, 0x7e00}},
               {{"w4b", LUTC_LAYOUT_DOT, 4}, {0x7f7f}, {0x7f80}},
               {{"w4zs", LUTC_LAYOUT_DOT, 4}, {0x7f7fffff}, {0xffffffff}},
               {{"w158", LUTC_LAYOUT_BASE3, 1}, {0x7f7fffff}, {0x7f800000, 0x7fc00000}}};
  for (const auto &it : cases) {
    const lutc_kernel_info info = describe(it.layout.format, "a8", 3, 40);
    const lutc_layout layout = makeLayout(it.layout, info, 16, 1, 1);
    Random random(3);
    const DrawnWeights drawn = drawWeights(info, random);
    std::vector<uint8_t> payload(lutc_payload_bytes(&info, &layout));
    auto packWithLast = [&](uint32_t bits, std::vector<uint8_t> DrawnWeights::*values) {
      DrawnWeights changed = drawn;
      (changed.*values).resize((changed.*values).size() - lutc_type_bytes(info.scale_type));
      append(changed.*values, info.scale_type, bits);
      const lutc_weights weights = changed.view();
      return lutc_pack_payload(&info, &layout, &weights, payload.data(), payload.size());
    };
    for (auto values : {&DrawnWeights::scales, &DrawnWeights::minimums}) {
      if ((drawn.*values).empty())
        continue;
      for (uint32_t bits : it.good)
        EXPECT_EQ(packWithLast(bits, values), LUTC_OK) << info.format << " " << bits;
      for (uint32_t bits : it.bad)
        EXPECT_EQ(packWithLast(bits, values), LUTC_BAD_SCALE) << info.format << " " << bits;
    }
  }
}

std::vector<LayoutCase> layoutCases() {
  std::vector<LayoutCase> cases;
  for (const char *group : {"", "g32", "g128"})
    for (const char *zero : {"", "z"})
      for (const char *stem : {"w1", "w2", "w3", "w4"}) {
        static std::set<std::string> names; // cases point into it
        const char *format = names.insert(std::string(stem) + group + zero).first->c_str();
        const uint32_t bits = uint32_t(stem[1] - '0');
        cases.push_back({format, LUTC_LAYOUT_QUAD, bits});
        cases.push_back({format, LUTC_LAYOUT_COLUMN, bits});
        cases.push_back({format, LUTC_LAYOUT_DOT, bits});
        cases.push_back({format, LUTC_LAYOUT_NIBBLES, bits});
      }
  for (const char *format : {"w4p", "w2zp", "w3g32p", "w4g128zp"})
    for (lutc_layout_kind kind : {LUTC_LAYOUT_QUAD, LUTC_LAYOUT_COLUMN, LUTC_LAYOUT_DOT, LUTC_LAYOUT_NIBBLES})
      cases.push_back({format, kind, uint32_t(format[1] - '0')});
  for (uint32_t bits :
       {5, 6, 7, 8}) // codes of 4 bits in wider fields: where widths that are no format yet lie
    cases.push_back({"w4g32", LUTC_LAYOUT_DOT, bits});
  const std::pair<const char *, uint32_t> others[] = {
      {"w4g16", 4},   {"w2g16z", 2},  {"w5g16m", 5},  {"w4g32m", 4}, {"w4g32e", 4},  {"fp4g16", 4},
      {"fp4g32e", 4}, {"w2k16m", 2},  {"w3k16", 3},   {"w4k32m", 4}, {"w5k32m", 5},  {"w6k16", 6},
      {"nl4k32", 4},  {"nl4", 4},     {"w4g128b", 4}, {"w4g32s", 4}, {"w4g16zs", 4}, {"w2g64mb", 2},
      {"w3g32ms", 3}, {"fp4g16s", 4}, {"fp4g16f", 4}, {"w4b", 4},    {"w8zs", 8},    {"w4g32zbp", 4}};
  for (auto [format, bits] : others)
    cases.push_back({format, LUTC_LAYOUT_DOT, bits});
  const std::pair<const char *, uint32_t> books[] = {{"iq2xxs", 8}, {"iq2xs", 8}, {"iq2s", 9}, {"iq3xxs", 12},
                                                     {"iq3s", 13},  {"iq1s", 6},  {"iq1m", 6}};
  for (auto [format, bytes] : books)
    cases.push_back({format, LUTC_LAYOUT_BOOK, bytes});
  for (const char *format : {"w158", "w158r"}) {
    cases.push_back({format, LUTC_LAYOUT_BASE3, 1});
    cases.push_back({format, LUTC_LAYOUT_TRITS, 1});
    cases.push_back({format, LUTC_LAYOUT_DOT, 2});
  }
  return cases;
}

std::string caseName(const testing::TestParamInfo<LayoutCase> &info) {
  static const char *const kinds[] = {"Dot", "Quad", "Column", "Base3", "Nibbles", "Trits", "Book"};
  return std::string(info.param.format) + kinds[info.param.kind] + std::to_string(info.param.bits);
}

void PrintTo(const LayoutCase &c, std::ostream *out) { *out << c.format; }

INSTANTIATE_TEST_SUITE_P(Layouts, Pack, testing::ValuesIn(layoutCases()), caseName);

} // namespace
