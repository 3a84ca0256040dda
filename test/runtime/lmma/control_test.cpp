// Memory, loops, warps, barriers, the grid and what is counted.
#include "program.h"
#include <gtest/gtest.h>
#include <numeric>

using namespace lut::lmma;

namespace {

constexpr uint8_t column = LMMA_BLOCK_COLUMN, row = LMMA_BLOCK_ROW, warp = LMMA_WARP, tokens = LMMA_TOKENS;

Bytes counted(size_t bytes) {
  Bytes data(bytes);
  std::iota(data.begin(), data.end(), 1);
  return data;
}

void expectRun(Machine &machine, std::vector<Buffer> &buffers) {
  ASSERT_EQ(machine.check(), LMMA_OK) << machine.fault.instruction;
  ASSERT_EQ(machine.run(buffers), LMMA_OK) << lmma_status_string(machine.fault.status);
}

TEST(LmmaMemory, LoadsClipAtTheBuffersEdges) {
  // 3 rows of 5 bytes, 8 apart; a window of 4 x 4 from row 1, byte 3
  std::vector<Buffer> buffers = {Buffer(3, 5, counted(21), false, 8), output(16)};
  Machine machine(Program(1, 2).load(0, 0, fixed(1, 3, 4, 4)).store(0, 1, fixed(0, 0, 1, 16)).exit());
  expectRun(machine, buffers);
  EXPECT_EQ(buffers[1].data, (Bytes{12, 13, 0, 0, 20, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(machine.counters.memory_read, 4u);
  EXPECT_EQ(machine.counters.memory_written, 16u);
}

TEST(LmmaMemory, StoresClipAtTheBuffersEdges) {
  std::vector<Buffer> buffers = {input(counted(16)), Buffer(3, 5, Bytes(21, 0xcd), true, 8)};
  Machine machine(Program(1, 2).load(0, 0, fixed(0, 0, 1, 16)).store(0, 1, fixed(1, 3, 4, 4)).exit());
  expectRun(machine, buffers);
  Bytes expected(21, 0xcd);
  expected[11] = 1, expected[12] = 2, expected[19] = 5, expected[20] = 6;
  EXPECT_EQ(buffers[1].data, expected);
  EXPECT_EQ(machine.counters.memory_written, 4u);
}

TEST(LmmaMemory, WindowsFarOutsideAreEmpty) {
  std::vector<Buffer> buffers = {input(counted(16)), output(16)};
  Program program(1, 2);
  program.affine(4, zero, 0, zero, INT32_MAX).affine(4, 4, INT32_MAX, 4, 0); // near 2^62
  program.load(0, 0, {4, zero, 0, 0, 1, 16}).store(0, 1, {zero, 4, 0, 0, 1, 16});
  program.store(0, 1, fixed(0, 0, 1, 8)).exit();
  Machine machine(program);
  expectRun(machine, buffers);
  Bytes expected(16, 0xcd);
  std::fill_n(expected.begin(), 8, 0);
  EXPECT_EQ(buffers[1].data, expected);
  EXPECT_EQ(machine.counters.memory_read, 0u);
}

TEST(LmmaMemory, EmptyBuffersMayBeNull) {
  std::vector<Buffer> buffers = {input({}), output(4)};
  Machine machine(Program(1, 2).load(0, 0, fixed(0, 0, 1, 4)).store(0, 1, fixed(0, 0, 1, 4)).exit());
  expectRun(machine, buffers);
  EXPECT_EQ(buffers[1].data, Bytes(4));
}

TEST(LmmaMemory, BlocksStartWithZeros) {
  std::vector<Buffer> buffers = {input(counted(128)), output(256)};
  Program program(1, 2, 128);
  program.store(0, 1, fixed(0, 0, 1, 128)).read(0, zero, 0, 128).store(0, 1, fixed(0, 128, 1, 128));
  program.load(0, 0, fixed(0, 0, 1, 128)).write(0, zero, 0, 128).exit();
  Machine machine(program);
  machine.launch.column_end = 2;
  expectRun(machine, buffers);
  EXPECT_EQ(buffers[1].data, Bytes(256));
}

// Stores byte scalar[from] of a row that counts from 0 at byte `to` of the result.
Program &storeScalar(Program &program, uint8_t from, Window to) {
  return program.load(0, 0, {zero, from, 0, 0, 1, 1}).store(0, 1, to);
}

Bytes numbers() {
  Bytes data = counted(256);
  for (uint8_t &byte : data)
    --byte;
  return data;
}

TEST(LmmaLoops, Nest) {
  // 3 loops of 2, 3 and counter 0 + 1 rounds: the innermost writes 100 a + 10 b + c.
  std::vector<Buffer> buffers = {input(numbers()), output(9)};
  Program program(1, 2);
  program.loop(4, zero, 2).loop(5, zero, 3).loop(6, 4, 1);
  program.affine(7, 4, 100, zero, 0).affine(7, 5, 10, 7, 0).affine(7, 6, 1, 7, 0);
  storeScalar(program, 7, {zero, 8, 0, 0, 1, 1}).affine(8, 8, 1, zero, 1);
  program.end().end().end().exit();
  Machine machine(program);
  expectRun(machine, buffers);
  EXPECT_EQ(buffers[1].data, (Bytes{0, 10, 20, 100, 101, 110, 111, 120, 121}));
  // exit, the loops' starts, 9 rounds of 6, the ends
  EXPECT_EQ(machine.counters.instructions, 1u + 1 + 2 + 6 + 9 * 6 + 9 + 6 + 2);
}

TEST(LmmaLoops, WithoutARoundAreSkipped) {
  for (int32_t rounds : {0, -1, INT32_MIN}) {
    std::vector<Buffer> buffers = {input(numbers()), output(2)};
    Program program(1, 2);
    program.affine(4, zero, 0, zero, 9).loop(4, zero, rounds).loop(5, zero, 5);
    program.store(0, 1, fixed(0, 1, 1, 1)).end().end();
    storeScalar(program, 4, fixed(0, 0, 1, 1)).exit();
    Machine machine(program);
    expectRun(machine, buffers);
    EXPECT_EQ(buffers[1].data, (Bytes{0, 0xcd})) << rounds; // the counter is 0, not 9
    EXPECT_EQ(machine.counters.instructions, 5u);
  }
}

TEST(LmmaLoops, RunToTheDeepest) {
  Program program(1);
  for (uint8_t depth = 0; depth < LMMA_MAX_LOOP_DEPTH; ++depth)
    program.loop(uint8_t(4 + depth), zero, 2);
  for (int depth = 0; depth < LMMA_MAX_LOOP_DEPTH; ++depth)
    program.end();
  Machine machine(program.exit());
  std::vector<Buffer> none;
  expectRun(machine, none);
  EXPECT_EQ(machine.counters.instructions, 1u + 255 + 2 * 255);
}

TEST(LmmaScalars, WrapAt64Bits) {
  // 2^62 * 4 + 3
  std::vector<Buffer> buffers = {input(numbers()), output(1)};
  Program program(1, 2);
  program.affine(4, zero, 0, zero, 1 << 30).affine(4, 4, 1 << 30, zero, 0).affine(4, 4, 4, zero, 0);
  program.affine(4, 4, 4, zero, 3);
  storeScalar(program, 4, fixed(0, 0, 1, 1)).exit();
  Machine machine(program);
  expectRun(machine, buffers);
  EXPECT_EQ(buffers[1].data, Bytes{3});
}

TEST(LmmaGrid, BlocksCoverTheTokensAndTheColumnsAskedFor) {
  // Rows of the result are blocks; each writes its column, row, warp, and tokens.
  std::vector<Buffer> buffers = {input(numbers()), Buffer(12, 8, Bytes(96, 0xcd), true)};
  Program program(1, 2, 0, 2);
  program.header.tile_m = 4;
  program.affine(4, column, 3, row, 0).affine(5, warp, 4, zero, 0);
  for (uint8_t scalar : {column, row, warp, tokens})
    storeScalar(program, scalar, {4, 5, 0, scalar, 1, 1});
  Machine machine(program.exit());
  machine.launch.tokens = 9;
  machine.launch.column_begin = 1;
  machine.launch.column_end = 3;
  expectRun(machine, buffers);
  for (uint8_t block = 0; block < 12; ++block) {
    const auto c = uint8_t(block / 3), r = uint8_t(block % 3);
    const Bytes expected = c == 1 || c == 2 ? Bytes{c, r, 0, 9, c, r, 1, 9} : Bytes(8, 0xcd);
    EXPECT_EQ(Bytes(&buffers[1].data[block * 8u], &buffers[1].data[block * 8u] + 8), expected) << int(block);
  }
  EXPECT_EQ(machine.counters.instructions, 2u * 3 * 2 * 11);
  machine.launch.tokens = 0;
  expectRun(machine, buffers);
  EXPECT_EQ(machine.counters.instructions, 2u * 3 * 2 * 11); // nothing added
}

TEST(LmmaBarriers, ShowWhatOtherWarpsWrote) {
  // Each warp fetches its byte, waits, and stores that of the next warp; twice, in a loop.
  std::vector<Buffer> buffers = {input(Bytes{10, 11, 12, 13, 20, 21, 22, 23}), output(8)};
  Program program(2, 2, 5, 4);
  program.affine(4, warp, 1, zero, 0).loop(5, zero, 2).affine(6, 5, 4, warp, 0);
  program.fetch(4, 0, {zero, 6, 0, 0, 1, 1}).barrier();
  program.read(0, zero, 0, 1).write(0, zero, 4, 1).barrier();
  program.read(0, warp, 1, 1).store(0, 1, {zero, 6, 0, 0, 1, 1}).barrier().end().exit();
  Machine machine(program);
  expectRun(machine, buffers);
  EXPECT_EQ(buffers[1].data, (Bytes{11, 12, 13, 10, 21, 22, 23, 20}));
  EXPECT_EQ(machine.counters.barriers, 6u);
  EXPECT_EQ(machine.counters.scratchpad_read, 2u * 4 * 2);
  EXPECT_EQ(machine.counters.scratchpad_written, 2u * 4 * 2);
  EXPECT_EQ(machine.counters.memory_read, 8u);
}

} // namespace
