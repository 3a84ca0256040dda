// Codes of 2 to 8 bits in 32-bit words, least significant first.
#ifndef LUT_COMPILER_CHECKPOINT_PACKEDWORDS_H
#define LUT_COMPILER_CHECKPOINT_PACKEDWORDS_H

#include "compiler/checkpoint/Bytes.h"
#include <algorithm>

namespace lut {

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
    uint64_t value = readLe<uint32_t>(words + word * stride) >> bit;
    if (bit + bits > 32)
      value |= uint64_t(readLe<uint32_t>(words + (word + 1) * stride)) << (32 - bit);
    return uint8_t(value & ((1u << bits) - 1));
  }

  // Codes [0, count) of one unit of words, `stride` bytes apart.
  void unpackUnit(const uint8_t *words, int64_t stride, int64_t count, uint8_t *codes) const {
    if (unitWords() == 1) {
      uint32_t word = readLe<uint32_t>(words);
      for (int64_t i = 0; i < count; ++i, word >>= bits)
        codes[i] = uint8_t(word & ((1u << bits) - 1));
      return;
    }
    for (int64_t i = 0; i < count; ++i)
      codes[i] = codeAt(words, i, stride);
  }

  // `count` codes of rows of words: word w of row r is at words + w * wordStride + r * rowStride.
  void unpackRows(const uint8_t *words, int64_t wordStride, int64_t rowStride, int64_t rows, int64_t count,
                  uint8_t *codes) const {
    for (int64_t done = 0; done < count; done += unitCodes(), words += unitWords() * wordStride)
      for (int64_t row = 0; row < rows; ++row)
        unpackUnit(words + row * rowStride, wordStride, std::min(unitCodes(), count - done),
                   codes + row * count + done);
  }
};

} // namespace lut

#endif
