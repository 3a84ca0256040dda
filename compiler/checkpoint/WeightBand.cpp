#include "compiler/checkpoint/WeightBand.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace lut {

// A scale of the whole tensor belongs to no row.
WeightBand::Sizes WeightBand::rowBytes(const Format &format, int64_t k) {
  int64_t groups = format.groups(k), subgroups = format.subgroups(k);
  return {k,
          format.perTensor ? 0 : groups * format.scaleBytes(),
          format.zeroPoints ? groups : 0,
          groups * format.minimumBytes(),
          subgroups,
          format.minimums ? subgroups : 0};
}

size_t WeightBand::partBytes(Part part, int64_t rowBytes, int64_t count) {
  size_t bytes = size_t(rowBytes) * size_t(count);
  return alignTo(part == Scales ? std::max<size_t>(bytes, sizeof(float)) : bytes, sizeof(float));
}

size_t WeightBand::bytes(const Format &format, int64_t k, int64_t count) {
  size_t sum = 0;
  for (auto [part, size] : enumerate(rowBytes(format, k)))
    sum += partBytes(Part(part), size, count);
  return sum;
}

WeightBand::WeightBand(const Format &format, int64_t k, int64_t count, uint8_t *memory)
    : format(format), k(k), count(count), sizes(rowBytes(format, k)) {
  for (int part = Codes; part < Parts; ++part) {
    starts[part] = memory;
    memory += partBytes(Part(part), sizes[part], count);
  }
}

WeightBand WeightBand::row(int64_t row) const {
  WeightBand band(format, k, 1, starts[Codes]);
  for (int part = Codes; part < Parts; ++part)
    band.starts[part] = this->part(Part(part), row);
  return band;
}

lutc_weights WeightBand::weights() const {
  lutc_weights weights = {};
  weights.codes = codes();
  weights.scales = scales<void>();
  weights.zero_points = format.zeroPoints ? zeros() : nullptr;
  weights.minimums = format.minimums ? minimums() : nullptr;
  weights.scale_multiples = format.subgroup ? scaleMultiples() : nullptr;
  weights.minimum_multiples = format.subgroup && format.minimums ? minimumMultiples() : nullptr;
  return weights;
}

} // namespace lut
