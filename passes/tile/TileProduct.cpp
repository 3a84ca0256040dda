// The loops of a product over k blocks, tiles and tokens, and the rows of Y.
#include "passes/tile/TileProduct.h"

using namespace mlir;
using namespace lut;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Part `index` of k, of `length` elements but for the last one.
KRange ComputeEmitter::rangeOf(Value index, Value length) {
  Value kPadded = call.number(&lutc_shape::k_padded), offset = e.mul(index, length);
  Value left = e.sub(kPadded, offset);
  Value isLast = e.compare(arith::CmpIPredicate::ule, left, length);
  return {index,
          offset,
          e.least(left, length),
          e.select(isLast, call.number(&lutc_shape::last_tile_bytes), call.number(&lutc_shape::tile_bytes)),
          e.compare(arith::CmpIPredicate::eq, index, e.index(0)),
          isLast};
}

/// What is carried between k blocks: f32 where weights have groups, else i32 sums that are scaled at the end.
void ComputeEmitter::run() {
  carried = {call.pointer(LUTC_STAGE_BUFFER), call.stride(LUTC_STAGE_BUFFER)};
  e.each(call.number(&lutc_shape::k_blocks), [&](Value block) {
    KRange k = rangeOf(block, call.number(&lutc_shape::k_block));
    if (int64_t length = g.constantKBlock())
      k.kLength = e.index(length);
    tilesOfBlock(k);
  });
}

void ComputeEmitter::tilesOfBlock(const KRange &k) {
  auto steps = [&](Value firstTile, Value endTile, Value token, int64_t count) {
    Value begin = e.mul(firstTile, g.steps()), end = e.mul(endTile, g.steps()); // in this order
    e.each(begin, end, 1, [&](Value index) { step(index, k, token, count); });
  };
  if (g.schedule.getRowsInner())
    return tokenTiles([&](Value token, int64_t count) { steps(tileBegin, tileEnd, token, count); });
  e.each(tileBegin, tileEnd, 1, [&](Value tile) {
    tokenTiles([&](Value token, int64_t count) {
      if (g.steps() == 1)
        return step(tile, k, token, count);
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
    Value end = e.sub(m, e.rem(m, count));
    e.each(begin, end, count, [&](Value token) { body(token, count); });
    begin = end;
  }
}

/// Step by step, a range of k after the other: the unpacked codes of a step, and its sums of all tokens,
/// which are no more than a token block, stay in cache.
void ComputeEmitter::runUnpacked(Body stored) {
  stored.stepVectors = stored.rowVectors / g.steps();
  Value codes = e.allocate(g.stepRows() * g.unpackK);
  Value sums = e.allocate(g.schedule.getTokenBlock() * g.stepRows() * 4);
  Value blocks = call.number(&lutc_shape::unpack_blocks);
  Value length = e.mul(blocks, call.number(&lutc_shape::k_block));
  e.each(e.mul(tileBegin, g.steps()), e.mul(tileEnd, g.steps()), 1, [&](Value step) {
    carried = {e.at(sums, e.mul(step, -4 * g.stepRows())), e.index(g.stepRows())};
    e.each(call.number(&lutc_shape::unpack_rounds), [&](Value round) {
      KRange k = rangeOf(round, length);
      k.block = e.mul(round, blocks);
      Value tile = enterStep(step);
      auto unpack = [&](Value block, Value length, Value to) {
        KRange from = k;
        from.block = block;
        emitUnpack(e, stored, partOf(streamOf(from, tile), stored.stepVectors * g.vectorBytes), length, to);
      };
      unpacked = {};
      if (int64_t kBlock = g.constantKBlock())
        e.each(e.index(0), k.kLength, kBlock, [&](Value offset) {
          unpack(e.add(k.block, e.div(offset, kBlock)), e.index(kBlock),
                 e.at(codes, e.mul(offset, g.stepRows())));
        });
      else
        unpack(k.block, k.kLength, codes);
      unpacked = codes;
      tokenTiles([&](Value token, int64_t count) { this->step(step, k, token, count); });
    });
  });
}

/// Sets the part of a tile that `step` is; returns the tile.
Value ComputeEmitter::enterStep(Value step) {
  part = Value();
  if (g.steps() == 1)
    return step;
  part = e.rem(step, g.steps());
  return e.div(step, g.steps());
}

//===----------------------------------------------------------------------===//
// One step
//===----------------------------------------------------------------------===//

/// `count` tokens from `token` on.
TokenTile ComputeEmitter::tokenTile(Value token, int64_t count) {
  TokenTile tile{token, {}, {}, {}, {}};
  Value prepared = e.at(call.pointer(LUTC_STAGE_X), e.mul(token, place.bytes));
  for (int64_t t = 0; t < count; ++t) {
    tile.prepared.push_back(prepared);
    tile.values.push_back(g.unpacked && g.tables ? prepared : e.at(prepared, place.values));
    tile.scales.push_back(e.at(prepared, place.scales));
    tile.sums.push_back(e.at(prepared, place.sums));
    prepared = e.at(prepared, place.bytes);
  }
  return tile;
}

GroupCursor ComputeEmitter::cursor(Value weights, const TokenTile &tokens, Value index, Value kOffset,
                                   Value kLength) {
  GroupCursor result{weights, tokens.prepared, tokens.values, kOffset, {}, kLength};
  for (Value sums : tokens.sums)
    result.groupSums.push_back(e.load(e.i32(), e.at(sums, e.mul(index, 4)), 4));
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

Value ComputeEmitter::streamOf(const KRange &k, Value tile) {
  Value offset = e.add(e.mul(k.block, call.number(&lutc_shape::block_bytes)), e.mul(tile, k.tileBytes));
  return e.at(call.pointer(LUTC_STAGE_WEIGHTS), offset);
}

void ComputeEmitter::step(Value step, const KRange &k, Value token, int64_t count) {
  Value stream = streamOf(k, enterStep(step));
  TokenTile tokens = tokenTile(token, count);
  if (!g.wholeRow()) {
    Values results = groupedSums(stream, tokens, k, carriedSums(k, step, tokens, floats));
    return end(k, step, token, results, [&] { return results; });
  }
  Values sums = emitSums(e, g, cursor(codesAt(stream, {}), tokens, e.index(0), k.kOffset, k.kLength));
  for (auto [sum, earlier] : llvm::zip(sums, carriedSums(k, step, tokens, ints)))
    sum = e.add(earlier, sum);
  end(k, step, token, sums, [&] { return wholeRow(step, tokens, sums); });
}

/// After the last range of k the results are stored, before it sums are kept.
void ComputeEmitter::end(const KRange &k, Value step, Value token, const Values &sums,
                         function_ref<Values()> results) {
  e.choose(k.isLast, [&] { finish(step, token, results()); }, [&] { keep(step, token, sums); });
}

Value ComputeEmitter::carriedAt(Value step, Value token, int64_t sumVector) {
  Value row = e.add(e.mul(step, g.stepRows()), sumVector * g.laneRows);
  return e.at(carried.pointer, e.mul(e.add(e.mul(token, carried.stride), row), 4));
}

/// What earlier ranges of k have left, 0 in the first one.
Values ComputeEmitter::carriedSums(const KRange &k, Value step, const TokenTile &tokens, VectorType type) {
  int64_t count = tokens.count();
  return e.chosen(
      SmallVector<Type>(g.sumVectors() * count, type), k.isFirst,
      [&] { return Values(g.sumVectors() * count, e.constant(type, 0)); },
      [&] {
        Values results;
        for (int64_t s = 0; s < g.sumVectors(); ++s)
          for (int64_t t = 0; t < count; ++t)
            results.push_back(e.load(type, carriedAt(step, e.add(tokens.first, t), s), 4));
        return results;
      });
}

void ComputeEmitter::keep(Value step, Value token, const Values &sums) {
  int64_t count = sums.size() / g.sumVectors();
  for (int64_t t = 0; t < count; ++t)
    for (int64_t s = 0; s < g.sumVectors(); ++s)
      e.store(sums[s * count + t], carriedAt(step, e.add(token, t), s), 4);
}

/// Results go to Y where all rows of the step exist and nothing follows, else to memory from which the
/// stage's function takes them.
void ComputeEmitter::finish(Value step, Value token, const Values &results) {
  int64_t count = results.size() / g.sumVectors(), rows = g.stepRows();
  Value row = e.mul(step, rows), n = call.number(&lutc_shape::n), plain = call.plain();
  Value whole = e.compare(arith::CmpIPredicate::ule, e.add(row, rows), n);
  Value direct = arith::AndIOp::create(e.b, e.loc, whole, plain);
  Value stride = call.stride(LUTC_STAGE_RESULT);
  Value y = e.at(call.pointer(LUTC_STAGE_RESULT), e.mul(e.add(e.mul(token, stride), row), 4));
  Value to = e.select(direct, y, finished), step4 = e.mul(e.select(direct, stride, e.index(rows)), 4);
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t s = 0; s < g.sumVectors(); ++s)
      e.store(results[s * count + t], e.at(to, s * g.vectorBytes), 4);
    to = e.at(to, step4);
  }
  e.choose(
      direct, [] {},
      [&] {
        Value exist = e.select(e.compare(arith::CmpIPredicate::ult, row, n), e.sub(n, row), e.index(0));
        Value left = e.least(exist, e.index(rows));
        call.finish({finished, e.index(rows), token, e.index(count), row, left});
      });
}

void lut::emitProduct(Emitter &e, const Body &g, StageCall &call, Value m, Value tileBegin, Value tileEnd) {
  auto run = [&](const Body &body, auto loops) {
    ComputeEmitter emitter{e, body, call, m, tileBegin, tileEnd};
    emitter.finished = e.allocate(body.stepTokens * body.tileRows * 4);
    loops(emitter);
  };
  auto fromStream = [&] { run(g, [](ComputeEmitter &emitter) { emitter.run(); }); };
  auto unpacked = [&] { run(unpackedBody(g), [&](ComputeEmitter &emitter) { emitter.runUnpacked(g); }); };
  if (!g.schedule.getUnpackTokens())
    fromStream();
  else if (!g.stepTokens)
    unpacked();
  else
    e.choose(emitUnpacks(e, call, m), unpacked, fromStream);
}
