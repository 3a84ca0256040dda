// Any bytes: lmma_check refuses them, or they run to a status. Valid programs are drawn and mutated, with a
// checksum that fits, so that most inputs get past the check of the encoding.
#include "random.h"
#include <cstdlib>

using namespace lut::lmma;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

lmma_header headerOf(const Bytes &program) {
  lmma_header header;
  std::memcpy(&header, program.data(), sizeof header);
  return header;
}

// Work of the costliest instruction, in lookups or copied bytes.
uint64_t costOf(const Bytes &program) {
  uint64_t most = 1;
  for (size_t at = sizeof(lmma_header); at < program.size(); at += sizeof(lmma_instruction)) {
    lmma_instruction i;
    std::memcpy(&i, &program[at], sizeof i);
    const uint64_t imm[] = {uint32_t(i.imm[0]), uint32_t(i.imm[1]), uint32_t(i.imm[2]), uint32_t(i.imm[3])};
    if (i.opcode == LMMA_MULTIPLY)
      most = std::max(most, imm[0] * imm[1] * imm[2]);
    else if (i.opcode > LMMA_CLEAR) // other arithmetic
      most = std::max(most, 4 * imm[0] * imm[1]);
    else if (i.opcode == LMMA_LOAD || i.opcode == LMMA_STORE || i.opcode == LMMA_FETCH)
      most = std::max(most, imm[2] * (imm[3] / 32 + 1));
  }
  return most;
}

// Buffers of a program: now and then too few, empty or null.
std::vector<Buffer> buffersOf(Random &random, uint32_t count) {
  std::vector<Buffer> buffers;
  for (uint32_t index = draw(random, 0, 15) ? 0 : 1; index < count; ++index) {
    const auto rows = size_t(draw(random, 0, 5)), bytes = size_t(draw(random, 0, 300));
    const size_t stride = bytes + size_t(draw(random, 0, 9));
    Bytes data = drawBytes(random, rows ? (rows - 1) * stride + bytes : 0);
    buffers.emplace_back(rows, bytes, std::move(data), draw(random, 0, 3) != 0, stride);
  }
  return buffers;
}

void run(const Bytes &program) {
  const lmma_header header = headerOf(program);
  Random random(uint32_t(header.checksum));
  std::vector<Buffer> buffers = buffersOf(random, header.buffers), again = buffers;
  Machine machine(program);
  machine.launch.tokens = size_t(draw(random, 0, 70));
  machine.launch.column_begin = size_t(draw(random, 0, 1) ? draw(random, 0, 3) : int32_t(random()));
  machine.launch.column_end = machine.launch.column_begin + size_t(draw(random, 0, 2));
  machine.launch.rtl_compatible = draw(random, 0, 1);
  const uint64_t blocks = 1 + machine.launch.tokens / header.tile_m;
  machine.launch.instruction_limit =
      std::clamp<uint64_t>(4000000 / costOf(program) / blocks / header.warps, 4, 3000);
  const lmma_status status = machine.run(buffers);
  require(status == machine.fault.status && status < LMMA_STATUSES);
  require(status != LMMA_SMALL_WORKSPACE && (status == LMMA_OK || status >= LMMA_BAD_BUFFER));
  require(machine.fault.instruction < header.instructions && machine.fault.warp < header.warps);
  const lmma_counters counters = machine.counters;
  machine.counters = {};
  require(machine.run(again) == status);
  require(std::memcmp(&machine.counters, &counters, sizeof counters) == 0);
  for (size_t index = 0; index < buffers.size(); ++index)
    require(buffers[index].data == again[index].data);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const Bytes program(data, data + size); // of its own size, so that reads past it are seen
  lmma_fault fault;
  const lmma_status status = lmma_check(program.data(), program.size(), &fault);
  require(status == fault.status && status < LMMA_STATUSES && lmma_status_string(status) != nullptr);
  if (status == LMMA_OK)
    run(program);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  Random random(seed);
  const int kind = draw(random, 0, 31);
  if (kind == 0) // any bytes
    return LLVMFuzzerMutate(data, size, most);
  const size_t head = sizeof(lmma_header), step = sizeof(lmma_instruction);
  Bytes program(data, data + size);
  if (kind == 1 || size < head + step || size % step != 0)
    program = drawProgram(random).encode();
  if (program.size() + step > most)
    return LLVMFuzzerMutate(data, size, most);
  const size_t at = head + size_t(draw(random, 0, int32_t((program.size() - head) / step) - 1)) * step;
  const auto place = program.begin() + long(at);
  if (kind == 2 && program.size() > head + step) {
    program.erase(place, place + long(step));
  } else if (kind < 8) { // an instruction of another program; exits stay last
    const Bytes other = drawProgram(random).encode();
    const size_t from = head + size_t(draw(random, 0, int32_t((other.size() - head) / step) - 2)) * step;
    program.insert(place, other.begin() + long(from), other.begin() + long(from + step));
  } else {
    LLVMFuzzerMutate(kind < 10 ? program.data() + 16 : &program[at], kind < 10 ? 32 : step,
                     kind < 10 ? 32 : step);
  }
  const auto instructions = uint32_t((program.size() - head) / step);
  std::memcpy(&program[offsetof(lmma_header, instructions)], &instructions, sizeof instructions);
  Program::seal(program);
  std::memcpy(data, program.data(), program.size());
  return program.size();
}
