#include "compiler/checkpoint/Scales.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstring>

using namespace llvm;

namespace lut {

// The magnitude of a number, from that of f32.
static uint32_t narrow(const lutc_scale_type &type, uint32_t magnitude) {
  const uint32_t drop = 23 - type.fraction, least = (128 - type.bias)
                                                    << 23; // the least that is not subnormal
  if (magnitude > 0x7f800000)
    return lutc_magnitude_mask(&type);
  if (magnitude < least) { // in units of the least number, rounded by the addition
    const uint32_t units = least + (drop << 23);
    return lutc_float_bits(lutc_bits_float(magnitude) + lutc_bits_float(units)) - units;
  }
  const uint32_t half = (UINT32_C(1) << (drop - 1)) - 1 + (magnitude >> drop & 1);
  return std::min((magnitude + half - ((127 - type.bias) << 23)) >> drop, type.none);
}

static uint32_t narrowScale(const lutc_scale_type &type, float value) {
  const uint32_t bits = lutc_float_bits(value), sign = bits & 0x80000000;
  if (type.bits == 32)
    return bits;
  if (type.fraction == 0)
    return uint32_t(std::clamp(std::ilogb(value), -127, 127) + 127);
  return sign >> (32 - type.bits) | narrow(type, bits ^ sign);
}

float roundScale(ScaleType type, float value) {
  const lutc_scale_type &bits = rowOf(type).bits;
  return lutc_widen_bits(&bits, narrowScale(bits, value));
}

bool holdsScales(ScaleType type, ArrayRef<float> values) {
  return all_of(values,
                [&](float value) { return !std::isfinite(value) || roundScale(type, value) == value; });
}

bool holdsScales(ScaleType type, const Tensor &values) {
  using Id = TensorType::Id;
  Id id = values.type->id;
  if (type == ScaleType::f32 || (type == ScaleType::f16 && id == Id::F16) ||
      (type == ScaleType::bf16 && id == Id::BF16))
    return true;
  constexpr int64_t portion = 1024;
  float decoded[portion];
  int64_t size = values.type->blockBytes;
  for (ArrayRef<uint8_t> bytes = values.bytes; !bytes.empty();) {
    size_t count = std::min<size_t>(portion, bytes.size() / size);
    values.type->decode(bytes.data(), count, decoded);
    if (!holdsScales(type, ArrayRef(decoded, count)))
      return false;
    bytes = bytes.drop_front(count * size);
  }
  return true;
}

template <typename Values> static ScaleType firstThatHolds(const Values &values) {
  for (ScaleType type : {ScaleType::f16, ScaleType::bf16})
    if (holdsScales(type, values))
      return type;
  return ScaleType::f32;
}

ScaleType exactScaleType(ArrayRef<float> values) { return firstThatHolds(values); }
ScaleType exactScaleType(const Tensor &values) { return firstThatHolds(values); }

void storeScale(ScaleType type, float value, void *to, int64_t index) {
  const lutc_scale_type &bits = rowOf(type).bits;
  const uint32_t number = narrowScale(bits, value);
  std::memcpy(static_cast<uint8_t *>(to) + index * (bits.bits / 8), &number, bits.bits / 8);
}

} // namespace lut
