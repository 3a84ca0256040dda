#include "dialects/lut/Format.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>

using namespace llvm;

namespace lut {

static constexpr int8_t nl4Book[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                       1,    13,   25,  38,  53,  69,  89,  113};
static constexpr int8_t fp4Book[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

ArrayRef<FormatRow> formatRows() {
  static const FormatRow rows[] = {
#define LUT_FORMAT(name, bits, step, offset, trits, scaleF32, unit, book, divisor)                           \
  {StringLiteral(#name), bits, step, offset, trits != 0, scaleF32 != 0, unit, book, divisor},
#include "dialects/lut/Formats.def"
  };
  return rows;
}

int FormatRow::largestValue() const {
  return book ? *std::max_element(book, book + codes()) : value(codes() - 1);
}

ArrayRef<int64_t> groupSizes() {
  static const int64_t sizes[] = {16, 32, 64, 128, 256};
  return sizes;
}

ArrayRef<int64_t> subgroupSizes() {
  static const int64_t sizes[] = {16, 32};
  return sizes;
}

std::string Format::str() const {
  std::string name = row->name.str();
  if (row->scaleF32)
    return perTensor ? name : name + "r";
  if (subgroup)
    name += "k" + std::to_string(subgroup);
  else if (group)
    name += "g" + std::to_string(group);
  return name + (zeroPoints ? "z" : minimums ? "m" : exponentScales ? "e" : "") + (permuted ? "p" : "");
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

// The digits of a stem end it: w158 is not w1 and a rest.
static const FormatRow *findRow(StringRef name) {
  const FormatRow *row = find_if(formatRows(), [&](const FormatRow &row) {
    StringRef rest = name;
    return rest.consume_front(row.name) && (rest.empty() || !isDigit(rest.front()));
  });
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

// The size after `letter`, one of `sizes`.
static Expected<int64_t> parseSize(StringRef name, StringRef stem, StringRef letter, ArrayRef<int64_t> sizes,
                                   StringRef &rest) {
  StringRef digits = rest.take_while(isDigit);
  rest = rest.drop_front(digits.size());
  int64_t size = 0;
  bool bad = digits.getAsInteger(10, size) || digits.starts_with("0");
  if (!bad && is_contained(sizes, size))
    return size;
  return formatError("'" + name + "'" + (digits.empty() ? " has" : ": " + digits + " is") +
                     " no group size; write " +
                     alternatives(sizes, [&](int64_t it) { return (stem + letter + Twine(it)).str(); }) +
                     ", or " + stem + " for one scale per row");
}

// The letters that may end `format`, and what each means.
static std::string endingsOf(const Format &format) {
  std::string letters;
  if (!format.row->book && !format.subgroup)
    letters += "z";
  if (!format.row->book && format.group)
    letters += "m";
  if (format.group && !format.subgroup)
    letters += "e";
  return letters;
}

static Error endingError(StringRef name, StringRef rest, const Format &format) {
  static constexpr std::pair<char, StringLiteral> meanings[] = {
      {'z', "zero points"}, {'m', "minimums"}, {'e', "e8m0 scales"}};
  std::string text = ("'" + name + "' ends in '" + rest + "'; write " + format.str()).str();
  StringRef separator = ", or ";
  for (auto [letter, meaning] : meanings)
    if (StringRef(endingsOf(format)).contains(letter)) {
      text += (separator + format.str() + Twine(letter) + " with " + meaning).str();
      separator = ", ";
    }
  if (format.mayBePermuted())
    text += "; after these p for permuted columns";
  return formatError(text);
}

Expected<Format> parseFormat(StringRef name) {
  Format format;
  format.row = findRow(name);
  if (!format.row)
    return unknownFormat(name);
  StringRef stem = format.row->name, rest = name.drop_front(stem.size());
  if (format.row->scaleF32)
    return parseUngrouped(format, name, rest);
  bool hasSubgroups = rest.consume_front("k");
  if (hasSubgroups || rest.consume_front("g")) {
    Expected<int64_t> size =
        parseSize(name, stem, hasSubgroups ? "k" : "g", hasSubgroups ? subgroupSizes() : groupSizes(), rest);
    if (!size)
      return size.takeError();
    format.group = hasSubgroups ? superGroup : *size;
    format.subgroup = hasSubgroups ? *size : 0;
  }
  const Format plain = format;
  const StringRef ending = rest;
  for (char letter : endingsOf(plain))
    if (ending.starts_with(StringRef(&letter, 1))) {
      rest = rest.drop_front();
      format.zeroPoints = letter == 'z';
      format.minimums = letter == 'm';
      format.exponentScales = letter == 'e';
    }
  format.permuted = plain.mayBePermuted() && rest.consume_front("p");
  return rest.empty() ? Expected<Format>(format) : endingError(name, ending, plain);
}

static std::string sizePattern(ArrayRef<int64_t> sizes) {
  std::string text;
  for (int64_t size : sizes)
    text += (text.empty() ? "" : "|") + std::to_string(size);
  return "(" + text + ")";
}

std::string formatPattern(const FormatRow &row) {
  if (row.scaleF32)
    return row.name.str() + "r?";
  auto ending = [&](int64_t group, int64_t subgroup) {
    Format format;
    format.row = &row;
    format.group = group;
    format.subgroup = subgroup;
    std::string letters = endingsOf(format);
    return (letters.empty() ? letters : "[" + letters + "]?") + (format.mayBePermuted() ? "p?" : "");
  };
  return row.name.str() + "(" + ending(0, 0) + "|g" + sizePattern(groupSizes()) + ending(16, 0) + "|k" +
         sizePattern(subgroupSizes()) + ending(superGroup, 16) + ")";
}

} // namespace lut
