// `lutc simulate`: predicts time, traffic and energy of a config's kernels on a described machine, or
// searches designs of such machines.
#ifndef LUT_COMPILER_SIMULATE_SIMULATE_H
#define LUT_COMPILER_SIMULATE_SIMULATE_H

#include "compiler/config/ConfigOptions.h"
#include "compiler/simulate/Workload.h"

namespace lut {

enum class AttentionKind { none, unfused, fused };

struct SimulateRequest {
  std::string config, machine = "a100-lut-4x";
  ConfigOptions options;
  std::vector<int64_t> tokens; // m of each run
  int64_t sequences = 1;       // that m is divided into
  AttentionKind attention = AttentionKind::fused;
  std::optional<lmma::Number> activations; // absent: the type of the machine's tables or operands
  int64_t registers = 0;                   // times as built; 0: as the machine says
  std::optional<bool> programs; // whether tiles are those of lutc's programs; absent: if there are arrays
  lmma::WorkOptions work;
  bool run = false; // execute the programs, and count
  bool search = false;
  int64_t n = 27648, k = 5120;          // of the product that a search times
  std::string format = "table", output; // also json, svg; output empty: stdout
};

int simulate(SimulateRequest request);

// What `lutc simulate --search` prints.
llvm::Expected<std::string> searchDesigns(const SimulateRequest &request, const lmma::Machine &machine);

} // namespace lut

#endif
