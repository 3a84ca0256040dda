// What the instructions are for: products of weights and activations, however they are looked up.
#include "model.h"
#include "random.h"
#include <gtest/gtest.h>

using namespace lut::lmma;

namespace {

// Weights [k][n] as the fragment of a multiply: odd numbers of `bits` planes of -1 and 1.
Bytes packPlanes(const std::vector<int> &weights, size_t n, size_t k, size_t bits) {
  Bytes packed(bits * k / 4 * n / 2);
  for (size_t plane = 0; plane < bits; ++plane)
    for (size_t group = 0; group < k / 4; ++group)
      for (size_t row = 0; row < n; ++row) {
        unsigned nibble = 0;
        for (size_t e = 0; e < 4; ++e) { // (w + 2^bits - 1) / 2 has the planes as its bits
          const int code = (weights[(4 * group + e) * n + row] + (1 << bits) - 1) / 2;
          nibble |= (unsigned(code) >> plane & 1) << e;
        }
        if (nibble & 8) // the table has -a_3 only: its negative, and the other signs turned
          nibble ^= 7;
        packed[((plane * k / 4 + group) * n + row) / 2] |= uint8_t(nibble << (row % 2 * 4));
      }
  return packed;
}

// Trits [k][n]: the absolute value of each three in base 3, then the signs.
Bytes packTrits(const std::vector<int> &weights, size_t n, size_t k) {
  Bytes packed(k / 3 * n * 5 / 8);
  for (size_t group = 0; group < k / 3; ++group)
    for (size_t row = 0; row < n; ++row) {
      const int *w = &weights[3 * group * n + row];
      const int value = w[0] + 3 * w[n] + 9 * w[2 * n];
      const size_t at = group * n + row;
      packed[at / 2] |= uint8_t(std::abs(value) << (at % 2 * 4));
      packed[k / 3 * n / 2 + at / 8] |= uint8_t((value < 0) << at % 8);
    }
  return packed;
}

uint16_t registersOf(size_t bytes) {
  return uint16_t((bytes + LMMA_REGISTER_BYTES - 1) / LMMA_REGISTER_BYTES);
}

// C += A W on registers that follow each other.
struct Product {
  Product(size_t m, size_t n, size_t k, size_t activationBytes, size_t tableBytes, const Bytes &w)
      : a(registersOf(tableBytes)), w(uint16_t(a + registersOf(activationBytes))),
        c(uint16_t(this->w + registersOf(w.size()))), end(uint16_t(c + registersOf(4 * m * n))), m(int(m)),
        n(int(n)), k(int(k)) {}
  uint16_t a, w, c, end;
  int m, n, k;
};

template <typename T>
std::vector<int32_t> runProduct(size_t m, size_t n, size_t k, const std::vector<T> &a, const Bytes &w,
                                lmma_type weights, lmma_type entries, const std::vector<int32_t> &c) {
  const bool trits = weights == LMMA_T3;
  const size_t tableBytes = m * (trits ? k / 3 * 16 : k / 4 * 8) * (entries == LMMA_I8 ? 1 : 2);
  const Product p(m, n, k, a.size() * sizeof(T), tableBytes, w);
  const lmma_type activations = sizeof(T) == 1 ? LMMA_I8 : LMMA_I16;
  Program program(p.end, 4);
  program.load(p.a, 0, fixed(0, 0, 1, int(a.size() * sizeof(T))))
      .load(p.w, 1, fixed(0, 0, 1, int(w.size())))
      .load(p.c, 2, fixed(0, 0, 1, int(4 * m * n)))
      .table(0, p.a, p.m, p.k, activations, entries, trits ? LMMA_T3 : LMMA_NONE)
      .multiply({p.c, 0, p.w, p.c}, p.m, p.n, p.k, entries, weights, LMMA_I32, LMMA_I32)
      .store(p.c, 3, fixed(0, 0, 1, int(4 * m * n)))
      .exit();
  Machine machine(program);
  EXPECT_EQ(machine.check(), LMMA_OK) << machine.fault.instruction;
  std::vector<Buffer> buffers = {input(bytesOf(a)), input(w), input(bytesOf(c)), output(4 * m * n)};
  EXPECT_EQ(machine.run(buffers), LMMA_OK);
  const size_t groups = k / (trits ? 3 : 4);
  EXPECT_EQ(machine.counters.table_additions, m * groups * (trits ? 10 : 12));
  EXPECT_EQ(machine.counters.array_cycles, (m + 1) / 2 * ((n + 63) / 64) * groups * planesOf(weights));
  return valuesOf<int32_t>(buffers[3].data);
}

template <typename T>
void expectProduct(Random &random, size_t m, size_t n, size_t k, lmma_type weights, lmma_type entries,
                   int32_t largest) {
  std::vector<T> a(m * k);
  for (T &x : a)
    x = T(draw(random, -largest, largest));
  std::vector<int> w(k * n);
  for (int &x : w)
    x = weights == LMMA_T3 ? draw(random, -1, 1)
                           : 2 * draw(random, 0, (1 << planesOf(weights)) - 1) - (1 << planesOf(weights)) + 1;
  std::vector<int32_t> c(m * n), expected(m * n);
  for (size_t i = 0; i < c.size(); ++i) {
    c[i] = draw(random, -1000000, 1000000);
    expected[i] = c[i];
    for (size_t e = 0; e < k; ++e)
      expected[i] += a[i / n * k + e] * w[e * n + i % n];
  }
  const Bytes packed = weights == LMMA_T3 ? packTrits(w, n, k) : packPlanes(w, n, k, planesOf(weights));
  EXPECT_EQ(runProduct(m, n, k, a, packed, weights, entries, c), expected)
      << "m" << m << "n" << n << "k" << k << " weights " << weights;
}

TEST(LmmaProducts, AreExactForEveryFormatAndShape) {
  Random random(1);
  for (lmma_type weights : {LMMA_I1, LMMA_I2, LMMA_I3, LMMA_I4, LMMA_I5, LMMA_I6, LMMA_I8, LMMA_T3})
    for (size_t m : {1, 2, 4, 8, 16, 64})
      for (size_t n : {8, 64, 256})
        for (size_t k : {12, 96}) {
          if (m * n > 64 * 64)
            continue;
          expectProduct<int8_t>(random, m, n, k, weights, LMMA_I16, 127);
          expectProduct<int8_t>(random, m, n, k, weights, LMMA_I8, 31);
          expectProduct<int16_t>(random, m, n, k, weights, LMMA_I16, 8191);
        }
}

TEST(LmmaProducts, TakeTheSmallestAndTheLargestK) {
  Random random(2);
  expectProduct<int8_t>(random, 2, 64, 4, LMMA_I2, LMMA_I16, 127);
  expectProduct<int8_t>(random, 2, 64, 128, LMMA_I4, LMMA_I16, 127);
  expectProduct<int8_t>(random, 2, 64, 3, LMMA_T3, LMMA_I16, 127);
  expectProduct<int8_t>(random, 2, 64, 126, LMMA_T3, LMMA_I16, 127);
}

TEST(LmmaProducts, WrapAt32Bits) {
  Random random(3);
  const Bytes w = packPlanes(std::vector<int>(4 * 8, 15), 8, 4, 4);
  const std::vector<int8_t> a(4, 127);
  const std::vector<int32_t> c(8, INT32_MAX - 7619); // 4 * 127 * 15 = 7620
  EXPECT_EQ(runProduct(1, 8, 4, a, w, LMMA_I4, LMMA_I16, c), std::vector<int32_t>(8, INT32_MIN));
}

// Bytes of a buffer through one instruction on fragments at given registers.
Bytes transform(const Bytes &data, Program program, uint16_t from, uint16_t result, size_t bytes) {
  Program whole(program.header.registers, 2);
  whole.load(from, 0, fixed(0, 0, 1, int(data.size())));
  whole.instructions.insert(whole.instructions.end(), program.instructions.begin(),
                            program.instructions.end());
  whole.store(result, 1, fixed(0, 0, 1, int(bytes))).exit();
  Machine machine(whole);
  EXPECT_EQ(machine.check(), LMMA_OK) << machine.fault.instruction;
  std::vector<Buffer> buffers = {input(data), output(bytes)};
  EXPECT_EQ(machine.run(buffers), LMMA_OK);
  return buffers[1].data;
}

TEST(LmmaTable, HoldsSignedSumsInTheOrderOfTheBits) {
  const std::vector<int8_t> a = {1, 10, 100, 13};
  EXPECT_EQ(
      valuesOf<int16_t>(transform(bytesOf(a), Program(8).table(0, 4, 1, 4, LMMA_I8, LMMA_I16), 4, 0, 16)),
      (std::vector<int16_t>{-124, -122, -104, -102, 76, 78, 96, 98}));
  EXPECT_EQ(valuesOf<int8_t>(transform(bytesOf(std::vector<int8_t>{100, 100, -100, -128}),
                                       Program(8).table(0, 4, 1, 4, LMMA_I8, LMMA_I8), 4, 0, 8)),
            (std::vector<int8_t>{28, 127, 127, 127, -128, 28, 28, 127}));
}

TEST(LmmaTable, HoldsTritSumsInBalancedTernary) {
  const std::vector<int16_t> a = {1, 10, 100};
  EXPECT_EQ(valuesOf<int16_t>(
                transform(bytesOf(a), Program(8).table(0, 4, 1, 3, LMMA_I16, LMMA_I16, LMMA_T3), 4, 0, 32)),
            (std::vector<int16_t>{0, 1, 9, 10, 11, 89, 90, 91, 99, 100, 101, 109, 110, 111, 0, 0}));
}

TEST(LmmaCorrect, TurnsPlanesIntoWeightsLessTheZeroPoint) {
  // 2-bit codes q and zero points z: planes give sum a (2q - 3).
  const std::vector<int> a = {5, -7, 11, 2}, q = {0, 1, 2, 3};
  for (int z = 0; z < 4; ++z) {
    int32_t planes = 0, activations = 0, expected = 0;
    for (size_t k = 0; k < 4; ++k) {
      planes += a[k] * (2 * q[k] - 3);
      activations += a[k];
      expected += a[k] * (q[k] - z);
    }
    // registers: sums, activations, U8 and I32 zero points
    Bytes data(4 * LMMA_REGISTER_BYTES);
    for (size_t n = 0; n < 8; ++n) {
      std::memcpy(&data[4 * n], &planes, 4);
      data[2 * LMMA_REGISTER_BYTES + n] = uint8_t(z);
      std::memcpy(&data[3 * LMMA_REGISTER_BYTES + 4 * n], &z, 4);
    }
    std::memcpy(&data[LMMA_REGISTER_BYTES], &activations, 4);
    const std::vector<int32_t> all(8, expected);
    for (const Program &program :
         {Program(4).correct(0, 1, 2, 1, 8, 2, LMMA_U8), Program(4).correct(0, 1, 3, 1, 8, 2, LMMA_I32),
          Program(4).correct(0, 1, 0, 1, 8, 2, LMMA_NONE, z)})
      EXPECT_EQ(valuesOf<int32_t>(transform(data, program, 0, 0, 32)), all) << z;
  }
}

TEST(LmmaScale, RoundsEachOperation) {
  // registers: y, sums, steps, scales
  std::vector<float> data(4 * 32);
  const auto sums = [&](size_t n) -> float & { return data[32 + n]; };
  const int32_t sum = (1 << 24) + 3; // rounds to 2^24 + 4
  data[0] = 0x1p24f;
  std::memcpy(&sums(0), &sum, 4);
  data[64] = 1 + 0x1p-23f;
  data[96] = 1 + 0x1p-23f;
  const Program integers = Program(4).scale(0, 1, 2, 3, 1, 8, LMMA_I32, LMMA_F32, LMMA_F32);
  const float step = (1 + 0x1p-23f) * (1 + 0x1p-23f), product = float(sum) * step;
  EXPECT_EQ(valuesOf<float>(transform(bytesOf(data), integers, 0, 0, 32))[0], 0x1p24f + product);
  EXPECT_EQ(product, 0x1p24f + 8); // (2^24 + 4) (1 + 2^-22) = 2^24 + 8 + 2^-20
  sums(0) = 3;
  const Program floats = Program(4).scale(0, 1, 0, 3, 1, 8, LMMA_F32, LMMA_F32, LMMA_NONE);
  EXPECT_EQ(valuesOf<float>(transform(bytesOf(data), floats, 0, 0, 32))[0], 0x1p24f + 4);
}

TEST(LmmaScale, WidensEveryTypeOfScales) {
  // registers: y, sums, scales
  const auto run = [&](lmma_type type, uint32_t bits) {
    std::vector<uint32_t> data(3 * 32);
    data[32] = 5;
    data[64] = bits;
    return valuesOf<float>(
        transform(bytesOf(data), Program(3).scale(0, 1, 0, 2, 1, 8, LMMA_I32, type, LMMA_NONE), 0, 0, 32))[0];
  };
  EXPECT_EQ(run(LMMA_F16, 0x3e00), 7.5f);
  EXPECT_EQ(run(LMMA_BF16, 0x3fc0), 7.5f);
  EXPECT_EQ(run(LMMA_F32, 0x3fc00000), 7.5f);
  EXPECT_EQ(run(LMMA_E8M0, 128), 10.0f);
  EXPECT_EQ(run(LMMA_E8M0, 0), 5 * 0x1p-127f);
  EXPECT_EQ(run(LMMA_E8M0, 255), INFINITY);
}

TEST(LmmaShift, AddsMinimumsTimesTheSumOfActivations) {
  // registers: y, sums, steps, minimums
  std::vector<float> data(4 * 32);
  const int32_t sums[] = {3, (1 << 24) + 3}; // the second rounds to 2^24 + 4
  std::memcpy(&data[32], sums, sizeof sums);
  data[64] = 0.5f, data[65] = 1.0f;
  for (size_t n = 0; n < 8; ++n)
    data[96 + n] = -float(n);
  for (size_t at = 0; at < 16; ++at)
    data[at] = 100;
  const auto y =
      valuesOf<float>(transform(bytesOf(data), Program(4).shift(0, 1, 2, 3, 2, 8, LMMA_F32), 0, 0, 64));
  EXPECT_EQ(y[3], 100 - 1.5f * 3);
  EXPECT_EQ(y[8 + 1], 100 - float((1 << 24) + 4));
}

TEST(LmmaAdd, SpreadsRowsVectorsAndOne) {
  std::vector<float> data(3 * 32);
  for (size_t at = 0; at < 16; ++at)
    data[at] = float(at), data[32 + at] = float(100 * at + 100);
  const auto run = [&](lmma_opcode opcode, int32_t spread) {
    return valuesOf<float>(
        transform(bytesOf(data), Program(3).combine(opcode, 0, 1, 2, 8, spread), 0, 0, 64));
  };
  EXPECT_EQ(run(LMMA_ADD, LMMA_FULL)[9], 9 + 1000);
  EXPECT_EQ(run(LMMA_ADD, LMMA_VECTOR)[9], 9 + 200);
  EXPECT_EQ(run(LMMA_ADD, LMMA_ONE)[9], 9 + 100);
  EXPECT_EQ(run(LMMA_TIMES, LMMA_VECTOR)[9], 9 * 200);
}

TEST(LmmaConvert, RoundsToEvenAndBounds) {
  std::vector<float> data(2 * 32);
  const float values[] = {2.5f, -3.5f, 127.6f, -1e9f, INFINITY, NAN, 65520.0f, 1 + 0x1p-8f};
  std::copy(std::begin(values), std::end(values), data.begin());
  const auto run = [&](lmma_type type, size_t bytes) {
    return transform(bytesOf(data), Program(3).convert(1, 0, 1, 8, type), 0, 1, bytes);
  };
  EXPECT_EQ(valuesOf<int8_t>(run(LMMA_I8, 8)), (std::vector<int8_t>{2, -4, 127, -127, 127, 0, 127, 1}));
  EXPECT_EQ(valuesOf<uint16_t>(run(LMMA_F16, 16)),
            (std::vector<uint16_t>{0x4100, 0xc300, 0x57fa, 0xfc00, 0x7c00, 0x7e00, 0x7c00, 0x3c04}));
  EXPECT_EQ(valuesOf<uint16_t>(run(LMMA_BF16, 16)),
            (std::vector<uint16_t>{0x4020, 0xc060, 0x42ff, 0xce6e, 0x7f80, 0x7fc0, 0x4780, 0x3f80}));
}

TEST(LmmaClear, LeavesOtherRegisters) {
  const Bytes data(4 * LMMA_REGISTER_BYTES, 7);
  Bytes expected = data;
  std::fill_n(expected.begin() + LMMA_REGISTER_BYTES, 2 * LMMA_REGISTER_BYTES, 0);
  EXPECT_EQ(transform(data, Program(4).clear(1, 2), 0, 0, data.size()), expected);
}

} // namespace
