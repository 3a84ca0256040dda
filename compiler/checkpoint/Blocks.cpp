#include "compiler/checkpoint/Blocks.h"

#include "compiler/checkpoint/Bytes.h"
#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <cmath>

namespace lut {

namespace {

struct BlockDecoder {
  explicit BlockDecoder(const lutc_block_type &type)
      : type(type), format(llvm::cantFail(parseFormat(type.format))),
        span(type.subgroup ? type.subgroup : type.elements / type.scales) {
    const int sign = type.traits & LUTC_NEGATED ? -1 : 1, first = type.traits & LUTC_TERNARY ? 1 : 0;
    for (int code = 0; code < format.row->codes(); ++code)
      values[code] = format.hasPlainCodes()
                         ? code
                         : double(sign * format.row->value(code + first)) / format.row->divisor;
  }

  // To ggml a byte of e8m0 is always a power of two.
  double scale(const uint8_t *scales, uint32_t index) const {
    const lutc_scale_type &bits = rowOf(format.scaleType).bits;
    const uint32_t number = lutc_load_scale(&bits, scales + index * type.scale_bytes);
    return bits.fraction ? lutc_widen_bits(&bits, number) : std::ldexp(1.0, int(number) - int(bits.bias));
  }

  void decode(const uint8_t *block, float *out) const {
    uint8_t codes[256], scales[8];
    int8_t multiples[16], minimumMultiples[16] = {};
    type.codes(block, 1, codes);
    lutc_unpack_scales(&type, block, 1, scales);
    if (type.multiples)
      type.multiples(block, 1, multiples, minimumMultiples);
    const int sign = type.traits & LUTC_NEGATED ? -1 : 1;
    double minimum = type.minimum_at < 0 ? 0 : halfAt(block + type.minimum_at);
    for (uint32_t i = 0; i < type.elements / span; ++i) {
      double s = sign * scale(scales, type.multiples ? 0 : i), m = -minimum; // to be subtracted
      if (type.multiples)
        s *= multiples[i], m = minimum * minimumMultiples[i];
      for (uint32_t j = i * span; j < (i + 1) * span; ++j)
        out[j] = float(format.minimums ? s * values[codes[j]] - m : s * values[codes[j]]);
    }
  }

  const lutc_block_type &type;
  const Format format;
  const uint32_t span; // elements of a scale
  std::array<double, 256> values = {};
};

} // namespace

void decodeBlocks(const lutc_block_type &type, const uint8_t *bytes, size_t count, float *values) {
  const BlockDecoder decoder(type);
  for (; count-- > 0; bytes += type.bytes, values += type.elements)
    decoder.decode(bytes, values);
}

} // namespace lut
