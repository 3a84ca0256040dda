// Decoders of ggml's blocks: values bit for bit as ggml's to_float, and the codes of those types that a
// format of lutc holds.
#ifndef LUT_COMPILER_CHECKPOINT_BLOCKS_H
#define LUT_COMPILER_CHECKPOINT_BLOCKS_H

#include <cstddef>
#include <cstdint>

namespace lut {

using Decode = void(const uint8_t *bytes, size_t blocks, float *values);
Decode decodeF32, decodeF16, decodeBF16, decodeQ1_0, decodeQ2_0, decodeQ4_0, decodeQ4_1, decodeQ5_0,
    decodeQ5_1, decodeQ8_0, decodeTQ1_0, decodeTQ2_0, decodeQ2_K, decodeQ3_K, decodeQ4_K, decodeQ5_K,
    decodeQ6_K, decodeIQ4_NL, decodeMXFP4, decodeNVFP4;

// The codes of one block. Of TQ2_0 they may be 3, which is no trit.
using Unpack = void(const uint8_t *block, uint8_t *codes);
Unpack unpackQ1_0, unpackQ2_0, unpackQ4_0, unpackQ4_1, unpackQ5_0, unpackQ5_1, unpackQ8_0, unpackTQ1_0,
    unpackTQ2_0, unpackQ2_K, unpackQ3_K, unpackQ4_K, unpackQ5_K, unpackQ6_K, unpackIQ4_NL, unpackMXFP4,
    unpackNVFP4;

// The multiples of a block's scale and, where it has one, minimum: one for each subgroup.
using Multiples = void(const uint8_t *block, int8_t *scales, int8_t *minimums);
Multiples multiplesOfQ2_K, multiplesOfQ3_K, multiplesOfQ4_K /* and Q5_K */, multiplesOfQ6_K;

// The four scales of a block of NVFP4 in f16, which holds unsigned e4m3.
void scalesOfNVFP4(const uint8_t *block, uint16_t *scales);

} // namespace lut

#endif
