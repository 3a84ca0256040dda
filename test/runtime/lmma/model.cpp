#include "model.h"
#include "numbers.h"

using namespace lut::lmma;

Model::Model(const Bytes &program, std::vector<Buffer> &buffers, const lmma_launch &launch)
    : buffers(buffers), launch(launch) {
  std::memcpy(&header, program.data(), sizeof header);
  code.resize(header.instructions);
  std::memcpy(code.data(), program.data() + sizeof header, code.size() * sizeof code[0]);
  std::vector<size_t> open;
  for (size_t i = 0; i < code.size(); ++i)
    if (code[i].opcode == LMMA_LOOP) {
      open.push_back(i);
    } else if (code[i].opcode == LMMA_END) {
      endOf[open.back()] = i;
      loopOf[i] = open.back();
      open.pop_back();
    }
}

//===----------------------------------------------------------------------===//
// Grid
//===----------------------------------------------------------------------===//

lmma_status Model::run() {
  for (size_t column = launch.column_begin; column < launch.column_end; ++column)
    for (size_t row = 0; row * header.tile_m < launch.tokens; ++row) {
      fault.block_column = column;
      fault.block_row = row;
      fault.status = runBlock();
      if (fault.status != LMMA_OK)
        return fault.status;
    }
  fault = {};
  return LMMA_OK;
}

lmma_status Model::runBlock() {
  scratchpad.assign(header.scratchpad, 0);
  warps.assign(header.warps, Warp());
  for (size_t index = 0; index < warps.size(); ++index) {
    const uint64_t start[] = {fault.block_column, fault.block_row, index, launch.tokens};
    std::copy(std::begin(start), std::end(start), warps[index].scalars);
    warps[index].registers.assign(header.registers * LMMA_REGISTER_BYTES, 0);
  }
  while (true) {
    for (fault.warp = 0; fault.warp < warps.size(); ++fault.warp) {
      Warp &w = warps[fault.warp];
      if (const lmma_status status = runWarp(w))
        return status;
      if (w.next != warps[0].next)
        return LMMA_DIVERGED;
    }
    if (warps[0].stopped == 'e')
      return LMMA_OK;
    ++counters.barriers;
  }
}

/// Bytes of the fragments of an instruction.
static uint64_t bytesNamed(const lmma_instruction &i) {
  const auto size = [&](unsigned type) {
    return i.type[type] == LMMA_NONE ? 0 : uint64_t(bytesOf(lmma_type(i.type[type])));
  };
  const uint64_t a = uint64_t(i.imm[0]), b = uint64_t(i.imm[1]), c = uint64_t(i.imm[2]);
  const auto tables = [&](uint64_t k, unsigned type) {
    return i.type[type] == LMMA_T3 ? k / 3 * 16 : k / 4 * 8;
  };
  switch (i.opcode) {
  case LMMA_LOAD:
  case LMMA_STORE:
    return c * uint64_t(i.imm[3]);
  case LMMA_READ:
  case LMMA_WRITE:
    return b;
  case LMMA_CLEAR:
    return a * LMMA_REGISTER_BYTES;
  case LMMA_TABLE:
    return a * b * size(0) + a * tables(b, 2) * size(1);
  case LMMA_MULTIPLY: {
    const uint64_t weights =
        i.type[1] == LMMA_T3 ? b * c / 3 * 5 / 8 : b * c * planesOf(lmma_type(i.type[1])) / 8;
    return a * b * (size(2) + size(3)) + a * tables(c, 1) * size(0) + weights;
  }
  case LMMA_CORRECT:
    return a * b * 4 + a * 4 + b * size(0);
  case LMMA_SCALE:
    return a * b * (4 + size(0)) + a * size(2) + b * size(1);
  case LMMA_SHIFT:
    return a * b * 4 + a * 8 + b * size(0);
  case LMMA_ADD:
  case LMMA_TIMES:
    return a * b * 4 + (c == LMMA_FULL ? a * b : c == LMMA_VECTOR ? b : 1) * 4;
  case LMMA_CONVERT:
    return a * b * (4 + size(0));
  default:
    return 0;
  }
}

lmma_status Model::runWarp(Warp &w) {
  for (w.stopped = 0; !w.stopped;) {
    fault.instruction = w.next;
    if (w.steps >= launch.instruction_limit)
      return LMMA_ENDLESS;
    ++w.steps;
    ++counters.instructions;
    counters.registers += bytesNamed(code[w.next]);
    const lmma_instruction &i = code[w.next++];
    lmma_status status = LMMA_OK;
    switch (i.opcode) {
    case LMMA_LOAD:
    case LMMA_STORE:
    case LMMA_FETCH:
      status = move(w, i);
      break;
    case LMMA_READ:
    case LMMA_WRITE:
      status = share(w, i);
      break;
    case LMMA_CLEAR:
      std::fill_n(w.registers.begin() + i.reg[0] * LMMA_REGISTER_BYTES, i.imm[0] * LMMA_REGISTER_BYTES, 0);
      break;
    case LMMA_TABLE:
      table(w, i);
      break;
    case LMMA_MULTIPLY:
      i.type[2] == LMMA_I32 ? multiplyIntegers(w, i) : multiplyFloats(w, i);
      break;
    case LMMA_CORRECT:
      correct(w, i);
      break;
    case LMMA_SHIFT:
      shift(w, i);
      break;
    case LMMA_SCALE:
      scale(w, i);
      break;
    case LMMA_ADD:
    case LMMA_TIMES:
      combine(w, i);
      break;
    case LMMA_CONVERT:
      convert(w, i);
      break;
    default:
      control(w, i);
    }
    if (status != LMMA_OK)
      return status;
  }
  return LMMA_OK;
}

void Model::control(Warp &w, const lmma_instruction &i) {
  uint64_t *s = w.scalars;
  switch (i.opcode) {
  case LMMA_LOOP: {
    const int64_t end = int64_t(s[i.scalar[1]] + uint64_t(int64_t(i.imm[0])));
    s[i.scalar[0]] = 0;
    if (end > 0) {
      w.ends.push_back(end);
      return;
    }
    const size_t past = endOf[w.next - 1] + 1;
    w.steps += past - w.next;
    w.next = past;
    return;
  }
  case LMMA_END: {
    const size_t loop = loopOf[w.next - 1];
    if (int64_t(s[code[loop].scalar[0]] += 1) < w.ends.back())
      w.next = loop + 1;
    else
      w.ends.pop_back();
    return;
  }
  case LMMA_AFFINE:
    s[i.scalar[0]] =
        s[i.scalar[1]] * uint64_t(int64_t(i.imm[0])) + s[i.scalar[2]] + uint64_t(int64_t(i.imm[1]));
    return;
  default:
    w.stopped = i.opcode == LMMA_EXIT ? 'e' : 'b';
  }
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

lmma_status Model::move(Warp &w, const lmma_instruction &i) {
  const auto row = int64_t(w.scalars[i.scalar[0]] + uint64_t(int64_t(i.imm[0])));
  const auto byte = int64_t(w.scalars[i.scalar[1]] + uint64_t(int64_t(i.imm[1])));
  Buffer &buffer = buffers[i.reg[1]];
  if (row < 0 || byte < 0)
    return LMMA_BAD_ADDRESS;
  if (i.opcode == LMMA_STORE && !buffer.writable)
    return LMMA_READ_ONLY;
  uint8_t *at = w.registers.data() + i.reg[0] * LMMA_REGISTER_BYTES;
  const size_t total = size_t(i.imm[2]) * size_t(i.imm[3]);
  if (i.opcode == LMMA_FETCH) {
    const uint64_t offset = w.scalars[i.scalar[2]];
    if (offset > scratchpad.size() || total > scratchpad.size() - offset)
      return LMMA_BAD_ADDRESS;
    at = scratchpad.data() + offset;
    counters.scratchpad_written += total;
  }
  for (size_t index = 0; index < total; ++index) {
    const uint64_t r = uint64_t(row) + index / size_t(i.imm[3]),
                   b = uint64_t(byte) + index % size_t(i.imm[3]);
    const bool inside = r < buffer.rows && b < buffer.rowBytes;
    if (i.opcode != LMMA_STORE)
      at[index] = inside ? buffer.data[r * buffer.stride + b] : 0;
    else if (inside)
      buffer.data[r * buffer.stride + b] = at[index];
    (i.opcode == LMMA_STORE ? counters.memory_written : counters.memory_read) += inside;
  }
  return LMMA_OK;
}

lmma_status Model::share(Warp &w, const lmma_instruction &i) {
  const auto offset = int64_t(w.scalars[i.scalar[0]] + uint64_t(int64_t(i.imm[0])));
  const int64_t bytes = i.imm[1];
  if (offset < 0 || offset > int64_t(scratchpad.size()) - bytes)
    return LMMA_BAD_ADDRESS;
  for (int64_t byte = 0; byte < bytes; ++byte) {
    uint8_t &reg = w.registers[size_t(i.reg[0] * LMMA_REGISTER_BYTES + byte)];
    uint8_t &shared = scratchpad[size_t(offset + byte)];
    i.opcode == LMMA_READ ? reg = shared : shared = reg;
  }
  (i.opcode == LMMA_READ ? counters.scratchpad_read : counters.scratchpad_written) += uint64_t(bytes);
  return LMMA_OK;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static bool isFloat(lmma_type type) { return type == LMMA_F8 || type == LMMA_F16 || type == LMMA_F32; }

// The sum of an entry, each addition rounded to floats of the table's type.
static double entryOf(const double *a, lmma_type to, bool trits, size_t entry) {
  double term[4];
  if (trits) {
    int v = int(entry);
    for (int e = 0; e < 3; ++e) {
      const int digit = v % 3 == 2 ? -1 : v % 3; // balanced: 2 is 3 - 1
      v = (v - digit) / 3;
      term[e] = digit ? digit * a[e] : 0.0;
    }
  } else {
    for (size_t e = 0; e < 4; ++e)
      term[e] = e < 3 && (entry & (size_t(1) << e)) ? a[e] : -a[e];
  }
  const auto add = [&](double x, double y) { return isFloat(to) ? roundTo(to, x + y) : x + y; };
  return add(add(term[0], term[1]), trits ? term[2] : add(term[2], term[3]));
}

void Model::table(Warp &w, const lmma_instruction &i) {
  const auto from = lmma_type(i.type[0]), to = lmma_type(i.type[1]);
  const bool trits = i.type[2] == LMMA_T3;
  const size_t group = trits ? 3 : 4, entries = trits ? 16 : 8;
  const size_t tables = size_t(i.imm[0] * i.imm[1]) / group;
  uint8_t *t = &w.registers[i.reg[0] * LMMA_REGISTER_BYTES];
  const uint8_t *activations = &w.registers[i.reg[1] * LMMA_REGISTER_BYTES];
  for (size_t index = 0; index < tables * entries; ++index) {
    double a[4], sum = 0;
    for (size_t e = 0; e < group; ++e)
      a[e] = decode(from, activations, index / entries * group + e);
    if (!trits || index % entries < 14)
      sum = entryOf(a, to, trits, index % entries);
    if (to == LMMA_I8 || to == LMMA_I16)
      sum = std::clamp(sum, to == LMMA_I8 ? -128.0 : -32768.0, to == LMMA_I8 ? 127.0 : 32767.0);
    encode(to, t, index, sum);
  }
  counters.table_entries += tables * entries;
  counters.table_additions += tables * (trits ? 10 : 12);
}

size_t lut::lmma::planesOf(lmma_type weights) {
  return weights == LMMA_T3   ? 1
         : weights == LMMA_I5 ? 5
         : weights == LMMA_I6 ? 6
         : weights == LMMA_I8 ? 8
                              : weights;
}

Lookup lut::lmma::lookupOf(const uint8_t *weights, lmma_type type, size_t n, size_t groups, size_t plane,
                           size_t group, size_t row) {
  const size_t number = (plane * groups + group) * n + row;
  const unsigned nibble = weights[number / 2] >> (number % 2 ? 4 : 0) & 15;
  if (type != LMMA_T3)
    return {nibble & 7, nibble >= 8};
  const uint8_t signs = weights[groups * n / 2 + number / 8];
  return {nibble, (signs >> number % 8 & 1) != 0};
}

void Model::multiplyIntegers(Warp &w, const lmma_instruction &i) {
  const auto type = lmma_type(i.type[1]);
  const size_t m = size_t(i.imm[0]), n = size_t(i.imm[1]), entries = type == LMMA_T3 ? 16 : 8;
  const size_t groups = size_t(i.imm[2]) / (type == LMMA_T3 ? 3 : 4), planes = planesOf(type);
  uint8_t *r = w.registers.data();
  for (size_t row = 0; row < m; ++row)
    for (size_t column = 0; column < n; ++column) {
      auto sum = int64_t(decode(LMMA_I32, r + i.reg[3] * LMMA_REGISTER_BYTES, row * n + column));
      for (size_t plane = 0; plane < planes; ++plane)
        for (size_t group = 0; group < groups; ++group) {
          const Lookup l =
              lookupOf(r + i.reg[2] * LMMA_REGISTER_BYTES, type, n, groups, plane, group, column);
          const auto entry = int64_t(decode(lmma_type(i.type[0]), r + i.reg[1] * LMMA_REGISTER_BYTES,
                                            (row * groups + group) * entries + l.index));
          sum += (l.negative ? -entry : entry) * (int64_t(1) << plane);
        }
      encode(LMMA_I32, r + i.reg[0] * LMMA_REGISTER_BYTES, row * n + column,
             double(int32_t(uint32_t(uint64_t(sum)))));
    }
  counters.lookups += m * n * groups * planes;
  counters.array_cycles += (m + 1) / 2 * ((n + 63) / 64) * groups * planes;
}

void Model::multiplyFloats(Warp &w, const lmma_instruction &i) {
  const auto type = lmma_type(i.type[1]), c = lmma_type(i.type[2]), d = lmma_type(i.type[3]);
  const size_t m = size_t(i.imm[0]), n = size_t(i.imm[1]), entries = type == LMMA_T3 ? 16 : 8;
  const size_t groups = size_t(i.imm[2]) / (type == LMMA_T3 ? 3 : 4), planes = planesOf(type);
  uint8_t *r = w.registers.data();
  for (size_t at = 0; at < m * n; ++at) {
    double sum = decode(c, r + i.reg[3] * LMMA_REGISTER_BYTES, at);
    for (size_t group = 0; group < groups; ++group)
      for (size_t plane = 0; plane < planes; ++plane) {
        const Lookup l = lookupOf(r + i.reg[2] * LMMA_REGISTER_BYTES, type, n, groups, plane, group, at % n);
        const double entry = decode(lmma_type(i.type[0]), r + i.reg[1] * LMMA_REGISTER_BYTES,
                                    (at / n * groups + group) * entries + l.index);
        sum = roundTo(c, sum + std::ldexp(l.negative ? -entry : entry, int(plane)));
      }
    encode(d, r + i.reg[0] * LMMA_REGISTER_BYTES, at, roundTo(d, sum));
  }
  counters.lookups += m * n * groups * planes;
  counters.array_cycles += (m + 1) / 2 * ((n + 63) / 64) * groups * planes;
}

void Model::correct(Warp &w, const lmma_instruction &i) {
  const auto type = lmma_type(i.type[0]);
  const size_t m = size_t(i.imm[0]), n = size_t(i.imm[1]);
  uint8_t *r = w.registers.data(), *sums = r + i.reg[0] * LMMA_REGISTER_BYTES;
  for (size_t at = 0; at < m * n; ++at) {
    const double z = type == LMMA_NONE ? i.imm[3] : decode(type, r + i.reg[2] * LMMA_REGISTER_BYTES, at % n);
    const auto shift = uint32_t(2 * int64_t(z) + 1 - (1 << i.imm[2]));
    const auto activations = uint32_t(int64_t(decode(LMMA_I32, r + i.reg[1] * LMMA_REGISTER_BYTES, at / n)));
    const uint32_t sum = uint32_t(int64_t(decode(LMMA_I32, sums, at))) - shift * activations;
    encode(LMMA_I32, sums, at, std::floor(double(int32_t(sum)) / (i.type[1] == LMMA_NONE ? 2 : 1)));
  }
}

void Model::scale(Warp &w, const lmma_instruction &i) {
  const size_t m = size_t(i.imm[0]), n = size_t(i.imm[1]);
  uint8_t *r = w.registers.data(), *y = r + i.reg[0] * LMMA_REGISTER_BYTES;
  for (size_t at = 0; at < m * n; ++at) {
    const double whole =
        i.type[2] == LMMA_NONE ? 1.0 : decode(LMMA_F32, r + i.reg[2] * LMMA_REGISTER_BYTES, at / n);
    const double step = roundTo(LMMA_F32, i.imm[2] ? whole / 2 : whole);
    const double scale = decode(lmma_type(i.type[1]), r + i.reg[3] * LMMA_REGISTER_BYTES, at % n);
    const double p = roundTo(LMMA_F32, decode(lmma_type(i.type[0]), r + i.reg[1] * LMMA_REGISTER_BYTES, at));
    const double product = roundTo(LMMA_F32, p * roundTo(LMMA_F32, step * scale));
    encode(LMMA_F32, y, at, roundTo(LMMA_F32, decode(LMMA_F32, y, at) + product));
  }
}

void Model::shift(Warp &w, const lmma_instruction &i) {
  const size_t m = size_t(i.imm[0]), n = size_t(i.imm[1]);
  uint8_t *r = w.registers.data(), *y = r + i.reg[0] * LMMA_REGISTER_BYTES;
  for (size_t at = 0; at < m * n; ++at) {
    const double sum = roundTo(LMMA_F32, decode(LMMA_I32, r + i.reg[1] * LMMA_REGISTER_BYTES, at / n));
    const double all = roundTo(LMMA_F32, sum * decode(LMMA_F32, r + i.reg[2] * LMMA_REGISTER_BYTES, at / n));
    const double least = decode(lmma_type(i.type[0]), r + i.reg[3] * LMMA_REGISTER_BYTES, at % n);
    encode(LMMA_F32, y, at, roundTo(LMMA_F32, decode(LMMA_F32, y, at) + roundTo(LMMA_F32, all * least)));
  }
}

void Model::combine(Warp &w, const lmma_instruction &i) {
  const size_t m = size_t(i.imm[0]), n = size_t(i.imm[1]);
  uint8_t *r = w.registers.data(), *y = r + i.reg[0] * LMMA_REGISTER_BYTES;
  for (size_t at = 0; at < m * n; ++at) {
    const size_t places[] = {at, at % n, 0};
    const double a = decode(LMMA_F32, y, at);
    const double b = decode(LMMA_F32, r + i.reg[1] * LMMA_REGISTER_BYTES, places[i.imm[2]]);
    encode(LMMA_F32, y, at, roundTo(LMMA_F32, i.opcode == LMMA_ADD ? a + b : a * b));
  }
}

void Model::convert(Warp &w, const lmma_instruction &i) {
  const auto type = lmma_type(i.type[0]);
  uint8_t *r = w.registers.data(), *to = r + i.reg[0] * LMMA_REGISTER_BYTES;
  for (size_t at = 0; at < size_t(i.imm[0] * i.imm[1]); ++at) {
    const double value = decode(LMMA_F32, r + i.reg[1] * LMMA_REGISTER_BYTES, at);
    if (type != LMMA_I8)
      encode(type, to, at, roundTo(type, value));
    else
      encode(type, to, at, std::isnan(value) ? 0 : std::nearbyint(std::clamp(value, -127.0, 127.0)));
  }
}
