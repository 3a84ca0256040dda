// Random weights and activations for tests, with the values that break quantizers among them.
#ifndef LUT_REFERENCE_DRAW_H
#define LUT_REFERENCE_DRAW_H

#include "lutc.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace lut::reference {

using Random = std::mt19937_64;

// A number in [low, high].
inline size_t draw(Random &random, size_t low, size_t high) {
  return std::uniform_int_distribution<size_t>(low, high)(random);
}

inline bool oneIn(Random &random, size_t count) { return draw(random, 1, count) == 1; }

// What the codes of a format stand for before scales: lutc.h's list.
inline const float *valuesOf(const std::string &format) {
  static const float nl4[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  static const float fp4[] = {0, .5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -.5f, -1, -1.5f, -2, -3, -4, -6};
  static const float pair[] = {-1, 1}, trits[] = {-1, 0, 1};
  static const std::vector<float> integers = [] { // -128 .. 255
    std::vector<float> values(384);
    std::iota(values.begin(), values.end(), -128.0f);
    return values;
  }();
  static const float iq1[] = {-1.125f, -.875f, -.125f, .125f, .875f, 1.125f};
  static const float iq2[] = {-5.375f, -3.125f, -1, 1, 3.125f, 5.375f};
  static const float iq3s[] = {-15, -13, -11, -9, -7, -5, -3, -1, 1, 3, 5, 7, 9, 11, 13, 15};
  static const float iq3xxs[] = {-15.5f, -13, -11, -9, -7, -5, -3, -1, 1, 3, 5, 7, 9, 11, 13, 15.5f};
  if (format.rfind("nl4", 0) == 0 || format.rfind("fp4", 0) == 0)
    return format[0] == 'n' ? nl4 : fp4;
  if (format[0] == 'i')
    return format[2] == '1' ? iq1 : format[2] == '2' ? iq2 : format == "iq3s" ? iq3s : iq3xxs;
  if (format.find_first_of("zm") != std::string::npos)
    return &integers[128];
  if (format.rfind("w158", 0) == 0)
    return trits;
  return format[1] == '1' ? pair : &integers[128 - (size_t(1) << (format[1] - '1'))];
}

// A book of its own for each format, as large as the format's.
inline const lutc_book *drawnBook(const std::string &name) {
  struct Book {
    lutc_book book;
    std::vector<uint8_t> digits;
  };
  static std::map<std::string, Book> books;
  Book &drawn = books[name];
  if (drawn.book.count != 0)
    return &drawn.book;
  const bool four = name[2] == '3';
  const size_t length = four ? 4 : 8, levels = four ? 8 : 3;
  const size_t count = name[2] == '1'                      ? 2048
                       : name == "iq2s"                    ? 1024
                       : name == "iq2xs" || name == "iq3s" ? 512
                                                           : 256;
  const lutc_signs signs = name == "iq1s"                     ? LUTC_SHIFT_OF_32
                           : name == "iq1m"                   ? LUTC_SHIFT_OF_8
                           : name == "iq2s" || name == "iq3s" ? LUTC_SIGNS_EACH
                                                              : LUTC_SIGNS_EVEN;
  std::vector<size_t> numbers(four ? 4096 : 6561);
  std::iota(numbers.begin(), numbers.end(), size_t(0));
  Random random(5);
  std::shuffle(numbers.begin(), numbers.end(), random);
  for (size_t i = 0; i < count; ++i)
    for (size_t place = 0, rest = numbers[i]; place < length; ++place, rest /= levels)
      drawn.digits.push_back(uint8_t(rest % levels));
  drawn.book = {length, levels, count, signs, drawn.digits.data()};
  return &drawn.book;
}

// Of vectors of a book.
inline void describeVectors(const std::string &name, lutc_kernel_info &info) {
  info.book = drawnBook(name);
  info.group = 256;
  info.subgroup = name == "iq2xs" || name == "iq2s" || name == "iq1m" ? 16 : 32;
  info.codes = name[2] == '3' ? 16 : 6;
  info.multiple_bits = name == "iq1s" ? 3 : 4;
  info.scale_type = LUTC_F16;
  info.values = valuesOf(name);
}

// What a format's name says, as a generated library would. The strings must outlive the result.
inline lutc_kernel_info describe(const char *format, const char *numerics, size_t n, size_t k) {
  const std::string name = format;
  const bool ternary = name.rfind("w158", 0) == 0;
  const auto ends = [&name](char letter) { // letters stand behind the digits
    return name.find(letter, name.find_last_of("0123456789")) != std::string::npos;
  };
  const size_t g = name.find('g'), sub = name.find('k');
  lutc_kernel_info info = {};
  info.name = "kernel";
  info.format = format;
  info.numerics = numerics;
  info.n = n;
  info.k = k;
  if (name[0] == 'i') {
    describeVectors(name, info);
    return info;
  }
  info.group = g != std::string::npos ? std::stoul(name.substr(g + 1)) : sub != std::string::npos ? 256 : k;
  info.subgroup = sub != std::string::npos ? std::stoul(name.substr(sub + 1)) : 0;
  info.codes = ternary ? 3 : size_t(1) << (name[name.find_first_of("123456789")] - '0');
  info.multiple_bits = !info.subgroup ? 0 : info.codes <= 4 ? 4 : info.codes <= 32 ? 6 : 8;
  info.scale_type = ternary || ends('s') ? LUTC_F32
                    : ends('b')          ? LUTC_BF16
                    : ends('e')          ? LUTC_F8_E8M0
                    : ends('f')          ? LUTC_F8_E4M3
                                         : LUTC_F16;
  info.scales_per_tensor = name == "w158";
  info.has_zero_points = ends('z');
  info.has_minimums = ends('m');
  info.has_columns = ends('p');
  info.values = valuesOf(name);
  return info;
}

// Every format with some group sizes.
inline std::vector<std::string> someFormats() {
  return {"w1",      "w2",      "w3",      "w4",      "w5g32",   "w6",      "w8g32",   "w8z",     "w1g32",
          "w2g64",   "w2g128",  "w3g128",  "w4g32",   "w4g128",  "w1g64z",  "w2g128z", "w3g64z",  "w4g32z",
          "w4g256z", "w2z",     "w4z",     "w158",    "w158r",   "w4g16",   "w4g32m",  "w5g16m",  "w1g64m",
          "w4g32e",  "nl4",     "nl4g32",  "fp4g16",  "fp4g32e", "fp4",     "w2k16m",  "w3k16",   "w4k32m",
          "w6k16",   "w8k32",   "nl4k32",  "w4p",     "w2g64zp", "w4g128p", "w4g16p",  "w4k32mp", "w4g128b",
          "fp4g16f", "w4g64zs", "w2g32mb", "w3g64ms", "w1zs",    "w4b",     "fp4g16s", "nl4g32b", "w2g128zbp",
          "iq2xxs",  "iq2xs",   "iq2s",    "iq3xxs",  "iq3s",    "iq1s",    "iq1m"};
}

// Whether class t8 has the format: tables are indexed by bit planes, or trits, of at least 32 of k.
inline bool hasTables(const std::string &format) {
  return format[0] == 'w' && format.find('k') == std::string::npos && format.find("g16") == std::string::npos;
}

// Owns what a lutc_weights points to.
struct DrawnWeights {
  std::vector<uint8_t> codes, zeros;
  std::vector<uint8_t> scales, minimums; // bytes of the format's type
  std::vector<int8_t> multiples, minimumMultiples;
  std::vector<int32_t> columns;
  size_t stride = 0;

  lutc_weights view() const {
    auto data = [](const auto &values) { return values.empty() ? nullptr : values.data(); };
    return {codes.data(),   stride,          scales.data(),          data(zeros),
            data(minimums), data(multiples), data(minimumMultiples), data(columns)};
  }
};

// f16 bits: `plain` positive with a few binades; else any sign, subnormals and zeros as well.
inline uint16_t drawHalf(Random &random, bool plain) {
  const uint16_t fraction = uint16_t(draw(random, 0, 1023));
  if (plain || !oneIn(random, 8))
    return uint16_t(draw(random, 6, 9) << 10 | fraction);
  return uint16_t(draw(random, 0, 1) << 15 | (oneIn(random, 2) ? 0 : draw(random, 0, 18)) << 10 |
                  (oneIn(random, 4) ? 0 : fraction));
}

// Bits of a scale, of the same kinds. Binades as in f16 where exponents have 8 bits.
inline uint32_t drawScale(lutc_type type, Random &random, bool plain) {
  const bool usual = plain || !oneIn(random, 8);
  if (type == LUTC_F16)
    return drawHalf(random, plain);
  if (type == LUTC_F8_E8M0)
    return uint32_t(usual ? draw(random, 118, 122) : draw(random, 0, 160));
  if (type == LUTC_F8_E4M3)
    return uint32_t(usual ? draw(random, 16, 40) : draw(random, 0, 0x7e) | draw(random, 0, 1) << 7);
  const uint32_t fractionBits = type == LUTC_BF16 ? 7 : 23;
  const uint32_t fraction = uint32_t(draw(random, 0, (1u << fractionBits) - 1));
  if (usual)
    return uint32_t(draw(random, 118, 121)) << fractionBits | fraction;
  return uint32_t(draw(random, 0, 1)) << (fractionBits + 8) |
         uint32_t(oneIn(random, 2) ? 0 : draw(random, 0, 160)) << fractionBits |
         (oneIn(random, 4) ? 0 : fraction);
}

inline void append(std::vector<uint8_t> &bytes, lutc_type type, uint32_t bits) {
  for (size_t i = 0; i < lutc_type_bytes(type); ++i)
    bytes.push_back(uint8_t(bits >> 8 * i));
}

// Codes of a row that are vectors of a book with marks as it has them.
inline void drawVectors(const lutc_book &book, uint8_t *codes, size_t k, Random &random) {
  const size_t shared = book.signs == LUTC_SHIFT_OF_8 ? 8 : book.signs == LUTC_SHIFT_OF_32 ? 32 : 1;
  const bool shifts = shared > 1;
  size_t vector = 0, mark = 0, sum = 0;
  for (size_t i = 0; i < k; ++i) {
    if (i % book.length == 0)
      vector = draw(random, 0, book.count - 1);
    if (i % shared == 0)
      mark = draw(random, 0, 1);
    if (book.signs == LUTC_SIGNS_EVEN && i % 8 == 7)
      mark = sum % 2;
    sum = i % 8 == 7 ? 0 : sum + mark;
    const size_t digit = book.digits[vector * book.length + i % book.length];
    codes[i] = uint8_t(shifts ? 2 * digit + mark : mark ? book.levels - 1 - digit : book.levels + digit);
  }
}

// `plain` weights are like those of a model; the others reach every corner of the format and have row gaps,
// filled with codes that are invalid.
inline DrawnWeights drawWeights(const lutc_kernel_info &info, Random &random, bool plain = false) {
  DrawnWeights weights;
  const size_t groups = (info.k + info.group - 1) / info.group;
  const size_t stride = info.k + (plain || oneIn(random, 2) ? 0 : draw(random, 1, 9));
  weights.stride = stride == info.k ? 0 : stride;
  weights.codes.assign(info.n * stride, 0xff);
  for (size_t row = 0; row < info.n; ++row) {
    const size_t kind = plain ? 7 : draw(random, 0, 7); // 0 to 2: the least, the greatest, both
    for (size_t i = 0; i < info.k; ++i)
      weights.codes[row * stride + i] = uint8_t(kind > 2 ? draw(random, 0, info.codes - 1)
                                                : kind == 1 || (kind == 2 && i % 2 != 0) ? info.codes - 1
                                                                                         : 0);
  }
  for (size_t row = 0; row < info.n && info.book; ++row)
    drawVectors(*info.book, &weights.codes[row * stride], info.k, random);
  if (info.has_columns) {
    weights.columns.resize(info.k);
    std::iota(weights.columns.begin(), weights.columns.end(), 0);
    std::shuffle(weights.columns.begin(), weights.columns.end(), random);
  }
  const uint32_t sign = 1u << (8 * lutc_type_bytes(info.scale_type) - 1);
  const size_t scales = info.scales_per_tensor ? 1 : info.n * groups;
  for (size_t i = 0; i < scales; ++i) {
    append(weights.scales, info.scale_type, drawScale(info.scale_type, random, plain));
    if (info.has_zero_points)
      weights.zeros.push_back(uint8_t(draw(random, 0, plain || !oneIn(random, 8) ? info.codes - 1 : 255)));
    if (info.has_minimums)
      append(weights.minimums, info.scale_type, drawScale(info.scale_type, random, plain) ^ sign);
  }
  const size_t subgroups = info.subgroup ? info.n * ((info.k + info.subgroup - 1) / info.subgroup) : 0;
  const int span = 1 << info.multiple_bits, least = info.has_minimums && span < 256 ? 0 : -span / 2;
  for (size_t i = 0; i < subgroups; ++i) { // plain: of the larger half of those that are positive
    const int most = least + span - 1, first = plain ? most / 2 + 1 - least : 0;
    const bool isLargest = !plain && oneIn(random, 4);
    auto multiple = [&] {
      const int index = isLargest ? span - 1 : int(draw(random, first, span - 1));
      return int8_t(info.book ? 2 * index + 1 : index + least);
    };
    weights.multiples.push_back(multiple());
    if (info.has_minimums)
      weights.minimumMultiples.push_back(multiple());
  }
  return weights;
}

// Kinds of tokens; `Normal` is what most of them should be.
enum class Token { Normal, Zeros, Denormals, Outliers, NaN, Infinity, Huge, Ties, Tiny, MixedSize, Largest };
constexpr size_t tokenKinds = 11;

inline const char *nameOf(Token kind) {
  static const char *const names[tokenKinds] = {"normal", "zero",       "denormal", "outlier",
                                                "NaN",    "infinite",   "huge",     "tie",
                                                "tiny",   "mixed-size", "largest"};
  return names[size_t(kind)];
}

inline void drawToken(Token kind, float *x, size_t k, Random &random) {
  std::normal_distribution<float> normal;
  const size_t signs = draw(random, 0, 2); // of the largest
  for (size_t i = 0; i < k; ++i) {
    const float value = normal(random);
    switch (kind) {
    case Token::Zeros:
      x[i] = oneIn(random, 2) ? 0.0f : -0.0f;
      break;
    case Token::Denormals:
      x[i] = value * 1e-39f;
      break;
    case Token::Outliers:
      x[i] = oneIn(random, 50) ? value * 1000.0f : value;
      break;
    case Token::Huge: // the largest are finite, but a sum of four may not be
      x[i] = value * (oneIn(random, 3) ? 5e37f : 1e35f);
      break;
    case Token::Ties: // with 127 as the largest magnitude: quotients of exactly one half
      x[i] = oneIn(random, 16) ? 127.0f : float(draw(random, 0, 40)) - 20.5f;
      break;
    case Token::Tiny: // around 2^-120, where a group becomes zero
      x[i] = value * 0x1p-121f;
      break;
    case Token::MixedSize:
      x[i] = std::ldexp(value, int(draw(random, 0, 160)) - 80);
      break;
    case Token::Largest: // integers of +-127, whose sums are the largest where codes' are
      x[i] = signs == 0 || (signs == 2 && oneIn(random, 2)) ? -1.0f : 1.0f;
      break;
    default:
      x[i] = value;
    }
  }
  if (kind == Token::NaN)
    x[draw(random, 0, k - 1)] = std::numeric_limits<float>::quiet_NaN() * (oneIn(random, 2) ? 1.0f : -1.0f);
  if (kind == Token::Infinity)
    x[draw(random, 0, k - 1)] = std::numeric_limits<float>::infinity() * (oneIn(random, 2) ? 1.0f : -1.0f);
}

inline Token drawKind(Random &random) {
  return oneIn(random, 2) ? Token::Normal : Token(draw(random, 0, tokenKinds - 1));
}

} // namespace lut::reference

#endif
