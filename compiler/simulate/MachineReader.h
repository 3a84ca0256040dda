// Reads the description of a LUT-instruction machine: one that lutc carries, or a user's file.
#ifndef LUT_COMPILER_SIMULATE_MACHINEREADER_H
#define LUT_COMPILER_SIMULATE_MACHINEREADER_H

#include "compiler/simulate/Area.h"
#include "llvm/Support/SourceMgr.h"

namespace lut {

// The name of a carried machine, or a path (with a '/' or a '.'). Problems have been reported at their place.
std::optional<lmma::Machine> readMachine(llvm::StringRef nameOrPath, llvm::SourceMgr &sources);

// Names of the machines that lutc carries.
std::vector<std::string> machineNames();

// The carried costs of the parts of LUT arrays.
lmma::Costs readCosts();

} // namespace lut

#endif
