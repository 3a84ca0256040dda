// The weights that codes, scales and zero points stand for, by the words of runtime/lutc.h.
#ifndef LUT_TEST_CHECKPOINT_UNPACK_H
#define LUT_TEST_CHECKPOINT_UNPACK_H

#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/WeightSource.h"

namespace lut::test {

// Row by row in uneven portions, columns in the layer's own order.
inline std::vector<float> dequantize(const WeightSource &source) {
  const Format &format = source.format;
  const int64_t n = source.n, k = source.k, groups = format.groups(k),
                group = format.group ? format.group : k;
  std::vector<float> values(n * k);
  std::vector<uint8_t> codes(n * k), zeros(n * groups);
  std::vector<uint8_t> bytes(n * groups * 4);
  for (int64_t first = 0, count = 1; first < n; first += count, count = std::min(n - first, 2 * count + 1)) {
    llvm::cantFail(source.readRows(first, count, codes.data(), bytes.data(),
                                   format.zeroPoints ? zeros.data() : nullptr));
    for (int64_t i = 0; i < count * k; ++i) {
      int64_t row = i / k, at = row * groups + i % k / group;
      float scale = format.row->scaleF32 ? readLe<float>(&bytes[4 * (format.perTensor ? 0 : row)])
                                         : floatOfHalf(readLe<uint16_t>(&bytes[2 * at]));
      int code = codes[i];
      EXPECT_LT(code, format.row->codes());
      int weight = format.zeroPoints ? code - zeros[at] : format.row->step * code + format.row->offset;
      int64_t column = source.columns().empty() ? i % k : source.columns()[i % k];
      values[(first + row) * k + column] = scale * float(weight);
    }
  }
  return values;
}

} // namespace lut::test

#endif
