// Sums of floats: rounded once after each addition, or as the published RTL adds, which is modelled here bit
// by bit.
#include "model.h"
#include "numbers.h"
#include "random.h"
#include <gtest/gtest.h>

using namespace lut::lmma;

namespace {

//===----------------------------------------------------------------------===//
// The RTL
//===----------------------------------------------------------------------===//

// Two 16-bit floats: significands of 1 + 10 bits with guard, round and sticky bits below.
uint16_t addBits(uint16_t a, uint16_t b) {
  if ((a & 0x7fff) < (b & 0x7fff))
    std::swap(a, b);
  const unsigned sign = a & 0x8000;
  int exponent = a >> 10 & 31;
  const int smaller = b >> 10 & 31;
  const bool opposite = ((a ^ b) & 0x8000) != 0;
  if (exponent == 31)
    return uint16_t(smaller == 31 && opposite ? 0x7c00 : sign | 0x7c00);
  if (exponent == 0) // zeros, or subnormals taken for zeros
    return a & b & 0x8000;
  if (smaller == 0)
    return a;
  unsigned x = (0x400u | (a & 0x3ff)) << 3, y = (0x400u | (b & 0x3ff)) << 3;
  for (int shift = exponent - smaller; shift > 0; --shift)
    y = y >> 1 | (y & 1);
  unsigned sum = opposite ? x - y : x + y;
  if (sum == 0)
    return 0;
  if (sum & 0x4000) {
    sum = sum >> 1 | (sum & 1);
    ++exponent;
  }
  for (; !(sum & 0x2000); sum <<= 1)
    --exponent;
  const unsigned below = sum & 7;
  sum = (sum >> 3) + (below > 4 || (below == 4 && (sum & 8)));
  if (sum & 0x800) {
    sum >>= 1;
    ++exponent;
  }
  if (exponent >= 31)
    return uint16_t(sign | 0x7c00);
  return uint16_t(exponent <= 0 ? sign : sign | unsigned(exponent) << 10 | (sum & 0x3ff));
}

uint16_t rtlSum(uint16_t c, const uint16_t *table, const Lookup *lookups, size_t entries, size_t groups,
                size_t planes) {
  for (size_t group = 0; group < groups; ++group)
    for (size_t plane = 0; plane < planes; ++plane) {
      const Lookup &l = lookups[group * planes + plane];
      const uint16_t v = table[group * entries + l.index];
      const auto scaled = uint16_t((v & 0x83ff) | (((v >> 10 & 31) + plane) % 32) << 10);
      c = addBits(l.negative ? scaled ^ 0x8000 : scaled, c);
    }
  return c;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

// Any float of 16 bits, but mostly neighbours in size, zeros, subnormals and the largest.
uint16_t drawHalf(Random &random) {
  switch (draw(random, 0, 7)) {
  case 0:
    return uint16_t(random());
  case 1:
    return uint16_t(random() & 0x8000);
  case 2:
    return uint16_t(random() & 0x83ff);
  case 3:
    return uint16_t((random() & 0x83ff) | 0x7800);
  case 4:
    return uint16_t((random() & 0x8007) | 0x3c00);
  default:
    return uint16_t((random() & 0x87ff) | 0x4000);
  }
}

struct Case {
  size_t m, n, k;
  lmma_type table, weights, c, d;
  size_t group() const { return weights == LMMA_T3 ? 3 : 4; }
  size_t entries() const { return weights == LMMA_T3 ? 16 : 8; }
  size_t groups() const { return k / group(); }
  size_t planes() const { return weights == LMMA_T3 ? 1 : size_t(weights); }
  size_t tableBytes() const { return m * groups() * entries() * size_t(bytesOf(table)); }
  size_t weightBytes() const { return groups() * n * (weights == LMMA_T3 ? 5 : 4 * planes()) / 8; }
};

Bytes multiply(const Case &t, const Bytes &table, const Bytes &weights, const Bytes &c, bool rtl) {
  const auto registers = [](size_t bytes) { return uint16_t((bytes + 127) / 128); };
  const uint16_t w = registers(table.size()), cs = uint16_t(w + registers(weights.size())),
                 d = uint16_t(cs + registers(c.size()));
  const size_t bytes = t.m * t.n * size_t(bytesOf(t.d));
  Program program(uint32_t(d + registers(bytes)), 4);
  program.load(0, 0, fixed(0, 0, 1, int(table.size())))
      .load(w, 1, fixed(0, 0, 1, int(weights.size())))
      .load(cs, 2, fixed(0, 0, 1, int(c.size())))
      .multiply({d, 0, w, cs}, int(t.m), int(t.n), int(t.k), t.table, t.weights, t.c, t.d)
      .store(d, 3, fixed(0, 0, 1, int(bytes)))
      .exit();
  Machine machine(program);
  EXPECT_EQ(machine.check(), LMMA_OK) << machine.fault.instruction;
  machine.launch.rtl_compatible = rtl;
  std::vector<Buffer> buffers = {input(table), input(weights), input(c), output(bytes)};
  EXPECT_EQ(machine.run(buffers), LMMA_OK);
  return buffers[3].data;
}

std::vector<Lookup> lookupsOf(const Case &t, const Bytes &weights, size_t row) {
  std::vector<Lookup> lookups;
  for (size_t group = 0; group < t.groups(); ++group)
    for (size_t plane = 0; plane < t.planes(); ++plane)
      lookups.push_back(lookupOf(weights.data(), t.weights, t.n, t.groups(), plane, group, row));
  return lookups;
}

TEST(LmmaFloats, AddAsTheRtlWhereAsked) {
  Random random(4);
  for (lmma_type weights : {LMMA_I1, LMMA_I2, LMMA_I3, LMMA_I4, LMMA_T3})
    for (size_t k : {12, 24}) {
      const Case t = {16, 256, k, LMMA_F16, weights, LMMA_F16, LMMA_F16};
      std::vector<uint16_t> table(t.tableBytes() / 2), c(t.m * t.n), expected(t.m * t.n);
      for (uint16_t &x : table)
        x = drawHalf(random);
      for (uint16_t &x : c)
        x = drawHalf(random);
      const Bytes w = drawBytes(random, t.weightBytes());
      for (size_t i = 0; i < c.size(); ++i)
        expected[i] = rtlSum(c[i], &table[i / t.n * t.groups() * t.entries()],
                             lookupsOf(t, w, i % t.n).data(), t.entries(), t.groups(), t.planes());
      EXPECT_EQ(valuesOf<uint16_t>(multiply(t, bytesOf(table), w, bytesOf(c), true)), expected)
          << weights << " " << k;
    }
}

// Every pair of a sample that holds all exponents, signs and the ends of their significands.
TEST(LmmaFloats, AddEveryKindOfPairAsTheRtl) {
  std::vector<uint16_t> sample;
  for (unsigned exponent = 0; exponent < 32; ++exponent)
    for (unsigned fraction : {0x000, 0x001, 0x1ff, 0x200, 0x2ab, 0x3fe, 0x3ff})
      for (unsigned sign : {0x0000, 0x8000})
        sample.push_back(uint16_t(sign | exponent << 10 | fraction));
  const Case t = {1, 256, 4, LMMA_F16, LMMA_I1, LMMA_F16, LMMA_F16};
  for (uint16_t a : sample)
    for (size_t from = 0; from < sample.size(); from += t.n) {
      std::vector<uint16_t> c(t.n), expected(t.n);
      for (size_t i = 0; i < t.n; ++i) {
        c[i] = sample[(from + i) % sample.size()];
        expected[i] = addBits(a, c[i]);
      }
      const Bytes w(t.weightBytes());
      ASSERT_EQ(valuesOf<uint16_t>(multiply(t, bytesOf(std::vector<uint16_t>(8, a)), w, bytesOf(c), true)),
                expected)
          << a;
    }
}

TEST(LmmaFloats, RoundOnceAfterEachAdditionOtherwise) {
  Random random(5);
  for (lmma_type table : {LMMA_F8, LMMA_F16})
    for (lmma_type weights : {LMMA_I1, LMMA_I2, LMMA_I3, LMMA_I4, LMMA_T3})
      for (const auto &[c, d] :
           {std::pair(LMMA_F16, LMMA_F16), std::pair(LMMA_F32, LMMA_F32), std::pair(LMMA_F32, LMMA_F16)}) {
        const Case t = {4, 64, 24, table, weights, c, d};
        Bytes entries(t.tableBytes()), sums(t.m * t.n * size_t(bytesOf(c)));
        for (size_t i = 0; i < entries.size() / size_t(bytesOf(table)); ++i)
          encode(table, entries.data(), i, roundTo(table, decodeFields(drawHalf(random), 5, 10)));
        for (size_t i = 0; i < t.m * t.n; ++i)
          encode(c, sums.data(), i, roundTo(c, decodeFields(drawHalf(random), 5, 10)));
        const Bytes w = drawBytes(random, t.weightBytes());
        Bytes expected(t.m * t.n * size_t(bytesOf(d)));
        for (size_t i = 0; i < t.m * t.n; ++i) {
          const std::vector<Lookup> lookups = lookupsOf(t, w, i % t.n);
          double sum = decode(c, sums.data(), i);
          for (size_t l = 0; l < lookups.size(); ++l) {
            const double entry =
                decode(table, entries.data(),
                       (i / t.n * t.groups() + l / t.planes()) * t.entries() + lookups[l].index);
            sum = roundTo(c, sum + (lookups[l].negative ? -1 : 1) * std::ldexp(entry, int(l % t.planes())));
          }
          encode(d, expected.data(), i, roundTo(d, sum));
        }
        EXPECT_EQ(multiply(t, entries, w, sums, false), expected) << table << " " << weights << " " << c;
      }
}

//===----------------------------------------------------------------------===//
// What differs
//===----------------------------------------------------------------------===//

// c + v + 2v + ... in as many planes as the weights have; the last one is subtracted where asked.
uint16_t addPlanes(uint16_t c, uint16_t v, lmma_type weights, bool rtl, bool lastNegative = false) {
  const Case t = {1, 8, 4, LMMA_F16, weights, LMMA_F16, LMMA_F16};
  Bytes w(t.weightBytes());
  if (lastNegative)
    std::fill(w.end() - 4, w.end(), 0x88);
  return valuesOf<uint16_t>(
      multiply(t, bytesOf(std::vector<uint16_t>(8, v)), w, bytesOf(std::vector<uint16_t>(8, c)), rtl))[0];
}

TEST(LmmaFloats, HaveTheRtlsDefectsOnlyWhereAsked) {
  const auto half = [](double value) { return floatBits(LMMA_F16, value); };
  // A zero becomes 2^(p - 15) in plane p >= 1: 2^-14 + 2^-13 + 2^-12 = 7 * 2^-14.
  EXPECT_EQ(addPlanes(0, 0, LMMA_I4, false), half(0));
  EXPECT_EQ(addPlanes(0, 0, LMMA_I4, true), half(7 * 0x1p-14));
  // 4 * 16384 has the exponent's field of infinity, though the sum is finite.
  EXPECT_EQ(addPlanes(0xfbff, 0x7400, LMMA_I3, false), half(-65504 + 7 * 16384.0));
  EXPECT_EQ(addPlanes(0xfbff, 0x7400, LMMA_I3, true), half(INFINITY));
  // 8 * 16384 wraps to 0 and leaves that infinity; what is right is below -65504.
  EXPECT_EQ(addPlanes(0xfbff, 0x7400, LMMA_I4, false, true), half(-INFINITY));
  EXPECT_EQ(addPlanes(0xfbff, 0x7400, LMMA_I4, true, true), half(INFINITY));
  // 2^-15 is subnormal: 15 * 2^-15, or 0 and then the defect of zeros on its fraction.
  EXPECT_EQ(addPlanes(0, 0x0200, LMMA_I4, false), half(15 * 0x1p-15));
  EXPECT_EQ(addPlanes(0, 0x0200, LMMA_I4, true), half(1.5 * 7 * 0x1p-14));
  // A difference that is subnormal is 0.
  EXPECT_EQ(addPlanes(0x8401, 0x0400, LMMA_I1, false), 0x8001);
  EXPECT_EQ(addPlanes(0x8401, 0x0400, LMMA_I1, true), 0x8000);
}

TEST(LmmaFloats, OfOtherTypesIgnoreTheRtl) {
  Random random(6);
  for (const auto &[table, c, d] :
       {std::tuple(LMMA_F8, LMMA_F16, LMMA_F16), std::tuple(LMMA_F16, LMMA_F32, LMMA_F16),
        std::tuple(LMMA_F16, LMMA_F32, LMMA_F32)}) {
    const Case t = {4, 64, 8, table, LMMA_I3, c, d};
    const Bytes entries(t.tableBytes()), w = drawBytes(random, t.weightBytes()),
                                         sums(4 * 64 * size_t(bytesOf(c)));
    EXPECT_EQ(multiply(t, entries, w, sums, true), multiply(t, entries, w, sums, false));
  }
}

// Through a table of one activation and zeros, whose entry 1 is what the type holds of it: every F8 number
// becomes an F16 one, and sums of F8 round.
TEST(LmmaFloats, TablesHoldEveryF8Number) {
  for (unsigned bits = 0; bits < 256; ++bits) {
    const double value = decode(LMMA_F8, reinterpret_cast<const uint8_t *>(&bits), 0);
    for (lmma_type to : {LMMA_F8, LMMA_F16}) {
      Program program(3, 2);
      program.load(0, 0, fixed(0, 0, 1, 4)).table(1, 0, 1, 4, LMMA_F8, to);
      program.store(1, 1, fixed(0, 0, 1, 8 * bytesOf(to))).exit();
      Machine machine(program);
      ASSERT_EQ(machine.check(), LMMA_OK);
      // a_1 is 1.125, an odd number of its last place
      std::vector<Buffer> buffers = {input(Bytes{uint8_t(bits), 0x39, 0, 0}),
                                     output(8u * size_t(bytesOf(to)))};
      ASSERT_EQ(machine.run(buffers), LMMA_OK);
      for (size_t entry = 0; entry < 4; ++entry) {
        const double sum = (entry & 1 ? value : -value) + (entry & 2 ? 1.125 : -1.125);
        Bytes expected(4);
        encode(to, expected.data(), 0, roundTo(to, sum));
        expected.resize(size_t(bytesOf(to)));
        const uint8_t *got = &buffers[1].data[entry * size_t(bytesOf(to))];
        EXPECT_EQ(Bytes(got, got + bytesOf(to)), expected) << bits << " " << entry;
      }
    }
  }
}

} // namespace
