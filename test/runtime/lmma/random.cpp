#include "random.h"

using namespace lut::lmma;

namespace {

constexpr int32_t registers = 96, scratchpad = 1024;

class Writer {
public:
  explicit Writer(Random &random)
      : random(random), program(registers, 2, scratchpad, uint32_t(draw(random, 1, 3))) {
    program.header.tile_m = uint32_t(draw(random, 1, 5));
  }

  Program write() {
    for (uint16_t reg = 0; reg < registers; reg = uint16_t(reg + 8))
      program.load(reg, 0, fixed(reg / 8, 0, 1, 1024));
    for (int32_t count = draw(random, 1, 30); count > 0; --count)
      writeOne();
    while (!counters.empty())
      endLoop();
    for (uint16_t reg = 0; reg < registers; reg = uint16_t(reg + 8))
      program.store(reg, 1, {LMMA_BLOCK_ROW, zero, reg, 0, 1, 1024});
    return program.exit();
  }

private:
  uint8_t scalar() { return uint8_t(draw(random, 0, 3) ? draw(random, 0, 9) : int32_t(zero)); }
  // One that no loop around counts with.
  uint8_t target() {
    while (true) {
      const auto candidate = uint8_t(draw(random, 4, 12));
      if (std::find(counters.begin(), counters.end(), candidate) == counters.end())
        return candidate;
    }
  }
  uint16_t reg() { return uint16_t(draw(random, 0, registers - 1)); }
  lmma_type type() { return lmma_type(draw(random, LMMA_NONE, LMMA_E8M0)); }
  lmma_type oneOf(std::initializer_list<lmma_type> types) {
    return types.begin()[draw(random, 0, int32_t(types.size()) - 1)];
  }
  int32_t m() { return 1 << draw(random, 0, 4); }
  int32_t n() { return 8 << draw(random, 0, 3); }
  int32_t k() { return draw(random, 0, 1) ? 12 * draw(random, 1, 2) : draw(random, 1, 32); }
  Window window() {
    return {scalar(),
            scalar(),
            draw(random, -1, 8),
            draw(random, -1, 300),
            draw(random, 1, 9),
            draw(random, 1, 140)};
  }

  void endLoop() {
    program.end();
    counters.pop_back();
  }

  void writeOne() {
    switch (draw(random, 0, 9)) {
    case 0:
      if (counters.size() < 3) {
        const uint8_t counter = target();
        program.loop(counter, scalar(), draw(random, -1, 3));
        counters.push_back(counter);
      }
      break;
    case 1:
      if (!counters.empty())
        endLoop();
      break;
    case 2:
      program.affine(target(), scalar(), draw(random, -2, 3), scalar(), draw(random, -2, 9));
      break;
    case 3:
      program.barrier();
      break;
    default:
      writeData();
    }
  }

  // Draws until the checker takes it alone, as operands of random types and places seldom fit.
  void writeData() {
    while (true) {
      Program one(registers, 2, scratchpad);
      drawData(one);
      one.exit();
      const Bytes bytes = one.encode();
      if (lmma_check(bytes.data(), bytes.size(), nullptr) != LMMA_OK)
        continue;
      program.instructions.push_back(one.instructions[0]);
      return;
    }
  }

  void drawData(Program &p) {
    switch (draw(random, 0, 20)) {
    case 0:
      p.load(reg(), uint16_t(draw(random, 0, 1)), window());
      break;
    case 1:
      p.store(reg(), uint16_t(draw(random, 0, 9) != 0), window());
      break;
    case 2:
      p.fetch(scalar(), 0, window());
      break;
    case 3:
      p.read(reg(), scalar(), draw(random, -1, 200), draw(random, 1, 900));
      break;
    case 4:
      p.write(reg(), scalar(), draw(random, -1, 200), draw(random, 1, 900));
      break;
    case 5:
      p.clear(reg(), draw(random, 1, 4));
      break;
    case 6:
      p.scale(reg(), reg(), reg(), reg(), m(), n(), type(), type(), LMMA_F32, draw(random, 0, 1));
      break;
    case 7:
      p.scale(reg(), reg(), 0, reg(), m(), n(), type(), type(), LMMA_NONE);
      break;
    case 8:
      p.correct(reg(), reg(), reg(), m(), n(), draw(random, 1, 8), type(), 0, oneOf({LMMA_NONE, LMMA_I32}));
      break;
    case 9:
      p.correct(reg(), reg(), 0, m(), n(), draw(random, 1, 8), LMMA_NONE, int32_t(random()));
      break;
    case 10:
      p.combine(draw(random, 0, 1) ? LMMA_ADD : LMMA_TIMES, reg(), reg(), m(), n(), draw(random, 0, 2));
      break;
    case 11:
      p.convert(reg(), reg(), m(), n(), type());
      break;
    case 12:
      p.shift(reg(), reg(), reg(), reg(), m(), n(), type());
      break;
    case 13:
    case 14:
      p.table(reg(), reg(), m(), k(), oneOf({LMMA_I8, LMMA_I16, LMMA_F8, LMMA_F16}),
              oneOf({LMMA_I8, LMMA_I16, LMMA_F8, LMMA_F16}), oneOf({LMMA_NONE, LMMA_T3}));
      break;
    default:
      drawMultiply(p);
    }
  }

  void drawMultiply(Program &p) {
    const bool integers = draw(random, 0, 1);
    const lmma_type table = integers ? oneOf({LMMA_I8, LMMA_I16}) : oneOf({LMMA_F8, LMMA_F16});
    const lmma_type c = integers ? LMMA_I32 : oneOf({LMMA_F16, LMMA_F32});
    const lmma_type d = integers ? LMMA_I32 : oneOf({LMMA_F16, c});
    const lmma_type weights =
        oneOf({LMMA_I1, LMMA_I2, LMMA_I3, LMMA_I4, LMMA_I5, LMMA_I6, LMMA_I8, LMMA_T3, LMMA_T3});
    const uint16_t to = reg(), from = draw(random, 0, 1) ? to : reg();
    p.multiply({to, reg(), reg(), from}, m(), n(), k(), table, weights, c, d);
  }

  Random &random;
  Program program;
  std::vector<uint8_t> counters;
};

} // namespace

Program lut::lmma::drawProgram(Random &random) { return Writer(random).write(); }

std::vector<Buffer> lut::lmma::drawBuffers(Random &random) {
  return {Buffer(11, 1024, drawBytes(random, 11 * 1100), false, 1100),
          Buffer(40, 1000, Bytes(40 * 1010, 0xcd), true, 1010)};
}
