// How the program ends.
#ifndef LUT_COMPILER_REPORT_EXITCODE_H
#define LUT_COMPILER_REPORT_EXITCODE_H

#include "llvm/Support/Error.h"

namespace lut {

enum ExitCode { ExitOk = 0, ExitError = 1, ExitUsage = 2, ExitInternal = 70 };

// Prints a failure; the exit code for it.
int reportError(llvm::Error problem);

} // namespace lut

#endif
