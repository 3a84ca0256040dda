// What the tables of bit planes (TileTables.cpp) and of trits (TileTrits.cpp) have in common.
#ifndef LUT_PASSES_TILE_TILETABLES_H
#define LUT_PASSES_TILE_TILETABLES_H

#include "passes/tile/TileEmitter.h"

namespace lut {

struct TableEmitter {
  Emitter &e;
  const Body &g;
  mlir::Value x, out, values; // of one token: activations, prepared activations, their integers
  int64_t W = g.laneRows;
  /// Makes high digits positive: 64 * radix > 127 * unit.
  static constexpr int64_t positiveDigits = 64;

  /// Where the tables of the unit at k start.
  mlir::Value pointerOf(mlir::Value k);
  /// The integer at k as i16.
  mlir::Value valueAt(mlir::Value k);
  /// Both digits of sums of int8 values: hi = floor(T / radix), lo = T mod radix - radix / 2.
  std::pair<mlir::Value, mlir::Value> digitsOf(mlir::Value sum);
  /// Byte i of every lane is the low byte of that lane of `lanes[i]`.
  mlir::Value joinBytes(mlir::ArrayRef<mlir::Value> lanes);
  mlir::Value shuffle(mlir::Value a, mlir::Value c, mlir::ArrayRef<int64_t> indices) {
    return mlir::vector::ShuffleOp::create(e.b, e.loc, a, c, indices);
  }
  /// 16-bit sums of single lookups are unsigned: their entries are stored 128 higher.
  mlir::Value biased(mlir::Value bytes) {
    return g.schedule.getRun() == 1 ? e.bitXor(bytes, e.constant(bytes.getType(), 0x80)) : bytes;
  }
};

/// Stores the table of five trits at k, from the integers of the token.
void emitTritTable(const TableEmitter &tables, mlir::Value k);

} // namespace lut

#endif
