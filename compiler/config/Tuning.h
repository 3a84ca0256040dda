// The tuning file: JSON that `lutc bench --tune` writes and `lutc compile --tuning` reads. Data only; never
// needed.
#ifndef LUT_COMPILER_CONFIG_TUNING_H
#define LUT_COMPILER_CONFIG_TUNING_H

#include "codegen/library/LibrarySpec.h"
#include "llvm/Support/SourceMgr.h"

namespace lut {

struct Tuning {
  std::string cpu;    // LLVM's name of the CPU that was measured
  std::string target; // its row of the target table
  std::vector<TunedSchedule> kernels;
};

std::string printTuning(const Tuning &tuning);

// Problems have been reported at their place in the file.
std::optional<Tuning> readTuning(llvm::StringRef path, llvm::SourceMgr &sources);

} // namespace lut

#endif
