#include "compiler/checkpoint/JsonScanner.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace lut {

bool JsonScanner::fail(const Twine &what) {
  if (message.empty())
    message = ("byte " + Twine(at) + ": " + what).str();
  at = text.size();
  return false;
}

char JsonScanner::peek() {
  while (at < text.size() && StringRef(" \t\r\n").contains(text[at]))
    ++at;
  return at < text.size() ? text[at] : 0;
}

bool JsonScanner::consume(char wanted, const char *where) {
  if (peek() != wanted)
    return fail("expected '" + Twine(wanted) + "' " + where);
  ++at;
  return true;
}

bool JsonScanner::object(function_ref<bool(StringRef)> member) {
  if (!consume('{', "at the start of an object"))
    return false;
  for (bool first = true; peek() != '}'; first = false) {
    SmallString<64> storage;
    StringRef key;
    if ((!first && !consume(',', "between members")) || !string(key, storage) ||
        !consume(':', "after a key") || !member(key))
      return false;
  }
  return consume('}', "at the end of an object");
}

bool JsonScanner::array(function_ref<bool()> item) {
  if (!consume('[', "at the start of a list"))
    return false;
  for (bool first = true; peek() != ']'; first = false)
    if ((!first && !consume(',', "between items")) || !item())
      return false;
  return consume(']', "at the end of a list");
}

bool JsonScanner::hex4(uint32_t &value) {
  if (text.substr(at, 4).getAsInteger(16, value) || text.size() - at < 4 || !isHexDigit(text[at]))
    return fail("\\u needs four hexadecimal digits");
  at += 4;
  return true;
}

// Behind a backslash.
bool JsonScanner::escape(SmallVectorImpl<char> &storage) {
  static constexpr StringLiteral letters = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
  char letter = at < text.size() ? text[at++] : 0;
  size_t index = letter ? letters.find(letter) : StringRef::npos;
  if (index != StringRef::npos) {
    storage.push_back(values[index]);
    return true;
  }
  uint32_t unit = 0, low = 0;
  if (letter != 'u')
    return fail("no such escape");
  if (!hex4(unit))
    return false;
  if (unit >= 0xd800 && unit < 0xdc00 && text.substr(at).starts_with("\\u")) {
    at += 2;
    if (!hex4(low))
      return false;
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  char utf8[4], *end = utf8;
  if ((low && (low < 0xdc00 || low > 0xdfff)) || !ConvertCodePointToUTF8(unit, end))
    return fail("half of a surrogate pair");
  storage.append(utf8, end);
  return true;
}

bool JsonScanner::string(StringRef &value, SmallVectorImpl<char> &storage) {
  if (!consume('"', "at the start of a string"))
    return false;
  size_t begin = at;
  storage.clear();
  bool escaped = false;
  while (at < text.size() && text[at] != '"') {
    if (uint8_t(text[at]) < 0x20)
      return fail("a control character in a string");
    if (text[at] != '\\') {
      if (escaped)
        storage.push_back(text[at]);
      ++at;
      continue;
    }
    if (!escaped)
      storage.append(text.begin() + begin, text.begin() + at);
    escaped = true;
    ++at;
    if (!escape(storage))
      return false;
  }
  if (at >= text.size())
    return fail("a string without end");
  value = escaped ? StringRef(storage.data(), storage.size()) : text.slice(begin, at);
  ++at;
  size_t where;
  return json::isUTF8(value, &where) || fail("a string that is not UTF-8");
}

// The digits of an integer; empty: there is none.
StringRef JsonScanner::digits(uint64_t &value) {
  peek();
  StringRef digits = text.substr(at).take_while(isDigit);
  StringRef next = text.substr(at + digits.size(), 1);
  bool isInteger = !digits.getAsInteger(10, value) && next != "." && next != "e" && next != "E";
  return isInteger ? digits : "";
}

bool JsonScanner::nextIsInteger() {
  uint64_t value;
  return !digits(value).empty();
}

bool JsonScanner::integer(uint64_t &value) {
  size_t size = digits(value).size();
  at += size;
  return size || fail("expected an integer from 0 to 2^64 - 1");
}

bool JsonScanner::skipValue() {
  SmallString<64> storage;
  StringRef value;
  for (int64_t depth = 0;;) {
    char next = peek();
    if (next == '"') {
      if (!string(value, storage))
        return false;
    } else if (next == '{' || next == '[') {
      ++at, ++depth;
      continue;
    } else if (depth && (next == '}' || next == ']')) {
      ++at, --depth;
    } else if (depth && (next == ',' || next == ':')) {
      ++at;
      continue;
    } else {
      size_t size = text.substr(at).take_while([](char c) { return isAlnum(c) || strchr("+-.", c); }).size();
      if (!size)
        return fail("expected a value");
      at += size;
    }
    if (!depth)
      return true;
  }
}

bool JsonScanner::atEnd() { return peek() == 0 && at >= text.size() && message.empty(); }

} // namespace lut
