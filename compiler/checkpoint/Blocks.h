// Decoders of ggml's blocks: values bit for bit as ggml's to_float. Codes, scales and minimums are read by
// runtime/gguf.
#ifndef LUT_COMPILER_CHECKPOINT_BLOCKS_H
#define LUT_COMPILER_CHECKPOINT_BLOCKS_H

#include <cstddef>
#include <cstdint>

namespace lut {

using Decode = void(const uint8_t *bytes, size_t blocks, float *values);
Decode decodeF32, decodeF16, decodeBF16, decodeQ1_0, decodeQ2_0, decodeQ4_0, decodeQ4_1, decodeQ5_0,
    decodeQ5_1, decodeQ8_0, decodeTQ1_0, decodeTQ2_0, decodeQ2_K, decodeQ3_K, decodeQ4_K, decodeQ5_K,
    decodeQ6_K, decodeIQ4_NL, decodeMXFP4, decodeNVFP4;

} // namespace lut

#endif
