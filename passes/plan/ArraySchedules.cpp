#include "passes/plan/ArraySchedules.h"
#include "dialects/lmma/MachineAttr.h"
#include "passes/machine/ProgramTile.h"
#include "passes/plan/Schedule.h"
#include "runtime/lmma/lmma.h"
#include "runtime/lmma/stage.h"

using namespace mlir;
using namespace lut;

/// m of the batch that a schedule is chosen for beside a token alone: the paper's sequences.
static constexpr int64_t batchTokens = 2048;

namespace {
struct ArraySchedules : ScheduleModel {
  llvm::SmallVector<Candidate> candidates(LookupGemmOp gemm, TargetAttr target) const override;
  /// Programs have n and k in them: candidates are of the product itself.
  Cost costOf(const Candidate &candidate, LookupGemmOp, TargetAttr) const override { return candidate.cost; }
  llvm::StringRef offer() const override {
    return "multiplies evenly spaced weights with scales of rows, or of groups of 32 of k and more, but not "
           "e4m3, ternary ones in class a8; write such a format";
  }
};
} // namespace

const ScheduleModel &lut::arraySchedules() {
  static const ArraySchedules model;
  return model;
}

/// Whether the runtime's stack holds a block.
static bool fitsWorkspace(const ProgramTile &tile) {
  int64_t registers = tile.registers() * LMMA_REGISTER_BYTES * tile.warps();
  return registers + tile.scratchpadBytes() <= LUTC_LMMA_WORKSPACE;
}

/// Of a call of m tokens; absent where the machine or its executor cannot run the program.
static std::optional<lmma::Estimate> estimateOf(const Geometry &g, const lmma::Machine &machine, int64_t m) {
  ProgramTile tile = programFor(g, machine, m);
  return fitsWorkspace(tile) ? llvm::expectedToOptional(tile.estimate(machine, m)) : std::nullopt;
}

static std::optional<Cost> priceOf(const Geometry &g, const lmma::Machine &machine) {
  auto alone = estimateOf(g, machine, 1), batch = estimateOf(g, machine, batchTokens);
  if (!alone || !batch)
    return std::nullopt;
  Cost cost{alone->coreCycles, alone->memoryCycles, batch->cycles / batchTokens};
  cost.overlaps = true;
  return cost;
}

llvm::SmallVector<Candidate> ArraySchedules::candidates(LookupGemmOp gemm, TargetAttr target) const {
  llvm::SmallVector<Candidate> result;
  Format format = gemm.getW().getType().getFormat().getFormat();
  // Class t8 has five trits to a table, of which a lookup of the machine takes three.
  bool exact = gemm.getLeft().getType().isExact();
  if (!format.hasTables() || format.scaleType == ScaleType::e4m3 || (!exact && format.row->trits))
    return result;
  lmma::Machine machine = lmma::machineOf(target);
  Layout layout = gemm.getLeft().getType().getTrits() ? Layout::trits : Layout::nibbles;
  auto probe = cast<LookupGemmOp>(gemm->clone());
  for (int64_t warps : {1, 2, 4, 8})
    for (int64_t tokens = machine.array.m; tokens <= 64; tokens *= 2) {
      ScheduleFields fields{Strategy::lookup, layout, warps, tokens, /*tokenBlock=*/64, /*kBlock=*/0};
      probe.setScheduleAttr(fields.get(gemm.getContext()));
      if (std::optional<Cost> cost = priceOf(getGeometry(probe, target), machine))
        result.push_back({*probe.getSchedule(), *cost});
    }
  probe->erase();
  return sorted(result, [](const Cost &cost) { return cost.total(); });
}
