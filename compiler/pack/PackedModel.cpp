#include "compiler/pack/PackedModel.h"

using namespace llvm;

namespace lut {

Expected<std::unique_ptr<MemoryBuffer>> mapPacked(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false,
                                      /*IsVolatile=*/false, Align(LUTC_ALIGNMENT));
  if (std::error_code problem = buffer.getError())
    return createStringError(path + ": cannot read: " + problem.message());
  return std::move(*buffer);
}

StringRef elementName(lutc_type type) {
  static constexpr StringLiteral names[] = {"F32", "F16", "BF16", "I8",  "U8",  "I16",     "U16",
                                            "I32", "U32", "I64",  "U64", "F64", "F8_E4M3", "F8_E5M2"};
  return names[type];
}

} // namespace lut
