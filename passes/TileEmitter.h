// What tiling emits for one stage, by file: TileSource.cpp (norms and functions before activations),
// TilePrepare.cpp (activations), TileTables.cpp (their tables), TileSums.cpp and TileDots.cpp (integer sums
// of one group by lookups and by dot products), TileUnpack.cpp (codes to bytes), TileProduct.cpp
// (loops), TileScales.cpp (from sums to results), TileConvert.cpp (types of results) and Tile.cpp (functions,
// the pass).
#ifndef LUT_PASSES_TILEEMITTER_H
#define LUT_PASSES_TILEEMITTER_H

#include "passes/Emitter.h"
#include "passes/Geometry.h"

namespace lut {

/// Where rows lie in memory.
struct SourceRows {
  mlir::Value pointer, stride; // stride: i64 elements between tokens; null: one vector for all
  int64_t elementBytes = 4;
};

/// Emits what precedes the quantization of token `token` in a stage whose inputs lie at `inputs`. Returns the
/// pointer to the token's activations: a row of an input, or `buffer`, where they have been computed.
mlir::Value emitSource(Emitter &e, StageOp stage, llvm::ArrayRef<SourceRows> inputs, mlir::Value token,
                       mlir::Value buffer);

/// An addition or scaling of the results of a product, in registers.
struct Epilogue {
  bool adds;
  SourceRows other;
  bool one; // a single element for all rows
};

/// What a product reads and writes.
struct ProductOperands {
  mlir::Value prepared, m, packed, tileBegin, tileEnd;
  SourceRows y, carried; // results; sums between k blocks
  llvm::SmallVector<Epilogue> epilogues = {};
  mlir::Type result = {}; // element type of Y
};

/// Emits rows of tiles [tileBegin, tileEnd) of Y for m tokens.
void emitProduct(Emitter &e, const Geometry &g, const ProductOperands &operands);

/// f32 lanes as lut.convert makes them; unchanged where `type` is f32.
mlir::Value emitConversion(Emitter &e, mlir::Value lanes, mlir::Type type);

/// Emits the quantization, and the tables, of the token at `x` to its place in the prepared activations.
void emitPrepare(Emitter &e, const Geometry &g, mlir::Value x, mlir::Value out);

/// Whether a block of m tokens multiplies unpacked codes.
mlir::Value emitUnpacks(Emitter &e, const Geometry &g, mlir::Value m);

/// Emits the unpacking of a step's codes in [0, kLength) of a k block, which lie at `stream`, to `codes`.
void emitUnpack(Emitter &e, const Geometry &g, mlir::Value stream, int64_t kLength, mlir::Value codes);

/// Bits of the largest sum of |x| over a unit of [k0, k0 + length): the magnitude of a unit's largest entry,
/// rounding included.
mlir::Value emitMaxUnitMagnitude(Emitter &e, const Geometry &g, mlir::Value x, mlir::Value k0,
                                 int64_t length);
/// Stores the tables of [k0, k0 + padded), of which `length` elements exist, for the token at `x` whose
/// prepared activations are at `out`. Returns the sum of the all-ones entries in class t8, where bit planes
/// need it.
mlir::Value emitTables(Emitter &e, const Geometry &g, mlir::Value x, mlir::Value out, mlir::Value k0,
                       int64_t length, int64_t padded, mlir::Value inverse);

/// Where the integer sums of a group start.
struct GroupCursor {
  mlir::Value weights;              // pointer to the group in the packed stream
  Values prepared;                  // pointer to the prepared activations of each token of the tile
  mlir::Value kOffset;              // i64: k of the group's first element within the prepared activations
  Values groupSums;                 // i32 per token: sum of activations (or of all-plus entries) of the group
  int64_t kLength = 0;              // elements of k, padded to whole chunks
  int64_t firstQuad = 0, quads = 8; // of each chunk, in layout dot: those that belong to the group
  // With subgroups: pointers to the multiples behind the first chunk, and to each token's sum of the first
  // subgroup.
  mlir::Value multiples = {};
  Values subgroupSums = {};
};

/// The factor of the sum of activations in a sum of codes: the code book's offset, or -z' (LUT Tensor Core
/// eq. 2).
int64_t sumFactor(const Geometry &g);

/// Exact i32 sums of a group, one vector of laneRows rows per (sum vector, token), token fastest; without
/// zero points' and negatives' corrections; with the sum factor's, unless a row has several k blocks, and the
/// multiples of subgroups.
Values emitSums(Emitter &e, const Geometry &g, const GroupCursor &cursor);

} // namespace lut

#endif
