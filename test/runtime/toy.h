// A hand-made library: two kernels, three variants, in C++ functions that record how they are called.
#ifndef LUT_TEST_RUNTIME_TOY_H
#define LUT_TEST_RUNTIME_TOY_H

#include "kernel.h"
#include <atomic>
#include <vector>

namespace lut::toy {

constexpr size_t n = 100, k = 70, tileRows = 16, tokenBlock = 8;
constexpr size_t preparedBytes = 64;
constexpr size_t packedBytes =
    64 + 7 * 3 * (2 * 64 + 16 * 3); // 7 tiles of 3 groups of one chunk and 16 scales and zeros

// "future" needs a feature that no CPU has; "first" and "second" run everywhere, with different layouts.
struct Library {
  explicit Library(uint32_t needed = 0);
  Library(const Library &) = delete;

  lutc_kernel kernel;      // w2g32z, n x k
  lutc_kernel smallKernel; // the same with k - 1
  lutc_library library;

private:
  const char *names[3] = {"future", "first", "second"};
  uint32_t features[3];
  // Of each kernel.
  lutc_slot slots[2][4] = {};
  lutc_program programs[2] = {};
  lutc_variant_code codes[2][2] = {};
  const lutc_variant_code *variants[2][3] = {{&codes[0][0], &codes[0][0], &codes[0][1]},
                                             {&codes[1][0], &codes[1][0], &codes[1][1]}};
  const lutc_kernel *kernels[2] = {&kernel, &smallKernel};
  lutc_library_state state = {0};
};

// A stage of a product of n rows.
lutc_stage makeStage(lutc_stage_function *run, bool prepares, uint32_t phase, uint32_t routed);

// y[token][row] of the toy kernels, whose weights play no part.
inline float expected(float firstOfToken, size_t row) { return firstOfToken * 1024.0f + float(row); }

} // namespace lut::toy

#endif
