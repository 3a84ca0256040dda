#include "passes/machine/ProgramTile.h"
#include "runtime/lmma/lmma.h"

using namespace mlir;
using namespace lut;

static int64_t registersOf(int64_t bytes) {
  return roundUp(bytes, LMMA_REGISTER_BYTES) / LMMA_REGISTER_BYTES;
}

lmma::Element ProgramTile::weights() const {
  return g.layout == Layout::trits ? lmma::Element::t3 : lmma::planesOf(g.format.row->bits);
}

int64_t ProgramTile::ownTables() const {
  return activations() + (makesTables() ? registersOf(tableTokens() * g.chunkK) : 0);
}
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
int64_t ProgramTile::added() const { return scales() + registersOf(rows() * 4); }
int64_t ProgramTile::registers() const { return added() + registersOf(rows() * addedBytes()); }

int64_t ProgramTile::tileBytes() const {
  return chunks() * g.chunkBytes + int64_t(g.shape.groups) * g.tileRows * (scaleBytes() + addedBytes());
}

lmma::Tile ProgramTile::tile() const {
  return {tokens, g.tileRows, g.chunkK, tokens, rows(), /*stages=*/0, registers(), sharesTables()};
}

//===----------------------------------------------------------------------===//
// Counts
//===----------------------------------------------------------------------===//

/// Of a warp: what it runs once, for every group and for every chunk (ConvertToLmma.cpp); a body that runs
/// once is no loop, and has no end.
static int64_t instructionsOf(const ProgramTile &tile) {
  const Geometry &g = tile.g;
  int64_t groups = g.shape.groups, ofGroup = tile.chunks() / groups;
  int64_t zeros = g.format.zeroPoints, minimums = g.format.minimums, added = zeros + minimums;
  auto looped = [](int64_t rounds, int64_t body) { return rounds == 1 ? body : 1 + rounds * (body + 1); };
  int64_t chunk = tile.sharesTables() ? 10 : tile.makesTables() ? 6 : 5;
  int64_t scale = 3 + (g.doubled() ? 2 + zeros : 0) + 2 * minimums;
  int64_t advances = tile.isGrouped() ? 3 + added : 1;
  int64_t group = 1 + looped(ofGroup, chunk) + scale + advances;
  int64_t places = 9 + (tile.isGrouped() ? 1 + added : 0);
  return places + 1 + looped(groups, group) + 2;
}

/// Bytes of the fragments that the instructions of a warp name.
static int64_t fragmentBytesOf(const ProgramTile &tile) {
  const Geometry &g = tile.g;
  int64_t tokens = tile.tokens, rows = tile.rows(), results = tokens * rows * 4, sums = results;
  int64_t cleared = LMMA_REGISTER_BYTES * (tile.results() - tile.sums());
  int64_t own = tile.tableBytes(tile.tableTokens()), tables = tile.tableBytes(tokens);
  int64_t values = tile.tableTokens() * tile.valueBytes(),
          codes = lmma::weightBytes(tile.weights(), rows, g.chunkK);
  int64_t load = codes + values, table = tile.makesTables() ? values + own : 0,
          share = tile.sharesTables() ? own + tables : 0;
  int64_t chunk = load + table + share + (tables + codes + 2 * sums);
  int64_t scales = rows * tile.scaleBytes(), added = rows * tile.addedBytes(), steps = tokens * 4;
  int64_t zeros = g.format.zeroPoints ? added : 0, minimums = added - zeros;
  int64_t correct = g.doubled() ? (steps + zeros) + (sums + steps + zeros) : 0;
  int64_t scale = (steps + scales) + (results + sums + steps + scales);
  int64_t shift = g.format.minimums ? minimums + (results + 2 * steps + minimums) : 0;
  return cleared + results + int64_t(g.shape.groups) * (cleared + correct + scale + shift) +
         tile.chunks() * chunk;
}

lmma_counters ProgramTile::counts(int64_t m) const {
  bool trits = weights() == lmma::Element::t3;
  int64_t warpsOfAll = blocks(m) * warps(), chunksOfAll = warpsOfAll * chunks(),
          planes = lmma::planesOf(weights());
  int64_t tables = makesTables() ? chunksOfAll * tableTokens() * units() : 0, columns = g.shape.tiles;
  int64_t values = chunks() * valueBytes() * (sharesTables() ? 1 : warps());
  lmma_counters counts = {};
  counts.instructions = warpsOfAll * instructionsOf(*this);
  counts.lookups = chunksOfAll * tokens * rows() * units() * planes;
  counts.array_cycles =
      chunksOfAll * llvm::divideCeil(tokens, 2) * llvm::divideCeil(rows(), 64) * units() * planes;
  counts.table_entries = tables * lmma::entriesOf(weights());
  counts.table_additions = tables * (trits ? 10 : 12);
  counts.memory_read = columns * m * (values + warps() * tokenBytes()) + blocks(m) * tileBytes();
  counts.memory_written = m * g.n * 4;
  counts.scratchpad_written = sharesTables() ? chunksOfAll * tableBytes(tableTokens()) : 0;
  counts.scratchpad_read = sharesTables() ? chunksOfAll * tableBytes(tokens) : 0;
  counts.registers = warpsOfAll * fragmentBytesOf(*this);
  counts.barriers = sharesTables() ? blocks(m) * chunks() * 2 : 0;
  return counts;
}

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

lmma::Machine lut::withExactTables(lmma::Machine machine) {
  machine.array.entry = lmma::Number::i16;
  machine.sums = lmma::Number::i32;
  return machine;
}

llvm::Expected<lmma::Estimate> ProgramTile::estimate(const lmma::Machine &machine, int64_t m) const {
  lmma::Machine programmed = withExactTables(machine);
  programmed.array.entry = makesTables() ? lmma::Number::i16 : lmma::Number::i8;
  bool trits = weights() == lmma::Element::t3;
  programmed.array.k = g.unit;
  programmed.array.weights = {trits ? 2 : lmma::planesOf(weights()), trits};
  lmma::Gemm gemm{m, g.n, int64_t(g.shape.k_padded), programmed.array.weights};
  gemm.outputBytes = 4;
  gemm.weightBytes = g.shape.tiles * tileBytes();
  gemm.tokenBytes = tokenBytes();
  llvm::Expected<lmma::Estimate> found =
      lmma::estimate(programmed, gemm, tile(), lmma::Mode::full,
                     makesTables() ? lmma::Precompute::block : lmma::Precompute::fused);
  if (!found)
    return found;
  found->idealCycles *= double(g.k) / gemm.k;
  found->registersRead = counts(m).registers;
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
