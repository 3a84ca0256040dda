// A scheduled product: what its code depends on, and its numbers, which runtime/shape.h gives to the runtime
// as well. The single place where passes, code generation and (through lutc_layout) the packer agree on
// bytes.
#ifndef LUT_PASSES_GEOMETRY_H
#define LUT_PASSES_GEOMETRY_H

#include "dialects/lut/Lut.h"
#include "runtime/shape.h"

namespace lut {

/// ceil(a / b) * b
inline int64_t roundUp(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

/// Rows of f32 that a stage computes start at a cache line.
inline int64_t rowBytes(int64_t elements) { return roundUp(elements * 4, 64); }

/// Whether two products of unsigned codes and activations may overflow 16 bits.
inline bool overflowsPairs(const Format &format) {
  return format.row->largestValue() - format.row->offset > 128;
}
/// How many quads of products with codes up to `largest` 16 bits hold the sums of pairs of.
inline int64_t heldQuads(int64_t largest) { return INT16_MAX / (2 * 127 * largest); }

/// What the code of a scheduled product depends on: nothing of n and k. Nothing changes it while code is
/// emitted.
struct Body {
  Format format;
  Numerics numerics = Numerics::a8;
  Strategy strategy = Strategy::dot;
  Layout layout = Layout::dot;
  ScheduleAttr schedule;
  TablesType tables; // null for the dot strategy

  // Vectors and tiles: `laneRows` rows have one i32 lane each in a vector of sums.
  int64_t vectorBytes = 0, laneRows = 0, rowVectors = 0, tileRows = 0;
  bool permutes = false; // whether the target has byte permutes
  DotKind dot = DotKind::none;
  int64_t stepVectors = 0; // row vectors that are summed at a time: all of the tile, or a part of it
  int64_t stepTokens = 0;  // most tokens that are summed at a time; 0: codes are always unpacked
  int64_t registers = 0;   // of the target
  // Sums that have to be independent for products to overlap: 8 where one takes 4 or 5 cycles and two start
  // in each.
  int64_t independentSums = 1;

  // Along k. A chunk is what one step of the stream covers; the unit is g, the k of one table. A span is
  // whole chunks with the scales behind them: a group, or two groups of half a chunk; 0: the whole row. k is
  // padded to a multiple of `padding`.
  int64_t chunkK = 0, unit = 0, span = 0, padding = 0;

  // The packed stream, in bytes: of one chunk of a tile, of a span with its multiples and scales.
  int64_t planes =
      0; // vectors of a chunk for each row vector: bits of a code, but one for base3; of book quarters
  int64_t chunkBytes = 0, spanBytes = 0;
  int64_t valueBytes = 0; // of a prepared integer

  // Whether the codes of a step have been unpacked to bytes: [k / 4][row vector][row][4], V bytes for each
  // row vector of 4 k. `codeStride` is from chunk to chunk, in the stream too; code has room for `unpackK`
  // of k, and takes `unpackAtATime`.
  bool unpacked = false;
  int64_t codeStride = 0, unpackK = 0, unpackAtATime = 0;

  /// Whether tables are made in the registers of a LUT-instruction machine.
  bool inArray() const { return factsOf(layout).isOfFragments(); }
  /// Bytes of a subgroup's sum of activations: two together are factors of pairs, where there are minimums or
  /// where products are pairs.
  int64_t subgroupSumBytes() const { return format.minimums || dot == DotKind::pairs ? 2 : 4; }
  bool wholeRow() const { return format.group == 0; }
  /// Whether one code serves groups of this many k and more: their lengths are numbers (lutc_shape::span).
  bool hasOpenGroup() const { return format.group >= 64 && !format.subgroup && !inArray(); }
  /// Whether what the stream has besides codes lies where numbers say, as code serves other formats, too.
  bool hasOpenStream() const { return unpacked || hasOpenGroup(); }
  /// What the sum of activations is multiplied by in a sum of codes: what they stand for less than, or -z'
  /// (LUT Tensor Core eq. 2).
  int64_t sumFactor() const;
  /// The most that an integer of layout dot is, less the smallest; or, signed, its magnitude. Of unpacked
  /// ones the least of 15, 31, 63 and 128 that holds them, which is what decides how many products 16 bits
  /// can add.
  int64_t largestCode() const;
  /// Whether codes are signed in products, as pairs of greater ones overflow 16 bits.
  bool signedCodes() const { return dot == DotKind::pairs && overflowsPairs(format); }
  int64_t chunkQuads() const { return chunkK / 4; }
  /// The k block where code has it as a constant: tables of base 3 are summed in runs that divide it.
  int64_t constantKBlock() const {
    return tables && tables.getTrits() && !inArray() ? schedule.getKBlock() : 0;
  }

  /// Whether lookups sum 2 * code * x: planes are -1/+1 where codes are 0/1 (LUT Tensor Core eq. 2).
  bool doubled() const {
    return strategy == Strategy::lookup && !format.row->trits &&
           (format.row->step == 1 || format.hasPlainCodes());
  }
  /// The same in steps of so many row vectors.
  Body inSteps(int64_t vectors) const {
    Body body = *this;
    body.stepVectors = vectors;
    return body;
  }
  /// The same for tiles of so many tokens.
  Body forTokens(int64_t tokens) const {
    int64_t batch = schedule.getBatchRowVectors();
    return unpacked ? *this : inSteps(tokens > 1 && batch ? batch : rowVectors);
  }
  /// Whether a step of several tokens prefetches the next tile, as its own is read in parts, again and again,
  /// which ends the stream: on Zen 4 8 tokens took from 1700 us to 1320, in 4096 x 4096 of w4g32 by AVX2.
  bool prefetchesTiles() const { return dot == DotKind::pairs; }
  int64_t steps() const { return rowVectors / stepVectors; }
  int64_t stepRows() const { return tileRows / steps(); }
  /// Rows of a step of several tokens.
  int64_t batchRows() const {
    int64_t batch = schedule.getBatchRowVectors();
    return batch && stepTokens > 1 ? tileRows / rowVectors * batch : tileRows;
  }
  /// i32 sum vectors of a step for one token.
  int64_t sumVectors() const { return stepRows() / laneRows; }
  /// Bytes of the scale, zero point and minimum of a row.
  int64_t rowScaleBytes() const {
    return format.scaleBytes() + (format.zeroPoints ? 1 : 0) + format.minimumBytes();
  }
  /// Multiples of a tile and subgroup: of scales, and of minimums.
  int64_t subgroupMultiples() const { return (format.minimums ? 2 : 1) * tileRows; }
  /// Of a tile and span, where weights have subgroups; else 0.
  int64_t spanMultiples() const { return format.subgroup ? span / format.subgroup * subgroupMultiples() : 0; }
  /// Of what is unpacked.
  int64_t unpackMultiples() const { return format.subgroup ? unpackK / span * spanMultiples() : 0; }
  int64_t spanMultipleBytes() const {
    return format.multiplesAreInside() ? 0 : spanMultiples() * format.multipleBits() / 8;
  }
  /// Groups of a span.
  int64_t spanGroups() const { return span / format.group; }
  int64_t digits() const { return tables ? tables.getDigits() : 0; }
  int64_t radix() const { return tables ? tables.getRadix() : 0; }
  /// Tables that one vector of the stream indexes side by side.
  int64_t tablesPerVector() const { return layout == Layout::quad ? 4 : 1; }
  /// Bytes from the start of prepared activations to digit `digit` of table `u` of unit-aligned k.
  int64_t tableOffset(int64_t u, int64_t digit) const;
  /// Whether products of unpacked codes read integers in the order of the codes, not tables.
  bool reorders() const { return layout == Layout::base3 && schedule.getUnpackTokens() != 0; }
  /// Bits of a code in layout dot: `width` of them, the lowest of weight 2^weight, at `position` of each byte
  /// of vector `vector` of a chunk.
  struct Field {
    int64_t vector, position, width, weight;
  };
  /// What the codes of `quad` consist of, highest bits first (the bits are in runtime/kernel.h).
  llvm::SmallVector<Field> fieldsOf(int64_t quad) const;

  /// As code and descriptors call it: equal names, equal code. "a8_w4g_dot_2x4b2u1024t128"
  std::string productName() const;
  /// The same of the code that unpacks codes (TileUnpack.cpp), "w4_dot_4x2", and of that which unpacks
  /// multiples as well, "w4_dot_4x2k32u1024".
  std::string unpackName() const;
  std::string unpackMultiplesName() const;
  /// The same of the code that multiplies what has been unpacked, by whatever bits. Of an unpacked body.
  std::string unpackedName() const;
  /// The same of the code that prepares activations: equal names, equal prepared bytes.
  std::string prepareName() const;
  lutc_body contract() const;
};

/// A product: its body, and the numbers that n and k give it.
struct Geometry : Body {
  int64_t n = 0, k = 0;
  lutc_shape shape = {};

  /// Elements of k that share a scale of activations and are summed in integers.
  int64_t sumLength() const { return wholeRow() ? shape.k_padded : format.group; }
  /// Whether two products of one activation read the same prepared bytes.
  bool sharesPrepared(const Geometry &other) const;
};

/// The longest row whose sums fit 32 bits, 0: any (CheckAccumulators.cpp).
int64_t longestRow(const Body &body);

/// What layout quad multiplies lookups of the highest bit plane and digit by, in one byte.
inline int64_t largestMultiplier(const Format &format, TablesType tables) {
  return (int64_t(1) << (format.row->bits - 1)) * std::max<int64_t>(1, tables.getRadix());
}

/// The geometry of a lut.lookup_gemm or lut.dot_gemm that has a schedule.
Geometry getGeometry(mlir::Operation *gemm, TargetAttr target);
/// The same code for codes that have been unpacked.
Body unpackedBody(Body body);

/// What is summed at a time of unpacked codes, which need no registers: sums take half of them. A row vector
/// of layout base3 is four of layout dot. Without byte products, tokens would share next to nothing.
struct UnpackedStep {
  int64_t rowVectors, tokens;
  UnpackedStep(Layout layout, DotKind dot, int64_t rowVectors, int64_t registers)
      : rowVectors(layout == Layout::base3 ? 4 : std::min<int64_t>(rowVectors, registers / 8)),
        tokens(dot == DotKind::none ? 1 : std::min<int64_t>(8, registers / 2 / this->rowVectors)) {}
};

/// The target attached to the module around `op`; emits an error where there is none.
TargetAttr getTarget(mlir::Operation *op);
/// The same; null where there is none.
TargetAttr findTarget(mlir::Operation *op);

} // namespace lut

#endif
