// Weight formats by name: a row of Formats.def, how its weights share scales, and what is added to them.
//
//   w1 w2 w3 w4 w5 w6 w8   one scale for a row
//      + g16 | g32 | g64 | g128 | g256   one for each group of k
//      + k16 | k32                       one for 256 of k, times a multiple for each subgroup of 16 or 32
//                                        (of 4 bits for codes of 1 and 2, 6 for those of 3 to 5, else 8)
//      + z   u8 zero points, of rows or groups
//      + m   minimums, of groups; of 256 of k times multiples where scales are
//      + b   bf16 scales and minimums;  + s  f32;  else f16, and with k16 and k32 always
//      + e   e8m0 scales, of groups without zero points and minimums;  + f  e4m3 scales, of the same
//      + p   columns are permuted (GPTQ's desc_act); after the others
//   nl4 fp4   16 values that are not evenly spaced; the same without z, m and p
//   w158      one f32 scale per tensor;  w158r  one per row
//   iq2xxs .. vectors of a code book, with f16 scales of 256 of k times odd multiples of 16 or 32
#ifndef LUT_DIALECTS_LUT_FORMAT_H
#define LUT_DIALECTS_LUT_FORMAT_H

#include "runtime/book.h"
#include "runtime/scales.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace lut {

// Of scales and minimums: rows of runtime/scales.def. All widen to f32 exactly.
enum class ScaleType {
#define LUTC_SCALE_TYPE(name, ...) name,
#include "runtime/scales.def"
};

struct ScaleRow {
  llvm::StringLiteral name, letter; // of formats; none: empty
  bool alone;                       // of groups without zero points and minimums only
  lutc_scale_type bits;
};

const ScaleRow &rowOf(ScaleType type);
inline llvm::StringRef nameOf(ScaleType type) { return rowOf(type).name; }
inline int64_t bytesOf(ScaleType type) { return rowOf(type).bits.bits / 8; }

struct FormatRow {
  llvm::StringLiteral name;
  int bits, step, offset;
  bool trits;
  int unit;
  const int8_t *book; // [2^bits], times divisor; null: evenly spaced values
  int divisor;
  const lutc_book *vectors = nullptr; // that codes are taken from
  int subgroup = 0, multipleBits = 0; // of vectors, which share scales in one way
  int codes() const { return trits ? 3 : vectors ? 2 * int(vectors->levels) : 1 << bits; }
  // Of a code without zero points and minimums, times the divisor; `offset` is the smallest.
  int value(int code) const { return book ? book[code] : step * code + offset; }
  int largestValue() const;
};

llvm::ArrayRef<FormatRow> formatRows();

struct Format {
  const FormatRow *row = nullptr;
  int64_t group = 0; // weights along k that share a scale; 0: the whole row
  int64_t subgroup =
      0; // weights of a group that share a multiple of its scale and minimum; 0: there are none
  bool zeroPoints = false;
  bool minimums = false; // weight = scale * code + minimum
  ScaleType scaleType = ScaleType::f16;
  bool perTensor = false; // one scale for all rows
  bool permuted = false;  // column i multiplies activation columns[i]

  std::string str() const;
  int64_t groups(int64_t k) const { return group ? (k + group - 1) / group : 1; }
  int64_t subgroups(int64_t k) const { return subgroup ? (k + subgroup - 1) / subgroup : 0; }
  int64_t scaleBytes() const { return bytesOf(scaleType); }
  int64_t minimumBytes() const { return minimums ? scaleBytes() : 0; }
  // Of a subgroup, as blocks of 256 of GGUF have them: 0 .. 2^bits - 1 with minimums, else signed.
  int64_t multipleBits() const {
    return row->vectors ? row->multipleBits : !subgroup ? 0 : row->bits <= 2 ? 4 : row->bits <= 5 ? 6 : 8;
  }
  // Whether multiples lie beside the codes.
  bool multiplesAreInside() const {
    return row->vectors && lutc_book_multiple_bits(row->vectors, uint64_t(subgroup));
  }
  // Whether a code is its own value before zero point or minimum.
  bool hasPlainCodes() const { return zeroPoints || minimums; }
  // Whether codes are stored as bytes.
  bool hasByteCodes() const { return row->bits == 8; }
  // Whether p may end the name: whole numbers are what quantizers reorder.
  bool mayBePermuted() const { return !row->book && !row->trits; }
  // Whether bit planes of the codes (of ternary weights, trits) can index tables of sums of activations.
  bool hasTables() const { return !row->book && !subgroup && group != 16; }
};

// Of a name: a stem, g256 and three letters.
inline constexpr size_t longestFormatName = std::max({
#define LUT_FORMAT(name, ...) sizeof(#name) - 1,
#define LUT_VECTOR_FORMAT(name, ...) sizeof(#name) - 1,
#include "dialects/lut/Formats.def"
                                            }) +
                                            7;

// Parses a format's name. The error says what to write instead.
llvm::Expected<Format> parseFormat(llvm::StringRef name);

// `format` with scales of another type; nothing: there is none.
std::optional<Format> withScaleType(Format format, ScaleType type);

// The group sizes of grouped formats, in elements of k, and the subgroups of `superGroup` elements.
llvm::ArrayRef<int64_t> groupSizes();
llvm::ArrayRef<int64_t> subgroupSizes();
constexpr int64_t superGroup = 256;

// A regular expression of the names that start with the row's.
std::string formatPattern(const FormatRow &row);

} // namespace lut

#endif
