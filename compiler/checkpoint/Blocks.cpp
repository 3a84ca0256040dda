// Values of ggml's types, in the order of operations of its ggml-quants.c.
#include "compiler/checkpoint/Blocks.h"

#include "compiler/checkpoint/Bytes.h"
#include "runtime/gguf/blocks.h"

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

// values[j] = value(block, code) of elements of one scale.
template <typename Value>
static void decodeBlocks(uint32_t number, const uint8_t *bytes, size_t blocks, float *values, Value value) {
  const lutc_block_type &type = *lutc_find_block_type(number);
  uint8_t codes[256];
  for (; blocks; --blocks, bytes += type.bytes, values += type.elements) {
    type.codes(bytes, 1, codes);
    float d = halfAt(bytes + type.scale_at),
          minimum = type.minimum_at < 0 ? 0 : halfAt(bytes + type.minimum_at);
    for (uint32_t j = 0; j < type.elements; ++j)
      values[j] = value(codes[j], d, minimum);
  }
}

template <uint32_t number, int zero>
static void decodeCentered(const uint8_t *bytes, size_t blocks, float *values) {
  decodeBlocks(number, bytes, blocks, values,
               [](uint8_t code, float d, float) { return float(code - zero) * d; });
}

template <uint32_t number>
static void decodeAboveMinimum(const uint8_t *bytes, size_t blocks, float *values) {
  decodeBlocks(number, bytes, blocks, values,
               [](uint8_t code, float d, float minimum) { return float(code) * d + minimum; });
}

// values[j] = value(code, d * scale, dmin * minimum) of elements with scales on two levels.
template <typename Value>
static void decodeKBlocks(uint32_t number, const uint8_t *bytes, size_t blocks, float *values, Value value) {
  const lutc_block_type &type = *lutc_find_block_type(number);
  uint8_t codes[256];
  int8_t scales[16], minimums[16] = {};
  for (; blocks; --blocks, bytes += type.bytes, values += type.elements) {
    type.codes(bytes, 1, codes);
    type.multiples(bytes, 1, scales, minimums);
    float d = halfAt(bytes + type.scale_at), dmin = type.minimum_at < 0 ? 0 : halfAt(bytes + type.minimum_at);
    for (uint32_t j = 0; j < type.elements; ++j) {
      uint32_t i = j / type.subgroup;
      values[j] = value(codes[j], d * float(scales[i]), dmin * float(minimums[i]));
    }
  }
}

template <uint32_t number, int zero>
static void decodeKCentered(const uint8_t *bytes, size_t blocks, float *values) {
  decodeKBlocks(number, bytes, blocks, values,
                [](uint8_t code, float scale, float) { return scale * float(code - zero); });
}

template <uint32_t number>
static void decodeKAboveMinimum(const uint8_t *bytes, size_t blocks, float *values) {
  decodeKBlocks(number, bytes, blocks, values,
                [](uint8_t code, float scale, float minimum) { return scale * float(code) - minimum; });
}

void decodeQ1_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeBlocks(41, bytes, blocks, values, [](uint8_t code, float d, float) { return code ? d : -d; });
}

void decodeQ2_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<42, 1>(bytes, blocks, values);
}

void decodeQ4_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<2, 8>(bytes, blocks, values);
}

void decodeQ4_1(const uint8_t *bytes, size_t blocks, float *values) {
  decodeAboveMinimum<3>(bytes, blocks, values);
}

void decodeQ5_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<6, 16>(bytes, blocks, values);
}

void decodeQ5_1(const uint8_t *bytes, size_t blocks, float *values) {
  decodeAboveMinimum<7>(bytes, blocks, values);
}

void decodeQ8_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<8, 128>(bytes, blocks, values);
}

void decodeTQ1_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<34, 1>(bytes, blocks, values);
}

void decodeTQ2_0(const uint8_t *bytes, size_t blocks, float *values) {
  decodeCentered<35, 1>(bytes, blocks, values);
}

void decodeQ2_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeKAboveMinimum<10>(bytes, blocks, values);
}

void decodeQ3_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeKCentered<11, 4>(bytes, blocks, values);
}

void decodeQ4_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeKAboveMinimum<12>(bytes, blocks, values);
}

void decodeQ5_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeKAboveMinimum<13>(bytes, blocks, values);
}

void decodeQ6_K(const uint8_t *bytes, size_t blocks, float *values) {
  decodeKCentered<14, 32>(bytes, blocks, values);
}

void decodeIQ4_NL(const uint8_t *bytes, size_t blocks, float *values) {
  static constexpr int8_t book[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  decodeBlocks(20, bytes, blocks, values, [](uint8_t code, float d, float) { return d * float(book[code]); });
}

// Twice the values of e2m1; the scales are halved.
static constexpr int8_t floatBook[] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// 2^(exponent - 128), subnormal for the two smallest.
static float halfOfE8M0(uint8_t exponent) {
  return llvm::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : uint32_t(exponent - 1) << 23);
}

void decodeMXFP4(const uint8_t *bytes, size_t blocks, float *values) {
  const lutc_block_type &type = *lutc_find_block_type(39);
  for (; blocks; --blocks, bytes += type.bytes, values += type.elements) {
    uint8_t codes[32];
    type.codes(bytes, 1, codes);
    float d = halfOfE8M0(bytes[0]);
    for (int j = 0; j < 32; ++j)
      values[j] = float(floatBook[codes[j]]) * d;
  }
}

void decodeNVFP4(const uint8_t *bytes, size_t blocks, float *values) {
  const lutc_block_type &type = *lutc_find_block_type(40);
  for (; blocks; --blocks, bytes += type.bytes, values += type.elements) {
    uint8_t codes[64], scales[8];
    type.codes(bytes, 1, codes);
    lutc_unpack_scales(&type, bytes, 1, scales);
    for (int j = 0; j < 64; ++j)
      values[j] = float(floatBook[codes[j]]) * (halfAt(scales + 2 * (j / 16)) * 0.5f);
  }
}

} // namespace lut
