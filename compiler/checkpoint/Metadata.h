// Keys and values of a checkpoint. Values stay where they are in the file until they are asked for.
#ifndef LUT_COMPILER_CHECKPOINT_METADATA_H
#define LUT_COMPILER_CHECKPOINT_METADATA_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace lut {

// GGUF's numbers of value types.
enum class ValueType : uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

// Bytes of a value; 0 for strings and arrays.
size_t sizeOf(ValueType type);

struct MetadataValue {
  ValueType type = ValueType::String;
  ValueType element = ValueType::String; // of an array
  uint64_t count = 0;                    // of an array
  // Of a string its text, of other values their little-endian bytes, of an array those of its elements; a
  // string among them has its length in front, as u64.
  llvm::ArrayRef<uint8_t> bytes;

  std::optional<int64_t> integer() const;
  std::optional<double> number() const; // of integers, too
  std::optional<bool> boolean() const;
  std::optional<llvm::StringRef> string() const;
  // The elements of an array of integers; of a single integer, that one.
  std::optional<std::vector<int64_t>> integers() const;
  void print(llvm::raw_ostream &out) const; // on one line, cut short
  bool operator==(const MetadataValue &other) const;
};

struct MetadataEntry {
  llvm::StringRef key;
  MetadataValue value;
};

struct Metadata {
  std::vector<MetadataEntry> entries;

  const MetadataValue *find(llvm::StringRef key) const; // null: there is none
};

} // namespace lut

#endif
