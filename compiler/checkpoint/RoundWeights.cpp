// Float weights, or those that no format holds, rounded to a format.
#include "compiler/checkpoint/Scales.h"
#include "compiler/checkpoint/WeightRows.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <mutex>
#include <numeric>

using namespace llvm;

namespace lut {

namespace {

// Values of a code book in ascending order, and their codes.
struct Book {
  explicit Book(const FormatRow &row) {
    for (int code = 0; code < row.codes(); ++code)
      codes.push_back(uint8_t(code));
    auto value = [&](uint8_t code) { return float(row.value(code)) / float(row.divisor); };
    sort(codes, [&](uint8_t a, uint8_t b) { return std::pair(value(a), a) < std::pair(value(b), b); });
    codes.erase(
        std::unique(codes.begin(), codes.end(), [&](uint8_t a, uint8_t b) { return value(a) == value(b); }),
        codes.end());
    for (size_t i = 1; i < codes.size(); ++i)
      bounds.push_back((value(codes[i - 1]) + value(codes[i])) / 2);
  }

  // To the nearest value, the smaller of two.
  uint8_t round(float value) const {
    size_t rank = 0;
    for (float bound : bounds)
      rank += value > bound;
    return codes[rank];
  }

  SmallVector<uint8_t, 16> codes;
  SmallVector<float, 16> bounds;
};

class RoundedSource : public WeightSource {
public:
  RoundedSource(std::unique_ptr<FloatRows> rows, StringRef from, Format format)
      : WeightSource(rows->layer.name, rows->n, rows->k, format,
                     (from + " rounded to " + format.str()).str()),
        rows(std::move(rows)), book(*format.row) {}

  Error readRows(int64_t first, const WeightBand &band) const override;

private:
  Error findTensorScale() const;
  Error readValues(int64_t row, std::vector<float> &values) const;
  Error roundGroups(ArrayRef<float> values, const WeightBand &band) const;

  const std::unique_ptr<FloatRows> rows;
  const Book book;
  // 1 / scale of the tensor, found when its first rows are read; not finite weights are found with it.
  mutable std::once_flag once;
  mutable float inverse = 0;
  mutable std::string problem;
};

} // namespace

Error RoundedSource::readValues(int64_t row, std::vector<float> &values) const {
  values.resize(k);
  if (Error problem = rows->readRow(row, values.data()))
    return problem;
  uint32_t largest = 0; // magnitudes are ordered as their bits
  for (float value : values)
    largest = std::max(largest, bit_cast<uint32_t>(value) & 0x7fffffff);
  if (largest < 0x7f800000)
    return Error::success();
  auto bad = find_if(values, [](float value) { return !std::isfinite(value); });
  return rows->layer.error("weight " + Twine(bad - values.begin()) + " of row " + Twine(row) +
                           " is not finite; the checkpoint is damaged");
}

// BitNet's 1 / mean |w|, with its lower bound of the mean.
static float inverseOfMean(double sum, int64_t count) {
  return 1 / std::max(float(sum / double(count)), 1e-5f);
}

// Reductions run in this many lanes, which need not wait for each other.
static constexpr size_t lanes = 8;

static double sumOfMagnitudes(ArrayRef<float> values) {
  double sums[lanes] = {}, sum = 0;
  for (; values.size() >= lanes; values = values.drop_front(lanes))
    for (size_t i = 0; i < lanes; ++i)
      sums[i] += double(std::fabs(values[i]));
  for (float value : values)
    sum += double(std::fabs(value));
  return std::accumulate(sums, sums + lanes, sum);
}

// The least and the largest of the values and `first`.
static std::pair<float, float> rangeOf(ArrayRef<float> values, float first) {
  float low[lanes], high[lanes];
  std::fill_n(low, lanes, first);
  std::fill_n(high, lanes, first);
  for (; values.size() >= lanes; values = values.drop_front(lanes))
    for (size_t i = 0; i < lanes; ++i) {
      low[i] = std::min(low[i], values[i]);
      high[i] = std::max(high[i], values[i]);
    }
  for (float value : values) {
    low[0] = std::min(low[0], value);
    high[0] = std::max(high[0], value);
  }
  return {*std::min_element(low, low + lanes), *std::max_element(high, high + lanes)};
}

// To the nearest integer in [low, high], ties to even: a sum of this size has no fraction.
static float roundInto(float value, float low, float high) {
  constexpr float shift = 0x1.8p23f;
  return (std::min(std::max(value, low), high) + shift) - shift;
}

Error RoundedSource::findTensorScale() const {
  std::call_once(once, [&] {
    std::vector<float> values;
    double sum = 0;
    for (int64_t row = 0; row < n && problem.empty(); ++row) {
      if (Error found = readValues(row, values))
        problem = toString(std::move(found));
      else
        sum += sumOfMagnitudes(values);
    }
    inverse = inverseOfMean(sum, n * k);
  });
  return problem.empty() ? Error::success() : createStringError(inconvertibleErrorCode(), problem);
}

namespace {

// A weight is scale * value + minimum, where values are code + offset, or those of a format's code book.
struct Grid {
  float scale = 0, minimum = 0;
  int offset = 0;

  float inverse() const { return scale != 0 ? 1 / scale : 0; }
};

} // namespace

// The largest magnitude gets the exponent of the code book's largest value (OCP Microscaling 1.0, section
// 6.3); what lies beyond the book takes its end.
static Grid exponentGrid(float largest, const FormatRow &row) {
  float end = float(row.largestValue()) / float(row.divisor);
  int exponent = largest > 0 ? std::clamp(std::ilogb(largest) - std::ilogb(end), -127, 127) : -127;
  return {std::ldexp(1.0f, exponent), 0, row.offset};
}

static float meanMagnitude(ArrayRef<float> values) {
  return float(sumOfMagnitudes(values) / double(values.size()));
}

// Without zero points and minimums the value of largest magnitude takes the lowest code, whichever sign it
// has: that end of the code book reaches further. Two values are best at the mean magnitude.
static Grid chooseGrid(ArrayRef<float> values, const Format &format) {
  auto [low, high] = rangeOf(values, format.minimums ? values.front() : 0);
  const FormatRow &row = *format.row;
  float last = float(row.codes() - 1);
  auto rounded = [&](float value) { return roundScale(format.scaleType, value); };
  if (format.minimums)
    return {rounded((high - low) / last), rounded(low)};
  if (format.zeroPoints) {
    Grid grid{rounded((high - low) / last)};
    if (grid.scale != 0) // else less than half of the type's smallest
      grid.offset = -int(roundInto(-low / grid.scale, 0, last));
    return grid;
  }
  float extreme = -low > high ? low : high;
  if (row.step == 2)
    extreme = -meanMagnitude(values);
  if (rowOf(format.scaleType).bits.fraction == 0)
    return exponentGrid(std::fabs(extreme), row);
  return {rounded(extreme * float(row.divisor) / float(row.offset)), 0, row.offset};
}

static void roundGroup(ArrayRef<float> values, const Grid &grid, const Format &format, const Book &book,
                       uint8_t *codes) {
  float inverse = grid.inverse(), offset = float(grid.offset), last = float(format.row->codes() - 1);
  if (format.row->book) {
    for (float value : values)
      *codes++ = book.round(value * inverse);
  } else if (format.row->step == 2 && !format.hasPlainCodes()) { // {-1, 1}
    for (float value : values)
      *codes++ = value >= 0;
  } else {
    for (float value : values)
      *codes++ = uint8_t(int(roundInto((value - grid.minimum) * inverse, offset, last + offset) - offset));
  }
}

Error RoundedSource::roundGroups(ArrayRef<float> values, const WeightBand &band) const {
  int64_t group = format.group ? format.group : k;
  for (int64_t i = 0; i < format.groups(k); ++i) {
    ArrayRef<float> part = values.slice(i * group, std::min(group, k - i * group));
    Grid grid = chooseGrid(part, format);
    if (!std::isfinite(grid.scale) || !std::isfinite(grid.minimum))
      return rows->layer.error("its weights are too large for scales in " + nameOf(format.scaleType) +
                               (format.scaleType == ScaleType::f16
                                    ? "; name a format with bf16 or f32 scales, such as w4g32b"
                                    : "; scale the layer down"));
    roundGroup(part, grid, format, book, band.codes() + i * group);
    storeScale(format.scaleType, grid.scale, band.scales<void>(), i);
    if (format.zeroPoints)
      band.zeros()[i] = uint8_t(-grid.offset);
    if (format.minimums)
      storeScale(format.scaleType, grid.minimum, band.minimums<void>(), i);
  }
  return Error::success();
}

Error RoundedSource::readRows(int64_t first, const WeightBand &band) const {
  std::vector<float> values;
  if (Error problem = format.perTensor ? findTensorScale() : Error::success())
    return problem;
  for (int64_t row = 0; row < band.count; ++row) {
    if (Error problem = readValues(first + row, values))
      return problem;
    if (!format.row->trits) {
      if (Error problem = roundGroups(values, band.row(row)))
        return problem;
      continue;
    }
    float factor = format.perTensor ? inverse : inverseOfMean(sumOfMagnitudes(values), k);
    *band.scales<float>(row) = 1 / factor;
    for (int64_t i = 0; i < k; ++i)
      band.codes(row)[i] = uint8_t(int(roundInto(values[i] * factor, -1, 1) + 1));
  }
  return Error::success();
}

WeightSourceOr roundWeights(std::unique_ptr<FloatRows> rows, StringRef from, Format format) {
  if (format.subgroup)
    return rows->layer.error("is stored as " + from + ", which is not rounded to scales on two levels (" +
                             format.str() + "); name a format with scales of groups, such as " +
                             (format.row->vectors ? StringRef("w2") : StringRef(format.row->name)) + "g32");
  if (rowOf(format.scaleType).bits.bias < 15) // without a factor of the tensor most scales would become 0
    return rows->layer.error("is stored as " + from + ", which is not rounded to scales of " +
                             nameOf(format.scaleType) + " (" + format.str() +
                             "); name a format with f16 scales");
  return std::make_unique<RoundedSource>(std::move(rows), from, format);
}

} // namespace lut
