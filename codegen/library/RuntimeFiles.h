// The runtime's files that the compiler carries (RuntimeFiles.S).
#ifndef LUT_CODEGEN_LIBRARY_RUNTIMEFILES_H
#define LUT_CODEGEN_LIBRARY_RUNTIMEFILES_H

#include "llvm/ADT/StringRef.h"

extern "C" {
extern const char lutc_runtime_archive_begin[], lutc_runtime_archive_end[], lutc_lmma_archive_begin[],
    lutc_lmma_archive_end[], lutc_header_begin[], lutc_header_end[];
}

namespace lut {

/// liblutc_runtime.a
inline llvm::StringRef runtimeArchive() {
  return {lutc_runtime_archive_begin, size_t(lutc_runtime_archive_end - lutc_runtime_archive_begin)};
}
/// liblutc_lmma.a: what executes the programs of a LUT-instruction machine
inline llvm::StringRef lmmaArchive() {
  return {lutc_lmma_archive_begin, size_t(lutc_lmma_archive_end - lutc_lmma_archive_begin)};
}
/// lutc.h
inline llvm::StringRef runtimeHeader() {
  return {lutc_header_begin, size_t(lutc_header_end - lutc_header_begin)};
}

} // namespace lut

#endif
