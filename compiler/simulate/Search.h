// The search over arrays, how many of them a slot has, registers and tiles.
#ifndef LUT_COMPILER_SIMULATE_SEARCH_H
#define LUT_COMPILER_SIMULATE_SEARCH_H

#include "compiler/simulate/Area.h"
#include "passes/machine/BestTile.h"
#include <vector>

namespace lut::lmma {

struct SearchSpace {
  Machine machine; // all but its arrays and registerMultiple
  Gemm gemm;       // what is timed
  Number entry = Number::i8;
  int64_t size = 512; // m * n * k of an array: powers of two
  Mode mode = Mode::full;
  Precompute precompute = Precompute::array;
};

struct Candidate {
  Array array;
  int64_t arrays = 0, registerMultiple = 0;
  TileChoice choice;
  double area = 0;    // mm2 of a core: arrays, adders in front of them, registers beyond those as built
  double joules = 0;  // of the product
  double seconds = 0; // of the product
  bool onFront = false;
};

/// Every design that has a tile, in order of area. `onFront`: no other is as good in area, energy and time
/// and better in one.
std::vector<Candidate> search(const Costs &costs, const SearchSpace &space);

/// The array of `size` with the least area times energy of a cycle: the paper's criterion.
Array densestArray(const Costs &costs, const SearchSpace &space);

} // namespace lut::lmma

#endif
