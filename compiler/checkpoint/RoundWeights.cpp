// Float weights, or those that no format holds, rounded to a format.
#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/WeightRows.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <mutex>
#include <numeric>

using namespace llvm;

namespace lut {

namespace {

class RoundedSource : public WeightSource {
public:
  RoundedSource(std::unique_ptr<FloatRows> rows, StringRef from, Format format)
      : WeightSource(rows->layer.name, rows->n, rows->k, format,
                     (from + " rounded to " + format.str()).str()),
        rows(std::move(rows)) {}

  Error readRows(int64_t first, int64_t count, uint8_t *codes, void *scales, uint8_t *zeros) const override;

private:
  Error findTensorScale() const;
  Error readValues(int64_t row, std::vector<float> &values) const;
  Error roundGroups(ArrayRef<float> values, uint8_t *codes, uint16_t *scales, uint8_t *zeros) const;

  const std::unique_ptr<FloatRows> rows;
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

// The least and the largest of the values and 0.
static std::pair<float, float> rangeOf(ArrayRef<float> values) {
  float low[lanes] = {}, high[lanes] = {};
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

// value = scale * (step * code + offset), or scale * (code - zero) with zero = -offset
struct Grid {
  float scale = 0;
  int step = 1, offset = 0;

  void round(ArrayRef<float> values, int codes, uint8_t *out) const {
    float last = float(codes - 1), zero = float(-offset), inverse = scale != 0 ? 1 / scale : 0;
    for (size_t i = 0; i < values.size(); ++i)
      out[i] = step == 2 ? uint8_t(values[i] >= 0) // {-1, 1}
                         : uint8_t(int(roundInto(values[i] * inverse, -zero, last - zero) + zero));
  }
};

} // namespace

// Without zero points the value of largest magnitude takes the lowest code, whichever sign it has: that end
// of the code book reaches further. Two values are best at the mean magnitude.
static Grid chooseGrid(ArrayRef<float> values, const Format &format) {
  auto [low, high] = rangeOf(values);
  int codes = format.row->codes();
  auto rounded = [](float scale) { return floatOfHalf(halfOfFloat(scale)); };
  if (format.zeroPoints) {
    Grid grid{rounded((high - low) / float(codes - 1))};
    if (grid.scale == 0) // less than half of f16's smallest
      return grid;
    grid.offset = -int(roundInto(-low / grid.scale, 0, float(codes - 1)));
    return grid;
  }
  if (format.row->step == 2)
    return {rounded(float(sumOfMagnitudes(values) / double(values.size()))), 2, -1};
  float extreme = -low > high ? low : high;
  return {rounded(extreme / float(format.row->offset)), 1, format.row->offset};
}

Error RoundedSource::roundGroups(ArrayRef<float> values, uint8_t *codes, uint16_t *scales,
                                 uint8_t *zeros) const {
  int64_t group = format.group ? format.group : k;
  for (int64_t begin = 0; begin < k; begin += group) {
    ArrayRef<float> part = values.slice(begin, std::min(group, k - begin));
    Grid grid = chooseGrid(part, format);
    if (!std::isfinite(grid.scale))
      return rows->layer.error("its weights are too large for scales in f16; scale the layer down");
    grid.round(part, format.row->codes(), codes + begin);
    *scales++ = halfOfFloat(grid.scale);
    if (format.zeroPoints)
      *zeros++ = uint8_t(-grid.offset);
  }
  return Error::success();
}

Error RoundedSource::readRows(int64_t first, int64_t count, uint8_t *codes, void *scales,
                              uint8_t *zeros) const {
  std::vector<float> values;
  int64_t groups = format.groups(k);
  if (Error problem = format.perTensor ? findTensorScale() : Error::success())
    return problem;
  for (int64_t row = 0; row < count; ++row, codes += k) {
    if (Error problem = readValues(first + row, values))
      return problem;
    if (!format.row->scaleF32) {
      if (Error problem = roundGroups(values, codes, static_cast<uint16_t *>(scales) + row * groups,
                                      zeros ? zeros + row * groups : nullptr))
        return problem;
      continue;
    }
    float factor = format.perTensor ? inverse : inverseOfMean(sumOfMagnitudes(values), k);
    static_cast<float *>(scales)[format.perTensor ? 0 : row] = 1 / factor;
    for (int64_t i = 0; i < k; ++i)
      codes[i] = uint8_t(int(roundInto(values[i] * factor, -1, 1) + 1));
  }
  return Error::success();
}

WeightSourceOr roundWeights(std::unique_ptr<FloatRows> rows, StringRef from, Format format) {
  return std::make_unique<RoundedSource>(std::move(rows), from, format);
}

} // namespace lut
