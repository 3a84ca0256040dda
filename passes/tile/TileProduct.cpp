// The loops of a product over k blocks, tiles and tokens, and the rows of Y.
#include "passes/tile/TileProduct.h"

using namespace mlir;
using namespace lut;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Part `index` of k, of so many k blocks but for the last one.
KRange ComputeEmitter::rangeOf(Value index, Value blocks) {
  KRange k;
  k.block = e.mul(index, blocks);
  Value length = e.mul(blocks, call.number(&lutc_shape::k_block));
  k.kOffset = e.mul(index, length);
  Value left = e.sub(call.number(&lutc_shape::k_padded), k.kOffset);
  k.isLast = e.compare(arith::CmpIPredicate::ule, left, length);
  k.kLength = e.least(left, length);
  k.tileBytes =
      e.select(k.isLast, call.number(&lutc_shape::last_tile_bytes), call.number(&lutc_shape::tile_bytes));
  k.isFirst = e.compare(arith::CmpIPredicate::eq, index, e.index(0));
  if (g.wholeRow()) {
    k.spans = e.index(1);
    return k;
  }
  Value spans = call.number(&lutc_shape::block_spans);
  k.firstSpan = e.mul(k.block, spans);
  k.spans = e.least(e.sub(call.number(&lutc_shape::spans), k.firstSpan), e.mul(blocks, spans));
  return k;
}

/// The one that all tiles of the range are in.
static Panel panelOf(Emitter &e, StageCall &call, const TileRange &range) {
  Value tiles = call.number(&lutc_shape::panel);
  Value first = e.sub(range.begin, arith::RemUIOp::create(e.b, e.loc, range.begin, tiles));
  Value together = e.least(tiles, e.sub(call.number(&lutc_shape::tiles), first));
  Value before = e.mul(first, call.number(&lutc_shape::tile_stream));
  return {first, e.at(call.pointer(LUTC_STAGE_WEIGHTS), before),
          e.mul(together, call.number(&lutc_shape::tile_bytes))};
}

/// What is carried between k blocks: f32 where weights have groups, else i32 sums that are scaled at the end.
void ComputeEmitter::run() {
  memory.carried = {call.pointer(LUTC_STAGE_BUFFER), call.stride(LUTC_STAGE_BUFFER)};
  e.each(call.number(&lutc_shape::k_blocks), [&](Value block) {
    KRange k = rangeOf(block, e.index(1));
    if (int64_t length = g.constantKBlock())
      k.kLength = e.index(length);
    tilesOfBlock(k);
  });
}

void ComputeEmitter::tilesOfBlock(const KRange &k) {
  auto steps = [&](ComputeEmitter &of, Value firstTile, Value endTile, Value token, int64_t count) {
    Value begin = e.mul(firstTile, of.g.steps()), end = e.mul(endTile, of.g.steps()); // in this order
    e.each(begin, end, 1, [&](Value index) { of.step(index, k, token, count); });
  };
  if (g.schedule.getRowsInner())
    return tokenTiles([&](ComputeEmitter &of, Value token, int64_t count) {
      steps(of, range.begin, range.end, token, count);
    });
  e.each(range.begin, range.end, 1, [&](Value tile) {
    tokenTiles([&](ComputeEmitter &of, Value token, int64_t count) {
      if (of.g.steps() == 1)
        return of.step(tile, k, token, count);
      steps(of, tile, e.add(tile, 1), token, count);
    });
  });
}

/// Whole token tiles first, then tiles of half as many tokens, down to single tokens.
void ComputeEmitter::tokenTiles(function_ref<void(ComputeEmitter &, Value, int64_t)> body) {
  Value begin = e.index(0);
  for (int64_t count = g.stepTokens; count >= 1; count /= 2) {
    const Body steps = g.forTokens(count);
    ComputeEmitter tile{e, steps, call, range, panel, memory};
    Value end = e.sub(range.m, e.rem(range.m, count));
    e.each(begin, end, count, [&](Value token) { body(tile, token, count); });
    begin = end;
  }
}

/// Step by step, a range of k after the other: the unpacked codes of a step, and its sums of all tokens,
/// which are no more than a token block, stay in cache.
void ComputeEmitter::runUnpacked(function_ref<void(const PackedCodes &, Value)> unpack) {
  // Of the vectors of a row vector in the stream: those of base 3 became four.
  int64_t stepBytes = g.stepVectors * g.vectorBytes / (g.constantKBlock() ? 4 : 1);
  int64_t room = g.stepRows() * g.unpackK;
  Value codes = e.allocate(room + g.unpackMultiples());
  memory.multiples = e.at(codes, room);
  Value sums = e.allocate(g.schedule.getTokenBlock() * g.stepRows() * 4);
  Value blocks = call.number(&lutc_shape::unpack_blocks);
  e.each(e.mul(range.begin, g.steps()), e.mul(range.end, g.steps()), 1, [&](Value step) {
    memory.carried = {e.at(sums, e.mul(step, -4 * g.stepRows())), e.index(g.stepRows())};
    e.each(call.number(&lutc_shape::unpack_rounds), [&](Value round) {
      KRange k = rangeOf(round, blocks);
      Value tile = enterStep(step);
      auto unpackBlock = [&](Value block, Value spans, Value length, Value to) {
        KRange from = k;
        from.block = block;
        unpack({streamOf(from, tile), part ? e.mul(part, stepBytes) : e.index(0), spans, length}, to);
      };
      if (int64_t kBlock = g.constantKBlock())
        e.each(e.index(0), k.kLength, kBlock, [&](Value offset) {
          unpackBlock(e.add(k.block, e.div(offset, kBlock)), e.index(1), e.index(kBlock),
                      e.at(codes, e.mul(offset, g.stepRows())));
        });
      else
        unpackBlock(k.block, k.spans, g.wholeRow() ? k.kLength : call.number(&lutc_shape::span), codes);
      memory.unpacked = codes;
      tokenTiles([&](ComputeEmitter &of, Value token, int64_t count) { of.step(step, k, token, count); });
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
  result.factor = factor();
  result.tileBytes = tileBytes;
  for (Value sums : tokens.sums)
    result.groupSums.push_back(e.load(e.i32(), e.at(sums, e.mul(index, 4)), 4));
  return result;
}

/// The codes of the current step: of a span that is at `stream`, or of span `index` of what has been
/// unpacked.
Value ComputeEmitter::codesAt(Value stream, Value index) {
  if (Value codes = memory.unpacked)
    return index ? e.at(codes, e.mul(e.mul(index, spanLength()), g.stepRows())) : codes;
  return partOf(e.at(stream, g.spanMultipleBytes()), g.stepVectors * g.vectorBytes);
}

/// `pointer` to what a tile has, moved to the current part of it.
Value ComputeEmitter::partOf(Value pointer, int64_t stepBytes) {
  return part ? e.at(pointer, e.mul(part, stepBytes)) : pointer;
}

Value ComputeEmitter::streamNumber(uint64_t lutc_shape::*field, int64_t constant) {
  return g.hasOpenStream() ? call.number(field) : e.index(constant);
}

Value ComputeEmitter::spanLength() {
  return g.hasOpenGroup() ? call.number(&lutc_shape::span) : e.index(g.span);
}

Value ComputeEmitter::factor() {
  int64_t constant = g.sumFactor();
  if (!constant)
    return {};
  if (!g.unpacked)
    return e.constant(e.i32(), constant);
  return e.b.createOrFold<arith::TruncIOp>(e.loc, e.i32(), call.number(&lutc_shape::sum_factor));
}

Value ComputeEmitter::streamOf(const KRange &k, Value tile) {
  Value inBlock = e.add(e.mul(k.block, panel.blockBytes), e.mul(e.sub(tile, panel.first), k.tileBytes));
  return e.at(panel.stream, inBlock);
}

void ComputeEmitter::step(Value step, const KRange &k, Value token, int64_t count) {
  Value stream = streamOf(k, enterStep(step));
  TokenTile tokens = tokenTile(token, count);
  tileBytes = !g.unpacked && count > 1 && g.prefetchesTiles() ? k.tileBytes : Value();
  if (!g.wholeRow()) {
    Values results = groupedSums(stream, tokens, k, carriedSums(k, step, tokens, floats));
    return end(k, step, token, results, [&] { return results; });
  }
  Values sums = emitSums(e, g, cursor(codesAt(stream, {}), tokens, e.index(0), k.kOffset, k.kLength));
  for (auto [sum, earlier] : llvm::zip(sums, carriedSums(k, step, tokens, ints)))
    sum = e.add(earlier, sum);
  end(k, step, token, sums, [&] { return wholeRow(step, tokens, sums); });
}

/// After the last range of k results are stored, before it sums are kept: of groups results, too.
void ComputeEmitter::end(const KRange &k, Value step, Value token, const Values &sums,
                         function_ref<Values()> results) {
  if (!g.wholeRow())
    return put(step, token, sums, k.isLast);
  Value always = e.constant(e.b.getI1Type(), 1), never = e.constant(e.b.getI1Type(), 0);
  e.choose(k.isLast, [&] { put(step, token, results(), always); }, [&] { put(step, token, sums, never); });
}

Value ComputeEmitter::carriedAt(Value step, Value token, int64_t sumVector) {
  Value row = e.add(e.mul(step, g.stepRows()), sumVector * g.laneRows);
  return e.at(memory.carried.pointer, e.mul(e.add(e.mul(token, memory.carried.stride), row), 4));
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

/// Results go to Y where all rows of the step exist and nothing follows, else to memory from which the
/// stage's function takes them; what is no result yet, to what is carried.
void ComputeEmitter::put(Value step, Value token, const Values &values, Value isResult) {
  int64_t count = values.size() / g.sumVectors(), rows = g.stepRows();
  Value row = e.mul(step, rows), n = call.number(&lutc_shape::n), plain = call.plain();
  Value whole = e.compare(arith::CmpIPredicate::ule, e.add(row, rows), n);
  Value direct = arith::AndIOp::create(e.b, e.loc, whole, plain);
  Value stride = call.stride(LUTC_STAGE_RESULT);
  Value y = e.at(call.pointer(LUTC_STAGE_RESULT), e.mul(e.add(e.mul(token, stride), row), 4));
  Value to = e.select(isResult, e.select(direct, y, memory.finished), carriedAt(step, token, 0));
  Value elements = e.select(isResult, e.select(direct, stride, e.index(rows)), memory.carried.stride);
  Value bytes = e.mul(elements, 4);
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t s = 0; s < g.sumVectors(); ++s)
      e.store(values[s * count + t], e.at(to, s * g.vectorBytes), 4);
    to = e.at(to, bytes);
  }
  e.choose(
      e.select(isResult, direct, e.constant(e.b.getI1Type(), 1)), [] {},
      [&] {
        Value exist = e.select(e.compare(arith::CmpIPredicate::ult, row, n), e.sub(n, row), e.index(0));
        Value left = e.least(exist, e.index(rows));
        call.finish({memory.finished, e.index(rows), token, e.index(count), row, left});
      });
}

static void emit(Emitter &e, const Body &g, StageCall &call, const TileRange &range,
                 function_ref<void(ComputeEmitter &)> loops) {
  ComputeEmitter emitter{e, g, call, range, panelOf(e, call, range), {}};
  emitter.memory.finished = e.allocate(g.stepTokens * g.tileRows * 4);
  loops(emitter);
}

void lut::emitProduct(Emitter &e, const Body &g, StageCall &call, const TileRange &range) {
  emit(e, g, call, range, [&](ComputeEmitter &emitter) {
    if (g.format.subgroup)
      emitter.memory.multiples = e.allocate(g.spanMultiples());
    emitter.run();
  });
}

void lut::emitUnpackedProduct(Emitter &e, const Body &g, StageCall &call, const TileRange &range,
                              function_ref<void(const PackedCodes &from, Value codes)> unpack) {
  emit(e, g, call, range, [&](ComputeEmitter &emitter) { emitter.runUnpacked(unpack); });
}
