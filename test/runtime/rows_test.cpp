// Rows of the tensors of a packed model as floats: every type, and packed weights.
#include "guarded.h"
#include "reference.h"
#include "toy.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace lut;
using namespace lut::reference;

namespace {

// A plain tensor in memory that ends at a guard page.
struct Plain {
  template <typename T>
  Plain(lutc_type type, std::vector<size_t> shape, const std::vector<T> &elements)
      : memory(elements.size() * sizeof(T), sizeof(T), Place::End) {
    std::memcpy(memory.as<void>(), elements.data(), elements.size() * sizeof(T));
    memory.freeze();
    tensor.name = "plain";
    tensor.role = LUTC_PLAIN;
    tensor.type = type;
    tensor.rank = shape.size();
    std::copy(shape.begin(), shape.end(), tensor.shape);
    tensor.data = memory.as<void>();
    tensor.bytes = elements.size() * sizeof(T);
  }
  Guarded memory;
  lutc_tensor tensor = {};
};

template <typename T> void expectRow(lutc_type type, std::vector<T> elements, std::vector<float> expected) {
  const Plain plain(type, {elements.size()}, elements);
  Guarded row(4 * elements.size(), 4, Place::End);
  ASSERT_EQ(lutc_read_rows(&plain.tensor, 0, 1, row.as<float>(), elements.size()), LUTC_OK);
  for (size_t i = 0; i < elements.size(); ++i)
    if (std::isnan(expected[i]))
      EXPECT_TRUE(std::isnan(row.as<float>()[i])) << "type " << type << " element " << i;
    else
      EXPECT_EQ(bitsOf(row.as<float>()[i]), bitsOf(expected[i])) << "type " << type << " element " << i;
}

TEST(ReadRows, WidensEveryType) {
  const float inf = INFINITY, nan = NAN;
  expectRow<float>(LUTC_F32, {1.5f, -0.0f, 1e-45f, inf, nan}, {1.5f, -0.0f, 1e-45f, inf, nan});
  expectRow<uint16_t>(LUTC_F16, {0x3e00, 0x8000, 0x0001, 0x7bff, 0xfc00, 0x7e00},
                      {1.5f, -0.0f, 0x1p-24f, 65504.0f, -inf, nan});
  expectRow<uint16_t>(LUTC_BF16, {0x3fc0, 0x8000, 0x0001, 0x7f7f, 0xff80, 0x7fc0},
                      {1.5f, -0.0f, 0x1p-133f, 0x1.fep127f, -inf, nan});
  expectRow<double>(LUTC_F64, {1.5, 1.0 + 0x1p-24, 1.0 + 0x1.8p-23, 1e300},
                    {1.5f, 1.0f, 1.0f + 0x1p-22f, inf});
  expectRow<int8_t>(LUTC_I8, {-128, 127}, {-128.0f, 127.0f});
  expectRow<uint8_t>(LUTC_U8, {0, 1, 255}, {0.0f, 1.0f, 255.0f});
  expectRow<int16_t>(LUTC_I16, {INT16_MIN, 7}, {-32768.0f, 7.0f});
  expectRow<uint16_t>(LUTC_U16, {65535}, {65535.0f});
  expectRow<int32_t>(LUTC_I32, {INT32_MIN, (1 << 24) + 1}, {-0x1p31f, 0x1p24f});
  expectRow<uint32_t>(LUTC_U32, {UINT32_MAX}, {0x1p32f});
  expectRow<int64_t>(LUTC_I64, {INT64_MIN, -3}, {-0x1p63f, -3.0f});
  expectRow<uint64_t>(LUTC_U64, {UINT64_MAX}, {0x1p64f});
}

// OCP 8-bit floating point, tables 1 and 2: bias 7 and 15.
TEST(ReadRows, WidensEveryByteFloat) {
  std::vector<uint8_t> bytes(256);
  std::vector<float> e4m3(256), e5m2(256);
  for (int i = 0; i < 256; ++i) {
    bytes[size_t(i)] = uint8_t(i);
    const float sign = i & 128 ? -1.0f : 1.0f;
    const int e4 = i >> 3 & 15, m3 = i & 7, e5 = i >> 2 & 31, m2 = i & 3;
    e4m3[size_t(i)] =
        e4 == 15 && m3 == 7 ? NAN : sign * std::ldexp(float(e4 ? 8 + m3 : m3), std::max(e4, 1) - 10);
    e5m2[size_t(i)] = e5 == 31 ? (m2 ? NAN : sign * INFINITY)
                               : sign * std::ldexp(float(e5 ? 4 + m2 : m2), std::max(e5, 1) - 17);
  }
  expectRow(LUTC_F8_E4M3, bytes, e4m3);
  expectRow(LUTC_F8_E5M2, bytes, e5m2);
}

TEST(ReadRows, AreTheLastDimension) {
  const Plain cube(LUTC_U8, {2, 3, 4}, std::vector<uint8_t>{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                                            12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  Guarded rows(4 * (6 + 4), 4, Place::End);
  float *out = rows.as<float>();
  ASSERT_EQ(lutc_read_rows(&cube.tensor, 4, 2, out, 6), LUTC_OK);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(out[i], 16.0f + float(i));
    EXPECT_EQ(out[6 + i], 20.0f + float(i));
  }
  EXPECT_EQ(bitsOf(out[4]), 0xffffffff); // between rows: as it was
  EXPECT_TRUE(rows.surroundingsAreIntact());
  const Plain scalar(LUTC_I32, {}, std::vector<int32_t>{-5});
  ASSERT_EQ(lutc_read_rows(&scalar.tensor, 0, 1, out, 1), LUTC_OK);
  EXPECT_EQ(out[0], -5.0f);
  const Plain vector(LUTC_I8, {3}, std::vector<int8_t>{1, 2, 3});
  EXPECT_EQ(lutc_read_rows(&vector.tensor, 1, 1, out, 3), LUTC_BAD_RANGE); // one row
}

TEST(ReadRows, RefusesWhatIsNotThere) {
  const Plain plain(LUTC_BF16, {3, 4}, std::vector<uint16_t>(12));
  std::vector<float> rows(12);
  EXPECT_EQ(lutc_read_rows(nullptr, 0, 1, rows.data(), 4), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_read_rows(&plain.tensor, 0, 1, nullptr, 4), LUTC_NULL_POINTER);
  const lutc_tensor unknown = {}; // what a lookup leaves that failed
  EXPECT_EQ(lutc_read_rows(&unknown, 0, 1, rows.data(), 4), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_read_rows(&plain.tensor, 0, 3, rows.data(), 3), LUTC_BAD_STRIDE);
  EXPECT_EQ(lutc_read_rows(&plain.tensor, 0, 4, rows.data(), 4), LUTC_BAD_RANGE);
  EXPECT_EQ(lutc_read_rows(&plain.tensor, SIZE_MAX, 2, rows.data(), 4), LUTC_BAD_RANGE);
  EXPECT_EQ(lutc_read_rows(&plain.tensor, 3, 0, rows.data(), 4), LUTC_OK);
  float *odd = reinterpret_cast<float *>(reinterpret_cast<uint8_t *>(rows.data()) + 1);
  EXPECT_EQ(lutc_read_rows(&plain.tensor, 0, 1, odd, 4), LUTC_MISALIGNED);
  lutc_tensor changed = plain.tensor;
  changed.type = lutc_type(99);
  EXPECT_EQ(lutc_read_rows(&changed, 0, 1, rows.data(), 4), LUTC_BAD_RANGE);
  changed = plain.tensor;
  changed.shape[1] = 0;
  changed.bytes = 0;
  EXPECT_EQ(lutc_read_rows(&changed, 0, 1, rows.data(), 4), LUTC_BAD_RANGE);
}

// As an engine looks up embeddings that share their weights with lm_head.
TEST(ReadRows, DequantizePackedWeights) {
  toy::Library toy;
  std::vector<uint8_t> codes(toy::n * toy::k), zeros(toy::n * 3);
  std::vector<uint16_t> scales(toy::n * 3);
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = uint8_t(i * 7 % 4);
  for (size_t i = 0; i < zeros.size(); ++i) {
    zeros[i] = uint8_t(i % 4);
    scales[i] = uint16_t(0x3c00 + i); // 1 + i / 1024
  }
  const lutc_weights weights = {codes.data(), 0,       scales.data(), zeros.data(),
                                nullptr,      nullptr, nullptr,       nullptr};
  Guarded packed(toy::packedBytes, LUTC_ALIGNMENT, Place::End);
  ASSERT_EQ(lutc_pack(&toy.kernel, &weights, packed.as<void>(), toy::packedBytes), LUTC_OK);
  lutc_tensor tensor = {"up.weight",       LUTC_PACKED,      LUTC_U8,     2, {toy::n, toy::k},
                        packed.as<void>(), toy::packedBytes, &toy.kernel, 0};
  std::vector<float> row(toy::k);
  for (size_t r : {size_t(0), size_t(41), toy::n - 1}) {
    ASSERT_EQ(lutc_read_rows(&tensor, r, 1, row.data(), toy::k), LUTC_OK);
    for (size_t i = 0; i < toy::k; ++i) {
      const size_t at = r * 3 + i / 32;
      EXPECT_EQ(row[i], (1.0f + float(at) / 1024.0f) * (float(codes[r * toy::k + i]) - float(zeros[at])));
    }
  }
  EXPECT_EQ(lutc_read_rows(&tensor, toy::n, 1, row.data(), toy::k), LUTC_BAD_RANGE);
  tensor.bytes -= 1;
  EXPECT_EQ(lutc_read_rows(&tensor, 0, 1, row.data(), toy::k), LUTC_BUFFER_TOO_SMALL);
  tensor.kernel = nullptr; // of a file that no library opened
  EXPECT_EQ(lutc_read_rows(&tensor, 0, 1, row.data(), toy::k), LUTC_NULL_POINTER);
}

} // namespace
