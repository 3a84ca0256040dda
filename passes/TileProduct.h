// One product as tiling emits it: TileProduct.cpp (loops, sums between k blocks, Y) and TileScales.cpp (from
// integer sums to results).
#ifndef LUT_PASSES_TILEPRODUCT_H
#define LUT_PASSES_TILEPRODUCT_H

#include "passes/TileEmitter.h"

namespace lut {

/// Rows are counted in steps: tiles, or equal parts of them.
struct ComputeEmitter : ProductOperands {
  Emitter &e;
  Geometry g; // its steps change with the number of tokens at a time
  mlir::VectorType floats = e.vec(g.laneRows, e.f32()), ints = e.vec(g.laneRows, e.i32());

  void run();
  void runUnpacked(Geometry stored);
  void unpackedBlocks(const Geometry &stored, mlir::Value codes, mlir::Value step, mlir::Value first,
                      int64_t blocks, bool last);
  void tilesOfBlock(mlir::Value block, int64_t kLength, bool last);
  void tokenTiles(llvm::function_ref<void(mlir::Value token, int64_t count)> body);
  void eachTile(llvm::function_ref<void(mlir::Value tile)> body);
  void eachToken(llvm::function_ref<void(mlir::Value token)> body);
  void clear(mlir::Value step);
  mlir::Value enterStep(mlir::Value step);

  mlir::Value streamOf(mlir::Value block, mlir::Value tile, int64_t kLength);
  void step(mlir::Value step, mlir::Value block, int64_t kLength, bool last, mlir::Value token,
            int64_t count);
  Values groupedSums(mlir::Value stream, const Values &tokens, mlir::Value block, int64_t kLength,
                     Values results);
  Values span(mlir::Value stream, mlir::Value codes, const Values &tokens, mlir::Value index, int64_t kLength,
              Values results);
  Values group(const GroupCursor &at, mlir::Value scales, mlir::Value index, Values results);
  Values wholeRow(mlir::Value step, const Values &tokens, Values sums);

  GroupCursor cursor(mlir::Value weights, const Values &tokens, mlir::Value index, mlir::Value kOffset,
                     int64_t kLength);
  Values tokenPointers(mlir::Value token, int64_t count);
  mlir::Value codesAt(mlir::Value stream, mlir::Value index);
  mlir::Value partOf(mlir::Value pointer, int64_t stepBytes);
  mlir::Value tail(int64_t offset, mlir::Value step, int64_t sumVector, mlir::Type type);
  mlir::Value scaled(mlir::Value sum, mlir::Value activationScale, mlir::Value weightScale);
  mlir::Value correctZero(mlir::Value sum, mlir::Value zeroPoints, mlir::Value groupSum);
  mlir::Value weightScale(mlir::Value scales, int64_t s);
  mlir::Value perInteger(mlir::Value scale);
  Values multipliedSums(const GroupCursor &at, int64_t s);
  mlir::Value powerOfTwo(mlir::Value bytes);
  mlir::Value widen(mlir::Value pointer);

  struct RowPlace {
    mlir::Value pointer, exists; // exists: mask of the rows below n; null where all are
  };
  RowPlace place(SourceRows rows, mlir::Value step, mlir::Value token, int64_t sumVector);
  mlir::Value loadRows(SourceRows rows, mlir::Value step, mlir::Value token, int64_t sumVector,
                       mlir::VectorType type);
  void finish(mlir::Value step, mlir::Value token, Values results);
  Values loadCarried(mlir::Value step, mlir::Value token, int64_t count, mlir::VectorType type);
  void store(SourceRows rows, mlir::Value step, mlir::Value token, const Values &results);

  mlir::Value part = {};     // of the tile that the current step is; null: all of it
  mlir::Value unpacked = {}; // codes of the current tile and k block; null: they are in the stream
};

} // namespace lut

#endif
