// A band of rows of a layer's weights in memory of the caller's, as lutc_weights has them (runtime/lutc.h).
#ifndef LUT_COMPILER_CHECKPOINT_WEIGHTBAND_H
#define LUT_COMPILER_CHECKPOINT_WEIGHTBAND_H

#include "dialects/lut/Format.h"
#include "runtime/lutc.h"
#include <array>

namespace lut {

class WeightBand {
public:
  // With room for bytes(format, k, count) at `memory`, a multiple of 4.
  WeightBand(const Format &format, int64_t k, int64_t count, uint8_t *memory);
  static size_t bytes(const Format &format, int64_t k, int64_t count);

  const Format format;
  const int64_t k, count; // rows

  // Of row `row` on. Parts that the format lacks have no bytes. With G = format.groups(k) and
  // S = format.subgroups(k):
  uint8_t *codes(int64_t row = 0) const { return part(Codes, row); } // [k]
  // [G] of format.scaleType: uint16_t (f16, bf16), float (f32) or uint8_t (e8m0); [1] where the tensor has
  // one
  template <typename T> T *scales(int64_t row = 0) const { return reinterpret_cast<T *>(part(Scales, row)); }
  uint8_t *zeros(int64_t row = 0) const { return part(Zeros, row); }    // [G]
  template <typename T = uint16_t> T *minimums(int64_t row = 0) const { // [G] of the same type
    return reinterpret_cast<T *>(part(Minimums, row));
  }
  int8_t *scaleMultiples(int64_t row = 0) const { // [S]
    return reinterpret_cast<int8_t *>(part(ScaleMultiples, row));
  }
  int8_t *minimumMultiples(int64_t row = 0) const { // [S]
    return reinterpret_cast<int8_t *>(part(MinimumMultiples, row));
  }

  WeightBand row(int64_t row) const; // as a band of its own
  lutc_weights weights() const;

private:
  enum Part { Codes, Scales, Zeros, Minimums, ScaleMultiples, MinimumMultiples, Parts };
  using Sizes = std::array<int64_t, Parts>;

  static Sizes rowBytes(const Format &format, int64_t k);
  static size_t partBytes(Part part, int64_t rowBytes, int64_t count);
  uint8_t *part(Part part, int64_t row) const { return starts[part] + row * sizes[part]; }

  const Sizes sizes; // of a row
  std::array<uint8_t *, Parts> starts;
};

} // namespace lut

#endif
