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

// The codes of one block.
void unpackQ1_0(const uint8_t *block, uint8_t *codes);  // 0, 1
void unpackQ2_0(const uint8_t *block, uint8_t *codes);  // 0 .. 3
void unpackQ4_0(const uint8_t *block, uint8_t *codes);  // 0 .. 15
void unpackQ5_0(const uint8_t *block, uint8_t *codes);  // 0 .. 31
void unpackQ8_0(const uint8_t *block, uint8_t *codes);  // 0 .. 255
void unpackTQ1_0(const uint8_t *block, uint8_t *codes); // 0 .. 2
void unpackTQ2_0(const uint8_t *block, uint8_t *codes); // 0 .. 3; 3 is no trit

} // namespace lut

#endif
