// What each subcommand does once its arguments are read. Results are exit codes.
#ifndef LUT_COMPILER_DRIVER_H
#define LUT_COMPILER_DRIVER_H

#include "compiler/Config.h"
#include "compiler/Table.h"

namespace lut {

enum ExitCode { ExitOk = 0, ExitError = 1, ExitUsage = 2, ExitInternal = 70 };

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

// Prints a failure; the exit code for it.
int reportError(llvm::Error problem);

// The rows of `lutc list targets` and `lutc list passes`.
Table targetTable();
Table passTable();

std::vector<std::string> variantNames();

} // namespace lut

#endif
