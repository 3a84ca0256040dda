// From a library's request to the bytes of its files.
#ifndef LUT_CODEGEN_COMPILE_H
#define LUT_CODEGEN_COMPILE_H

#include "codegen/LibrarySpec.h"
#include "llvm/Support/Error.h"
#include <utility>

namespace lut {

struct CompileOptions {
  std::vector<std::string> variants; // rows of the target table; empty: all, or what `cpu` decides
  std::string cpu;                   // one variant, the best that this CPU runs: a name known to LLVM, or host
  bool emitMlir = false;             // list the IR of every variant, after pass `emitMlirAfter` (empty: all passes)
  std::string emitMlirAfter;
  bool emitLlvmIr = false, emitAssembly = false;
  bool explain = false, time = false, verbose = false;
  std::vector<std::string> inputs; // files read, for the depfile
  std::string directory;           // of the outputs, as the depfile names them
  std::string configHash;          // names the config in outputs, without its path
};

/// The contents of every output file.
struct Artifacts {
  std::string archive, header, manifest, depfile;
  std::vector<std::pair<std::string, std::string>> listings; // file name, text
};

/// Diagnostics about kernels go to stderr at the user's own line; the error that is returned sums them up.
llvm::Error compileLibrary(const LibrarySpec &library, const CompileOptions &options, Artifacts &artifacts);

} // namespace lut

#endif
