// Random programs and operands.
#ifndef LUT_TEST_RUNTIME_LMMA_RANDOM_H
#define LUT_TEST_RUNTIME_LMMA_RANDOM_H

#include "program.h"
#include <algorithm>
#include <random>

namespace lut::lmma {

using Random = std::mt19937;

inline int32_t draw(Random &random, int32_t from, int32_t to) {
  return std::uniform_int_distribution<int32_t>(from, to)(random);
}

inline Bytes drawBytes(Random &random, size_t bytes) {
  Bytes data(bytes);
  for (uint8_t &byte : data)
    byte = uint8_t(random());
  return data;
}

// A program that lmma_check takes, with every instruction, on two buffers of which the second is writable.
// It may fault while it runs.
Program drawProgram(Random &random);

// The buffers of such a program.
std::vector<Buffer> drawBuffers(Random &random);

} // namespace lut::lmma

#endif
