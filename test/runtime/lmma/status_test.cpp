// Every status: of programs that are not, of instructions, of launches.
#include "program.h"
#include <cctype>
#include <cmath>
#include <gtest/gtest.h>
#include <set>
#include <string>

using namespace lut::lmma;

namespace {

lmma_status checkOf(const Bytes &bytes) { return lmma_check(bytes.data(), bytes.size(), nullptr); }

// A program with room for every instruction.
Program roomy() { return Program(64, 2, 1024); }

TEST(LmmaStatus, SentencesAreLowerCaseAndDistinct) {
  std::set<std::string> sentences;
  for (int status = LMMA_OK; status < LMMA_STATUSES; ++status) {
    const std::string sentence = lmma_status_string(lmma_status(status));
    EXPECT_TRUE(std::islower(sentence[0])) << sentence;
    sentences.insert(sentence);
  }
  EXPECT_EQ(sentences.size(), size_t(LMMA_STATUSES));
  EXPECT_STREQ(lmma_status_string(LMMA_STATUSES), "unknown status");
  EXPECT_STREQ(lmma_status_string(lmma_status(-1)), "unknown status");
}

TEST(LmmaStatus, EncodingsAreCheckedWhole) {
  const Bytes good = roomy().clear(0, 1).exit().encode();
  EXPECT_EQ(checkOf(good), LMMA_OK);
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(checkOf(Bytes(good.begin(), good.begin() + long(size))), LMMA_TRUNCATED) << size;
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(checkOf(longer), LMMA_TRUNCATED);
  for (size_t byte = 0; byte < good.size(); ++byte)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[byte] ^= uint8_t(1 << bit);
      EXPECT_NE(checkOf(bad), LMMA_OK) << byte; // most by the checksum
    }
  Bytes bad = good;
  bad[0] = 'l';
  EXPECT_EQ(checkOf(bad), LMMA_NOT_A_PROGRAM);
  bad = good;
  bad[8] = LMMA_VERSION + 1;
  EXPECT_EQ(checkOf(bad), LMMA_WRONG_VERSION);
  bad = good;
  bad.back() ^= 1;
  EXPECT_EQ(checkOf(bad), LMMA_BAD_CHECKSUM);
}

TEST(LmmaStatus, HeadersAreChecked) {
  const auto spoilt = [](uint32_t lmma_header::*field, uint32_t value) {
    Program program = roomy().exit();
    program.header.*field = value;
    return checkOf(program.encode());
  };
  for (auto field :
       {&lmma_header::registers, &lmma_header::warps, &lmma_header::tile_m, &lmma_header::tile_n})
    EXPECT_EQ(spoilt(field, 0), LMMA_BAD_HEADER);
  const std::pair<uint32_t lmma_header::*, uint32_t> limits[] = {
      {&lmma_header::registers, LMMA_MAX_REGISTERS},
      {&lmma_header::scratchpad, LMMA_MAX_SCRATCHPAD},
      {&lmma_header::warps, LMMA_MAX_WARPS},
      {&lmma_header::buffers, LMMA_MAX_BUFFERS}};
  for (const auto &[field, most] : limits) {
    EXPECT_EQ(spoilt(field, most), LMMA_OK);
    EXPECT_EQ(spoilt(field, most + 1), LMMA_BAD_HEADER);
    EXPECT_EQ(spoilt(field, UINT32_MAX), LMMA_BAD_HEADER);
  }
  EXPECT_EQ(checkOf(roomy().encode()), LMMA_BAD_HEADER); // no instructions
  Program reserved = roomy().exit();
  reserved.header.zero[3] = 1;
  EXPECT_EQ(checkOf(reserved.encode()), LMMA_BAD_HEADER);
  Program longest = roomy();
  longest.instructions.resize(LMMA_MAX_INSTRUCTIONS - 1, roomy().barrier().instructions[0]);
  EXPECT_EQ(checkOf(longest.exit().encode()), LMMA_OK);
  longest.instructions.push_back(longest.instructions.back());
  EXPECT_EQ(checkOf(longest.encode()), LMMA_BAD_HEADER);
}

// The status of one instruction; the check points at it.
lmma_status statusOf(Program program) {
  program.instructions.insert(program.instructions.begin(), roomy().clear(0, 1).instructions[0]);
  const Bytes bytes = program.exit().encode();
  lmma_fault fault;
  const lmma_status status = lmma_check(bytes.data(), bytes.size(), &fault);
  EXPECT_EQ(fault.status, status);
  EXPECT_EQ(fault.instruction, status == LMMA_OK ? 0u : 1u);
  return status;
}

Program goodMultiply() {
  return roomy().multiply({0, 4, 8, 0}, 2, 64, 4, LMMA_I16, LMMA_I2, LMMA_I32, LMMA_I32);
}

// One good instruction of each opcode, but exit and end.
std::vector<Program> goodInstructions() {
  return {roomy().barrier(),
          roomy().loop(4, 5, 1).end(),
          roomy().affine(4, 5, 1, 6, 1),
          roomy().load(1, 1, {5, 6, 1, 1, 1, 1}),
          roomy().store(1, 1, {5, 6, 1, 1, 1, 1}),
          roomy().fetch(1, 1, {5, 6, 1, 1, 1, 1}),
          roomy().read(1, 5, 1, 1),
          roomy().write(1, 5, 1, 1),
          roomy().clear(1, 1),
          roomy().table(1, 4, 2, 12, LMMA_I8, LMMA_I16, LMMA_T3),
          goodMultiply(),
          roomy().correct(1, 9, 10, 2, 64, 2, LMMA_U8),
          roomy().scale(1, 9, 20, 21, 2, 64, LMMA_I32, LMMA_F16, LMMA_F32),
          roomy().shift(1, 9, 20, 21, 2, 64, LMMA_F16)};
}

TEST(LmmaStatus, UnusedFieldsAreZero) {
  for (const Program &good : goodInstructions()) {
    EXPECT_EQ(statusOf(good), LMMA_OK) << int(good.instructions[0].opcode);
    int refused = 0;
    for (size_t byte = 1; byte < sizeof(lmma_instruction); ++byte) {
      Program bad = good;
      uint8_t *field = reinterpret_cast<uint8_t *>(&bad.instructions[0]) + byte;
      if (*field != 0)
        continue;
      *field = 1;
      refused += statusOf(bad) == LMMA_BAD_FIELD;
    }
    // bytes of fields that are not used, of 31
    const int expected[LMMA_OPCODES] = {31, 31, 25, 31, 20, 9, 9, 10, 20, 20, 25, 16, 7, 11, 8, 0, 0, 0, 14};
    EXPECT_EQ(refused, expected[good.instructions[0].opcode]) << int(good.instructions[0].opcode);
  }
  EXPECT_EQ(statusOf(roomy().correct(1, 9, 10, 2, 64, 2, LMMA_NONE)), LMMA_BAD_FIELD);
  EXPECT_EQ(statusOf(roomy().correct(1, 9, 10, 2, 64, 2, LMMA_U8, 1)), LMMA_BAD_FIELD);
  EXPECT_EQ(statusOf(roomy().scale(1, 9, 20, 21, 2, 64, LMMA_I32, LMMA_F16, LMMA_NONE)), LMMA_BAD_FIELD);
}

TEST(LmmaStatus, OpcodesAreChecked) {
  for (int opcode = LMMA_OPCODES; opcode < 256; ++opcode) {
    Program bad = roomy().barrier();
    bad.instructions[0].opcode = uint8_t(opcode);
    EXPECT_EQ(statusOf(bad), LMMA_BAD_OPCODE);
  }
}

// Counts the combinations of types that are taken; the rest is LMMA_BAD_TYPE.
int countTypes(const Program &good, int fields) {
  int taken = 0;
  const int types = LMMA_E8M0 + 2; // one more than there are
  for (int combination = 0; combination < std::pow(types, fields); ++combination) {
    Program program = good;
    for (int field = 0, rest = combination; field < fields; ++field, rest /= types)
      program.instructions[0].type[field] = uint8_t(rest % types);
    if (program.instructions[0].opcode == LMMA_MULTIPLY)
      program.instructions[0].reg[3] = 48; // C and D may differ in size
    const lmma_status status = statusOf(program);
    EXPECT_TRUE(status == LMMA_OK || status == LMMA_BAD_TYPE) << combination << ": " << status;
    taken += status == LMMA_OK;
  }
  return taken;
}

TEST(LmmaStatus, TypesAreChecked) {
  EXPECT_EQ(countTypes(roomy().table(1, 8, 2, 12, LMMA_I8, LMMA_I16), 3), 6 * 2);
  EXPECT_EQ(countTypes(roomy().multiply({0, 8, 16, 48}, 2, 64, 12, LMMA_I16, LMMA_I2, LMMA_I32, LMMA_I32), 4),
            8 * (2 * 1 + 2 * 3));
  EXPECT_EQ(countTypes(roomy().shift(1, 9, 20, 21, 2, 64, LMMA_F16), 1), 3);
  EXPECT_EQ(countTypes(roomy().correct(4, 9, 0, 2, 64, 2, LMMA_NONE), 2), 3 * 2);
}

TEST(LmmaStatus, ShapesAreChecked) {
  const auto multiply = [](int m, int n, int k, lmma_type weights) {
    return statusOf(Program(1024).multiply({0, 512, 900, 0}, m, n, k, LMMA_I8, weights, LMMA_I32, LMMA_I32));
  };
  for (int m : {1, 2, 4, 8, 16, 32, 64})
    EXPECT_EQ(multiply(m, 64, 4, LMMA_I2), LMMA_OK);
  for (int m : {0, -1, 3, 128, INT32_MIN})
    EXPECT_EQ(multiply(m, 64, 4, LMMA_I2), LMMA_BAD_SHAPE);
  for (int n : {8, 16, 32, 64, 128, 256})
    EXPECT_EQ(multiply(2, n, 4, LMMA_I2), LMMA_OK);
  for (int n : {0, 4, 24, 512, -8, INT32_MIN})
    EXPECT_EQ(multiply(2, n, 4, LMMA_I2), LMMA_BAD_SHAPE);
  for (int k : {4, 12, 128})
    EXPECT_EQ(multiply(2, 64, k, LMMA_I2), LMMA_OK);
  for (int k : {0, 3, 6, -4, 132, INT32_MIN})
    EXPECT_EQ(multiply(2, 64, k, LMMA_I2), LMMA_BAD_SHAPE);
  for (int k : {3, 12, 126})
    EXPECT_EQ(multiply(2, 64, k, LMMA_T3), LMMA_OK);
  for (int k : {0, 4, 128, 129, -3})
    EXPECT_EQ(multiply(2, 64, k, LMMA_T3), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().table(1, 4, 3, 4, LMMA_I8, LMMA_I8)), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().table(1, 4, 2, 3, LMMA_I8, LMMA_I8)), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().scale(1, 9, 20, 21, 2, 65, LMMA_I32, LMMA_F16, LMMA_F32)), LMMA_BAD_SHAPE);
  for (int bits : {0, 9, INT32_MIN, INT32_MAX})
    EXPECT_EQ(statusOf(roomy().correct(1, 9, 10, 2, 64, bits, LMMA_U8)), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().clear(0, 0)), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().read(0, zero, 0, 0)), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().write(0, zero, 0, 1025)), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().load(0, 0, fixed(0, 0, 0, 1))), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().store(0, 0, fixed(0, 0, 1, -1))), LMMA_BAD_SHAPE);
  EXPECT_EQ(statusOf(roomy().fetch(zero, 0, fixed(0, 0, 32, 32))), LMMA_OK);
  EXPECT_EQ(statusOf(roomy().fetch(zero, 0, fixed(0, 0, INT32_MAX, INT32_MAX))), LMMA_BAD_SHAPE);
}

TEST(LmmaStatus, FragmentsEndInsideTheRegisters) {
  EXPECT_EQ(statusOf(roomy().clear(63, 1)), LMMA_OK);
  EXPECT_EQ(statusOf(roomy().clear(63, 2)), LMMA_BAD_REGISTER);
  EXPECT_EQ(statusOf(roomy().clear(0, INT32_MAX)), LMMA_BAD_REGISTER);
  EXPECT_EQ(statusOf(roomy().clear(UINT16_MAX, 1)), LMMA_BAD_REGISTER);
  EXPECT_EQ(statusOf(roomy().load(63, 0, fixed(0, 0, 16, 8))), LMMA_OK);
  EXPECT_EQ(statusOf(roomy().load(63, 0, fixed(0, 0, 129, 1))), LMMA_BAD_REGISTER);
  EXPECT_EQ(statusOf(roomy().load(0, 0, fixed(0, 0, INT32_MAX, INT32_MAX))), LMMA_BAD_REGISTER);
  EXPECT_EQ(statusOf(roomy().read(60, zero, 0, 512)), LMMA_OK);
  EXPECT_EQ(statusOf(roomy().read(60, zero, 0, 513)), LMMA_BAD_REGISTER);
  // T [2][1][8] i16: 1 register; A: 1; W 2 * 64 / 2: 1; C: 4
  for (int operand = 0; operand < 4; ++operand) {
    Program bad = goodMultiply();
    bad.instructions[0].reg[operand] = uint16_t(operand == 0 || operand == 3 ? 61 : 64);
    EXPECT_EQ(statusOf(bad), LMMA_BAD_REGISTER) << operand;
  }
}

TEST(LmmaStatus, FragmentsDoNotOverlapWhatIsWritten) {
  const auto multiply = [](Program::Operands o, lmma_type c, lmma_type d) {
    const lmma_type table = c == LMMA_I32 ? LMMA_I16 : LMMA_F16;
    return statusOf(roomy().multiply(o, 2, 64, 4, table, LMMA_I2, c, d));
  };
  EXPECT_EQ(multiply({0, 4, 5, 0}, LMMA_I32, LMMA_I32), LMMA_OK);
  EXPECT_EQ(multiply({0, 4, 4, 5}, LMMA_I32, LMMA_I32), LMMA_OK); // two that are read
  EXPECT_EQ(multiply({0, 3, 5, 0}, LMMA_I32, LMMA_I32), LMMA_BAD_REGISTER);
  EXPECT_EQ(multiply({0, 5, 3, 0}, LMMA_I32, LMMA_I32), LMMA_BAD_REGISTER);
  EXPECT_EQ(multiply({8, 4, 5, 9}, LMMA_I32, LMMA_I32), LMMA_BAD_REGISTER);
  EXPECT_EQ(multiply({8, 4, 5, 12}, LMMA_I32, LMMA_I32), LMMA_OK);
  EXPECT_EQ(multiply({0, 4, 5, 0}, LMMA_F32, LMMA_F16), LMMA_BAD_REGISTER); // of two sizes
  EXPECT_EQ(statusOf(roomy().table(1, 1, 1, 4, LMMA_I8, LMMA_I8)), LMMA_BAD_REGISTER);
  EXPECT_EQ(statusOf(roomy().correct(1, 4, 10, 2, 64, 2, LMMA_U8)), LMMA_BAD_REGISTER);
  EXPECT_EQ(statusOf(roomy().scale(1, 1, 20, 21, 2, 64, LMMA_F32, LMMA_F16, LMMA_F32)), LMMA_BAD_REGISTER);
  EXPECT_EQ(statusOf(roomy().scale(1, 9, 4, 21, 2, 64, LMMA_F32, LMMA_F16, LMMA_F32)), LMMA_BAD_REGISTER);
}

TEST(LmmaStatus, ScalarsAndBuffersExist) {
  EXPECT_EQ(statusOf(roomy().affine(32, 0, 1, 0, 1)), LMMA_BAD_SCALAR);
  EXPECT_EQ(statusOf(roomy().affine(4, 32, 1, 0, 1)), LMMA_BAD_SCALAR);
  EXPECT_EQ(statusOf(roomy().affine(4, 0, 1, 255, 1)), LMMA_BAD_SCALAR);
  EXPECT_EQ(statusOf(roomy().affine(zero, 0, 1, 0, 1)), LMMA_BAD_SCALAR);
  EXPECT_EQ(statusOf(roomy().loop(zero, 0, 1).end()), LMMA_BAD_SCALAR);
  EXPECT_EQ(statusOf(roomy().load(0, 2, fixed(0, 0, 1, 1))), LMMA_BAD_BUFFER);
  EXPECT_EQ(statusOf(roomy().fetch(0, UINT16_MAX, fixed(0, 0, 1, 1))), LMMA_BAD_BUFFER);
}

TEST(LmmaStatus, LoopsAndExitsAreClosed) {
  const auto check = [](const Program &program) { return checkOf(program.encode()); };
  EXPECT_EQ(check(roomy().loop(4, zero, 1).end().exit()), LMMA_OK);
  EXPECT_EQ(check(roomy().end().exit()), LMMA_BAD_LOOP);
  EXPECT_EQ(check(roomy().loop(4, zero, 1).exit()), LMMA_BAD_LOOP);
  EXPECT_EQ(check(roomy().loop(4, zero, 1).loop(4, zero, 1).end().end().exit()), LMMA_BAD_LOOP);
  EXPECT_EQ(check(roomy().loop(4, zero, 1).affine(4, 0, 1, 0, 1).end().exit()), LMMA_BAD_LOOP);
  EXPECT_EQ(check(roomy().loop(4, zero, 1).end().loop(4, zero, 1).affine(5, 4, 1, 4, 1).end().exit()),
            LMMA_OK);
  Program deep = roomy();
  for (uint8_t depth = 0; depth <= LMMA_MAX_LOOP_DEPTH; ++depth)
    deep.loop(uint8_t(4 + depth), zero, 1);
  for (uint8_t depth = 0; depth <= LMMA_MAX_LOOP_DEPTH; ++depth)
    deep.end();
  EXPECT_EQ(check(deep.exit()), LMMA_BAD_LOOP);
  EXPECT_EQ(check(roomy().clear(0, 1)), LMMA_BAD_EXIT);
  EXPECT_EQ(check(roomy().loop(4, zero, 1)), LMMA_BAD_EXIT);
  EXPECT_EQ(check(roomy().exit().exit()), LMMA_BAD_EXIT);
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

// The status of a run with a result of 16 bytes; the fault is at `instruction`.
lmma_status runOf(Program program, size_t instruction, size_t warp = 0) {
  Machine machine(program.exit());
  EXPECT_EQ(machine.check(), LMMA_OK);
  std::vector<Buffer> buffers = {input(Bytes(16)), output(16)};
  machine.launch.column_begin = 3;
  machine.launch.column_end = 4;
  const lmma_status status = machine.run(buffers);
  EXPECT_EQ(machine.fault.status, status);
  EXPECT_EQ(machine.fault.instruction, instruction);
  EXPECT_EQ(machine.fault.warp, warp);
  EXPECT_EQ(machine.fault.block_column, status == LMMA_OK ? 0u : 3u);
  return status;
}

TEST(LmmaStatus, AddressesAreChecked) {
  EXPECT_EQ(runOf(roomy().load(0, 0, fixed(-1, 0, 1, 1)), 0), LMMA_BAD_ADDRESS);
  EXPECT_EQ(runOf(roomy().store(0, 1, fixed(0, -1, 1, 1)), 0), LMMA_BAD_ADDRESS);
  EXPECT_EQ(runOf(roomy().affine(4, zero, 0, zero, -5).load(0, 0, {4, zero, 4, 0, 1, 1}), 1),
            LMMA_BAD_ADDRESS);
  EXPECT_EQ(runOf(roomy().affine(4, zero, 0, zero, -5).load(0, 0, {4, zero, 5, 0, 1, 1}), 0), LMMA_OK);
  EXPECT_EQ(runOf(roomy().read(0, zero, 1, 1024), 0), LMMA_BAD_ADDRESS);
  EXPECT_EQ(runOf(roomy().read(0, zero, 0, 1024), 0), LMMA_OK);
  EXPECT_EQ(runOf(roomy().write(0, zero, -1, 1), 0), LMMA_BAD_ADDRESS);
  EXPECT_EQ(runOf(roomy().affine(4, zero, 0, zero, 1009).fetch(4, 0, fixed(0, 0, 1, 16)), 1),
            LMMA_BAD_ADDRESS);
  EXPECT_EQ(runOf(roomy().affine(4, zero, 0, zero, 1008).fetch(4, 0, fixed(0, 0, 1, 16)), 0), LMMA_OK);
  EXPECT_EQ(runOf(Program(1, 2).affine(4, zero, 0, zero, 0), 0), LMMA_OK);
}

TEST(LmmaStatus, ReadOnlyBuffersAreNotWritten) {
  EXPECT_EQ(runOf(roomy().store(0, 0, fixed(0, 0, 1, 1)), 0), LMMA_READ_ONLY);
  EXPECT_EQ(runOf(roomy().store(0, 0, fixed(99, 0, 1, 1)), 0), LMMA_READ_ONLY); // even past its edges
}

TEST(LmmaStatus, EndlessProgramsAreStopped) {
  EXPECT_EQ(runOf(roomy().loop(4, zero, INT32_MAX).end(), 1), LMMA_ENDLESS);
  // What a loop without rounds skips counts as well: 40 rounds of 3 instructions and 3000 skipped ones.
  Program skips = roomy().loop(4, zero, 40).loop(5, zero, 0);
  for (int i = 0; i < 3000; ++i)
    skips.barrier();
  EXPECT_EQ(runOf(skips.end().end(), 3003), LMMA_ENDLESS);
}

TEST(LmmaStatus, WarpsMeetAtTheSameBarrier) {
  const auto warps = [] { return Program(1, 2, 0, 2); };
  EXPECT_EQ(runOf(warps().barrier(), 0), LMMA_OK);
  // Warp 1 takes a loop that warp 0 skips.
  EXPECT_EQ(runOf(warps().loop(4, LMMA_WARP, 0).barrier().end(), 1, 1), LMMA_DIVERGED);
  EXPECT_EQ(runOf(warps().loop(4, LMMA_WARP, 0).barrier().end().barrier(), 1, 1), LMMA_DIVERGED);
  // Warp 0 waits where warp 1 has ended.
  EXPECT_EQ(runOf(warps().affine(4, LMMA_WARP, -1, zero, 1).loop(5, 4, 0).barrier().end(), 4, 1),
            LMMA_DIVERGED);
}

TEST(LmmaStatus, LaunchesAreChecked) {
  const Bytes code = roomy().load(0, 0, fixed(0, 0, 1, 1)).exit().encode();
  const size_t bytes = lmma_workspace_bytes(code.data());
  EXPECT_EQ(bytes, 64u * LMMA_REGISTER_BYTES + 1024);
  std::vector<std::max_align_t> memory((bytes + 128) / sizeof(std::max_align_t) + 1);
  auto *workspace = reinterpret_cast<uint8_t *>(memory.data());
  workspace += (64 - reinterpret_cast<uintptr_t>(workspace) % 64) % 64;
  uint8_t byte = 0;
  lmma_buffer buffers[] = {{&byte, 1, 1, 1, 0}, {nullptr, 0, 0, 0, 0}};
  lmma_launch launch = {buffers, 2, 1, 0, 1, 0, 0, workspace, bytes};
  const auto run = [&] { return lmma_run(code.data(), &launch, nullptr, nullptr); };
  EXPECT_EQ(run(), LMMA_OK);
  launch.buffer_count = 1;
  EXPECT_EQ(run(), LMMA_BAD_BUFFER);
  launch = {nullptr, 0, 1, 0, 1, 0, 0, workspace, bytes};
  EXPECT_EQ(run(), LMMA_BAD_BUFFER);
  launch = {buffers, 2, 1, 0, 1, 0, 0, workspace, bytes - 1};
  EXPECT_EQ(run(), LMMA_SMALL_WORKSPACE);
  launch = {buffers, 2, 1, 0, 1, 0, 0, workspace + 8, bytes};
  EXPECT_EQ(run(), LMMA_SMALL_WORKSPACE);
  launch = {buffers, 2, 1, 0, 1, 0, 0, nullptr, bytes};
  EXPECT_EQ(run(), LMMA_SMALL_WORKSPACE);
  launch = {buffers, 2, 1, 0, 1, 0, 0, workspace, bytes};
  buffers[1].rows = buffers[1].row_bytes = 1;
  EXPECT_EQ(run(), LMMA_BAD_BUFFER); // null, but not empty
}

} // namespace
