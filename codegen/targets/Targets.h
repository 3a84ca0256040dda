// Targets by name.
#ifndef LUT_CODEGEN_TARGETS_TARGETS_H
#define LUT_CODEGEN_TARGETS_TARGETS_H

#include "dialects/lmma/Machine.h"
#include "dialects/lut/Lut.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace lut {

struct TargetRow {
  llvm::StringLiteral name, summary, features;
  uint32_t cpuBits;
  void (*populate)(mlir::RewritePatternSet &);
  int64_t vectorBytes, registers;
  DotKind dot;
  int64_t permuteBytes, permute2Bytes, dotCycles10, permuteCycles10, permute2Cycles10, simpleCycles10,
      l1Bytes, streamBytesPer100Cycles, prefetchBytes = 0;
  std::optional<lmma::Machine> machine = {}; // that runtime/lmma executes on any CPU; see lmma/Target.h

  TargetAttr attribute(mlir::MLIRContext *context) const;
  bool isMachine() const { return machine.has_value(); }
};

/// All rows: CPUs, best first, then machines.
llvm::ArrayRef<TargetRow> targetRows();
/// Null where no row has this name.
const TargetRow *findTarget(llvm::StringRef name);
/// The best row, of those named by `variants` (empty: of all), that a CPU known to LLVM by `cpu` ("host":
/// this machine's) supports, with that CPU's facts where the table has them.
llvm::Expected<const TargetRow *> bestTargetFor(llvm::StringRef cpu, llvm::ArrayRef<std::string> variants);

} // namespace lut

#endif
