// The products of a library on a LUT-instruction machine: what `lutc compile --target=lmma` makes programs
// of.
#ifndef LUT_CODEGEN_MACHINEPRODUCTS_H
#define LUT_CODEGEN_MACHINEPRODUCTS_H

#include "codegen/library/LibrarySpec.h"
#include "passes/machine/BestTile.h"
#include "runtime/lmma/lmma.h"
#include <memory>

namespace lut {

/// What an execution counts.
struct MachineCounter {
  llvm::StringLiteral name; // of bytes: where
  uint64_t lmma_counters::*member;
};
llvm::ArrayRef<MachineCounter> machineCounters();

class MachineProducts {
public:
  /// Schedules every kernel of the library, apart from its groups. What the machine does not multiply is
  /// reported at the user's own line.
  static llvm::Expected<MachineProducts> plan(const LibrarySpec &library, const lmma::Machine &machine);
  MachineProducts(MachineProducts &&);
  ~MachineProducts();

  /// The tile of the program that a call of m tokens runs, and what it takes.
  llvm::Expected<lmma::TileChoice> predict(size_t kernel, int64_t m) const;
  /// Executes that program, on zeros. An InternalError where it does not count what is predicted.
  llvm::Expected<lmma_counters> run(size_t kernel, int64_t m) const;

private:
  struct State;
  explicit MachineProducts(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace lut

#endif
