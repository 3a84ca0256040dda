// The oracle: the numerics classes a8 and t8, which every variant of every kernel equals bit for bit.
// Float arithmetic is f32, rounded to nearest even and never fused: compile with -ffp-contract=off.
#ifndef LUT_REFERENCE_REFERENCE_H
#define LUT_REFERENCE_REFERENCE_H

#include "lutc.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace lut::reference {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// IEEE binary16 to binary32, exactly.
inline float widen(uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float sign = half & 0x8000 ? -1.0f : 1.0f;
  if (exponent == 31)
    return fraction ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  return sign * std::ldexp(float(exponent ? fraction + 1024 : fraction), std::max(exponent, 1) - 25);
}

// E8M0 of the OCP Microscaling specification, without NaN.
inline float powerOfTwo(uint8_t byte) { return std::ldexp(1.0f, byte - 127); }

// E4M3 without NaN.
inline float smallFloat(uint8_t byte) {
  const int exponent = byte >> 3 & 15, fraction = byte & 7;
  const float value = std::ldexp(float(exponent ? fraction + 8 : fraction), std::max(exponent, 1) - 10);
  return byte & 0x80 ? -value : value;
}

// A scale or minimum.
inline float scaleAt(lutc_type type, const void *all, size_t index) {
  switch (type) {
  case LUTC_F16:
    return widen(static_cast<const uint16_t *>(all)[index]);
  case LUTC_BF16:
    return floatOf(uint32_t(static_cast<const uint16_t *>(all)[index]) << 16);
  case LUTC_F8_E8M0:
    return powerOfTwo(static_cast<const uint8_t *>(all)[index]);
  case LUTC_F8_E4M3:
    return smallFloat(static_cast<const uint8_t *>(all)[index]);
  default:
    return static_cast<const float *>(all)[index];
  }
}

// Rounds half to even.
inline int rne(float value) { return static_cast<int>(std::nearbyint(value)); }

// Weights as users supply them, with what a format's name says about them.
struct Weights {
  Weights(const lutc_kernel_info &info, const lutc_weights &weights)
      : n(info.n), k(info.k), group(info.group), groups((k + group - 1) / group),
        subgroup(info.subgroup ? info.subgroup : group), subgroups((k + subgroup - 1) / subgroup),
        ternary(info.codes == 3), symmetric(!info.has_zero_points && !info.has_minimums),
        bits(int(std::ceil(std::log2(double(info.codes))))), unit(ternary ? 5 : 4),
        units((k + unit - 1) / unit), stem(std::string(info.format).substr(0, 3)),
        hasShortNumbers(std::string(info.format) == "iq3s") {
    const bool eighths = stem == "iq1" || stem == "iq2", quarters = stem == "iq3" && !hasShortNumbers;
    const float part = eighths ? 0.125f : quarters ? 0.25f : stem == "fp4" ? 0.5f : 1.0f;
    const size_t stride = weights.codes_stride ? weights.codes_stride : k;
    for (size_t row = 0; row < n; ++row) {
      codes.insert(codes.end(), weights.codes + row * stride, weights.codes + row * stride + k);
      for (size_t g = 0; g < groups; ++g) {
        const size_t index = info.scales_per_tensor ? 0 : row * groups + g;
        scales.push_back(scaleAt(info.scale_type, weights.scales, index) * part);
        zeros.push_back(info.has_zero_points ? weights.zero_points[index] : 0);
        if (info.has_minimums)
          minimums.push_back(scaleAt(info.scale_type, weights.minimums, index));
      }
      for (size_t s = 0; s < subgroups; ++s) {
        const size_t index = row * subgroups + s;
        multiples.push_back(info.subgroup ? weights.scale_multiples[index] : 1);
        if (info.has_minimums)
          minimumMultiples.push_back(info.subgroup ? weights.minimum_multiples[index] : 1);
      }
    }
    if (info.has_columns)
      columns.assign(weights.columns, weights.columns + k);
  }

  // A token in the order of the columns.
  std::vector<float> gather(const float *x) const {
    std::vector<float> gathered(x, x + k);
    for (size_t i = 0; i < columns.size(); ++i)
      gathered[i] = x[columns[i]];
    return gathered;
  }

  // The integer a code stands for.
  int value(size_t row, size_t i) const {
    static const int nl4[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    static const int fp4[] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    static const int iq1[] = {-9, -7, -1, 1, 7, 9}, iq2[] = {-43, -25, -8, 8, 25, 43};
    static const int iq3xxs[] = {4, 12, 20, 28, 36, 44, 52, 62};
    const int code = codes[row * k + i];
    if (stem == "iq1" || stem == "iq2")
      return (stem == "iq1" ? iq1 : iq2)[code];
    if (stem == "iq3" && hasShortNumbers)
      return 2 * code - 15;
    if (stem == "iq3")
      return code < 8 ? -iq3xxs[7 - code] : iq3xxs[code - 8];
    if (stem == "nl4" || stem == "fp4")
      return (stem == "nl4" ? nl4 : fp4)[code];
    if (!symmetric)
      return code - zeros[row * groups + i / group];
    if (ternary)
      return code - 1;
    return bits == 1 ? 2 * code - 1 : code - (1 << (bits - 1));
  }

  // Dequantized, without rounding: the product of scale and value, and with the minimum.
  double product(size_t row, size_t i) const {
    const size_t at = row * groups + i / group, s = row * subgroups + i / subgroup;
    return double(scales[at]) * multiples[s] * value(row, i);
  }
  double weight(size_t row, size_t i) const {
    const size_t at = row * groups + i / group, s = row * subgroups + i / subgroup;
    return product(row, i) + (minimums.empty() ? 0.0 : double(minimums[at]) * minimumMultiples[s]);
  }

  size_t n, k, group, groups, subgroup, subgroups;
  bool ternary, symmetric;
  int bits;
  size_t unit, units; // of the class t8: k that share a table
  std::string stem;
  bool hasShortNumbers; // of iq3: odd ones
  std::vector<uint8_t> codes;
  std::vector<float> scales;                    // [n][groups]; of fp4, whose values are in halves, halved
  std::vector<int> zeros;                       // [n][groups]
  std::vector<float> minimums;                  // [n][groups], or none
  std::vector<int> multiples, minimumMultiples; // [n][subgroups]; 1 where there are no subgroups
  std::vector<int32_t> columns;                 // [k]; empty: in their own order
};

// How one group of activations becomes 8-bit integers: q = rne(x * inverse), x ~ q * step.
struct Quantizer {
  // `largest` is the greatest magnitude's bit pattern: as integers these order like the magnitudes, NaN on
  // top.
  explicit Quantizer(uint32_t largest) {
    if (largest >= 0x7f800000)
      step = floatOf(0x7fc00000);
    else if (floatOf(largest) >= 0x1p-120f)
      inverse = 127.0f / floatOf(largest), step = floatOf(largest) / 127.0f;
  }
  int operator()(float x, float parts = 1.0f) const { return inverse == 0.0f ? 0 : rne(x * inverse * parts); }
  float inverse = 0.0f, step = 0.0f;
};

inline uint32_t magnitude(float x) { return bitsOf(x) & 0x7fffffff; }

// Class a8: int8 activations, exact integer sums within a group, groups added in ascending order, of each the
// codes before the minimum.
class A8 {
public:
  explicit A8(const Weights &weights) : w(weights), values(w.n * w.k) {
    for (size_t row = 0; row < w.n; ++row)
      for (size_t i = 0; i < w.k; ++i)
        values[row * w.k + i] = static_cast<int16_t>(w.value(row, i));
  }

  void token(const float *x, float *y) const {
    std::vector<int16_t> q(w.k);
    std::vector<float> steps;
    for (size_t begin = 0; begin < w.k; begin += w.group) {
      const size_t end = std::min(begin + w.group, w.k);
      uint32_t largest = 0;
      for (size_t i = begin; i < end; ++i)
        largest = std::max(largest, magnitude(x[i]));
      const Quantizer quantize(largest);
      for (size_t i = begin; i < end; ++i)
        q[i] = static_cast<int16_t>(quantize(x[i]));
      steps.push_back(quantize.step);
    }
    for (size_t row = 0; row < w.n; ++row) {
      y[row] = 0.0f;
      for (size_t g = 0; g < w.groups; ++g) {
        int32_t sum = 0, minimumSum = 0;
        for (size_t i = g * w.group; i < std::min((g + 1) * w.group, w.k); ++i) {
          const size_t at = row * w.subgroups + i / w.subgroup;
          sum += w.multiples[at] * values[row * w.k + i] * q[i];
          if (!w.minimums.empty())
            minimumSum += w.minimumMultiples[at] * q[i];
        }
        y[row] = y[row] + float(sum) * (steps[g] * w.scales[row * w.groups + g]);
        if (!w.minimums.empty())
          y[row] = y[row] + (float(minimumSum) * steps[g]) * w.minimums[row * w.groups + g];
      }
    }
  }

private:
  const Weights &w;
  std::vector<int16_t> values; // [n][k]
};

// Class t8: tables of 8-bit sums of `unit` consecutive activations under every pattern of signs (of trits:
// w158).
class T8 {
public:
  explicit T8(const Weights &weights)
      : w(weights), planes(w.ternary ? 1 : w.bits), entries(w.ternary ? 243 : 16),
        patterns(w.n * w.units * planes) {
    for (size_t row = 0; row < w.n; ++row)
      for (size_t u = 0; u < w.units; ++u)
        for (int p = 0; p < planes; ++p)
          patterns[(row * w.units + u) * planes + p] = pattern(row, u, p);
  }

  void token(const float *x, float *y) const {
    std::vector<int> tables(w.units * entries);
    std::vector<float> steps;
    std::vector<float> padded(x, x + w.k);
    padded.resize(w.units * w.unit);
    for (size_t begin = 0; begin < w.k; begin += w.group)
      steps.push_back(fillTables(padded.data(), firstUnit(begin), firstUnit(begin + w.group), tables));
    for (size_t row = 0; row < w.n; ++row) {
      y[row] = 0.0f;
      for (size_t g = 0; g < w.groups; ++g) {
        const size_t at = row * w.groups + g;
        const float h = isDoubled() ? 0.5f : 1.0f;
        const int32_t ones = allOnes(tables, g), sum = groupSum(tables, row, g, ones);
        y[row] = y[row] + float(sum) * ((steps[g] * h) * w.scales[at]);
        if (!w.minimums.empty())
          y[row] = y[row] + (float(ones) * steps[g]) * w.minimums[at];
      }
    }
  }

private:
  // Whether the sum over the planes is twice the sum of the weights.
  bool isDoubled() const { return !w.ternary && !(w.symmetric && w.bits == 1); }

  // The unit that begins at k = i; all units, past the end of the row.
  size_t firstUnit(size_t i) const { return i < w.k ? i / w.unit : w.units; }

  // Element e of pattern c: -1 or 1 by bit e, for trits -1, 0 or 1 by base-3 digit e.
  float element(int c, size_t e) const {
    static const int powers[] = {1, 3, 9, 27, 81};
    return float(w.ternary ? c / powers[e] % 3 - 1 : 2 * (c >> e & 1) - 1);
  }

  uint8_t pattern(size_t row, size_t u, int plane) const {
    int c = 0;
    for (size_t e = w.unit; e-- > 0;) {
      const size_t i = u * w.unit + e;
      const int code = i < w.k ? w.codes[row * w.k + i] : int(w.ternary); // a trit of 0
      c = w.ternary ? 3 * c + code : 2 * c + (code >> plane & 1);
    }
    return static_cast<uint8_t>(c);
  }

  // The tables of units [begin, end), which share a step.
  float fillTables(const float *x, size_t begin, size_t end, std::vector<int> &tables) const {
    uint32_t largest = 0;
    for (size_t u = begin; u < end; ++u) {
      float sum = std::fabs(x[u * w.unit]);
      for (size_t e = 1; e < w.unit; ++e)
        sum = sum + std::fabs(x[u * w.unit + e]);
      largest = std::max(largest, magnitude(sum));
    }
    const Quantizer quantize(largest);
    if (w.ternary) {
      fillTernary(x, begin, end, quantize, tables);
      return quantize.step;
    }
    for (size_t u = begin; u < end; ++u)
      for (int c = 0; c < entries; ++c) {
        float sum = element(c, 0) * x[u * w.unit];
        for (size_t e = 1; e < w.unit; ++e)
          sum = sum + element(c, e) * x[u * w.unit + e];
        tables[u * entries + c] = quantize(sum);
      }
    return quantize.step;
  }

  // Entries are rounded from sums of integers, in steps of 1/64 of an entry; those of patterns c and -c are
  // opposite.
  void fillTernary(const float *x, size_t begin, size_t end, const Quantizer &quantize,
                   std::vector<int> &tables) const {
    for (size_t u = begin; u < end; ++u)
      for (int c = entries / 2; c < entries; ++c) {
        int sum = 0;
        for (size_t e = 0; e < w.unit; ++e)
          sum += int(element(c, e)) * quantize(x[u * w.unit + e], 64.0f);
        tables[u * entries + c] = (sum + 32) >> 6;
        tables[u * entries + entries - 1 - c] = -tables[u * entries + c];
      }
  }

  // Ternary: the sum of the entries. Bit planes: with c = 2 * bit - 1, code = (sum_p 2^p c_p + 2^bits - 1) /
  // 2, so 2 * sum_i (code_i - zero) x_i = P - (2 * zero + 1 - 2^bits) * S,  P = sum_p 2^p T[c_p],  S = T[all
  // ones].
  int32_t groupSum(const std::vector<int> &tables, size_t row, size_t g, int32_t ones) const {
    int32_t planeSum = 0;
    for (size_t u = firstUnit(g * w.group); u < firstUnit((g + 1) * w.group); ++u)
      for (int p = 0; p < planes; ++p)
        planeSum += tables[u * entries + patterns[(row * w.units + u) * planes + p]] * (1 << p);
    if (!isDoubled())
      return planeSum;
    const int zero = w.symmetric ? 1 << (w.bits - 1) : w.zeros[row * w.groups + g];
    return planeSum - (2 * zero + 1 - (1 << w.bits)) * ones;
  }

  int32_t allOnes(const std::vector<int> &tables, size_t g) const {
    int32_t ones = 0;
    for (size_t u = firstUnit(g * w.group); u < firstUnit((g + 1) * w.group); ++u)
      ones += tables[u * entries + entries - 1];
    return ones;
  }

  const Weights &w;
  int planes, entries;
  std::vector<uint8_t> patterns; // [n][units][planes]
};

// Y[m,n] in the kernel's numerics class.
inline std::vector<float> product(const lutc_kernel_info &info, const lutc_weights &weights, const float *x,
                                  size_t ldx, size_t m) {
  const Weights w(info, weights);
  std::vector<float> y(m * w.n);
  auto run = [&](const auto &numerics) {
    for (size_t token = 0; token < m; ++token)
      numerics.token(w.gather(x + token * ldx).data(), y.data() + token * w.n);
  };
  if (std::string(info.numerics) == "a8")
    run(A8(w));
  else
    run(T8(w));
  return y;
}

// Y[m,n] with dequantized weights and unquantized activations.
inline std::vector<double> floatProduct(const lutc_kernel_info &info, const lutc_weights &weights,
                                        const float *x, size_t ldx, size_t m) {
  const Weights w(info, weights);
  std::vector<double> y(m * w.n);
  for (size_t token = 0; token < m; ++token) {
    const std::vector<float> gathered = w.gather(x + token * ldx);
    for (size_t row = 0; row < w.n; ++row)
      for (size_t i = 0; i < w.k; ++i)
        y[token * w.n + row] += w.weight(row, i) * gathered[i];
  }
  return y;
}

// |approximation - exact|^2 / |exact|^2
inline double nmse(const std::vector<float> &approximation, const std::vector<double> &exact) {
  double error = 0, power = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    error += (approximation[i] - exact[i]) * (approximation[i] - exact[i]);
    power += exact[i] * exact[i];
  }
  return error / power;
}

} // namespace lut::reference

#endif
