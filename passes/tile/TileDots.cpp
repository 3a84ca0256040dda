// Integer sums of one group by dot products of codes and int8 activations, 8 quads of k to a chunk.
#include "passes/tile/TileSums.h"

using namespace mlir;
using namespace lut;

namespace {
struct DotEmitter : SumEmitter {
  const Format &format = g.format;
  int64_t largest = g.largestCode();

  bool sharesChunk = format.group && format.group < g.chunkK; // with another group
  int64_t quadBytes = g.codeStride / g.chunkQuads();

  /// Whether groups, or rows, are pairs of chunks.
  bool arePaired() const { return (g.wholeRow() ? g.padding : g.span) % (2 * g.chunkK) == 0; }

  /// Dot products take step * code: a step of 2 moves codes up by a bit.
  int64_t stepBit() const { return format.row->step == 2 && !format.hasPlainCodes() ? 1 : 0; }
  /// Vectors of a chunk, loaded once.
  using Chunk = SmallVector<SmallVector<Value, 8>>;
  Chunk noVectors() const { return Chunk(R, SmallVector<Value, 8>(g.planes)); }

  Values sums();
  Values fieldSums();
  Values subgroupSums();
  void addSubgroup(Value multiples, const Values &partial, Values &sums);
  int64_t runQuads() const;
  Values pairedStart();
  Values pairedSums();
  Values runSums(Value codes, Value k, int64_t firstQuad, int64_t run, Chunk &loaded);
  void dotChunk(Value i, int64_t firstQuad, int64_t quads, Chunk &loaded, Values &sums);
  void dotQuads(Value codes, Value k, int64_t firstQuad, int64_t quads, Chunk &loaded, Values &sums);
  Value joinedFields(Value chunk, int64_t row, int64_t quad, llvm::MutableArrayRef<Value> loaded);
  Value codes(Value chunk, int64_t row, int64_t quad, llvm::MutableArrayRef<Value> loaded);
  Value chunkVector(Value chunk, int64_t index, int64_t row, llvm::MutableArrayRef<Value> loaded);
  Values eachPart(int64_t quads, Values sums, function_ref<Values(Value i, Values sums)> body);
};
} // namespace

/// Vector `index` of the chunk in row vector `row`, loaded once. `loaded` has the row's vectors.
Value DotEmitter::chunkVector(Value chunk, int64_t index, int64_t row, llvm::MutableArrayRef<Value> loaded) {
  Value &vector = loaded[index];
  if (!vector)
    vector = weightVector(chunk, index * stride + row);
  return vector;
}

/// The codes of the 4 k of `quad` in row vector `row`, times the step.
Value DotEmitter::joinedFields(Value chunk, int64_t row, int64_t quad, llvm::MutableArrayRef<Value> loaded) {
  Value joined;
  for (const Body::Field &field : g.fieldsOf(quad)) {
    int64_t bit = field.weight + stepBit();
    Value bits = e.shiftBytes(chunkVector(chunk, field.vector, row, loaded), field.position - bit);
    bits = e.bitAnd(bits, ((1 << field.width) - 1) << bit);
    joined = joined ? arith::OrIOp::create(e.b, e.loc, joined, bits).getResult() : bits;
  }
  return joined;
}

/// What the codes of the 4 k of `quad` in row vector `row` stand for, less the code book's smallest value
/// unless they are signed: fields are joined, and times the step or looked up.
Value DotEmitter::codes(Value chunk, int64_t row, int64_t quad, llvm::MutableArrayRef<Value> loaded) {
  if (g.unpacked)
    return chunkVector(chunk, quad, row, loaded);
  Value joined = joinedFields(chunk, row, quad, loaded);
  int64_t origin = g.signedCodes() ? 0 : format.row->offset;
  if (!format.row->book)
    return g.signedCodes() ? e.add(joined, format.row->offset) : joined;
  SmallVector<int64_t> levels;
  for (int code = 0; code < format.row->codes(); ++code)
    levels.push_back(int8_t(format.row->value(code) - origin));
  Value table = e.constantVector(e.vec(format.row->codes(), e.i8()), levels);
  return LookupOp::create(e.b, e.loc, table, joined, format.row->codes());
}

/// Adds the products of `quads` quads of a chunk, whose codes are at `codes` and integers at `k`, to `sums`.
void DotEmitter::dotQuads(Value codes, Value k, int64_t firstQuad, int64_t quads, Chunk &loaded,
                          Values &sums) {
  Values x;
  for (Value integers : at.values)
    x.push_back(e.at(integers, k));
  int64_t size = R * tokens;
  for (int64_t quad = firstQuad; quad < firstQuad + quads; ++quad) {
    Values values;
    for (Value pointer : x)
      values.push_back(e.bitcast(e.splat(e.load(e.i32(), e.at(pointer, 4 * quad)), V / 4), bytes));
    Value *part = sums.data() + quad % (sums.size() / size) * size;
    for (int64_t r = 0; r < R; ++r) {
      Value code = this->codes(codes, r, quad, loaded[r]);
      for (int64_t t = 0; t < tokens; ++t) {
        Value &sum = part[r * tokens + t];
        sum = DotOp::create(e.b, e.loc, sum, code, values[t], largest, g.signedCodes());
      }
    }
  }
}

/// One token, where products are exact: fields stay where they are in their bytes, each place with a sum of
/// its own that is shifted to its weight at the end. A field then costs one mask, which runs beside the
/// product.
Values DotEmitter::fieldSums() {
  struct Place {
    int64_t position, width, weight;
    bool operator==(const Place &p) const {
      return position == p.position && width == p.width && weight == p.weight;
    }
  };
  SmallVector<Place> places;
  // The upper half of eight single bits moves down: more sums would not fit the registers.
  auto shiftOf = [&](const Body::Field &field) { return g.planes == 1 ? field.position & 4 : 0; };
  auto placeOf = [&](const Body::Field &field) {
    Place place{field.position - shiftOf(field), field.width, field.weight};
    auto found = llvm::find(places, place);
    if (found == places.end()) {
      places.push_back(place);
      return places.size() - 1;
    }
    return size_t(found - places.begin());
  };
  for (int64_t quad = 0; quad < 8; ++quad)
    for (const Body::Field &field : g.fieldsOf(quad))
      placeOf(field);
  auto chunkSums = [&](Value i, Values sums) {
    Value chunk = e.at(at.weights, e.mul(i, g.chunkBytes));
    Value x = e.at(at.values[0], e.add(at.kOffset, e.mul(i, g.chunkK)));
    Chunk loaded = noVectors();
    for (int64_t quad = 0; quad < 8; ++quad) {
      Value values = e.bitcast(e.splat(e.load(e.i32(), e.at(x, 4 * quad)), V / 4), bytes);
      for (int64_t r = 0; r < R; ++r)
        for (const Body::Field &field : g.fieldsOf(quad)) {
          size_t index = placeOf(field);
          int64_t mask = ((1 << field.width) - 1) << places[index].position;
          Value w = chunkVector(chunk, field.vector, r, loaded[r]);
          Value &sum = sums[index * R + r];
          sum = DotOp::create(e.b, e.loc, sum, e.bitAnd(e.shiftBytes(w, shiftOf(field)), mask), values, mask);
        }
    }
    return sums;
  };
  Values zeros(places.size() * R, e.constant(lanes, 0));
  Values parts = eachPart(8, zeros, chunkSums), sums = initialSums();
  for (auto [index, place] : llvm::enumerate(places))
    for (int64_t r = 0; r < R; ++r) {
      Value part = parts[index * R + r];
      int64_t shift = place.position - place.weight - stepBit();
      part = shift < 0 ? e.shiftLeft(part, -shift) : e.shiftRightArithmetic(part, shift);
      sums[r] = e.add(sums[r], part);
    }
  return sums;
}

/// Parts of so many quads. A token alone takes two an iteration: with one, a cold w4g128 4096x4096 took 667
/// us, with two 506.
Values DotEmitter::eachPart(int64_t quads, Values sums, function_ref<Values(Value i, Values sums)> body) {
  Value parts = e.div(at.kLength, 4 * quads);
  int64_t unroll = tokens == 1 && quads <= g.chunkQuads() && arePaired() && !g.unpacked ? 2 : 1;
  return e.loop(e.div(parts, unroll), sums, [&](Value i, Values carried) {
    for (int64_t u = 0; u < unroll; ++u)
      carried = body(e.add(e.mul(i, unroll), u), carried);
    return carried;
  });
}

/// Small tiles split every sum in parts, so that enough of them are independent.
Values DotEmitter::sums() {
  if (g.dot == DotKind::pairs)
    return pairedSums();
  if (format.subgroup)
    return subgroupSums();
  Values sums = initialSums();
  if (sharesChunk) {
    Chunk loaded = noVectors();
    dotQuads(at.weights, at.kOffset, at.firstQuad, at.quads, loaded, sums);
    return sums;
  }
  if (tokens == 1 && g.dot == DotKind::quads && !format.row->book && !g.unpacked)
    return fieldSums();
  size_t size = sums.size();
  while (int64_t(sums.size()) < g.independentSums && sums.size() < 4 * size)
    sums.append(sums.size(), e.constant(lanes, 0));
  sums = eachPart(g.chunkQuads(), sums, [&](Value i, Values carried) {
    Chunk loaded = noVectors();
    dotChunk(i, 0, g.chunkQuads(), loaded, carried);
    return carried;
  });
  for (; sums.size() > size; sums.truncate(sums.size() / 2))
    for (size_t s = 0; s < sums.size() / 2; ++s)
      sums[s] = e.add(sums[s], sums[s + sums.size() / 2]);
  return sums;
}

void DotEmitter::dotChunk(Value i, int64_t firstQuad, int64_t quads, Chunk &loaded, Values &sums) {
  dotQuads(e.at(at.weights, e.mul(i, g.codeStride)), e.add(at.kOffset, e.mul(i, g.chunkK)), firstQuad, quads,
           loaded, sums);
}

/// Products of a subgroup are multiplied before they are added: all of a group stays in integers.
Values DotEmitter::subgroupSums() {
  int64_t perChunk = g.chunkK / format.subgroup;
  Values sums(R * tokens, e.constant(lanes, 0));
  return eachPart(8, sums, [&](Value i, Values carried) {
    Chunk loaded = noVectors();
    for (int64_t s = 0; s < perChunk; ++s) {
      Value index = e.add(e.mul(i, perChunk), s);
      Values partial(R * tokens, e.constant(lanes, 0));
      for (int64_t t = 0; at.factor && t < tokens; ++t) {
        Value sum = e.load(e.i32(), e.at(at.subgroupSums[t], e.mul(index, 4)), 4);
        for (int64_t r = 0; r < R; ++r)
          partial[r * tokens + t] = e.splat(e.mul(sum, at.factor), V / 4);
      }
      dotChunk(i, 8 / perChunk * s, 8 / perChunk, loaded, partial);
      addSubgroup(e.at(at.multiples, e.mul(index, g.subgroupMultiples())), partial, carried);
    }
    return carried;
  });
}

/// sums += multiple * partial
void DotEmitter::addSubgroup(Value multiples, const Values &partial, Values &sums) {
  for (int64_t r = 0; r < R; ++r) {
    Value narrow = e.load(e.vec(V / 4, e.i8()), e.at(multiples, r * (V / 4)));
    Value multiple = arith::ExtSIOp::create(e.b, e.loc, lanes, narrow);
    for (int64_t t = 0; t < tokens; ++t)
      sums[r * tokens + t] = e.add(sums[r * tokens + t], e.mul(partial[r * tokens + t], multiple));
  }
}

//===----------------------------------------------------------------------===//
// Sums of pairs: 16 bits wide for a run of quads, then added to 32 bits, times what multiplies their subgroup
//===----------------------------------------------------------------------===//

/// Quads of a run: as many of a subgroup, a part of a chunk, a chunk (of a token alone, two) or a block of
/// base 3 as 16 bits hold the products of.
int64_t DotEmitter::runQuads() const {
  int64_t most = format.subgroup      ? format.subgroup / 4
                 : sharesChunk        ? at.quads
                 : g.constantKBlock() ? g.constantKBlock() / 4
                                      : g.chunkQuads() * (tokens == 1 && arePaired() ? 2 : 1);
  int64_t run = std::min(most, heldQuads(largest));
  while (most % run)
    --run;
  return run;
}

/// With what the sum factor adds to a group.
Values DotEmitter::pairedStart() {
  if (!format.subgroup)
    return initialSums();
  Values sums(R * tokens, e.constant(lanes, 0));
  for (int64_t r = 0; at.factor && r < R; ++r)
    for (auto [t, sum] : llvm::enumerate(multipliedSums(r, /*minimums=*/false)))
      sums[r * tokens + t] = e.mul(sum, e.splat(at.factor, V / 4));
  return sums;
}

Values DotEmitter::pairedSums() {
  int64_t run = runQuads(), unit = format.subgroup ? format.subgroup / 4 : run;
  int64_t quads = sharesChunk ? at.quads : std::max(run, g.chunkQuads());
  int64_t before = sharesChunk ? at.firstQuad : 0;
  auto part = [&](Value i, Values sums) {
    Value codes = e.at(at.weights, e.mul(i, quads * quadBytes)), k = e.add(at.kOffset, e.mul(i, 4 * quads));
    Chunk loaded = noVectors();
    Values factors(R, e.constant(words, 1));
    for (int64_t quad = 0; quad < quads; quad += run) {
      for (int64_t r = 0; format.subgroup && quad % unit == 0 && r < R; ++r) {
        Value subgroup = e.add(e.mul(i, quads / unit), quad / unit);
        factors[r] = multiplePairs(subgroup, subgroup, r, /*minimums=*/false);
      }
      Values pairs = runSums(codes, k, before + quad, run, loaded);
      for (auto [s, sum] : llvm::enumerate(sums))
        sum = AddPairsOp::create(e.b, e.loc, sum, pairs[s], factors[s / tokens]);
    }
    return sums;
  };
  return sharesChunk ? part(e.index(0), pairedStart()) : eachPart(quads, pairedStart(), part);
}

/// Sums of pairs of the run from `firstQuad` on: of a part of a chunk, whose other runs have `loaded`
/// vectors, or of whole chunks.
Values DotEmitter::runSums(Value codes, Value k, int64_t firstQuad, int64_t run, Chunk &loaded) {
  Values pairs(R * tokens, e.constant(words, 0));
  int64_t chunk = g.chunkQuads();
  dotQuads(codes, k, firstQuad, std::min(run, chunk), loaded, pairs);
  return e.loop(e.index(1), e.index(std::max<int64_t>(1, run / chunk)), 1, pairs,
                [&](Value i, Values carried) {
                  Chunk fresh = noVectors();
                  dotQuads(e.at(codes, e.mul(i, chunk * quadBytes)), e.add(k, e.mul(i, 4 * chunk)), 0, chunk,
                           fresh, carried);
                  return carried;
                });
}

void lut::unpackChunk(Emitter &e, const Body &g, Value chunk, Value codes, Value tileBytes) {
  GroupCursor nowhere;
  nowhere.tileBytes = tileBytes;
  DotEmitter emitter{{e, g, nowhere}};
  DotEmitter::Chunk loaded = emitter.noVectors();
  for (int64_t quad = 0; quad < g.chunkQuads(); ++quad)
    for (int64_t r = 0; r < g.stepVectors; ++r)
      e.store(emitter.codes(chunk, r, quad, loaded[r]),
              e.at(codes, (quad * g.stepVectors + r) * g.vectorBytes), g.vectorBytes);
}

Values lut::emitDotSums(const SumEmitter &emitter) { return DotEmitter{emitter}.sums(); }
