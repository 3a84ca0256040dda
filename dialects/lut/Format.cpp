#include "dialects/lut/Format.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace lut {

ArrayRef<FormatRow> formatRows() {
  static const FormatRow rows[] = {
#define LUT_FORMAT(name, bits, step, offset, trits, scaleF32, unit)                                          \
  {StringLiteral(#name), bits, step, offset, trits != 0, scaleF32 != 0, unit},
#include "dialects/lut/Formats.def"
  };
  return rows;
}

ArrayRef<int64_t> groupSizes() {
  static const int64_t sizes[] = {32, 64, 128, 256};
  return sizes;
}

std::string Format::str() const {
  std::string name = row->name.str();
  if (row->scaleF32)
    return perTensor ? name : name + "r";
  if (group)
    name += "g" + std::to_string(group);
  return zeroPoints ? name + "z" : name;
}

// "a, b or c"
template <typename Range, typename ToString>
static std::string alternatives(const Range &range, ToString toString) {
  std::string text;
  size_t count = llvm::size(range), index = 0;
  for (const auto &item : range) {
    text += index == 0 ? "" : index + 1 == count ? " or " : ", ";
    text += toString(item);
    ++index;
  }
  return text;
}

static Error formatError(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

static Error unknownFormat(StringRef name) {
  return formatError("'" + name + "' is no weight format; write " +
                     alternatives(formatRows(), [](const FormatRow &row) { return row.name.str(); }) +
                     ", such as w2g128");
}

// The stem takes all digits: w158 is not w1 and a rest.
static const FormatRow *findRow(StringRef name) {
  size_t digits = name.drop_front(!name.empty()).take_while(isDigit).size();
  StringRef stem = name.take_front(1 + digits);
  const FormatRow *row = find_if(formatRows(), [&](const FormatRow &row) { return row.name == stem; });
  return row == formatRows().end() ? nullptr : row;
}

// The rest after w158: r or nothing.
static Expected<Format> parseUngrouped(Format format, StringRef name, StringRef rest) {
  StringRef stem = format.row->name;
  format.perTensor = rest != "r";
  if (rest.empty() || rest == "r")
    return format;
  return formatError("'" + name + "': " + stem + " has neither groups nor zero points; write " + stem +
                     " (one scale per tensor) or " + stem + "r (one per row)");
}

Expected<Format> parseFormat(StringRef name) {
  Format format;
  format.row = findRow(name);
  if (!format.row)
    return unknownFormat(name);
  StringRef stem = format.row->name, rest = name.drop_front(stem.size());
  if (format.row->scaleF32)
    return parseUngrouped(format, name, rest);
  if (rest.consume_front("g")) {
    auto groupName = [&](int64_t size) { return stem.str() + "g" + std::to_string(size); };
    StringRef digits = rest.take_while(isDigit);
    rest = rest.drop_front(digits.size());
    bool bad = digits.getAsInteger(10, format.group) || digits.starts_with("0");
    if (bad || !is_contained(groupSizes(), format.group))
      return formatError("'" + name + "'" + (digits.empty() ? " has" : ": " + digits + " is") +
                         " no group size; write " + alternatives(groupSizes(), groupName) + ", or " + stem +
                         " for one scale per row");
  }
  format.zeroPoints = rest.consume_front("z");
  if (rest.empty())
    return format;
  format.zeroPoints = false;
  return formatError("'" + name + "' ends in '" + rest + "'; write " + format.str() + ", or " + format.str() +
                     "z with zero points");
}

} // namespace lut
