// Blocks with one scale (and minimum), by ggml-common.h and ggml-quants.c of ggml.
#include "compiler/checkpoint/Blocks.h"

#include "compiler/checkpoint/PackedWords.h"

namespace lut {

void decodeF32(const uint8_t *bytes, size_t blocks, float *values) {
  for (size_t i = 0; i < blocks; ++i)
    values[i] = readLe<float>(bytes + 4 * i);
}

void decodeF16(const uint8_t *bytes, size_t blocks, float *values) {
  for (size_t i = 0; i < blocks; ++i)
    values[i] = halfAt(bytes + 2 * i);
}

void decodeBF16(const uint8_t *bytes, size_t blocks, float *values) {
  for (size_t i = 0; i < blocks; ++i)
    values[i] = floatOfBrain(readLe<uint16_t>(bytes + 2 * i));
}

// Byte j of 16 holds element j in its low nibble and element j + 16 in its high one.
static void unpackNibbles(const uint8_t *bytes, uint8_t *codes) {
  for (int j = 0; j < 16; ++j) {
    codes[j] = bytes[j] & 15;
    codes[j + 16] = bytes[j] >> 4;
  }
}

// Q5_0 and Q5_1: bit 4 of element j is bit j of a word.
static void unpackFiveBits(const uint8_t *high, uint8_t *codes) {
  uint32_t bits = readLe<uint32_t>(high);
  unpackNibbles(high + 4, codes);
  for (int j = 0; j < 32; ++j)
    codes[j] |= (bits >> j & 1) << 4;
}

// A byte is ceil(256 v / 243) of five trits v in base 3, the first the most significant; trit n of byte m is
// element n * count + m.
static void unpackTrits(const uint8_t *bytes, int count, int trits, uint8_t *codes) {
  static constexpr uint8_t powers[] = {1, 3, 9, 27, 81};
  for (int n = 0; n < trits; ++n)
    for (int m = 0; m < count; ++m)
      codes[n * count + m] = uint8_t(uint8_t(bytes[m] * powers[n]) * 3 >> 8);
}

void unpackQ1_0(const uint8_t *block, uint8_t *codes) {
  for (int j = 0; j < 16; ++j)
    writeLe(codes + 8 * j, spreadCodes(block[2 + j], 1));
}

void unpackQ2_0(const uint8_t *block, uint8_t *codes) {
  for (int j = 0; j < 8; ++j)
    writeLe(codes + 8 * j, spreadCodes(readLe<uint16_t>(block + 2 + 2 * j), 2));
}

void unpackQ4_0(const uint8_t *block, uint8_t *codes) { unpackNibbles(block + 2, codes); }
void unpackQ4_1(const uint8_t *block, uint8_t *codes) { unpackNibbles(block + 4, codes); }
void unpackQ5_0(const uint8_t *block, uint8_t *codes) { unpackFiveBits(block + 2, codes); }
void unpackQ5_1(const uint8_t *block, uint8_t *codes) { unpackFiveBits(block + 4, codes); }

void unpackQ8_0(const uint8_t *block, uint8_t *codes) {
  for (int j = 0; j < 32; ++j)
    codes[j] = block[2 + j] ^ 0x80; // a signed byte plus 128
}

void unpackTQ1_0(const uint8_t *block, uint8_t *codes) {
  unpackTrits(block, 32, 5, codes);
  unpackTrits(block + 32, 16, 5, codes + 160);
  unpackTrits(block + 48, 4, 4, codes + 240);
}

void unpackTQ2_0(const uint8_t *block, uint8_t *codes) {
  for (int half = 0; half < 2; ++half)
    for (int l = 0; l < 4; ++l)
      for (int m = 0; m < 32; ++m)
        codes[half * 128 + l * 32 + m] = block[half * 32 + m] >> 2 * l & 3;
}

// (code - zero) * d, with d at byte `scaleAt`
template <int size, int blockBytes, int scaleAt, int zero, Unpack unpack>
static void decodeCentered(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += blockBytes, values += size) {
    uint8_t codes[size];
    unpack(bytes, codes);
    float d = halfAt(bytes + scaleAt);
    for (int j = 0; j < size; ++j)
      values[j] = float(codes[j] - zero) * d;
  }
}

// code * d + m
template <int size, int blockBytes, Unpack unpack>
static void decodeAboveMinimum(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += blockBytes, values += size) {
    uint8_t codes[size];
    unpack(bytes, codes);
    float d = halfAt(bytes), minimum = halfAt(bytes + 2);
    for (int j = 0; j < size; ++j)
      values[j] = float(codes[j]) * d + minimum;
  }
}

void decodeQ1_0(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += 18, values += 128) {
    uint8_t codes[128];
    unpackQ1_0(bytes, codes);
    float d = halfAt(bytes), minus = -d;
    for (int j = 0; j < 128; ++j)
      values[j] = codes[j] ? d : minus;
  }
}

void decodeQ2_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<64, 18, 0, 1, unpackQ2_0>(bytes, blocks, values);
}

void decodeQ4_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<32, 18, 0, 8, unpackQ4_0>(bytes, blocks, values);
}

void decodeQ4_1(const uint8_t *bytes, size_t blocks, float *values) {
  decodeAboveMinimum<32, 20, unpackQ4_1>(bytes, blocks, values);
}

void decodeQ5_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<32, 22, 0, 16, unpackQ5_0>(bytes, blocks, values);
}

void decodeQ5_1(const uint8_t *bytes, size_t blocks, float *values) {
  decodeAboveMinimum<32, 24, unpackQ5_1>(bytes, blocks, values);
}

void decodeQ8_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<32, 34, 0, 128, unpackQ8_0>(bytes, blocks, values);
}

void decodeTQ1_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<256, 54, 52, 1, unpackTQ1_0>(bytes, blocks, values);
}

void decodeTQ2_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<256, 66, 64, 1, unpackTQ2_0>(bytes, blocks, values);
}

void unpackIQ4_NL(const uint8_t *block, uint8_t *codes) { unpackNibbles(block + 2, codes); }
void unpackMXFP4(const uint8_t *block, uint8_t *codes) { unpackNibbles(block + 1, codes); }

// Four groups of 16: byte j of the 8 of a group holds elements j and j + 8.
void unpackNVFP4(const uint8_t *block, uint8_t *codes) {
  for (int group = 0; group < 4; ++group)
    for (int j = 0; j < 8; ++j) {
      uint8_t pair = block[4 + 8 * group + j];
      codes[16 * group + j] = pair & 15;
      codes[16 * group + j + 8] = pair >> 4;
    }
}

void decodeIQ4_NL(const uint8_t *bytes, size_t blocks, float *values) {
  static constexpr int8_t book[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  for (; blocks; --blocks, bytes += 18, values += 32) {
    uint8_t codes[32];
    unpackIQ4_NL(bytes, codes);
    float d = halfAt(bytes);
    for (int j = 0; j < 32; ++j)
      values[j] = d * float(book[codes[j]]);
  }
}

// Twice the values of e2m1; the scales are halved.
static constexpr int8_t floatBook[] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// 2^(exponent - 128), subnormal for the two smallest.
static float halfOfE8M0(uint8_t exponent) {
  return llvm::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : uint32_t(exponent - 1) << 23);
}

void decodeMXFP4(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += 17, values += 32) {
    uint8_t codes[32];
    unpackMXFP4(bytes, codes);
    float d = halfOfE8M0(bytes[0]);
    for (int j = 0; j < 32; ++j)
      values[j] = float(floatBook[codes[j]]) * d;
  }
}

// Half of an unsigned e4m3 (bias 7); its NaN, 0x7f, counts as zero.
static float halfOfUE4M3(uint8_t bits) {
  int exponent = bits >> 3 & 15, mantissa = bits & 7;
  if (bits == 0x7f)
    return 0;
  if (exponent == 0)
    return float(mantissa) * 0x1p-10f;
  return llvm::bit_cast<float>(uint32_t(exponent + 127 - 7 - 1) << 23 | uint32_t(mantissa) << 20);
}

void scalesOfNVFP4(const uint8_t *block, uint16_t *scales) {
  for (int group = 0; group < 4; ++group)
    scales[group] = halfOfFloat(2 * halfOfUE4M3(block[group]));
}

void decodeNVFP4(const uint8_t *bytes, size_t blocks, float *values) {
  for (; blocks; --blocks, bytes += 36, values += 64) {
    uint8_t codes[64];
    unpackNVFP4(bytes, codes);
    for (int j = 0; j < 64; ++j)
      values[j] = float(floatBook[codes[j]]) * halfOfUE4M3(bytes[j / 16]);
  }
}

} // namespace lut
