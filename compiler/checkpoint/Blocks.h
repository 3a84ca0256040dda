// Decoders of ggml's blocks: values bit for bit as ggml's to_float, and the codes of those types that a
// format of lutc holds.
#ifndef LUT_COMPILER_CHECKPOINT_BLOCKS_H
#define LUT_COMPILER_CHECKPOINT_BLOCKS_H

#include <cstddef>
#include <cstdint>

namespace lut {

#define LUT_DECODERS(F)                                                                                      \
  F(F32)                                                                                                     \
  F(F16)                                                                                                     \
  F(BF16)                                                                                                    \
  F(Q1_0)                                                                                                    \
  F(Q2_0)                                                                                                    \
  F(Q4_0)                                                                                                    \
  F(Q4_1)                                                                                                    \
  F(Q5_0)                                                                                                    \
  F(Q5_1) F(Q8_0) F(TQ1_0) F(TQ2_0) F(Q2_K) F(Q3_K) F(Q4_K) F(Q5_K) F(Q6_K) F(IQ4_NL) F(MXFP4) F(NVFP4)
#define LUT_DECLARE_DECODER(name) void decode##name(const uint8_t *bytes, size_t blocks, float *values);
LUT_DECODERS(LUT_DECLARE_DECODER)
#undef LUT_DECLARE_DECODER
#undef LUT_DECODERS

// The codes of one block. Of TQ2_0, 3 is no trit.
void unpackQ1_0(const uint8_t *block, uint8_t *codes);
void unpackQ2_0(const uint8_t *block, uint8_t *codes);
void unpackQ4_0(const uint8_t *block, uint8_t *codes);
void unpackQ4_1(const uint8_t *block, uint8_t *codes);
void unpackQ5_0(const uint8_t *block, uint8_t *codes);
void unpackQ5_1(const uint8_t *block, uint8_t *codes);
void unpackQ8_0(const uint8_t *block, uint8_t *codes);
void unpackQ2_K(const uint8_t *block, uint8_t *codes);
void unpackQ3_K(const uint8_t *block, uint8_t *codes);
void unpackQ4_K(const uint8_t *block, uint8_t *codes);
void unpackQ5_K(const uint8_t *block, uint8_t *codes);
void unpackQ6_K(const uint8_t *block, uint8_t *codes);
void unpackTQ1_0(const uint8_t *block, uint8_t *codes);
void unpackTQ2_0(const uint8_t *block, uint8_t *codes);
void unpackIQ4_NL(const uint8_t *block, uint8_t *codes);
void unpackMXFP4(const uint8_t *block, uint8_t *codes);
void unpackNVFP4(const uint8_t *block, uint8_t *codes);

// The multiples of a block's scale and, where it has one, minimum: one for each subgroup.
void multiplesOfQ2_K(const uint8_t *block, int8_t *scales, int8_t *minimums);
void multiplesOfQ3_K(const uint8_t *block, int8_t *scales, int8_t *minimums);
void multiplesOfQ4_K(const uint8_t *block, int8_t *scales, int8_t *minimums); // also of Q5_K
void multiplesOfQ6_K(const uint8_t *block, int8_t *scales, int8_t *minimums);

// The four scales of a block of NVFP4 in f16, which holds unsigned e4m3.
void scalesOfNVFP4(const uint8_t *block, uint16_t *scales);

} // namespace lut

#endif
