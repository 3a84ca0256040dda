#include "passes/plan/ArrayTile.h"
#include "passes/plan/Schedule.h"
#include "runtime/lmma/lmma.h"
#include "runtime/lmma/stage.h"

using namespace mlir;
using namespace lut;

static int64_t registersOf(int64_t bytes) {
  return roundUp(bytes, LMMA_REGISTER_BYTES) / LMMA_REGISTER_BYTES;
}

lmma::Element ArrayTile::weights() const {
  return g.layout == Layout::trits ? lmma::Element::t3 : lmma::Element(g.format.row->bits);
}

int64_t ArrayTile::ownTables() const { return activations() + registersOf(tableTokens() * g.chunkK); }
int64_t ArrayTile::tables() const {
  return ownTables() + (sharesTables() ? registersOf(tableBytes(tableTokens())) : 0);
}
int64_t ArrayTile::codes() const { return tables() + registersOf(tableBytes(tokens)); }
int64_t ArrayTile::sums() const {
  return codes() + registersOf(lmma::weightBytes(weights(), rows(), g.chunkK));
}
int64_t ArrayTile::results() const { return sums() + registersOf(tokens * rows() * 4); }
int64_t ArrayTile::steps() const { return results() + registersOf(tokens * rows() * 4); }
int64_t ArrayTile::activationSums() const { return steps() + registersOf(tokens * 4); }
int64_t ArrayTile::scales() const { return activationSums() + registersOf(tokens * 4); }
int64_t ArrayTile::zeroPoints() const { return scales() + registersOf(rows() * 4); }
int64_t ArrayTile::registers() const {
  return zeroPoints() + (g.format.zeroPoints ? registersOf(rows() * 4) : 0);
}

/// Cycles of one array for a block of `tokens` tokens: lookups, and the 12 additions of each table of 4 k (of
/// 3 trits: 10) on 32 lanes.
static double blockCycles(const ArrayTile &tile, TargetAttr t, int64_t tokens) {
  const Geometry &g = tile.g;
  double units = double(g.shape.k_padded) / g.unit, additions = g.layout == Layout::trits ? 10 : 12;
  double lookups = std::ceil(double(tokens) / t.getArrayM()) * units * lmma::planesOf(tile.weights());
  return tile.warps() * lookups + tokens * units * additions / 32 * (tile.sharesTables() ? 1 : tile.warps());
}

/// A token alone runs in a block of array_m tokens. A block of a batch reads its weights once.
static Cost priceOf(const Geometry &g, TargetAttr t) {
  int64_t tokens = g.schedule.getTokens();
  ArrayTile alone{g, t.getArrayM()}, batch{g, tokens};
  double read = double(g.shape.payload_bytes) * 100 / t.getStreamBytesPer_100Cycles();
  double blocks = g.shape.tiles;
  return {blocks * blockCycles(alone, t, t.getArrayM()), read,
          std::max(blocks * blockCycles(batch, t, tokens), read) / tokens};
}

namespace {
struct ArraySchedules : ScheduleModel {
  llvm::SmallVector<Candidate> candidates(LookupGemmOp gemm, TargetAttr target) const override;
  /// Programs have n and k in them: candidates are of the product itself.
  Cost costOf(const Candidate &candidate, LookupGemmOp, TargetAttr) const override { return candidate.cost; }
  llvm::StringRef offer() const override {
    return "multiplies weights of 1 to 4 bits with scales of rows, or f16 scales of 32 of k and more, in "
           "class a8; write such a format, and numerics a8 or auto";
  }
};
} // namespace

const ScheduleModel &lut::arraySchedules() {
  static const ArraySchedules model;
  return model;
}

llvm::SmallVector<Candidate> ArraySchedules::candidates(LookupGemmOp gemm, TargetAttr target) const {
  llvm::SmallVector<Candidate> result;
  Format format = gemm.getW().getType().getFormat().getFormat();
  // Class t8 rounds tables by groups of k, before they reach the machine; its weights have at most 4 planes,
  // and its programs take f16 scales and zero points; those of rows come in f32, whatever they were.
  if (!gemm.getLeft().getType().isExact() || format.row->bits > 4 || !format.hasTables() || format.minimums ||
      (format.group && format.scaleType != ScaleType::f16))
    return result;
  Layout layout = gemm.getLeft().getType().getTrits() ? Layout::trits : Layout::nibbles;
  for (int64_t warps : {1, 2, 4, 8})
    for (int64_t tokens = target.getArrayM(); tokens <= 64; tokens *= 2) {
      auto schedule =
          ScheduleFields{Strategy::lookup, layout, warps, tokens, /*tokenBlock=*/64, /*kBlock=*/0}.get(
              gemm.getContext());
      auto probe = cast<LookupGemmOp>(gemm->clone());
      probe.setScheduleAttr(schedule);
      Geometry g = getGeometry(probe, target);
      probe->erase();
      ArrayTile tile{g, tokens};
      int64_t bytes = tile.registers() * LMMA_REGISTER_BYTES * warps + tile.scratchpadBytes();
      if (tile.registers() <= target.getArrayRegisters() && bytes <= LUTC_LMMA_WORKSPACE)
        result.push_back({schedule, priceOf(g, target)});
    }
  return sorted(result, [](const Cost &cost) { return cost.total(); });
}
