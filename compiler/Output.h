// Writes all files of a library, or none.
#ifndef LUT_COMPILER_OUTPUT_H
#define LUT_COMPILER_OUTPUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace lut {

struct OutputFile {
  std::string name, bytes;
};

// Creates `directory` where needed. Files appear under their names only after all have been written.
llvm::Error writeFiles(llvm::StringRef directory, llvm::ArrayRef<OutputFile> files);

} // namespace lut

#endif
