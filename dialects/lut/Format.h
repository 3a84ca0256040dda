// Weight formats by name: a row of Formats.def, a group size and a zero-point kind.
//
//   w1 w2 w3 w4   + g32 | g64 | g128 | g256 (absent: the whole row shares a scale)   + z (u8 zero points)
//   w158          one scale per tensor;  w158r  one scale per row
#ifndef LUT_DIALECTS_LUT_FORMAT_H
#define LUT_DIALECTS_LUT_FORMAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace lut {

struct FormatRow {
  llvm::StringLiteral name;
  int bits, step, offset;
  bool trits, scaleF32;
  int unit;
  int codes() const { return trits ? 3 : 1 << bits; }
};

llvm::ArrayRef<FormatRow> formatRows();

struct Format {
  const FormatRow *row = nullptr;
  int64_t group = 0; // weights along k that share a scale; 0: the whole row
  bool zeroPoints = false;
  bool perTensor = false; // one scale for all rows

  std::string str() const;
  int64_t groups(int64_t k) const { return group ? (k + group - 1) / group : 1; }
};

// Parses a format's name. The error says what to write instead.
llvm::Expected<Format> parseFormat(llvm::StringRef name);

// The group sizes of grouped formats, in elements of k.
llvm::ArrayRef<int64_t> groupSizes();

} // namespace lut

#endif
