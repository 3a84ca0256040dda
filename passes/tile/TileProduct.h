// One product as tiling emits it: TileProduct.cpp (loops, sums between k blocks, Y) and TileScales.cpp (from
// integer sums to results).
#ifndef LUT_PASSES_TILE_TILEPRODUCT_H
#define LUT_PASSES_TILE_TILEPRODUCT_H

#include "passes/tile/TileEmitter.h"

namespace lut {

/// A part of k for which products are summed before sums are stored.
struct KRange {
  mlir::Value block, kOffset, kLength, tileBytes; // tileBytes: of its k block
  mlir::Value firstSpan, spans;                   // of groups; one where the row shares a scale
  mlir::Value isFirst, isLast;
};

/// Tiles whose k blocks lie together: the first, where their stream begins, how far their k blocks are apart.
struct Panel {
  mlir::Value first, stream, blockBytes;
};

/// Tokens at a time, and where their prepared activations lie.
struct TokenTile {
  mlir::Value first;
  Values prepared, values, scales, sums;
  int64_t count() const { return prepared.size(); }
};

/// What lies in memory of the stack.
struct StepMemory {
  SourceRows carried = {};    // sums between k blocks
  mlir::Value finished = {};  // results that something follows
  mlir::Value multiples = {}; // those of a span, or of all spans of what has been unpacked
  mlir::Value unpacked = {};  // codes of the current tile and k block; null: they are in the stream
};

/// Rows are counted in steps: tiles, or equal parts of them.
struct ComputeEmitter {
  Emitter &e;
  const Body &g;
  StageCall &call;
  TileRange range;
  Panel panel; // that the tiles of the range are in
  StepMemory memory;
  mlir::VectorType floats = e.vec(g.laneRows, e.f32()), ints = e.vec(g.laneRows, e.i32());
  PreparedPlace place = call.prepared(g.unpacked);

  void run();
  void runUnpacked(llvm::function_ref<void(const PackedCodes &from, mlir::Value codes)> unpack);
  KRange rangeOf(mlir::Value index, mlir::Value blocks);
  void tilesOfBlock(const KRange &k);
  /// `tile` has the steps of so many tokens at a time.
  void tokenTiles(llvm::function_ref<void(ComputeEmitter &tile, mlir::Value token, int64_t count)> body);
  mlir::Value enterStep(mlir::Value step);

  mlir::Value streamOf(const KRange &k, mlir::Value tile);
  void step(mlir::Value step, const KRange &k, mlir::Value token, int64_t count);
  Values groupedSums(mlir::Value stream, const TokenTile &tokens, const KRange &k, Values results);
  Values span(mlir::Value stream, mlir::Value codes, mlir::Value multiples, const TokenTile &tokens,
              mlir::Value index, Values results);
  Values group(const GroupCursor &at, mlir::Value scales, const TokenTile &tokens, mlir::Value index,
               Values results);
  Values wholeRow(mlir::Value step, const TokenTile &tokens, Values sums);

  GroupCursor cursor(mlir::Value weights, const TokenTile &tokens, mlir::Value index, mlir::Value kOffset,
                     mlir::Value kLength);
  TokenTile tokenTile(mlir::Value token, int64_t count);
  mlir::Value codesAt(mlir::Value stream, mlir::Value index);
  mlir::Value multiplesAt(mlir::Value stream, mlir::Value index);
  mlir::Value partOf(mlir::Value pointer, int64_t stepBytes);
  /// A number of the stream: `constant` where code depends on it.
  mlir::Value streamNumber(uint64_t lutc_shape::*field, int64_t constant);
  mlir::Value spanLength(); // elements of k
  mlir::Value factor();     // Body::sumFactor as i32; null: 0
  mlir::Value tail(mlir::Value offset, mlir::Value step, int64_t sumVector, mlir::Type type);
  mlir::Value scaled(mlir::Value sum, mlir::Value activationScale, mlir::Value weightScale);
  mlir::Value correctZero(mlir::Value sum, mlir::Value zeroPoints, mlir::Value groupSum);
  mlir::Value weightScale(mlir::Value scales, int64_t s);
  mlir::Value perInteger(mlir::Value scale);
  mlir::Value widen(mlir::Value pointer);

  mlir::Value carriedAt(mlir::Value step, mlir::Value token, int64_t sumVector);
  Values carriedSums(const KRange &k, mlir::Value step, const TokenTile &tokens, mlir::VectorType type);
  void put(mlir::Value step, mlir::Value token, const Values &values, mlir::Value isResult);
  void end(const KRange &k, mlir::Value step, mlir::Value token, const Values &sums,
           llvm::function_ref<Values()> results);

  mlir::Value tileBytes = {}; // GroupCursor::tileBytes of the current step
  mlir::Value part = {};      // of the tile that the current step is; null: all of it
};

} // namespace lut

#endif
