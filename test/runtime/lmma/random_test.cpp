// Random programs run as the model says, down to the fault, the counters and every byte.
#include "model.h"
#include "random.h"
#include <gtest/gtest.h>
#include <set>

using namespace lut::lmma;

namespace {

std::vector<uint64_t> countsOf(const lmma_counters &c) {
  return {c.instructions,       c.array_cycles, c.lookups,        c.table_entries,
          c.table_additions,    c.memory_read,  c.memory_written, c.scratchpad_read,
          c.scratchpad_written, c.registers,    c.barriers};
}

std::vector<uint64_t> placeOf(const lmma_fault &f) {
  return {uint64_t(f.status), f.instruction, f.block_column, f.block_row, f.warp};
}

TEST(LmmaRandom, ProgramsRunAsTheModelSays) {
  std::set<lmma_status> ends;
  std::set<int> opcodes;
  std::set<std::vector<uint8_t>> products; // types of multiply
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const Program program = drawProgram(random);
    for (const lmma_instruction &i : program.instructions) {
      opcodes.insert(i.opcode);
      if (i.opcode == LMMA_MULTIPLY)
        products.insert(std::vector<uint8_t>(i.type, i.type + 4));
    }
    Machine machine(program);
    ASSERT_EQ(machine.check(), LMMA_OK) << seed << ": instruction " << machine.fault.instruction;
    std::vector<Buffer> buffers = drawBuffers(random), expected = buffers;
    machine.launch.tokens = size_t(draw(random, 0, 6));
    machine.launch.column_end = size_t(draw(random, 0, 2));
    machine.launch.instruction_limit = 400;
    Model model(machine.code, expected, machine.launch);
    ends.insert(machine.run(buffers));
    model.run();
    ASSERT_EQ(placeOf(machine.fault), placeOf(model.fault)) << seed;
    ASSERT_EQ(countsOf(machine.counters), countsOf(model.counters)) << seed;
    for (size_t buffer = 0; buffer < buffers.size(); ++buffer)
      ASSERT_EQ(buffers[buffer].data, expected[buffer].data) << seed << ": buffer " << buffer;
  }
  EXPECT_EQ(opcodes.size(), size_t(LMMA_OPCODES));
  EXPECT_EQ(products.size(), 8u * (2 * 1 + 2 * 3)); // all weights; integers, floats
  EXPECT_EQ(ends,
            (std::set<lmma_status>{LMMA_OK, LMMA_BAD_ADDRESS, LMMA_READ_ONLY, LMMA_ENDLESS, LMMA_DIVERGED}));
}

} // namespace
