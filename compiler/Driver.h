// `lutc compile`.
#ifndef LUT_COMPILER_DRIVER_H
#define LUT_COMPILER_DRIVER_H

#include "compiler/config/ConfigOptions.h"

namespace lut {

struct CompileRequest {
  std::string config, directory;
  std::string tuning; // a file of lutc bench --tune; empty: none
  ConfigOptions options;
  std::string cpu;    // the library gets the best variant for it: a name, or host
  std::string target; // or it is for a LUT-instruction machine: lmma, lmma:<machine>
  std::vector<std::string> emit{"lib", "header", "manifest"}; // also mlir, mlir=<pass>, llvm-ir, asm
  bool dryRun = false, explain = false, time = false, verbose = false;
};

int compile(const CompileRequest &request);

std::vector<std::string> variantNames();

} // namespace lut

#endif
