// The machine again, written for reading: doubles for floats, elements one by one, loops by a map.
#ifndef LUT_TEST_RUNTIME_LMMA_MODEL_H
#define LUT_TEST_RUNTIME_LMMA_MODEL_H

#include "program.h"
#include <map>

namespace lut::lmma {

class Model {
public:
  // A program that lmma_check takes; `buffers` are read and written.
  Model(const Bytes &program, std::vector<Buffer> &buffers, const lmma_launch &launch);

  lmma_status run();

  lmma_counters counters = {};
  lmma_fault fault = {};

private:
  struct Warp {
    uint64_t scalars[LMMA_SCALARS] = {};
    Bytes registers;
    size_t next = 0;
    uint64_t steps = 0;
    std::vector<int64_t> ends; // of the loops it is in
    char stopped = 0;          // 'b' at a barrier, 'e' at the exit
  };

  lmma_status runBlock();
  lmma_status runWarp(Warp &w);
  void control(Warp &w, const lmma_instruction &i);
  lmma_status move(Warp &w, const lmma_instruction &i);
  lmma_status share(Warp &w, const lmma_instruction &i);
  void table(Warp &w, const lmma_instruction &i);
  void multiplyIntegers(Warp &w, const lmma_instruction &i);
  void multiplyFloats(Warp &w, const lmma_instruction &i);
  void correct(Warp &w, const lmma_instruction &i);
  void scale(Warp &w, const lmma_instruction &i);
  void shift(Warp &w, const lmma_instruction &i);
  void combine(Warp &w, const lmma_instruction &i);
  void convert(Warp &w, const lmma_instruction &i);

  lmma_header header = {};
  std::vector<lmma_instruction> code;
  std::map<size_t, size_t> endOf, loopOf; // of the instructions loop, of the instructions end
  std::vector<Buffer> &buffers;
  const lmma_launch &launch;
  Bytes scratchpad;
  std::vector<Warp> warps;
};

// What weight n of `lookup` (a plane's or a trit group's) looks up: the index, and whether the sum is
// subtracted.
struct Lookup {
  size_t index;
  bool negative;
};
// Bit planes of weights; one number of three trits.
size_t planesOf(lmma_type weights);
Lookup lookupOf(const uint8_t *weights, lmma_type type, size_t n, size_t groups, size_t plane, size_t group,
                size_t row);

} // namespace lut::lmma

#endif
