#include "passes/machine/ProgramTile.h"
#include "runtime/lmma/lmma.h"

using namespace mlir;
using namespace lut;

static int64_t registersOf(int64_t bytes) {
  return roundUp(bytes, LMMA_REGISTER_BYTES) / LMMA_REGISTER_BYTES;
}

lmma::Element ProgramTile::weights() const {
  return g.layout == Layout::trits ? lmma::Element::t3 : lmma::Element(g.format.row->bits);
}

int64_t ProgramTile::ownTables() const { return activations() + registersOf(tableTokens() * g.chunkK); }
int64_t ProgramTile::tables() const {
  return ownTables() + (sharesTables() ? registersOf(tableBytes(tableTokens())) : 0);
}
int64_t ProgramTile::codes() const { return tables() + registersOf(tableBytes(tokens)); }
int64_t ProgramTile::sums() const {
  return codes() + registersOf(lmma::weightBytes(weights(), rows(), g.chunkK));
}
int64_t ProgramTile::results() const { return sums() + registersOf(tokens * rows() * 4); }
int64_t ProgramTile::steps() const { return results() + registersOf(tokens * rows() * 4); }
int64_t ProgramTile::activationSums() const { return steps() + registersOf(tokens * 4); }
int64_t ProgramTile::scales() const { return activationSums() + registersOf(tokens * 4); }
int64_t ProgramTile::zeroPoints() const { return scales() + registersOf(rows() * 4); }
int64_t ProgramTile::registers() const {
  return zeroPoints() + (g.format.zeroPoints ? registersOf(rows() * 4) : 0);
}

int64_t ProgramTile::tileBytes() const {
  int64_t codes = g.shape.k_padded / g.chunkK * g.chunkBytes;
  int64_t scale = g.wholeRow() ? 4 : g.format.scaleBytes(), zero = g.wholeRow() ? 4 : 1;
  return codes + g.shape.groups * g.tileRows * (scale + (g.format.zeroPoints ? zero : 0));
}

lmma::Tile ProgramTile::tile() const {
  return {tokens, g.tileRows, g.chunkK, tokens, rows(), /*stages=*/0, registers(), sharesTables()};
}

lmma::Machine lut::withExactTables(lmma::Machine machine) {
  machine.array.entry = lmma::Number::i16;
  machine.sums = lmma::Number::i32;
  return machine;
}

llvm::Expected<lmma::Estimate> ProgramTile::estimate(const lmma::Machine &machine, int64_t m) const {
  lmma::Machine programmed = withExactTables(machine);
  bool trits = weights() == lmma::Element::t3;
  programmed.array.k = g.unit;
  programmed.array.weights = {trits ? 2 : lmma::planesOf(weights()), trits};
  lmma::Gemm gemm{m, g.n, int64_t(g.shape.k_padded), programmed.array.weights};
  gemm.outputBytes = 4;
  gemm.weightBytes = g.shape.tiles * tileBytes();
  gemm.tokenBytes = g.shape.groups * (g.doubled() ? 8 : 4);
  llvm::Expected<lmma::Estimate> found =
      lmma::estimate(programmed, gemm, tile(), lmma::Mode::full, lmma::Precompute::block);
  if (found)
    found->idealCycles *= double(g.k) / gemm.k;
  return found;
}

llvm::SmallVector<int64_t> lut::blockTokens(const Geometry &g, const lmma::Machine &machine) {
  llvm::SmallVector<int64_t> all = {machine.array.m};
  if (g.schedule.getTokens() != machine.array.m)
    all.push_back(g.schedule.getTokens());
  return all;
}

ProgramTile lut::programFor(const Geometry &g, const lmma::Machine &machine, int64_t m) {
  llvm::SmallVector<int64_t> all = blockTokens(g, machine);
  return {g, all.back() <= m ? all.back() : all.front()};
}
