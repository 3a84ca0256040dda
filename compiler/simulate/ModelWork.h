// From a library to the work of one pass over it.
#ifndef LUT_COMPILER_SIMULATE_MODELWORK_H
#define LUT_COMPILER_SIMULATE_MODELWORK_H

#include "codegen/MachineProducts.h"
#include "compiler/simulate/Simulate.h"

namespace lut {

// The work of m tokens' pass over the library's model, or of each kernel of a list once; by the programs of
// its kernels where there are any.
llvm::Expected<lmma::Workload> makeWorkload(const LibrarySpec &library, const lmma::Machine &machine,
                                            const SimulateRequest &request, const MachineProducts *programs,
                                            int64_t m);

// How the machine holds weights of `format`.
llvm::Expected<lmma::WeightType> weightsOf(const Format &format, const lmma::Machine &machine);

// A product with the types that the machine computes `request` in; its sizes are 0.
lmma::Gemm gemmOn(const lmma::Machine &machine, const SimulateRequest &request);

} // namespace lut

#endif
