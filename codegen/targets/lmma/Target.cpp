#include "codegen/targets/lmma/Target.h"
#include "llvm/Support/MathExtras.h"

using namespace lut;

llvm::Expected<TargetRow> lut::targetFor(const lmma::Machine &machine) {
  const lmma::Array &array = machine.array;
  if (!machine.isLut())
    return llvm::createStringError("machine '" + machine.name +
                                   "' has no LUT arrays; see lutc list machines");
  if (!llvm::isPowerOf2_64(array.m) || array.m > 64 || !llvm::is_contained<int64_t>({32, 64, 128}, array.n))
    return llvm::createStringError("machine '" + machine.name + "' has arrays of m " + llvm::Twine(array.m) +
                                   ", n " + llvm::Twine(array.n) +
                                   "; programs take m a power of two up to 64, and n 32, 64 or 128");
  TargetRow row = *findTarget("lmma");
  row.vectorBytes = array.n / 2;
  row.machine = machine;
  return row;
}
