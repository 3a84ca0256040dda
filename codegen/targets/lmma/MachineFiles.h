// The machines and costs that the compiler carries (MachineFiles.S).
#ifndef LUT_CODEGEN_TARGETS_LMMA_MACHINEFILES_H
#define LUT_CODEGEN_TARGETS_LMMA_MACHINEFILES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace lut::lmma {

struct DataFile {
  llvm::StringLiteral path; // in codegen/targets/lmma
  const char *text;         // ends with a 0
};

/// costs.yaml, then machines/*.yaml.
llvm::ArrayRef<DataFile> dataFiles();

} // namespace lut::lmma

#endif
