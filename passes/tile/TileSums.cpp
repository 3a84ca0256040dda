// Integer sums of one group: where they start, and the inner loops of lookups.
#include "passes/tile/TileSums.h"

using namespace mlir;
using namespace lut;

namespace {
/// Layouts quad and column: codes index tables.
struct LookupEmitter : SumEmitter {
  Values quadChunk(Value chunk, Values sums);
  Values columnSums();
  Values columnBody(Value body, Values state);
  void columnLookups(Value pointer, Value tables, int64_t unit, int64_t plane, Values &partial);
  void widen(Values &partial, Values &state);
  Values foldWords(const Values &state, Values sums, int64_t runs);
  void addQuarters(Value even, Value odd, int64_t weight, Value *sums);
  int64_t stateIndex(int64_t plane, int64_t digit, int64_t row, int64_t token) const {
    return ((plane * g.digits() + digit) * R + row) * tokens + token;
  }
  /// Digits are stored high first.
  int64_t digitWeight(int64_t digit) const { return g.digits() == 2 && digit == 0 ? g.radix() : 1; }
  /// Units that one byte of the stream indexes: a nibble for bit planes, all of it for trits.
  int64_t unitsPerVector() const { return g.layout == Layout::base3 ? 1 : 2; }
  /// Of a loop. Without byte permutes a lookup is long: as few as a run or a byte has.
  int64_t bodyUnits() const {
    int64_t run = g.schedule.getRun();
    return g.layout == Layout::base3 ? run : g.permutes ? 8 : std::max<int64_t>(run, unitsPerVector());
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Starting values
//===----------------------------------------------------------------------===//

/// What lookups leave out of a sum: digits are T - radix/2, and biased bytes are 128 too large at each
/// widening step.
static Value lookupConstant(Emitter &e, const Body &g, Value kLength) {
  int64_t levels = g.format.row->trits ? 1 : (1 << g.format.row->bits) - 1;
  Value units = e.div(kLength, g.unit), perPlane = e.mul(units, g.radix() / 2);
  if (int64_t run = g.schedule.getRun())
    perPlane = e.sub(perPlane, e.mul(e.div(units, run), 128 * (g.digits() == 2 ? 1 + g.radix() : 1)));
  return e.b.createOrFold<arith::TruncIOp>(e.loc, e.i32(), e.mul(perPlane, levels));
}

/// Those of a whole row get the sum factor's part when it ends.
Values SumEmitter::initialSums() {
  Value factor = g.wholeRow() ? Value() : at.factor;
  Value constant = g.strategy == Strategy::lookup ? lookupConstant(e, g, at.kLength) : e.constant(e.i32(), 0);
  Values perToken;
  for (int64_t t = 0; t < tokens; ++t) {
    Value start = factor ? e.add(e.mul(at.groupSums[t], factor), constant) : constant;
    auto same = e.known(start);
    perToken.push_back(same ? e.constant(lanes, *same) : e.splat(start, V / 4));
  }
  Values sums;
  for (int64_t s = 0; s < g.sumVectors(); ++s)
    sums.append(perToken);
  return sums;
}

/// The vector of the stream at `index`. A prefetch past the end of the stream is harmless.
Value SumEmitter::weightVector(Value pointer, int64_t index) {
  int64_t ahead = g.schedule.getPrefetch();
  if (ahead && tokens == 1 && !g.unpacked && index * V % 64 == 0)
    LLVM::Prefetch::create(e.b, e.loc, e.at(pointer, index * V + ahead), /*rw=*/0, /*hint=*/3, /*cache=*/1);
  if (at.tileBytes && index * V % 64 == 0)
    LLVM::Prefetch::create(e.b, e.loc, e.at(e.at(pointer, at.tileBytes), index * V), /*rw=*/0, /*hint=*/3,
                           /*cache=*/1);
  return e.load(bytes, e.at(pointer, index * V));
}

Value SumEmitter::multiplePairs(Value first, Value second, int64_t s, bool minimums) {
  int64_t lanes = V / 4, place = (minimums ? g.tileRows : 0) + s * lanes;
  auto multiples = [&](Value subgroup) {
    Value offset = e.add(e.mul(subgroup, g.subgroupMultiples()), place);
    return e.load(e.vec(lanes, e.i8()), e.at(at.multiples, offset));
  };
  SmallVector<int64_t> inTurn;
  for (int64_t lane = 0; lane < lanes; ++lane)
    inTurn.append({lane, lanes + lane});
  Value pairs = vector::ShuffleOp::create(e.b, e.loc, multiples(first), multiples(second), inTurn);
  return arith::ExtSIOp::create(e.b, e.loc, words, pairs);
}

Values SumEmitter::multipliedSums(int64_t s, bool minimums) {
  Values sums(tokens, e.constant(lanes, 0));
  for (int64_t i = 0; i < g.span / g.format.subgroup; i += 2) {
    Value factors = multiplePairs(e.index(i), e.index(i + 1), s, minimums);
    for (auto [sum, all] : llvm::zip(sums, at.subgroupSums)) {
      Value two = e.bitcast(e.splat(e.load(e.i32(), e.at(all, 2 * i), 2), V / 4), words);
      sum = AddPairsOp::create(e.b, e.loc, sum, two, factors);
    }
  }
  return sums;
}

//===----------------------------------------------------------------------===//
// Quad: four tables of 16 entries side by side, summed by a dot product with the plane's weight
//===----------------------------------------------------------------------===//

Values LookupEmitter::quadChunk(Value i, Values sums) {
  Value chunk = e.at(at.weights, e.mul(i, g.chunkBytes));
  int64_t chunkTables = g.tableOffset(8, 0); // 32 k are 8 units
  Value offset = e.mul(e.add(e.shiftRight(at.kOffset, 5), i), chunkTables);
  for (int64_t plane = 0; plane < g.planes; ++plane)
    for (int64_t r = 0; r < R; ++r) {
      Value w = weightVector(chunk, plane * stride + r);
      for (int64_t half = 0; half < 2; ++half) {
        Value nibbles = e.shiftBytes(w, 4 * half);
        for (int64_t digit = 0; digit < g.digits(); ++digit) {
          int64_t weight = (int64_t(1) << plane) * digitWeight(digit);
          Value multiplier = e.constant(bytes, weight);
          for (int64_t t = 0; t < tokens; ++t) {
            Value &sum = sums[r * tokens + t];
            Value entries = e.load(bytes, e.at(e.at(at.prepared[t], offset), g.tableOffset(4 * half, digit)));
            sum = DotOp::create(e.b, e.loc, sum, multiplier,
                                LookupOp::create(e.b, e.loc, entries, nibbles, 16), weight);
          }
        }
      }
    }
  return sums;
}

//===----------------------------------------------------------------------===//
// Column: a byte of every row indexes the same table; bytes are added in 8, 16, then 32 bits
//===----------------------------------------------------------------------===//

/// Adds the lookups of one unit and plane to `partial`, the 8-bit sums of a run. Each table is loaded once
/// for all rows: tables of several units at a time would not fit the registers.
void LookupEmitter::columnLookups(Value pointer, Value tables, int64_t unit, int64_t plane, Values &partial) {
  int64_t entries = g.tables.getEntryBytes();
  Values index, sign;
  for (int64_t r = 0; r < R; ++r) {
    Value w = weightVector(pointer, (unit / unitsPerVector() * g.planes + plane) * stride + r);
    index.push_back(e.shiftBytes(w, 4 * (unit % unitsPerVector())));
    sign.push_back(g.tables.getMirrored() ? e.shiftRightArithmetic(w, 7) : Value());
  }
  for (int64_t digit = 0; digit < g.digits(); ++digit)
    for (int64_t t = 0; t < tokens; ++t) {
      Value table =
          e.load(e.vec(entries, e.i8()), e.at(e.at(at.prepared[t], tables), g.tableOffset(unit, digit)));
      for (int64_t r = 0; r < R; ++r) {
        Value v = LookupOp::create(e.b, e.loc, table, index[r], entries);
        v = sign[r] ? e.bitXor(v, sign[r]) : v;
        Value &sum = partial[stateIndex(plane, digit, r, t)];
        sum = sum ? e.add(sum, v) : v;
      }
    }
}

/// Moves the 8-bit sums of a run to 16 bits.
void LookupEmitter::widen(Values &partial, Values &state) {
  for (size_t s = 0; s < partial.size(); ++s) {
    // Tables of single lookups hold biased entries; sums of several are biased here.
    Value biased = g.schedule.getRun() > 1 ? e.bitXor(partial[s], e.constant(bytes, 0x80)) : partial[s];
    auto step = AccumulateOp::create(e.b, e.loc, biased, state[2 * s], state[2 * s + 1]);
    state[2 * s] = step.getNewEven();
    state[2 * s + 1] = step.getNewOdd();
    partial[s] = Value();
  }
}

Values LookupEmitter::columnBody(Value body, Values state) {
  Value pointer = e.at(at.weights, e.mul(body, bodyUnits() / unitsPerVector() * g.chunkBytes));
  // Tables of the body: kOffset / unit units precede the group.
  Value first = e.mul(body, g.tableOffset(bodyUnits(), 0));
  Value before = e.div(at.kOffset, g.unit);
  Value tables = e.add(e.mul(before, g.tableOffset(1, 0)), first);
  Values partial(state.size() / 2);
  for (int64_t unit = 0; unit < bodyUnits(); ++unit) {
    for (int64_t plane = 0; plane < g.planes; ++plane)
      columnLookups(pointer, tables, unit, plane, partial);
    if ((unit + 1) % g.schedule.getRun() == 0)
      widen(partial, state);
  }
  return state;
}

/// Moves the 16-bit sums of at most `runs` runs to 32 bits: byte 4j+i of a vector is row i*V/4 + j, so each
/// row quarter is one vector of sums. Weighted sums of several planes or digits, a byte of a run each, are
/// joined before where they still fit 16 bits.
Values LookupEmitter::foldWords(const Values &state, Values sums, int64_t runs) {
  auto weightOf = [&](int64_t plane, int64_t digit) { return (int64_t(1) << plane) * digitWeight(digit); };
  int64_t total = ((int64_t(1) << g.planes) - 1) * (g.digits() == 2 ? g.radix() + 1 : 1);
  bool joined = runs * 255 * total <= 0xffff;
  for (int64_t r = 0; r < R; ++r)
    for (int64_t t = 0; t < tokens; ++t) {
      Value even, odd;
      for (int64_t plane = 0; plane < g.planes; ++plane)
        for (int64_t digit = 0; digit < g.digits(); ++digit) {
          int64_t index = stateIndex(plane, digit, r, t), weight = weightOf(plane, digit);
          if (!joined) {
            addQuarters(state[2 * index], state[2 * index + 1], weight, &sums[r * 4 * tokens + t]);
            continue;
          }
          Value e0 = e.mul(state[2 * index], weight), o0 = e.mul(state[2 * index + 1], weight);
          even = even ? e.add(even, e0) : e0;
          odd = odd ? e.add(odd, o0) : o0;
        }
      if (joined)
        addQuarters(even, odd, 1, &sums[r * 4 * tokens + t]);
    }
  return sums;
}

/// Adds `weight` times the 16-bit sums of the even and odd bytes, which lut.accumulate keeps entangled, to
/// four vectors of sums, `tokens` apart.
void LookupEmitter::addQuarters(Value even, Value odd, int64_t weight, Value *sums) {
  even = e.bitcast(e.sub(even, e.shiftLeft(odd, 8)), lanes);
  odd = e.bitcast(odd, lanes);
  Value quarters[] = {e.bitAnd(even, 0xffff), e.bitAnd(odd, 0xffff), e.shiftRight(even, 16),
                      e.shiftRight(odd, 16)};
  for (int64_t i = 0; i < 4; ++i)
    sums[i * tokens] = e.add(sums[i * tokens], e.mul(quarters[i], weight));
}

Values LookupEmitter::columnSums() {
  int64_t perBody = bodyUnits() / g.schedule.getRun();
  int64_t segment = std::max<int64_t>(1, g.schedule.getWiden() / perBody);
  Value bodies = e.div(at.kLength, g.unit * bodyUnits());
  Values zeros(g.planes * g.digits() * R * tokens * 2, e.constant(words, 0));
  auto body = [&](Value i, Values state) { return columnBody(i, state); };
  int64_t longest = g.hasOpenGroup() ? groupSizes().back() : g.span;
  int64_t most = g.wholeRow() ? INT64_MAX : longest / (g.unit * bodyUnits());
  if (most <= segment)
    return foldWords(e.loop(bodies, zeros, body), initialSums(), most * perBody);
  return e.loop(e.index(0), bodies, segment, initialSums(), [&](Value first, Values sums) {
    Value end = e.least(e.add(first, segment), bodies);
    return foldWords(e.loop(first, end, 1, zeros, body), sums, segment * perBody);
  });
}

Values lut::emitSums(Emitter &e, const Body &g, const GroupCursor &cursor) {
  if (g.layout == Layout::dot)
    return emitDotSums({e, g, cursor});
  LookupEmitter emitter{{e, g, cursor}};
  if (factsOf(g.layout).hasBytePerRow())
    return emitter.columnSums();
  return e.loop(e.div(cursor.kLength, g.chunkK), emitter.initialSums(),
                [&](Value i, Values sums) { return emitter.quadChunk(i, sums); });
}
