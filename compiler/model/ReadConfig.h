// Reads what the user asks for: a checkpoint, a Hugging Face config.json, or lutc's own list of kernels.
#ifndef LUT_COMPILER_MODEL_READCONFIG_H
#define LUT_COMPILER_MODEL_READCONFIG_H

#include "codegen/library/LibrarySpec.h"
#include "compiler/config/ConfigOptions.h"
#include "llvm/Support/SourceMgr.h"

namespace lut {

std::optional<LibrarySpec> readConfig(llvm::StringRef path, const ConfigOptions &options,
                                      llvm::SourceMgr &sources);

// Whether every kernel has n and k; says which one has not.
bool hasShapes(const LibrarySpec &library);

} // namespace lut

#endif
