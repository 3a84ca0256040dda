// Little-endian numbers at any alignment, and the small float types.
#ifndef LUT_COMPILER_CHECKPOINT_BYTES_H
#define LUT_COMPILER_CHECKPOINT_BYTES_H

#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include <cstdint>

namespace lut {

template <typename T> T readLe(const uint8_t *bytes) {
  return llvm::support::endian::read<T, llvm::endianness::little>(bytes);
}

// f16 as f32, exactly; NaNs become quiet, as a conversion instruction makes them.
inline float floatOfHalf(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000) << 16, rest = half & 0x7fff;
  if (rest >= 0x7c00)
    return llvm::bit_cast<float>(sign | 0x7f800000 | (rest & 0x3ff) << 13 | (rest > 0x7c00 ? 0x00400000 : 0));
  if (rest >= 0x0400)
    return llvm::bit_cast<float>(sign | ((rest << 13) + (112u << 23)));
  float value = float(rest) * 0x1p-24f; // subnormal
  return sign ? -value : value;
}

inline float halfAt(const uint8_t *bytes) { return floatOfHalf(readLe<uint16_t>(bytes)); }

inline float floatOfBrain(uint16_t brain) { return llvm::bit_cast<float>(uint32_t(brain) << 16); }

} // namespace lut

#endif
