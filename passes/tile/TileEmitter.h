// What tiling emits, by file: TileSource.cpp (norms and functions before activations), TilePrepare.cpp
// (activations), TileTables.cpp (their tables), TileSums.cpp and TileDots.cpp (integer sums of one group by
// lookups and by dot products), TileUnpack.cpp (codes to bytes), TileProduct.cpp (loops), TileScales.cpp
// (from sums to results), TileFinish.cpp (what follows results), TileConvert.cpp (their types) and Tile.cpp
// (functions, the pass).
#ifndef LUT_PASSES_TILE_TILEEMITTER_H
#define LUT_PASSES_TILE_TILEEMITTER_H

#include "passes/Geometry.h"
#include "passes/tile/Emitter.h"
#include <map>

namespace lut {

/// Where the prepared activations of a token lie, as lutc_prepared has it.
struct PreparedPlace {
  mlir::Value values, scales, sums, bytes;
};

/// What a lutc_finish_function is called with besides.
struct FinishedRows {
  mlir::Value results, stride, token, count, row, rows;
};

/// What a stage's functions are called with: `operands` and `stage` of runtime/kernel.h, and through them the
/// numbers of the product. Each is loaded once, where the function is entered.
class StageCall {
public:
  StageCall(Emitter &e, mlir::Value operands, mlir::Value stage);

  mlir::Value number(uint64_t lutc_shape::*field);
  /// Whether results are only stored, as f32: i1.
  mlir::Value plain();
  /// Of blocks that multiply unpacked codes, or of smaller ones.
  PreparedPlace prepared(bool unpacked);
  /// Operands by place: an entry of LUTC_STAGE_RESULT and so on.
  mlir::Value pointer(unsigned place);
  mlir::Value stride(unsigned place); // elements between tokens
  /// The token's activations, f32 [row_k].
  mlir::Value source(mlir::Value token);
  void finish(const FinishedRows &finished);

  const mlir::Value operands, stage;

private:
  mlir::Value load(mlir::Type type, mlir::Value base, size_t offset);
  mlir::Value shape();
  mlir::Value operandAt(unsigned place);

  Emitter &e;
  mlir::Operation *entry;                                             // what is loaded comes before it
  std::map<std::pair<const void *, size_t>, mlir::Value> loaded = {}; // by base and offset
  std::map<unsigned, mlir::Value> places = {};
};

/// Where rows lie in memory.
struct SourceRows {
  mlir::Value pointer, stride; // stride: i64 elements between tokens
};

/// Emits a lutc_source_function: what precedes the quantization of `token` in a stage.
mlir::Value emitSource(Emitter &e, StageOp stage, StageCall &call, mlir::Value token);

/// Lanes of a FollowsProduct op.
mlir::Value emitBinary(Emitter &e, mlir::Operation &op, mlir::Value x, mlir::Value other);
/// Emits a lutc_finish_function: all of them, and the type of results.
void emitFinish(Emitter &e, StageOp stage, StageCall &call, const FinishedRows &finished);

/// f32 lanes as lut.convert makes them; unchanged where `type` is f32.
mlir::Value emitConversion(Emitter &e, mlir::Value lanes, mlir::Type type);

/// Tiles [begin, end) of Y for m tokens.
struct TileRange {
  mlir::Value m, begin, end;
};
/// Emits their rows, from the stream.
void emitProduct(Emitter &e, const Body &g, StageCall &call, const TileRange &range);
/// Multiples of a span, which lie at `packed`, to bytes (GroupCursor::multiples).
void emitMultiples(Emitter &e, const Body &g, mlir::Value packed, mlir::Value bytes);

/// Codes of a step: those from byte `part` of each chunk on, in spans of `length` k; one where the row shares
/// a scale.
struct PackedCodes {
  mlir::Value stream, part, spans, length;
};
/// Emits rows of Y from codes that `unpack` emits the unpacking of; multiples go behind the room of codes.
/// `g` is their body.
void emitUnpackedProduct(Emitter &e, const Body &g, StageCall &call, const TileRange &range,
                         llvm::function_ref<void(const PackedCodes &from, mlir::Value codes)> unpack);

/// Emits the quantization, and the tables, of the token at `x`, f32 [row_k], to its place in the prepared
/// activations.
void emitPrepare(Emitter &e, const Body &g, StageCall &call, mlir::Value x, mlir::Value out);

/// Whether a block of m tokens multiplies unpacked codes.
mlir::Value emitUnpacks(Emitter &e, StageCall &call, mlir::Value m);

/// Emits it: from a body's stream, behind the multiples, to the steps of its unpacked one; and of multiples,
/// from the stream.
void emitUnpack(Emitter &e, const Body &stored, const Body &unpacked, StageCall &call,
                const PackedCodes &from, mlir::Value codes);
void emitUnpackMultiples(Emitter &e, const Body &g, StageCall &call, const PackedCodes &from,
                         mlir::Value multiples);

/// Bits of the largest sum of |x| over a unit of [k0, k0 + length): the magnitude of a unit's largest entry,
/// rounding included.
mlir::Value emitMaxUnitMagnitude(Emitter &e, const Body &g, mlir::Value x, mlir::Value k0,
                                 mlir::Value length);
/// Stores the tables of [k0, k0 + length) for the token at `x` whose prepared activations are at `out`, its
/// integers at `values`. Returns the sum of the all-ones entries in class t8, where bit planes need it.
mlir::Value emitTables(Emitter &e, const Body &g, mlir::Value x, mlir::Value out, mlir::Value values,
                       mlir::Value k0, mlir::Value length, mlir::Value inverse);

/// Where the integer sums of a group start.
struct GroupCursor {
  mlir::Value weights;              // pointer to the group in the packed stream
  Values prepared;                  // pointer to the prepared activations of each token of the tile
  Values values;                    // the same to its integers
  mlir::Value kOffset;              // i64: k of the group's first element within the prepared activations
  Values groupSums;                 // i32 per token: sum of activations (or of all-plus entries) of the group
  mlir::Value kLength;              // elements of k, padded to whole chunks
  int64_t firstQuad = 0, quads = 8; // of each chunk, in layout dot: those that belong to the group
  mlir::Value factor = {};          // i32, Body::sumFactor; null: 0
  mlir::Value tileBytes = {};       // from a tile to the next, of which all is prefetched; null: nothing is
  // With subgroups: pointers to the multiples, a byte each [subgroup][scale, minimum][row of the tile], and
  // pointers to each token's sum of the first subgroup, of Body::subgroupSumBytes.
  mlir::Value multiples = {};
  Values subgroupSums = {};
};

/// Exact i32 sums of a group, one vector of laneRows rows per (sum vector, token), token fastest; without
/// zero points' and negatives' corrections; with the multiples of subgroups and, of groups, the sum factor's.
Values emitSums(Emitter &e, const Body &g, const GroupCursor &cursor);

} // namespace lut

#endif
