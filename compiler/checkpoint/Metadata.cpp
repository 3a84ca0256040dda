#include "compiler/checkpoint/Metadata.h"

#include "compiler/checkpoint/Bytes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace llvm;

namespace lut {

size_t sizeOf(ValueType type) {
  switch (type) {
  case ValueType::U8:
  case ValueType::I8:
  case ValueType::Bool:
    return 1;
  case ValueType::U16:
  case ValueType::I16:
    return 2;
  case ValueType::U32:
  case ValueType::I32:
  case ValueType::F32:
    return 4;
  case ValueType::U64:
  case ValueType::I64:
  case ValueType::F64:
    return 8;
  case ValueType::String:
  case ValueType::Array:
    break;
  }
  return 0;
}

// Values above 2^63 are none that we ask for.
static std::optional<int64_t> integerAt(ValueType type, const uint8_t *bytes) {
  switch (type) {
  case ValueType::U8:
    return *bytes;
  case ValueType::I8:
    return int8_t(*bytes);
  case ValueType::U16:
    return readLe<uint16_t>(bytes);
  case ValueType::I16:
    return readLe<int16_t>(bytes);
  case ValueType::U32:
    return readLe<uint32_t>(bytes);
  case ValueType::I32:
    return readLe<int32_t>(bytes);
  case ValueType::I64:
    return readLe<int64_t>(bytes);
  case ValueType::U64:
    if (readLe<int64_t>(bytes) >= 0)
      return readLe<int64_t>(bytes);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

std::optional<int64_t> MetadataValue::integer() const { return integerAt(type, bytes.data()); }

std::optional<double> MetadataValue::number() const {
  if (type == ValueType::F32)
    return readLe<float>(bytes.data());
  if (type == ValueType::F64)
    return readLe<double>(bytes.data());
  return integer();
}

std::optional<bool> MetadataValue::boolean() const {
  return type == ValueType::Bool ? std::optional(bytes[0] != 0) : std::nullopt;
}

std::optional<StringRef> MetadataValue::string() const {
  return type == ValueType::String ? std::optional(toStringRef(bytes)) : std::nullopt;
}

std::optional<std::vector<int64_t>> MetadataValue::integers() const {
  std::vector<int64_t> values;
  bool isArray = type == ValueType::Array;
  ValueType of = isArray ? element : type;
  for (uint64_t i = 0; i < (isArray ? count : 1); ++i) {
    auto value = integerAt(of, bytes.data() + i * sizeOf(of));
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

static void printText(raw_ostream &out, StringRef text) {
  static constexpr size_t limit = 100;
  out << '"';
  printEscapedString(text.take_front(limit), out);
  out << (text.size() > limit ? "...\"" : "\"");
}

void MetadataValue::print(raw_ostream &out) const {
  static constexpr uint64_t limit = 8;
  if (auto text = string())
    return printText(out, *text);
  if (auto truth = boolean()) {
    out << (*truth ? "true" : "false");
  } else if (auto value = integer()) {
    out << *value;
  } else if (auto value = number()) {
    out << format("%g", *value);
  } else if (type == ValueType::U64) {
    out << readLe<uint64_t>(bytes.data());
  } else {
    out << '[';
    const uint8_t *at = bytes.data();
    for (uint64_t i = 0; i < std::min(count, limit); ++i) {
      bool isString = element == ValueType::String;
      uint64_t size = isString ? readLe<uint64_t>(at) : sizeOf(element);
      at += isString ? 8 : 0;
      MetadataValue item{element, ValueType::String, 0, ArrayRef(at, size)};
      out << (i ? ", " : "");
      item.print(out);
      at += size;
    }
    out << (count > limit ? ", ...] (" + std::to_string(count) + ")" : "]");
  }
}

bool MetadataValue::operator==(const MetadataValue &other) const {
  return type == other.type && element == other.element && count == other.count && bytes == other.bytes;
}

const MetadataValue *Metadata::find(StringRef key) const {
  auto found = find_if(entries, [&](const MetadataEntry &entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

} // namespace lut
