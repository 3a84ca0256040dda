// A program of a LUT-instruction machine: the fragments of a warp, and what a launch of it takes.
#ifndef LUT_PASSES_MACHINE_PROGRAMTILE_H
#define LUT_PASSES_MACHINE_PROGRAMTILE_H

#include "dialects/lmma/Lmma.h"
#include "passes/Geometry.h"
#include "passes/machine/BestTile.h"
#include "runtime/lmma/lmma.h"

namespace lut {

/// What the warps of a block of `tokens` tokens hold, in registers of 128 bytes; k advances by a chunk of the
/// stream.
struct ProgramTile {
  const Geometry &g;
  int64_t tokens;

  int64_t warps() const { return g.rowVectors; }
  int64_t rows() const { return g.tileRows / g.rowVectors; } // of a warp
  int64_t units() const { return g.chunkK / g.unit; }
  int64_t chunks() const { return g.shape.k_padded / g.chunkK; }
  int64_t blocks(int64_t m) const { return llvm::divideCeil(m, tokens) * int64_t(g.shape.tiles); }
  bool isGrouped() const { return !g.wholeRow(); }
  lmma::Element weights() const;
  /// Whether tables are made of int8 activations; those of class t8 come rounded, half tables of i8.
  bool makesTables() const { return g.tables.isExact(); }
  /// Whether every warp makes the tables of some tokens for all warps, through the scratchpad.
  bool sharesTables() const { return makesTables() && warps() > 1 && tokens % warps() == 0; }
  /// Tokens whose tables one warp makes.
  int64_t tableTokens() const { return sharesTables() ? tokens / warps() : tokens; }
  lmma::Element entry() const { return makesTables() ? lmma::Element::i16 : lmma::Element::i8; }
  /// Of a chunk, for `count` tokens.
  int64_t tableBytes(int64_t count) const {
    return count * units() * lmma::entriesOf(weights()) * lmma::bytesOf(entry());
  }
  /// Of a chunk of a token, as programs load it: activations or tables.
  int64_t valueBytes() const { return makesTables() ? g.chunkK : tableBytes(1); }
  int64_t scratchpadBytes() const { return sharesTables() ? tableBytes(tokens) : 0; }

  // First registers, in this order.
  int64_t activations() const { return 0; }
  int64_t ownTables() const;
  int64_t tables() const;
  int64_t codes() const;
  int64_t sums() const;
  int64_t results() const;
  int64_t steps() const;
  int64_t activationSums() const;
  int64_t scales() const;
  int64_t added() const; // zero points or minimums
  int64_t registers() const;

  lmma::Tile tile() const;
  /// Bytes of a row's scale, and of its zero point or minimum, of a group or of all its weights, as programs
  /// load them: those of rows are f32 and i32.
  int64_t scaleBytes() const { return isGrouped() ? g.format.scaleBytes() : 4; }
  int64_t addedBytes() const {
    return g.format.minimums ? g.format.minimumBytes() : !g.format.zeroPoints ? 0 : isGrouped() ? 1 : 4;
  }
  /// Bytes of the weights of a block, with their scales, zero points and minimums.
  int64_t tileBytes() const;
  /// Bytes of a token's steps, and sums where they are needed.
  int64_t tokenBytes() const { return int64_t(g.shape.groups) * (g.doubled() ? 8 : 4); }
  /// What a launch for m tokens counts, without epilogues.
  lmma_counters counts(int64_t m) const;
  /// What `machine` takes for m tokens. The error says why it cannot run the program.
  llvm::Expected<lmma::Estimate> estimate(const lmma::Machine &machine, int64_t m) const;
};

/// The machine with what programs have: exact tables of int8 activations, and 32-bit sums.
lmma::Machine withExactTables(lmma::Machine machine);
/// Tokens of a block of the programs of a product, fewest first: a call runs the last whose block it fills.
llvm::SmallVector<int64_t> blockTokens(const Geometry &g, const lmma::Machine &machine);
/// The program that a call of m tokens runs (lutc_lmma_run_stage).
ProgramTile programFor(const Geometry &g, const lmma::Machine &machine, int64_t m);

} // namespace lut

#endif
