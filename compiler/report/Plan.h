// What a library will hold, and what of the model it will not: the output of --dry-run.
#ifndef LUT_COMPILER_REPORT_PLAN_H
#define LUT_COMPILER_REPORT_PLAN_H

#include "codegen/Compile.h"
#include "llvm/Support/raw_ostream.h"

namespace lut {

void printPlan(const LibrarySpec &library, const Choices &choices, llvm::raw_ostream &out);

} // namespace lut

#endif
