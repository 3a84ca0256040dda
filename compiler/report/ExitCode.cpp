#include "compiler/report/ExitCode.h"

#include "codegen/Compile.h"

using namespace llvm;

namespace lut {

int reportError(Error problem) {
  bool internal = problem.isA<InternalError>();
  errs() << (internal ? "lutc: internal error, a bug of lutc: " : "lutc: error: ")
         << toString(std::move(problem)) << "\n";
  return internal ? ExitInternal : ExitError;
}

} // namespace lut
