// Programs of the LUT-instruction machine, written in C++, and runs of them.
#ifndef LUT_TEST_RUNTIME_LMMA_PROGRAM_H
#define LUT_TEST_RUNTIME_LMMA_PROGRAM_H

#include "lmma/lmma.h"
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace lut::lmma {

using Bytes = std::vector<uint8_t>;

template <typename T> Bytes bytesOf(const std::vector<T> &values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!values.empty())
    std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T> std::vector<T> valuesOf(const Bytes &bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty())
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

constexpr uint8_t zero = LMMA_ZERO;

// Where load, store and fetch reach: scalars, then immediates.
struct Window {
  uint8_t rowScalar, byteScalar;
  int32_t row, byte, rows, bytes;
};

// A window that scalars play no part in.
inline Window fixed(int32_t row, int32_t byte, int32_t rows, int32_t bytes) {
  return {zero, zero, row, byte, rows, bytes};
}

class Program {
public:
  explicit Program(uint32_t registers, uint32_t buffers = 0, uint32_t scratchpad = 0, uint32_t warps = 1) {
    std::memcpy(header.magic, "LMMAPROG", sizeof header.magic);
    header.version = LMMA_VERSION;
    header.registers = registers;
    header.scratchpad = scratchpad;
    header.warps = warps;
    header.buffers = buffers;
    header.tile_m = header.tile_n = 64;
  }

  Program &exit() { return add(LMMA_EXIT, {}, {}, {}, {}); }
  Program &barrier() { return add(LMMA_BARRIER, {}, {}, {}, {}); }
  Program &loop(uint8_t counter, uint8_t end, int32_t more) {
    return add(LMMA_LOOP, {}, {counter, end}, {}, {more});
  }
  Program &end() { return add(LMMA_END, {}, {}, {}, {}); }
  // to = factor * x + y + more
  Program &affine(uint8_t to, uint8_t x, int32_t factor, uint8_t y, int32_t more) {
    return add(LMMA_AFFINE, {}, {to, x, y}, {}, {factor, more});
  }
  Program &load(uint16_t reg, uint16_t buffer, Window w) { return window(LMMA_LOAD, reg, buffer, w, 0); }
  Program &store(uint16_t reg, uint16_t buffer, Window w) { return window(LMMA_STORE, reg, buffer, w, 0); }
  Program &fetch(uint8_t offset, uint16_t buffer, Window w) {
    return window(LMMA_FETCH, 0, buffer, w, offset);
  }
  Program &read(uint16_t reg, uint8_t offset, int32_t more, int32_t bytes) {
    return add(LMMA_READ, {}, {offset}, {reg}, {more, bytes});
  }
  Program &write(uint16_t reg, uint8_t offset, int32_t more, int32_t bytes) {
    return add(LMMA_WRITE, {}, {offset}, {reg}, {more, bytes});
  }
  Program &clear(uint16_t reg, int32_t registers) { return add(LMMA_CLEAR, {}, {}, {reg}, {registers}); }
  Program &table(uint16_t to, uint16_t from, int32_t m, int32_t k, lmma_type activations, lmma_type entries,
                 lmma_type weights = LMMA_NONE) {
    return add(LMMA_TABLE, {activations, entries, weights}, {}, {to, from}, {m, k});
  }
  struct Operands {
    uint16_t d, t, w, c;
  };
  Program &multiply(Operands o, int32_t m, int32_t n, int32_t k, lmma_type table, lmma_type weights,
                    lmma_type c, lmma_type d) {
    return add(LMMA_MULTIPLY, {table, weights, c, d}, {}, {o.d, o.t, o.w, o.c}, {m, n, k});
  }
  Program &correct(uint16_t sums, uint16_t activations, uint16_t zeros, int32_t m, int32_t n, int32_t bits,
                   lmma_type type, int32_t zeroPoint = 0, lmma_type doubled = LMMA_NONE) {
    return add(LMMA_CORRECT, {type, doubled}, {}, {sums, activations, zeros}, {m, n, bits, zeroPoint});
  }
  Program &scale(uint16_t y, uint16_t p, uint16_t steps, uint16_t scales, int32_t m, int32_t n,
                 lmma_type sums, lmma_type scaleType, lmma_type stepType, int32_t halved = 0) {
    return add(LMMA_SCALE, {sums, scaleType, stepType}, {}, {y, p, steps, scales}, {m, n, halved});
  }
  Program &shift(uint16_t y, uint16_t sums, uint16_t steps, uint16_t minimums, int32_t m, int32_t n,
                 lmma_type type) {
    return add(LMMA_SHIFT, {type}, {}, {y, sums, steps, minimums}, {m, n});
  }
  Program &combine(lmma_opcode opcode, uint16_t y, uint16_t other, int32_t m, int32_t n, int32_t spread) {
    return add(opcode, {}, {}, {y, other}, {m, n, spread});
  }
  Program &convert(uint16_t to, uint16_t y, int32_t m, int32_t n, lmma_type type) {
    return add(LMMA_CONVERT, {type}, {}, {to, y}, {m, n});
  }

  // Without the checksum of an earlier encoding.
  Bytes encode() const {
    lmma_header head = header;
    head.instructions = uint32_t(instructions.size());
    Bytes bytes(sizeof head + instructions.size() * sizeof(lmma_instruction));
    std::memcpy(bytes.data(), &head, sizeof head);
    if (!instructions.empty())
      std::memcpy(bytes.data() + sizeof head, instructions.data(),
                  instructions.size() * sizeof(lmma_instruction));
    seal(bytes);
    return bytes;
  }

  // Writes the checksum.
  static void seal(Bytes &bytes) {
    const uint64_t checksum = lmma_checksum(bytes.data(), bytes.size());
    std::memcpy(bytes.data() + offsetof(lmma_header, checksum), &checksum, sizeof checksum);
  }

  lmma_header header = {};
  std::vector<lmma_instruction> instructions;

private:
  Program &add(lmma_opcode opcode, std::vector<int> types, std::vector<uint8_t> scalars,
               std::vector<uint16_t> regs, std::vector<int32_t> imms) {
    lmma_instruction i = {};
    i.opcode = uint8_t(opcode);
    std::copy(types.begin(), types.end(), i.type);
    std::copy(scalars.begin(), scalars.end(), i.scalar);
    std::copy(regs.begin(), regs.end(), i.reg);
    std::copy(imms.begin(), imms.end(), i.imm);
    instructions.push_back(i);
    return *this;
  }
  Program &window(lmma_opcode opcode, uint16_t reg, uint16_t buffer, Window w, uint8_t offset) {
    return add(opcode, {}, {w.rowScalar, w.byteScalar, offset}, {reg, buffer},
               {w.row, w.byte, w.rows, w.bytes});
  }
};

// Rows of bytes of their own allocations, so that sanitizers see what is read or written past them.
struct Buffer {
  Buffer(size_t rows, size_t rowBytes, Bytes data, bool writable = false, size_t stride = 0)
      : data(std::move(data)), rows(rows), rowBytes(rowBytes), stride(stride ? stride : rowBytes),
        writable(writable) {}
  Bytes data;
  size_t rows, rowBytes, stride;
  bool writable;
};

// One row.
inline Buffer input(Bytes data) {
  const size_t bytes = data.size();
  return Buffer(1, bytes, std::move(data));
}
inline Buffer output(size_t bytes) { return Buffer(1, bytes, Bytes(bytes, 0xcd), true); }

// A launch that runs block column 0 for one token, unless told otherwise.
struct Machine {
  explicit Machine(const Program &program) : code(program.encode()) {}
  explicit Machine(Bytes code) : code(std::move(code)) {}

  lmma_status check() { return lmma_check(code.data(), code.size(), &fault); }

  lmma_status run(std::vector<Buffer> &buffers) {
    std::vector<lmma_buffer> views;
    for (Buffer &buffer : buffers)
      views.push_back({buffer.data.empty() ? nullptr : buffer.data.data(), buffer.rows, buffer.rowBytes,
                       buffer.stride, buffer.writable});
    struct Free {
      void operator()(uint8_t *p) const { operator delete(p, std::align_val_t(64)); }
    };
    const size_t bytes = lmma_workspace_bytes(code.data());
    const std::unique_ptr<uint8_t, Free> workspace(
        static_cast<uint8_t *>(operator new(bytes, std::align_val_t(64))));
    std::memset(workspace.get(), 0xa5, bytes); // what an earlier call left
    launch.buffers = views.data();
    launch.buffer_count = views.size();
    launch.workspace = workspace.get();
    launch.workspace_bytes = bytes;
    return lmma_run(code.data(), &launch, &counters, &fault);
  }

  Bytes code;
  lmma_launch launch = {nullptr, 0, 1, 0, 1, 100000, 0, nullptr, 0};
  lmma_counters counters = {};
  lmma_fault fault = {};
};

} // namespace lut::lmma

#endif
