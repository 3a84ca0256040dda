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
void decodeQ2_K(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += 84, values += 256) {
    uint8_t codes[256];
    unpackPairs(bytes + 16, codes);
    float d = halfAt(bytes + 80), dmin = halfAt(bytes + 82);
    for (int group = 0; group < 16; ++group) {
      float scale = d * float(bytes[group] & 15), minimum = dmin * float(bytes[group] >> 4);
      for (int l = 16 * group; l < 16 * group + 16; ++l)
        values[l] = scale * float(codes[l]) - minimum;
    }
  }
}

// Scale `group` of 16, 6 bits: the low 4 of the first 8 scales in low nibbles of 8 bytes, those of the others
// in the high nibbles; the high 2 at bits 2 (group / 4) of four bytes more.
static int scaleOfQ3_K(const uint8_t *scales, int group) {
  int low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
  return (low | (scales[8 + group % 4] >> 2 * (group / 4) & 3) << 4) - 32;
}

// high[32], codes[64], scales[12], d. Bit 32 s + l of the third bits is bit s of high[l]; clear means -4.
void decodeQ3_K(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += 110, values += 256) {
    uint8_t codes[256];
    unpackPairs(bytes + 32, codes);
    float d = halfAt(bytes + 108);
    for (int group = 0; group < 16; ++group) {
      float scale = d * float(scaleOfQ3_K(bytes + 96, group));
      for (int l = 16 * group; l < 16 * group + 16; ++l)
        values[l] = scale * float(codes[l] - (bytes[l % 32] >> l / 32 & 1 ? 0 : 4));
    }
  }
}

namespace {
struct ScaleAndMinimum {
  float scale, minimum;
};
} // namespace

// d, dmin, scales[12]: 8 scales and 8 minimums of 6 bits. Those of groups 0..3 are the low bits of bytes 0..3
// and 4..7; of the others, the low 4 bits are nibbles of bytes 8..11, and the high 2 lie above the former.
static ScaleAndMinimum scaleOfQ4_K(const uint8_t *block, int group) {
  const uint8_t *scales = block + 4;
  int scale = scales[group] & 63, minimum = scales[group + 4] & 63;
  if (group >= 4) {
    scale = (scales[group + 4] & 15) | scales[group - 4] >> 6 << 4;
    minimum = scales[group + 4] >> 4 | scales[group] >> 6 << 4;
  }
  return {halfAt(block) * float(scale), halfAt(block + 2) * float(minimum)};
}

// d, dmin, scales[12], codes[128]
void decodeQ4_K(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += 144, values += 256) {
    uint8_t codes[256];
    unpackNibblePairs(bytes + 16, codes);
    for (int group = 0; group < 8; ++group) {
      auto [scale, minimum] = scaleOfQ4_K(bytes, group);
      for (int l = 32 * group; l < 32 * group + 32; ++l)
        values[l] = scale * float(codes[l]) - minimum;
    }
  }
}

// d, dmin, scales[12], high[32], codes[128]. Bit 4 of element 32 s + l is bit s of high[l].
void decodeQ5_K(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += 176, values += 256) {
    uint8_t codes[256];
    unpackNibblePairs(bytes + 48, codes);
    for (int group = 0; group < 8; ++group) {
      auto [scale, minimum] = scaleOfQ4_K(bytes, group);
      for (int l = 0; l < 32; ++l)
        values[32 * group + l] =
            scale * float(codes[32 * group + l] | (bytes[16 + l] >> group & 1) << 4) - minimum;
    }
  }
}

// low[128], high[64], scales[16] (signed), d. In each half of 128, elements l, l + 32, l + 64, l + 96 have
// their low 4 bits in the nibbles of low[l] and low[l + 32], and their high 2 bits at 0, 2, 4, 6 of high[l].
void decodeQ6_K(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += 210, values += 256) {
    float d = halfAt(bytes + 208);
    for (int group = 0; group < 16; ++group) {
      int half = group / 8, part = group % 8 / 2, first = 16 * (group % 2);
      const uint8_t *low = bytes + 64 * half + 32 * (part & 1) + first,
                    *high = bytes + 128 + 32 * half + first;
      float scale = d * float(int8_t(bytes[192 + group]));
      for (int l = 0; l < 16; ++l) {
        int code = (low[l] >> 4 * (part / 2) & 15) | (high[l] >> 2 * part & 3) << 4;
        values[16 * group + l] = scale * float(code - 32);
      }
    }
  }
}

} // namespace lut
