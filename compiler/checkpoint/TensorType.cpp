#include "compiler/checkpoint/TensorType.h"

#include "compiler/checkpoint/Blocks.h"
#include "compiler/checkpoint/Bytes.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

ArrayRef<TensorType> tensorTypes() {
  static const TensorType rows[] = {
#define LUT_TENSOR_TYPE(name, gguf, safetensors, block, bytes)                                               \
  {TensorType::Id::name, #name, gguf, safetensors, block, bytes, ""},
#include "compiler/checkpoint/TensorTypes.def"
#define LUTC_BLOCK_TYPE(name, number, elements, bytes, format, ...)                                          \
  {TensorType::Id::name, #name, number, "", elements, bytes, format},
#include "runtime/gguf/types.def"
  };
  return rows;
}

const TensorType &tensorType(TensorType::Id id) { return tensorTypes()[size_t(id)]; }

template <typename Predicate> static const TensorType *findType(Predicate predicate) {
  const TensorType *row = find_if(tensorTypes(), predicate);
  return row == tensorTypes().end() ? nullptr : row;
}

const TensorType *findGgufType(uint32_t number) {
  return findType([&](const TensorType &row) { return row.gguf >= 0 && uint32_t(row.gguf) == number; });
}

const RequantizedType *findRequantized(uint32_t gguf) {
  static constexpr RequantizedType rows[] = {
#define LUT_REQUANTIZED_TYPE(name, gguf, nearest) {#name, gguf, nearest},
#include "compiler/checkpoint/TensorTypes.def"
  };
  const RequantizedType *row = find_if(rows, [&](const RequantizedType &row) { return row.gguf == gguf; });
  return row == std::end(rows) ? nullptr : row;
}

const TensorType *findSafetensorsType(StringRef dtype) {
  return findType([&](const TensorType &row) { return !dtype.empty() && row.safetensors == dtype; });
}

void TensorType::decode(const uint8_t *bytes, size_t blocks, float *values) const {
  if (!isFloat())
    return decodeBlocks(*lutc_find_block_type(uint32_t(gguf)), bytes, blocks, values);
  for (size_t i = 0; i < blocks; ++i, bytes += blockBytes)
    values[i] = id == Id::F32   ? readLe<float>(bytes)
                : id == Id::F16 ? halfAt(bytes)
                                : floatOfBrain(readLe<uint16_t>(bytes));
}

std::optional<uint64_t> TensorType::bytesOf(uint64_t elements) const {
  uint64_t blocks = elements / block;
  if (elements % block || blocks > uint64_t(INT64_MAX) / blockBytes)
    return std::nullopt;
  return blocks * blockBytes;
}

} // namespace lut
