// Random weights and activations for tests, with the values that break quantizers among them.
#ifndef LUT_REFERENCE_DRAW_H
#define LUT_REFERENCE_DRAW_H

#include "lutc.h"
#include <algorithm>
#include <cmath>
#include <limits>
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
  if (format.rfind("nl4", 0) == 0 || format.rfind("fp4", 0) == 0)
    return format[0] == 'n' ? nl4 : fp4;
  if (format.find_first_of("zm") != std::string::npos)
    return &integers[128];
  if (format.rfind("w158", 0) == 0)
    return trits;
  return format[1] == '1' ? pair : &integers[128 - (size_t(1) << (format[1] - '1'))];
}

// What a format's name says, as a generated library would. The strings must outlive the result.
inline lutc_kernel_info describe(const char *format, const char *numerics, size_t n, size_t k) {
  const std::string name = format;
  const bool ternary = name.rfind("w158", 0) == 0, permuted = name.back() == 'p';
  const char ending = name[name.size() - 1 - permuted];
  const size_t g = name.find('g'), sub = name.find('k');
  lutc_kernel_info info = {};
  info.name = "kernel";
  info.format = format;
  info.numerics = numerics;
  info.n = n;
  info.k = k;
  info.group = g != std::string::npos ? std::stoul(name.substr(g + 1)) : sub != std::string::npos ? 256 : k;
  info.subgroup = sub != std::string::npos ? std::stoul(name.substr(sub + 1)) : 0;
  info.codes = ternary ? 3 : size_t(1) << (name[name.find_first_of("123456789")] - '0');
  info.scale_bytes = ternary ? 4 : ending == 'e' ? 1 : 2;
  info.scales_per_tensor = name == "w158";
  info.has_zero_points = ending == 'z';
  info.has_minimums = ending == 'm';
  info.has_columns = permuted;
  info.values = valuesOf(name);
  return info;
}

// Every format with some group sizes.
inline std::vector<std::string> someFormats() {
  return {"w1",      "w2",     "w3",     "w4",     "w5g32",   "w6",      "w8g32",   "w8z",    "w1g32",
          "w2g64",   "w2g128", "w3g128", "w4g32",  "w4g128",  "w1g64z",  "w2g128z", "w3g64z", "w4g32z",
          "w4g256z", "w2z",    "w4z",    "w158",   "w158r",   "w4g16",   "w4g32m",  "w5g16m", "w1g64m",
          "w4g32e",  "nl4",    "nl4g32", "fp4g16", "fp4g32e", "fp4",     "w2k16m",  "w3k16",  "w4k32m",
          "w6k16",   "w8k32",  "nl4k32", "w4p",    "w2g64zp", "w4g128p", "w4g16p",  "w4k32mp"};
}

// Whether class t8 has the format: tables are indexed by bit planes, or trits, of at least 32 of k.
inline bool hasTables(const std::string &format) {
  return format[0] == 'w' && format.find('k') == std::string::npos && format.find("g16") == std::string::npos;
}

// Owns what a lutc_weights points to.
struct DrawnWeights {
  std::vector<uint8_t> codes, zeros, exponents;
  std::vector<uint16_t> halves, minimums;
  std::vector<float> floats;
  std::vector<int8_t> multiples, minimumMultiples;
  std::vector<int32_t> columns;
  size_t stride = 0;

  lutc_weights view() const {
    auto data = [](const auto &values) { return values.empty() ? nullptr : values.data(); };
    const void *scales = !floats.empty()   ? static_cast<const void *>(floats.data())
                         : !halves.empty() ? static_cast<const void *>(halves.data())
                                           : exponents.data();
    return {codes.data(),           stride,       scales, data(zeros), data(minimums), data(multiples),
            data(minimumMultiples), data(columns)};
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

// `plain` weights are like those of a model; the others reach every corner of the format and have row gaps,
// filled with codes that are invalid.
inline DrawnWeights drawWeights(const lutc_kernel_info &info, Random &random, bool plain = false) {
  DrawnWeights weights;
  const size_t groups = (info.k + info.group - 1) / info.group;
  const size_t stride = info.k + (plain || oneIn(random, 2) ? 0 : draw(random, 1, 9));
  weights.stride = stride == info.k ? 0 : stride;
  weights.codes.assign(info.n * stride, 0xff);
  for (size_t row = 0; row < info.n; ++row)
    for (size_t i = 0; i < info.k; ++i)
      weights.codes[row * stride + i] = uint8_t(draw(random, 0, info.codes - 1));
  if (info.has_columns) {
    weights.columns.resize(info.k);
    std::iota(weights.columns.begin(), weights.columns.end(), 0);
    std::shuffle(weights.columns.begin(), weights.columns.end(), random);
  }
  const size_t scales = info.scales_per_tensor ? 1 : info.n * groups;
  for (size_t i = 0; i < scales; ++i) {
    const uint16_t half = drawHalf(random, plain);
    if (info.scale_bytes == 4)
      weights.floats.push_back(float(half & 0x7fff) * 1e-6f * (half & 0x8000 ? -1.0f : 1.0f));
    else if (info.scale_bytes == 2)
      weights.halves.push_back(half);
    else
      weights.exponents.push_back(
          uint8_t(plain || !oneIn(random, 8) ? draw(random, 118, 122) : draw(random, 0, 160)));
    if (info.has_zero_points)
      weights.zeros.push_back(uint8_t(draw(random, 0, plain || !oneIn(random, 8) ? info.codes - 1 : 255)));
    if (info.has_minimums)
      weights.minimums.push_back(uint16_t(drawHalf(random, plain) ^ 0x8000));
  }
  const size_t subgroups = info.subgroup ? info.n * ((info.k + info.subgroup - 1) / info.subgroup) : 0;
  for (size_t i = 0; i < subgroups; ++i) {
    auto multiple = [&] { return int8_t(int(draw(random, plain ? 144 : 0, plain ? 159 : 255)) - 128); };
    weights.multiples.push_back(multiple());
    if (info.has_minimums)
      weights.minimumMultiples.push_back(multiple());
  }
  return weights;
}

// Kinds of tokens; `Normal` is what most of them should be.
enum class Token { Normal, Zeros, Denormals, Outliers, NaN, Infinity, Huge, Ties, Tiny, MixedSize };
constexpr size_t tokenKinds = 10;

inline const char *nameOf(Token kind) {
  static const char *const names[tokenKinds] = {"normal",   "zero", "denormal", "outlier", "NaN",
                                                "infinite", "huge", "tie",      "tiny",    "mixed-size"};
  return names[size_t(kind)];
}

inline void drawToken(Token kind, float *x, size_t k, Random &random) {
  std::normal_distribution<float> normal;
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
