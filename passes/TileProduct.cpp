// The loops of a product over k blocks, tiles and tokens, and the rows of Y.
#include "passes/TileProduct.h"

using namespace mlir;
using namespace lut;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// What is carried between k blocks: f32 where weights have groups, else i32 sums that are scaled at the end.
void ComputeEmitter::run() {
  if (g.kBlocks == 1)
    return tilesOfBlock(e.index(0), g.kPadded, /*last=*/true);
  int64_t lastLength = g.kPadded - (g.kBlocks - 1) * g.kBlock;
  bool lastIsFull = lastLength == g.kBlock && (g.wholeRow() || lastLength % g.span == 0);
  bool finishes = !epilogues.empty() || !result.isF32();
  bool lastApart = !lastIsFull || (!g.wholeRow() && finishes);
  eachTile([&](Value tile) { clear(tile); });
  e.loop(g.kBlocks - lastApart, {}, [&](Value block, Values) {
    tilesOfBlock(block, g.kBlock, /*last=*/!lastApart);
    return Values();
  });
  if (lastApart)
    tilesOfBlock(e.index(g.kBlocks - 1), lastLength, /*last=*/true);
  if (g.wholeRow())
    eachTile([&](Value tile) {
      eachToken([&](Value token) {
        finish(tile, token, wholeRow(tile, tokenPointers(token, 1), loadCarried(tile, token, 1, ints)));
      });
    });
}

void ComputeEmitter::eachTile(function_ref<void(Value)> body) {
  e.loop(tileBegin, tileEnd, 1, {}, [&](Value tile, Values) {
    body(tile);
    return Values();
  });
}

void ComputeEmitter::tilesOfBlock(Value block, int64_t kLength, bool last) {
  auto steps = [&](Value firstTile, Value endTile, Value token, int64_t count) {
    Value begin = e.mul(firstTile, g.steps()), end = e.mul(endTile, g.steps());
    e.loop(begin, end, 1, {}, [&](Value index, Values) {
      step(index, block, kLength, last, token, count);
      return Values();
    });
  };
  if (g.schedule.getRowsInner())
    return tokenTiles([&](Value token, int64_t count) { steps(tileBegin, tileEnd, token, count); });
  eachTile([&](Value tile) {
    tokenTiles([&](Value token, int64_t count) {
      if (g.steps() == 1)
        return step(tile, block, kLength, last, token, count);
      steps(tile, e.add(tile, 1), token, count);
    });
  });
}

/// Whole token tiles first, then tiles of half as many tokens, down to single tokens.
void ComputeEmitter::tokenTiles(function_ref<void(Value, int64_t)> body) {
  Value begin = e.index(0);
  for (int64_t count = g.stepTokens; count >= 1; count /= 2) {
    int64_t batch = g.schedule.getBatchRowVectors();
    if (!g.unpacked)
      g.stepVectors = count > 1 && batch ? batch : g.rowVectors;
    Value end = m;
    if (count > 1)
      end = e.sub(m, arith::RemUIOp::create(e.b, e.loc, m, e.index(count)));
    e.loop(begin, end, count, {}, [&](Value token, Values) {
      body(token, count);
      return Values();
    });
    begin = end;
  }
}

/// Step by step, k block by k block: the unpacked codes of a step, and its sums of all tokens, which are no
/// more than a token block, stay in cache.
void ComputeEmitter::runUnpacked(Geometry stored) {
  stored.stepVectors = stored.rowVectors / g.steps();
  Value codes = e.allocate(g.unpackedBytes()), sums;
  int64_t rounds = g.unpackRounds(), lastBlocks = g.kBlocks - (rounds - 1) * g.unpackBlocks;
  if (rounds > 1)
    sums = e.allocate(g.schedule.getTokenBlock() * g.stepRows() * 4);
  e.loop(e.mul(tileBegin, g.steps()), e.mul(tileEnd, g.steps()), 1, {}, [&](Value step, Values) {
    if (rounds > 1) {
      carried = {e.at(sums, e.mul(step, -4 * g.stepRows())), e.index(g.stepRows())};
      clear(step);
    }
    e.loop(rounds - 1, {}, [&](Value round, Values) {
      unpackedBlocks(stored, codes, step, e.mul(round, g.unpackBlocks), g.unpackBlocks, /*last=*/false);
      return Values();
    });
    unpackedBlocks(stored, codes, step, e.index(g.kBlocks - lastBlocks), lastBlocks, /*last=*/true);
    return Values();
  });
}

/// `blocks` k blocks from `first` on.
void ComputeEmitter::unpackedBlocks(const Geometry &stored, Value codes, Value step, Value first,
                                    int64_t blocks, bool last) {
  int64_t kLength = blocks * g.kBlock;
  if (last)
    kLength -= g.kBlocks * g.kBlock - g.kPadded;
  Value tile = enterStep(step);
  for (int64_t b = 0; b < blocks; ++b) {
    int64_t length = std::min(g.kBlock, kLength - b * g.kBlock);
    Value stream = partOf(streamOf(e.add(first, b), tile, length), stored.stepVectors * g.vectorBytes);
    emitUnpack(e, stored, stream, length, e.at(codes, b * g.kBlock * g.stepRows()));
  }
  unpacked = codes;
  tokenTiles([&](Value token, int64_t count) { this->step(step, first, kLength, last, token, count); });
}

/// Sets the part of a tile that `step` is; returns the tile.
Value ComputeEmitter::enterStep(Value step) {
  part = Value();
  if (g.steps() == 1)
    return step;
  part = arith::RemUIOp::create(e.b, e.loc, step, e.index(g.steps()));
  return arith::DivUIOp::create(e.b, e.loc, step, e.index(g.steps()));
}

void ComputeEmitter::eachToken(function_ref<void(Value)> body) {
  e.loop(e.index(0), m, 1, {}, [&](Value token, Values) {
    body(token);
    return Values();
  });
}

/// Zeros for the sums of a step that k blocks carry on.
void ComputeEmitter::clear(Value step) {
  eachToken([&](Value token) { store(carried, step, token, Values(g.sumVectors(), e.constant(ints, 0))); });
}

//===----------------------------------------------------------------------===//
// One step
//===----------------------------------------------------------------------===//

Values ComputeEmitter::tokenPointers(Value token, int64_t count) {
  Values pointers;
  Value first = e.at(prepared, e.mul(token, g.preparedBytes));
  for (int64_t t = 0; t < count; ++t)
    pointers.push_back(e.at(first, t * g.preparedBytes));
  return pointers;
}

GroupCursor ComputeEmitter::cursor(Value weights, const Values &tokens, Value index, Value kOffset,
                                   int64_t kLength) {
  GroupCursor result{weights, tokens, kOffset, {}, kLength};
  for (Value token : tokens)
    result.groupSums.push_back(e.load(e.i32(), e.at(e.at(token, e.mul(index, 4)), g.sumsOffset), 4));
  return result;
}

/// The codes of the current step: of a span that is at `stream`, or of span `index` of what has been
/// unpacked.
Value ComputeEmitter::codesAt(Value stream, Value index) {
  if (unpacked)
    return index ? e.at(unpacked, e.mul(index, g.span * g.stepRows())) : unpacked;
  return partOf(stream, g.stepVectors * g.vectorBytes);
}

/// `pointer` to what a tile has, moved to the current part of it.
Value ComputeEmitter::partOf(Value pointer, int64_t stepBytes) {
  return part ? e.at(pointer, e.mul(part, stepBytes)) : pointer;
}

Value ComputeEmitter::streamOf(Value block, Value tile, int64_t kLength) {
  return e.at(packed, e.add(e.mul(block, g.blockBytes), e.mul(tile, g.tileBytesOf(kLength))));
}

void ComputeEmitter::step(Value step, Value block, int64_t kLength, bool last, Value token, int64_t count) {
  Value stream = streamOf(block, enterStep(step), kLength);
  Values tokens = tokenPointers(token, count);
  bool continues = (unpacked ? g.unpackRounds() : g.kBlocks) > 1;
  if (!g.wholeRow()) {
    Values results = continues ? loadCarried(step, token, count, floats)
                               : Values(g.sumVectors() * count, e.real(floats, 0.0));
    results = groupedSums(stream, tokens, block, kLength, results);
    return last ? finish(step, token, results) : store(carried, step, token, results);
  }
  Values sums =
      emitSums(e, g, cursor(codesAt(stream, {}), tokens, e.index(0), e.mul(block, g.kBlock), kLength));
  if (!continues)
    return finish(step, token, wholeRow(step, tokens, sums));
  Values before = loadCarried(step, token, count, ints);
  for (auto [sum, earlier] : llvm::zip(sums, before))
    sum = e.add(earlier, sum);
  if (last && unpacked)
    return finish(step, token, wholeRow(step, tokens, sums));

  store(carried, step, token, sums);
}

//===----------------------------------------------------------------------===//
// Y
//===----------------------------------------------------------------------===//

/// Where a vector of sums lies in `rows`; rows of W from n on do not exist there.
ComputeEmitter::RowPlace ComputeEmitter::place(SourceRows rows, Value step, Value token, int64_t sumVector) {
  int64_t L = g.laneRows;
  Value row = e.add(e.mul(step, g.stepRows()), sumVector * L);
  Value pointer =
      e.at(rows.pointer, e.mul(rows.stride ? e.add(e.mul(token, rows.stride), row) : row, rows.elementBytes));
  if (g.n % g.tileRows == 0)
    return {pointer, {}};
  SmallVector<int64_t> iota(L);
  for (int64_t i = 0; i < L; ++i)
    iota[i] = i;
  Value left = arith::TruncIOp::create(e.b, e.loc, e.i32(), e.sub(e.index(g.n), row));
  return {pointer, arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, e.constantVector(ints, iota),
                                         e.splat(left, L))};
}

Value ComputeEmitter::loadRows(SourceRows rows, Value step, Value token, int64_t sumVector, VectorType type) {
  auto [pointer, exists] = place(rows, step, token, sumVector);
  if (!exists)
    return e.load(type, pointer, 4);
  return LLVM::MaskedLoadOp::create(e.b, e.loc, type, pointer, exists, e.constant(type, 0), uint32_t(4));
}

Values ComputeEmitter::loadCarried(Value step, Value token, int64_t count, VectorType type) {
  Values results;
  for (int64_t s = 0; s < g.sumVectors(); ++s)
    for (int64_t t = 0; t < count; ++t)
      results.push_back(loadRows(carried, step, e.add(token, t), s, type));
  return results;
}

/// Stores the results of a product after what follows it.
void ComputeEmitter::finish(Value step, Value token, Values results) {
  int64_t count = results.size() / g.sumVectors();
  for (const Epilogue &epilogue : epilogues)
    for (int64_t s = 0; s < g.sumVectors(); ++s)
      for (int64_t t = 0; t < count; ++t) {
        Value &result = results[s * count + t];
        Value other = epilogue.one ? e.splat(e.load(e.f32(), epilogue.other.pointer, 4), g.laneRows)
                                   : loadRows(epilogue.other, step, e.add(token, t), s, floats);
        result = epilogue.adds ? e.add(result, other) : e.mul(result, other);
      }
  for (Value &value : results)
    value = emitConversion(e, value, result);
  store(y, step, token, results);
}

void ComputeEmitter::store(SourceRows rows, Value step, Value token, const Values &results) {
  int64_t count = results.size() / g.sumVectors();
  for (int64_t t = 0; t < count; ++t)
    for (int64_t s = 0; s < g.sumVectors(); ++s) {
      auto [pointer, exists] = place(rows, step, e.add(token, t), s);
      Value result = results[s * count + t];
      if (exists)
        LLVM::MaskedStoreOp::create(e.b, e.loc, result, pointer, exists, uint32_t(rows.elementBytes));
      else
        e.store(result, pointer, rows.elementBytes);
    }
}

void lut::emitProduct(Emitter &e, const Geometry &g, const ProductOperands &operands) {
  auto fromStream = [&] { ComputeEmitter{operands, e, g}.run(); };
  if (!g.schedule.getUnpackTokens())
    return fromStream();
  e.choose(
      emitUnpacks(e, g, operands.m), [&] { ComputeEmitter{operands, e, unpackedGeometry(g)}.runUnpacked(g); },
      fromStream);
}
