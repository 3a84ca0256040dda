// Codes of 1 to 8 bits in 32-bit words, least significant first.
#ifndef LUT_COMPILER_CHECKPOINT_PACKEDWORDS_H
#define LUT_COMPILER_CHECKPOINT_PACKEDWORDS_H

#include "compiler/checkpoint/Bytes.h"
#include <algorithm>

namespace lut {

// Eight codes of up to 4 bits, in the low bits of a word, as eight bytes. Each step halves the runs of
// codes: four at a distance of 32, two of 16, one of 8.
inline uint64_t spreadCodes(uint32_t low, int bits) {
  uint64_t packed = low;
  const uint64_t one = (uint64_t(1) << bits) - 1, two = (uint64_t(1) << 2 * bits) - 1,
                 four = (uint64_t(1) << 4 * bits) - 1;
  packed = (packed | packed << 4 * (8 - bits)) & four * 0x0000000100000001;
  packed = (packed | packed << 2 * (8 - bits)) & two * 0x0001000100010001;
  return (packed | packed << (8 - bits)) & one * 0x0101010101010101;
}

inline void writeLe(uint8_t *bytes, uint64_t value) {
  llvm::support::endian::write<uint64_t, llvm::endianness::little>(bytes, value);
}

// How words hold codes: as many whole codes as fit in each, or without a gap, straddling words.
struct WordLayout {
  int bits = 4;
  bool straddles = false;

  int64_t perWord() const { return 32 / bits; } // of whole codes
  int64_t wordsFor(int64_t codes) const {
    return straddles ? (codes * bits + 31) / 32 : (codes + perWord() - 1) / perWord();
  }
  // The smallest run of words that holds whole codes.
  int64_t unitWords() const { return straddles && 32 % bits ? bits : 1; }
  int64_t unitCodes() const { return straddles && 32 % bits ? 32 : perWord(); }

  // Code `index` of the words that start at `words`, `stride` bytes apart.
  uint8_t codeAt(const uint8_t *words, int64_t index, int64_t stride = 4) const {
    int64_t word = straddles ? index * bits / 32 : index / perWord();
    int64_t bit = straddles ? index * bits % 32 : index % perWord() * bits;
    return uint8_t(bitsAt(words + word * stride, bit, bits, stride) & ((1u << bits) - 1));
  }

  // Codes [0, count) of one unit of words, `stride` bytes apart.
  void unpackUnit(const uint8_t *words, int64_t stride, int64_t count, uint8_t *codes) const {
    int64_t done = bits == 4   ? unpackEights<4>(words, stride, count, codes)
                   : bits == 3 ? unpackEights<3>(words, stride, count, codes)
                   : bits == 2 ? unpackEights<2>(words, stride, count, codes)
                               : 0;
    for (; done < count; ++done)
      codes[done] = codeAt(words, done, stride);
  }

  // `count` codes of rows of words: word w of row r is at words + w * wordStride + r * rowStride. Where rows
  // are adjacent, each gets a few cache lines of codes at a time.
  void unpackRows(const uint8_t *words, int64_t wordStride, int64_t rowStride, int64_t rows, int64_t count,
                  uint8_t *codes) const {
    int64_t units = (count + unitCodes() - 1) / unitCodes(), block = rowStride > wordStride ? units : 8;
    for (int64_t begin = 0; begin < units; begin += block)
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t unit = begin; unit < std::min(begin + block, units); ++unit) {
          int64_t done = unit * unitCodes();
          unpackUnit(words + unit * unitWords() * wordStride + row * rowStride, wordStride,
                     std::min(unitCodes(), count - done), codes + row * count + done);
        }
  }

private:
  // Eight codes at a time, as long as there are eight; how many there were.
  template <int width>
  static int64_t unpackEights(const uint8_t *words, int64_t stride, int64_t count, uint8_t *codes) {
    int64_t done = 0;
    for (int64_t bit = 0; done + 8 <= count; done += 8, bit += 8 * width)
      writeLe(codes + done,
              spreadCodes(uint32_t(bitsAt(words + bit / 32 * stride, bit % 32, 8 * width, stride)), width));
    return done;
  }

  // At least the `width` bits, up to 32, from bit `bit` of a word on.
  static uint64_t bitsAt(const uint8_t *word, int64_t bit, int64_t width, int64_t stride) {
    uint64_t value = readLe<uint32_t>(word) >> bit;
    if (bit + width > 32)
      value |= uint64_t(readLe<uint32_t>(word + stride)) << (32 - bit);
    return value;
  }
};

} // namespace lut

#endif
