// Codes to bytes: what a block of many tokens multiplies, so that they are decoded once for all of its
// tokens.
#include "passes/tile/TileSums.h"

using namespace mlir;
using namespace lut;

namespace {
/// Layout base3: four bytes of a row become 20 codes 0 .. 2, [e < 5][byte < 4], e the place of a trit in its
/// byte.
struct TritUnpacker {
  Emitter &e;
  const Body &g;
  int64_t V = g.vectorBytes, R = g.rowVectors;
  VectorType bytes = e.vec(V, e.i8());
  Value low = table(0, 4), high = table(4, 5);

  Value table(int64_t first, int64_t end);
  Value codes(Value stored, Value table, int64_t largest);
  void rowVector(Value stream, Value codes);
};
} // namespace

/// For |v| = 0 .. 121: codes of the trits [first, end), two bits each.
Value TritUnpacker::table(int64_t first, int64_t end) {
  SmallVector<int64_t> entries(g.tables.getEntryBytes());
  for (int64_t v = 0; v < g.tables.getEntries(); ++v)
    for (int64_t place = 0, rest = v; place < end; ++place, rest = (rest + 1) / 3)
      if (place >= first)
        entries[v] |= (rest + 1) % 3 << 2 * (place - first);
  for (int64_t &entry : entries)
    entry = int8_t(entry);
  return e.constantVector(e.vec(entries.size(), e.i8()), entries);
}

/// A negative value has the codes 2 - c.
Value TritUnpacker::codes(Value stored, Value table, int64_t largest) {
  Value positive = LookupOp::create(e.b, e.loc, table, stored, g.tables.getEntryBytes());
  Value negative = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, stored, e.constant(bytes, 0));
  return arith::SelectOp::create(e.b, e.loc, negative, e.sub(e.constant(bytes, largest), positive), positive);
}

/// Four bytes of k of V rows. Row i V/4 + j is byte 4j + i there, and dword j of vector i here: a
/// transposition within every 16 bytes, then two interleavings.
void TritUnpacker::rowVector(Value stream, Value codes) {
  auto shuffle = [&](Value a, Value c, function_ref<int64_t(int64_t)> from) {
    SmallVector<int64_t> indices;
    for (int64_t b = 0; b < V; ++b)
      indices.push_back(from(b));
    return vector::ShuffleOp::create(e.b, e.loc, a, c, indices).getResult();
  };
  // Units of `size` bytes of a and c in turn, from the lower or upper half of every 16 bytes.
  auto interleave = [&](Value a, Value c, int64_t size, bool upper) {
    return shuffle(a, c, [&](int64_t b) {
      int64_t unit = b % 16 / size;
      return (unit % 2 ? V : 0) + b / 16 * 16 + (upper ? 8 : 0) + unit / 2 * size + b % size;
    });
  };
  Value rows[4];
  for (int64_t t = 0; t < 4; ++t) {
    Value stored = e.load(bytes, e.at(stream, t * R * V));
    rows[t] = shuffle(stored, stored, [](int64_t b) { return b / 16 * 16 + b % 4 * 4 + b / 4 % 4; });
  }
  for (int64_t i = 0; i < 4; ++i) {
    bool upper = i / 2;
    Value four =
        interleave(interleave(rows[0], rows[1], 1, upper), interleave(rows[2], rows[3], 1, upper), 2, i % 2);
    Value fields = this->codes(four, low, 0xaa), last = this->codes(four, high, 2);
    for (int64_t place = 0; place < 5; ++place) {
      Value code = place < 4 ? e.bitAnd(e.shiftBytes(fields, 2 * place), 3) : last;
      e.store(code, e.at(codes, (place * 4 + i) * V), V);
    }
  }
}

Value lut::emitUnpacks(Emitter &e, StageCall &call, Value m) {
  return e.compare(arith::CmpIPredicate::uge, m, call.number(&lutc_shape::unpack_tokens));
}

void lut::emitUnpack(Emitter &e, const Body &stored, const Body &unpacked, StageCall &call,
                     const PackedCodes &from, Value codes) {
  const Body g = stored.inSteps(stored.rowVectors / unpacked.steps());
  if (g.layout == Layout::base3) {
    TritUnpacker unpacker{e, g};
    return e.each(e.div(from.length, 20), [&](Value i) {
      unpacker.rowVector(e.at(e.at(from.stream, from.part), e.mul(i, 4 * g.chunkBytes)),
                         e.at(codes, e.mul(i, 20 * g.stepRows())));
    });
  }
  Value spanBytes = call.number(&lutc_shape::span_bytes);
  Value tileBytes = g.prefetchesTiles() ? call.number(&lutc_shape::tile_bytes) : Value();
  e.each(from.spans, [&](Value i) {
    Value span = e.at(from.stream, e.mul(i, spanBytes));
    bool isBook = g.layout == Layout::book; // whose parts are shorter than row vectors of bytes
    Value chunks = e.at(span, isBook ? e.div(e.mul(from.part, g.planes), 4) : from.part);
    Value to = e.at(codes, e.mul(e.mul(i, from.length), g.stepRows()));
    e.each(e.div(from.length, g.chunkK), [&](Value i) {
      Value chunk = e.at(chunks, e.mul(i, g.chunkBytes)), bytes = e.at(to, e.mul(i, g.chunkK * g.stepRows()));
      isBook ? unpackBookChunk(e, g, chunk, bytes) : unpackChunk(e, g, chunk, bytes, tileBytes);
    });
  });
}

void lut::emitUnpackMultiples(Emitter &e, const Body &g, StageCall &call, const PackedCodes &from,
                              Value multiples) {
  Value spanBytes = call.number(&lutc_shape::span_bytes);
  e.each(from.spans, [&](Value i) {
    emitMultiples(e, g, e.at(from.stream, e.mul(i, spanBytes)), e.at(multiples, e.mul(i, g.spanMultiples())));
  });
}

/// Each of four quarters of the multiples has four bits in half of the bytes, and two in a quarter of them.
void lut::emitMultiples(Emitter &e, const Body &g, Value packed, Value bytes) {
  if (g.format.multiplesAreInside())
    return emitBookMultiples(e, g, packed, bytes);
  int64_t bits = g.format.multipleBits(), quarter = g.spanMultiples() / 4;
  int64_t V = std::min(g.vectorBytes, quarter);
  VectorType type = e.vec(V, e.i8());
  if (bits == 8)
    return e.each(e.index(0), e.index(4 * quarter), V,
                  [&](Value i) { e.store(e.load(type, e.at(packed, i)), e.at(bytes, i)); });
  e.each(e.index(0), e.index(quarter), V, [&](Value i) {
    Value low[] = {e.load(type, e.at(packed, i)), e.load(type, e.at(e.at(packed, i), quarter))};
    Value high = bits == 6 ? e.load(type, e.at(e.at(packed, i), 2 * quarter)) : Value();
    for (int64_t q = 0; q < 4; ++q) {
      Value multiple = e.bitAnd(e.shiftBytes(low[q % 2], q / 2 * 4), 15);
      if (high)
        multiple = arith::OrIOp::create(e.b, e.loc, multiple, e.bitAnd(e.shiftBytes(high, 2 * q - 4), 0x30));
      if (g.format.row->vectors) // odd
        multiple = e.add(e.add(multiple, multiple), 1);
      else if (!g.format.minimums)
        multiple = e.sub(multiple, e.constant(type, 1 << (bits - 1)));
      e.store(multiple, e.at(e.at(bytes, i), q * quarter));
    }
  });
}
