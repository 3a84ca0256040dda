#include "compiler/checkpoint/Scales.h"

#include "compiler/checkpoint/Bytes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include <cmath>

using namespace llvm;

namespace lut {

float roundScale(ScaleType type, float value) {
  switch (type) {
  case ScaleType::f16:
    return floatOfHalf(halfOfFloat(value));
  case ScaleType::bf16:
    return floatOfBrain(brainOfFloat(value));
  case ScaleType::f32:
    return value;
  case ScaleType::e8m0:
    return std::ldexp(1.0f, std::clamp(std::ilogb(value), -127, 127));
  }
  llvm_unreachable("no type of scales");
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
  switch (type) {
  case ScaleType::f16:
    static_cast<uint16_t *>(to)[index] = halfOfFloat(value);
    return;
  case ScaleType::bf16:
    static_cast<uint16_t *>(to)[index] = brainOfFloat(value);
    return;
  case ScaleType::f32:
    static_cast<float *>(to)[index] = value;
    return;
  case ScaleType::e8m0:
    static_cast<uint8_t *>(to)[index] = uint8_t(std::ilogb(value) + 127);
    return;
  }
}

} // namespace lut
