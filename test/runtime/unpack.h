// Packed weights read back by address: where kernel.h says the bits of one weight are. Shares nothing with
// the packer.
#ifndef LUT_TEST_RUNTIME_UNPACK_H
#define LUT_TEST_RUNTIME_UNPACK_H

#include "kernel.h"
#include <algorithm>
#include <cstring>
#include <vector>

namespace lut {

class Unpacked {
public:
  Unpacked(const lutc_kernel_info &info, const lutc_layout &layout, const void *payload)
      : info(info), layout(layout), payload(static_cast<const uint8_t *>(payload)) {
    const size_t kinds[] = {32, 32, 8, 5, 32, 24, 32};
    chunk = kinds[layout.kind];
    bits = layout.bits;
    rows = (info.n + layout.tile_rows - 1) / layout.tile_rows * layout.tile_rows;
    paddedK = layout.k_padded;
    chunkBytes = bits * layout.row_vectors * layout.vector_bytes;
    if (isBook())
      chunkBytes /= 4;
    if (fragments()) // nibbles of 8 units, and signs of trits
      chunkBytes = layout.tile_rows * (layout.kind == LUTC_LAYOUT_TRITS ? 5 : 4 * bits);
    tileBytes.push_back(0);
    for (size_t k = 0; k < paddedK; ++k)
      tileBytes.push_back(tileBytes.back() + (k % chunk == 0 ? chunkBytes : 0) +
                          (layout.group && k % layout.group == 0 ? scaleBytes() + multipleBytes() : 0));
  }

  size_t streamBytes() const { return rows / layout.tile_rows * tileBytes[paddedK]; }
  size_t payloadBytes() const { return tailEnd() + (info.has_columns ? 4 * paddedK : 0); }

  // The code at (row, k), padding included; of trits: the trit plus 1.
  int code(size_t row, size_t k) const {
    const size_t at = chunkOffset(row, k), inTile = row % layout.tile_rows, inChunk = k % chunk;
    const size_t V = layout.vector_bytes, vectorRow = inTile % (columns() ? V : V / 4);
    const size_t rowVector = inTile / (columns() ? V : V / 4);
    const size_t columnByte = 4 * (vectorRow % (V / 4)) + vectorRow / (V / 4);
    auto byte = [&](size_t vector, size_t b) {
      return payload[at + (vector * layout.row_vectors + rowVector) * V + b];
    };
    if (isBook())
      return bookCode(at + rowVector * bits * (V / 4), vectorRow, inChunk);
    if (fragments())
      return fragmentCode(at + inTile / (2 * V) * (chunkBytes / layout.row_vectors), inTile % (2 * V),
                          inChunk);
    if (isBase3())
      return trit(byte(0, columnByte), inChunk) + 1;
    int code = 0;
    if (layout.kind == LUTC_LAYOUT_DOT) {
      for (size_t bit = 0; bit < bits; ++bit) {
        const auto [vector, position] = dotBit(inChunk / 4, bit);
        code |= (byte(vector, 4 * vectorRow + k % 4) >> position & 1) << bit;
      }
      return code;
    }
    for (size_t plane = 0; plane < bits; ++plane) {
      const bool quad = layout.kind == LUTC_LAYOUT_QUAD;
      const uint8_t b = byte(plane, quad ? 4 * vectorRow + inChunk / 4 % 4 : columnByte);
      code |= (b >> (quad ? 4 * (inChunk / 16) + inChunk % 4 : inChunk) & 1) << plane;
    }
    return code;
  }

  // Bits of the scale, zero point and bits of the minimum of a group of a row, in the stream.
  uint32_t groupScale(size_t row, size_t group) const {
    return scaleBits(scalesOffset(row, group) + row % layout.tile_rows * scaleSize());
  }
  uint8_t groupZero(size_t row, size_t group) const {
    return payload[scalesOffset(row, group) + scaleSize() * layout.tile_rows + row % layout.tile_rows];
  }
  uint32_t groupMinimum(size_t row, size_t group) const {
    return scaleBits(scalesOffset(row, group) + (layout.tile_rows + row % layout.tile_rows) * scaleSize());
  }
  // Of the scale, or the minimum, of a subgroup of a row.
  int8_t multiple(size_t row, size_t subgroup, bool ofMinimum) const {
    if (multiplesAreInside()) {
      const size_t lanes = layout.vector_bytes / 4, inTile = row % layout.tile_rows;
      const size_t at = chunkOffset(row, 32 * subgroup) + inTile / lanes * bits * lanes;
      return int8_t(2 * (bookRest(at, inTile % lanes) >> (info.book->signs == LUTC_SHIFT_OF_32 ? 13 : 0) &
                         (info.book->signs == LUTC_SHIFT_OF_32 ? 7 : 15)) +
                    1);
    }
    const size_t perGroup = layout.group / info.subgroup, kinds = info.has_minimums ? 2 : 1;
    const size_t at = chunkOffset(row, subgroup / perGroup * layout.group) - multipleBytes();
    const size_t v = (subgroup % perGroup * kinds + ofMinimum) * layout.tile_rows + row % layout.tile_rows;
    const size_t half = perGroup * kinds * layout.tile_rows / 2;
    if (info.multiple_bits == 8)
      return int8_t(payload[at + v]);
    int value = v < half ? payload[at + v] & 15 : payload[at + v - half] >> 4;
    if (info.multiple_bits == 6)
      value += (payload[at + half + v % (half / 2)] >> (v / (half / 2)) * 2 & 3) * 16;
    if (isBook())
      return int8_t(2 * value + 1);
    return int8_t(info.has_minimums ? value : value - (1 << info.multiple_bits) / 2);
  }

  // In the tail.
  float rowScale(size_t row) const { return load<float>(streamBytes() + 4 * row); }
  int32_t rowZero(size_t row) const { return load<int32_t>(streamBytes() + 4 * (rows + row)); }
  int32_t rowNegatives(size_t row) const { return load<int32_t>(tailEnd() - 4 * (rows - row)); }
  // Padding included.
  int32_t column(size_t k) const { return load<int32_t>(tailEnd() + 4 * k); }

  size_t rows, paddedK, chunk;

private:
  bool isBook() const { return layout.kind == LUTC_LAYOUT_BOOK; }
  bool hasSigns() const { return info.book->signs == LUTC_SIGNS_EACH || info.book->signs == LUTC_SIGNS_EVEN; }
  bool multiplesAreInside() const {
    return isBook() && info.subgroup == 32 &&
           (info.book->signs == LUTC_SIGNS_EVEN || info.book->signs == LUTC_SHIFT_OF_32);
  }
  // Of row `lane` of the row vector at `at`.
  uint32_t bookRest(size_t at, size_t lane) const {
    const size_t V = layout.vector_bytes, planes = 8 / info.book->length;
    if (info.book->signs == LUTC_SIGNS_EVEN) {
      const uint8_t last = payload[at + planes * V + 4 * lane + 3];
      return (last >> 1 & 1) | (last >> 3 & 1) << 1 | (last >> 5 & 1) << 2 | (last >> 7 & 1) << 3;
    }
    const size_t before = planes * V + (hasSigns() ? V : 0), bytes = bits - 4 * planes - (hasSigns() ? 4 : 0);
    return bytes == 2 ? load<uint16_t>(at + before + 2 * lane) : payload[at + before + lane];
  }
  bool bookMark(size_t at, size_t lane, size_t k) const {
    const size_t planes = 8 / info.book->length;
    if (info.book->signs != LUTC_SIGNS_EVEN || k % 8 != 7)
      return payload[at + planes * layout.vector_bytes + 4 * lane + k % 4] >> k / 4 & 1;
    bool odd = false;
    for (size_t before = k - 7; before < k; ++before)
      odd ^= bookMark(at, lane, before);
    return odd;
  }
  int bookCode(size_t at, size_t lane, size_t k) const {
    const lutc_book &book = *info.book;
    const size_t v = k / book.length, vectors = 32 / book.length, high = book.count / 256;
    const size_t width = high == 8 ? 3 : high / 2; // bits: 1, 2, 4 or 8 times 256 vectors
    const uint32_t rest = bookRest(at, lane);
    const size_t number =
        payload[at + v / 4 * layout.vector_bytes + 4 * lane + v % 4] + 256 * (rest >> v * width & (high - 1));
    const int digit = book.digits[number * book.length + k % book.length], levels = int(book.levels);
    if (hasSigns())
      return bookMark(at, lane, k) ? levels - 1 - digit : levels + digit;
    return 2 * digit + int(rest >> (vectors * width + (book.signs == LUTC_SHIFT_OF_8 ? k / 8 : 0)) & 1);
  }

  bool isBase3() const { return layout.kind == LUTC_LAYOUT_BASE3; }
  bool fragments() const { return layout.kind == LUTC_LAYOUT_NIBBLES || layout.kind == LUTC_LAYOUT_TRITS; }
  bool columns() const { return layout.kind == LUTC_LAYOUT_COLUMN || isBase3(); }

  // Of what lies in rows.
  size_t tailEnd() const {
    const size_t words = layout.group ? 0 : 1 + (info.has_zero_points ? 1 : 0) + (isBase3() ? 1 : 0);
    return streamBytes() + 4 * rows * words;
  }

  // Bit `index` of the bits that start at byte `at`.
  int bitAt(size_t at, size_t index) const { return payload[at + index / 8] >> index % 8 & 1; }
  // The code of element `k` of a chunk for row `row` of the warp whose fragment is at `at`.
  int fragmentCode(size_t at, size_t row, size_t k) const {
    const size_t fragmentRows = 2 * layout.vector_bytes;
    if (layout.kind == LUTC_LAYOUT_TRITS) {
      const size_t place = k / 3 * fragmentRows + row;
      const int index = payload[at + place / 2] >> place % 2 * 4 & 15;
      const bool negative = bitAt(at + 4 * fragmentRows, place);
      return trit(uint8_t(negative ? 0x80 | index : index), k % 3) + 1;
    }
    int code = 0;
    for (size_t plane = 0; plane < bits; ++plane) {
      const size_t nibble = (plane * 8 + k / 4) * fragmentRows + row;
      const int last = bitAt(at, 4 * nibble + 3), own = bitAt(at, 4 * nibble + k % 4);
      code |= (k % 4 == 3 ? last : own ^ last) << plane;
    }
    return code;
  }

  // Vector and bit of a byte where bit `bit` of the codes of `quad` is. Quads of split codes: the high bits
  // of all of them, then the low bits.
  std::pair<size_t, size_t> dotBit(size_t quad, size_t bit) const {
    const size_t perVector = 8 / bits, left = 8 - perVector * bits;
    if (quad < perVector * bits)
      return {quad / perVector, quad % perVector * bits + bit};
    const size_t split = quad - perVector * bits, low = bits - left;
    const size_t spare = bit >= low ? split * left + bit - low : left * left + split * low + bit;
    return {spare / left, 8 - left + spare % left};
  }

  template <typename T> T load(size_t offset) const {
    T value;
    std::memcpy(&value, payload + offset, sizeof value);
    return value;
  }

  static int trit(uint8_t byte, size_t e) {
    int v = byte & 0x80 ? -(byte & 0x7f) : byte;
    for (;; v /= 3) {
      const int t = (v % 3 + 4) % 3 - 1; // v mod 3 as -1, 0 or 1
      if (e-- == 0)
        return t;
      v -= t;
    }
  }

  size_t scaleSize() const {
    const lutc_type type = info.scale_type;
    return type == LUTC_F32 ? 4 : type == LUTC_F8_E8M0 || type == LUTC_F8_E4M3 ? 1 : 2;
  }
  uint32_t scaleBits(size_t offset) const {
    const size_t size = scaleSize();
    return size == 4 ? load<uint32_t>(offset) : size == 2 ? load<uint16_t>(offset) : payload[offset];
  }
  size_t scaleBytes() const {
    return layout.tile_rows * (scaleSize() * (info.has_minimums ? 2 : 1) + (info.has_zero_points ? 1 : 0));
  }
  size_t multipleBytes() const { // of a tile and group
    return info.subgroup && !multiplesAreInside() ? layout.group / info.subgroup * layout.tile_rows *
                                                        (info.has_minimums ? 2 : 1) * info.multiple_bits / 8
                                                  : 0;
  }
  // Bytes of k in [begin, end) of one tile, scales included.
  size_t spanBytes(size_t begin, size_t end) const {
    return tileBytes[std::min(end, paddedK)] - tileBytes[begin];
  }
  size_t blockBytes(size_t block) const {
    return spanBytes(block * layout.k_block, (block + 1) * layout.k_block);
  }
  // Panels of 10 tiles, k block by k block, where there are several.
  size_t tileOffset(size_t row, size_t block) const {
    const size_t tile = row / layout.tile_rows, tiles = rows / layout.tile_rows;
    const size_t panel = layout.k_block < paddedK ? 10 : tiles;
    const size_t first = tile / panel * panel, together = std::min(panel, tiles - first);
    return first * spanBytes(0, paddedK) + together * spanBytes(0, block * layout.k_block) +
           (tile - first) * blockBytes(block);
  }
  size_t chunkOffset(size_t row, size_t k) const {
    const size_t block = k / layout.k_block, blockBegin = block * layout.k_block;
    const size_t span = layout.group ? k / spanK() * spanK() : blockBegin;
    return tileOffset(row, block) + spanBytes(blockBegin, span) + multipleBytes() +
           (k - span) / chunk * chunkBytes;
  }
  // Two groups of half a chunk share it.
  size_t spanK() const { return std::max<size_t>(layout.group, chunk); }
  size_t scalesOffset(size_t row, size_t group) const {
    const size_t k = group * layout.group, span = k / spanK() * spanK(), block = span / layout.k_block;
    const size_t chunks = (std::min(span + spanK(), paddedK) - span + chunk - 1) / chunk;
    return tileOffset(row, block) + spanBytes(block * layout.k_block, span) + chunks * chunkBytes +
           multipleBytes() + (k - span) / layout.group * scaleBytes();
  }

  const lutc_kernel_info &info;
  const lutc_layout &layout;
  const uint8_t *payload;
  size_t bits = 0, chunkBytes;
  std::vector<size_t> tileBytes; // [k]: of one tile up to k, all k blocks in a row
};

} // namespace lut

#endif
