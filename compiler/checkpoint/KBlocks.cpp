// Blocks of 256 with scales on two levels, by ggml-common.h and ggml-quants.c of ggml.
#include "compiler/checkpoint/Blocks.h"
#include "compiler/checkpoint/Bytes.h"

namespace lut {

// Each half of 128 elements takes 32 bytes: elements 32 s + l at bits 2 s of byte l.
static void unpackPairs(const uint8_t *bytes, uint8_t *codes) {
  for (int half = 0; half < 2; ++half)
    for (int s = 0; s < 4; ++s)
      for (int l = 0; l < 32; ++l)
        codes[128 * half + 32 * s + l] = bytes[32 * half + l] >> 2 * s & 3;
}

// Each 64 elements take 32 bytes: elements l and l + 32 in the nibbles of byte l.
static void unpackNibblePairs(const uint8_t *bytes, uint8_t *codes) {
  for (int part = 0; part < 4; ++part)
    for (int l = 0; l < 32; ++l) {
      codes[64 * part + l] = bytes[32 * part + l] & 15;
      codes[64 * part + 32 + l] = bytes[32 * part + l] >> 4;
    }
}

// scales[16] (low nibble scale, high nibble minimum), codes[64], d, dmin
void unpackQ2_K(const uint8_t *block, uint8_t *codes) { unpackPairs(block + 16, codes); }

void multiplesOfQ2_K(const uint8_t *block, int8_t *scales, int8_t *minimums) {
  for (int group = 0; group < 16; ++group) {
    scales[group] = int8_t(block[group] & 15);
    minimums[group] = int8_t(block[group] >> 4);
  }
}

// high[32], codes[64], scales[12], d. Bit 32 s + l of the third bits is bit s of high[l].
void unpackQ3_K(const uint8_t *block, uint8_t *codes) {
  unpackPairs(block + 32, codes);
  for (int s = 0; s < 8; ++s)
    for (int l = 0; l < 32; ++l)
      codes[32 * s + l] |= (block[l] >> s & 1) << 2;
}

// 16 scales of 6 bits: the low 4 of the first 8 in low nibbles of 8 bytes, those of the others in the high
// nibbles; the high 2 at bits 2 (group / 4) of four bytes more.
void multiplesOfQ3_K(const uint8_t *block, int8_t *scales, int8_t *) {
  const uint8_t *bytes = block + 96;
  for (int group = 0; group < 16; ++group) {
    int low = group < 8 ? bytes[group] & 15 : bytes[group - 8] >> 4;
    scales[group] = int8_t((low | (bytes[8 + group % 4] >> 2 * (group / 4) & 3) << 4) - 32);
  }
}

// d, dmin, scales[12], codes[128]
void unpackQ4_K(const uint8_t *block, uint8_t *codes) { unpackNibblePairs(block + 16, codes); }

// 8 scales and 8 minimums of 6 bits. Those of groups 0..3 are the low bits of bytes 0..3 and 4..7; of the
// others, the low 4 bits are nibbles of bytes 8..11, and the high 2 lie above the former.
void multiplesOfQ4_K(const uint8_t *block, int8_t *scales, int8_t *minimums) {
  const uint8_t *bytes = block + 4;
  for (int group = 0; group < 4; ++group) {
    scales[group] = int8_t(bytes[group] & 63);
    minimums[group] = int8_t(bytes[group + 4] & 63);
    scales[group + 4] = int8_t((bytes[group + 8] & 15) | bytes[group] >> 6 << 4);
    minimums[group + 4] = int8_t(bytes[group + 8] >> 4 | bytes[group + 4] >> 6 << 4);
  }
}

// d, dmin, scales[12], high[32], codes[128]. Bit 4 of element 32 s + l is bit s of high[l].
void unpackQ5_K(const uint8_t *block, uint8_t *codes) {
  unpackNibblePairs(block + 48, codes);
  for (int s = 0; s < 8; ++s)
    for (int l = 0; l < 32; ++l)
      codes[32 * s + l] |= (block[16 + l] >> s & 1) << 4;
}

// low[128], high[64], scales[16] (signed), d. In each half of 128, elements l, l + 32, l + 64, l + 96 have
// their low 4 bits in the nibbles of low[l] and low[l + 32], and their high 2 bits at 0, 2, 4, 6 of high[l].
void unpackQ6_K(const uint8_t *block, uint8_t *codes) {
  for (int half = 0; half < 2; ++half)
    for (int part = 0; part < 4; ++part)
      for (int l = 0; l < 32; ++l) {
        int low = block[64 * half + 32 * (part & 1) + l], high = block[128 + 32 * half + l];
        codes[128 * half + 32 * part + l] =
            uint8_t((low >> 4 * (part / 2) & 15) | (high >> 2 * part & 3) << 4);
      }
}

void multiplesOfQ6_K(const uint8_t *block, int8_t *scales, int8_t *) {
  for (int group = 0; group < 16; ++group)
    scales[group] = int8_t(block[192 + group]);
}

// (d * scale) * (code - zero), with d at byte `scaleAt`
template <int subgroup, int blockBytes, int scaleAt, int zero, Unpack unpack, Multiples multiples>
static void decodeCentered(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += blockBytes, values += 256) {
    uint8_t codes[256];
    int8_t scales[16];
    unpack(bytes, codes);
    multiples(bytes, scales, nullptr);
    float d = halfAt(bytes + scaleAt);
    for (int l = 0; l < 256; ++l)
      values[l] = d * float(scales[l / subgroup]) * float(codes[l] - zero);
  }
}

// (d * scale) * code - dmin * minimum, with d and dmin at byte `scaleAt`
template <int subgroup, int blockBytes, int scaleAt, Unpack unpack, Multiples multiples>
static void decodeAboveMinimum(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += blockBytes, values += 256) {
    uint8_t codes[256];
    int8_t scales[16], minimums[16];
    unpack(bytes, codes);
    multiples(bytes, scales, minimums);
    float d = halfAt(bytes + scaleAt), dmin = halfAt(bytes + scaleAt + 2);
    for (int l = 0; l < 256; ++l)
      values[l] = d * float(scales[l / subgroup]) * float(codes[l]) - dmin * float(minimums[l / subgroup]);
  }
}

void decodeQ2_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeAboveMinimum<16, 84, 80, unpackQ2_K, multiplesOfQ2_K>(bytes, blocks, values);
}

void decodeQ3_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<16, 110, 108, 4, unpackQ3_K, multiplesOfQ3_K>(bytes, blocks, values);
}

void decodeQ4_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeAboveMinimum<32, 144, 0, unpackQ4_K, multiplesOfQ4_K>(bytes, blocks, values);
}

void decodeQ5_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeAboveMinimum<32, 176, 0, unpackQ5_K, multiplesOfQ4_K>(bytes, blocks, values);
}

void decodeQ6_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<16, 210, 208, 32, unpackQ6_K, multiplesOfQ6_K>(bytes, blocks, values);
}

} // namespace lut
