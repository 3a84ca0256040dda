#include "dialects/lut/Format.h"

#include "runtime/gguf/books.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>

using namespace llvm;

namespace lut {

static constexpr int8_t nl4Book[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                       1,    13,   25,  38,  53,  69,  89,  113};
static constexpr int8_t fp4Book[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static constexpr int8_t iq2Book[6] = {-43, -25, -8, 8, 25, 43};
static constexpr int8_t iq3xxsBook[16] = {-62, -52, -44, -36, -28, -20, -12, -4,
                                          4,   12,  20,  28,  36,  44,  52,  62};
static constexpr int8_t iq3sBook[16] = {-15, -13, -11, -9, -7, -5, -3, -1, 1, 3, 5, 7, 9, 11, 13, 15};
static constexpr int8_t iq1Book[6] = {-9, -7, -1, 1, 7, 9};

ArrayRef<FormatRow> formatRows() {
  static const FormatRow rows[] = {
#define LUT_FORMAT(name, bits, step, offset, trits, unit, book, divisor)                                     \
  {StringLiteral(#name), bits, step, offset, trits != 0, unit, book, divisor},
#define LUT_VECTOR_FORMAT(name, bits, offset, book, divisor, subgroup, multipleBits)                         \
  {                                                                                                          \
      StringLiteral(#name),                                                                                  \
      bits,                                                                                                  \
      0,                                                                                                     \
      offset,                                                                                                \
      false,                                                                                                 \
      4,                                                                                                     \
      book,                                                                                                  \
      divisor,                                                                                               \
      lutc_find_book(LUTC_BOOK_##name),                                                                      \
      subgroup,                                                                                              \
      multipleBits},
#include "dialects/lut/Formats.def"
  };
  return rows;
}

int FormatRow::largestValue() const {
  return book ? *std::max_element(book, book + codes()) : value(codes() - 1);
}

static constexpr ScaleRow scaleRows[] = {
#define LUTC_SCALE_TYPE(name, letter, alone, ...) {#name, letter, alone != 0, {__VA_ARGS__}},
#include "runtime/scales.def"
};

const ScaleRow &rowOf(ScaleType type) { return scaleRows[size_t(type)]; }

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
  if (row->vectors)
    return name;
  if (row->trits)
    return perTensor ? name : name + "r";
  if (subgroup)
    name += "k" + std::to_string(subgroup);
  else if (group)
    name += "g" + std::to_string(group);
  name += zeroPoints ? "z" : minimums ? "m" : "";
  return name + rowOf(scaleType).letter.str() + (permuted ? "p" : "");
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
  format.scaleType = ScaleType::f32;
  if (rest.empty() || rest == "r")
    return format;
  return formatError("'" + name + "': " + stem + " has neither groups nor zero points; write " + stem +
                     " (one scale per tensor) or " + stem + "r (one per row)");
}

// Nothing follows a format of vectors.
static Expected<Format> parseVectors(Format format, StringRef name, StringRef rest) {
  format.group = superGroup;
  format.subgroup = format.row->subgroup;
  if (rest.empty())
    return format;
  return formatError("'" + name + "': " + format.row->name + " has scales of its own; write " +
                     format.row->name);
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

// Letters that may follow, each alone: what is added to weights.
static StringRef additionsOf(const Format &format) {
  if (format.row->book)
    return "";
  return format.subgroup ? "m" : format.group ? "zm" : "z";
}

// Letters that may follow those: the type of scales.
static std::string scaleLettersOf(const Format &format) {
  std::string letters;
  for (const ScaleRow &row : scaleRows)
    if (!format.subgroup && (!row.alone || (format.group && !format.hasPlainCodes())))
      letters += row.letter;
  return letters;
}

static Error endingError(StringRef name, StringRef rest, const Format &format) {
  StringRef additions = additionsOf(format);
  std::string scales = scaleLettersOf(format);
  std::string text = ("'" + name + "' ends in '" + rest + "'; write " + format.str()).str();
  StringRef separator = ", or ";
  auto offer = [&](StringRef letter, const Twine &meaning) {
    text += (separator + format.str() + letter + " with " + meaning).str();
    separator = ", ";
  };
  if (additions.contains('z'))
    offer("z", "zero points");
  if (additions.contains('m'))
    offer("m", "minimums");
  for (const ScaleRow &row : scaleRows)
    if (!row.letter.empty() && StringRef(scales).contains(row.letter))
      offer(row.letter, row.name + " scales");
  if (!additions.empty() && !scales.empty())
    text +=
        "; b and s also after " + alternatives(additions, [](char letter) { return std::string(1, letter); });
  if (format.mayBePermuted())
    text += "; after these p for permuted columns";
  return formatError(text);
}

static void parseEnding(Format &format, StringRef &rest) {
  StringRef additions = additionsOf(format);
  format.zeroPoints = additions.contains('z') && rest.consume_front("z");
  format.minimums = !format.zeroPoints && additions.contains('m') && rest.consume_front("m");
  std::string scales = scaleLettersOf(format);
  for (auto [index, row] : enumerate(scaleRows))
    if (!row.letter.empty() && StringRef(scales).contains(row.letter) && rest.consume_front(row.letter)) {
      format.scaleType = ScaleType(index);
      break;
    }
  format.permuted = format.mayBePermuted() && rest.consume_front("p");
}

Expected<Format> parseFormat(StringRef name) {
  Format format;
  format.row = findRow(name);
  if (!format.row)
    return unknownFormat(name);
  StringRef stem = format.row->name, rest = name.drop_front(stem.size());
  if (format.row->trits)
    return parseUngrouped(format, name, rest);
  if (format.row->vectors)
    return parseVectors(format, name, rest);
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
  parseEnding(format, rest);
  return rest.empty() ? Expected<Format>(format) : endingError(name, ending, plain);
}

std::optional<Format> withScaleType(Format format, ScaleType type) {
  format.scaleType = type;
  Expected<Format> parsed = parseFormat(format.str());
  if (parsed && parsed->scaleType == type)
    return *parsed;
  consumeError(parsed.takeError());
  return std::nullopt;
}

static std::string sizePattern(ArrayRef<int64_t> sizes) {
  std::string text;
  for (int64_t size : sizes)
    text += (text.empty() ? "" : "|") + std::to_string(size);
  return "(" + text + ")";
}

// Of what may follow the stem and the size in `format`.
static std::string endingPattern(Format format) {
  StringRef additions = additionsOf(format);
  auto anyOf = [](StringRef letters) { return letters.empty() ? "" : "[" + letters.str() + "]?"; };
  std::string plain = anyOf(scaleLettersOf(format)), p = format.mayBePermuted() ? "p?" : "";
  if (additions.empty())
    return plain + p;
  format.minimums = true;
  std::string added = anyOf(scaleLettersOf(format));
  return added == plain ? anyOf(additions) + plain + p
                        : "(" + plain + "|[" + additions.str() + "]" + added + ")" + p;
}

std::string formatPattern(const FormatRow &row) {
  if (row.trits)
    return row.name.str() + "r?";
  if (row.vectors)
    return row.name.str();
  auto ending = [&](int64_t group, int64_t subgroup) {
    Format format;
    format.row = &row;
    format.group = group;
    format.subgroup = subgroup;
    return endingPattern(format);
  };
  return row.name.str() + "(" + ending(0, 0) + "|g" + sizePattern(groupSizes()) + ending(16, 0) + "|k" +
         sizePattern(subgroupSizes()) + ending(superGroup, 16) + ")";
}

} // namespace lut
