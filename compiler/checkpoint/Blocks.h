// Values of ggml's blocks, whose codes and scales runtime/gguf reads.
#ifndef LUT_COMPILER_CHECKPOINT_BLOCKS_H
#define LUT_COMPILER_CHECKPOINT_BLOCKS_H

#include "dialects/lut/Format.h"
#include "runtime/gguf/blocks.h"

namespace lut {

// Of `count` blocks, bit for bit as ggml's to_float: it multiplies f16 by integers, so that its products and
// sums are exact in double, where they are made here, and rounded once.
void decodeBlocks(const lutc_block_type &type, const uint8_t *bytes, size_t count, float *values);

} // namespace lut

#endif
