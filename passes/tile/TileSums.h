// What the inner loops of both strategies share: TileSums.cpp (lookups) and TileDots.cpp (dot products).
#ifndef LUT_PASSES_TILE_TILESUMS_H
#define LUT_PASSES_TILE_TILESUMS_H

#include "passes/tile/TileEmitter.h"

namespace lut {

struct SumEmitter {
  Emitter &e;
  const Body &g;
  const GroupCursor &at;
  int64_t tokens = at.prepared.size();
  int64_t V = g.vectorBytes, R = g.stepVectors, stride = g.unpacked ? g.stepVectors : g.rowVectors;
  mlir::VectorType bytes = e.vec(V, e.i8()), words = e.vec(V / 2, e.i16()), lanes = e.vec(V / 4, e.i32());

  /// The constants of sums and what the sum of activations adds to them.
  Values initialSums();
  mlir::Value weightVector(mlir::Value pointer, int64_t index);
  /// For each token, its sums of activations of the subgroups times the multiples of scales or minimums, of
  /// sum vector s.
  Values multipliedSums(int64_t s, bool minimums);
  /// The multiples of sum vector s for subgroups `first` and `second`, side by side in a lane, i16.
  mlir::Value multiplePairs(mlir::Value first, mlir::Value second, int64_t s, bool minimums);
};

/// Layout dot: codes become integers that feed dot products.
Values emitDotSums(const SumEmitter &emitter);
/// Stores the integers of a chunk of layout dot, a byte each. tileBytes: as in GroupCursor.
void unpackChunk(Emitter &e, const Body &g, mlir::Value chunk, mlir::Value codes, mlir::Value tileBytes);
/// The same of layout book; the multiples of a span that lie beside its codes.
void unpackBookChunk(Emitter &e, const Body &g, mlir::Value chunk, mlir::Value codes);
void emitBookMultiples(Emitter &e, const Body &g, mlir::Value span, mlir::Value multiples);

} // namespace lut

#endif
