// Integer sums of one group by dot products of codes and int8 activations, 8 quads of k to a chunk.
#include "passes/tile/TileSums.h"

using namespace mlir;
using namespace lut;

namespace {
struct DotEmitter : SumEmitter {
  const Format &format = g.format;
  int64_t largest = g.largestCode();
  // Pairs of larger codes would overflow 16 bits: both halves of a byte have sums of their own.
  int64_t halves = g.dot == DotKind::pairs && largest > 128 ? 2 : 1;

  /// Dot products take step * code: a step of 2 moves codes up by a bit.
  int64_t stepBit() const { return format.row->step == 2 && !format.hasPlainCodes() ? 1 : 0; }
  /// Vectors of a chunk, loaded once.
  using Chunk = SmallVector<SmallVector<Value, 8>>;
  Chunk noVectors() const { return Chunk(R, SmallVector<Value, 8>(g.planes)); }

  Values sums();
  Values fieldSums();
  Values subgroupSums();
  void addSubgroup(Value multiples, const Values &partial, Values &sums);
  void dotQuads(Value i, int64_t firstQuad, int64_t quads, Chunk &loaded, Values &sums);
  Value joinedFields(Value chunk, int64_t row, int64_t quad, llvm::MutableArrayRef<Value> loaded);
  Values codes(Value chunk, int64_t row, int64_t quad, llvm::MutableArrayRef<Value> loaded);
  Value chunkVector(Value chunk, int64_t index, int64_t row, llvm::MutableArrayRef<Value> loaded);
  Values eachChunk(Values sums, function_ref<Values(Value i, Values sums)> body);
  Values withHalves(Values sums);
  Values joinHalves(Values sums);
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

/// What the codes of the 4 k of `quad` in row vector `row` stand for, less the code book's smallest value:
/// fields are joined, and times the step or looked up. The upper half of a byte in a vector of its own where
/// products need halves.
Values DotEmitter::codes(Value chunk, int64_t row, int64_t quad, llvm::MutableArrayRef<Value> loaded) {
  Value joined = g.unpacked ? chunkVector(chunk, quad, row, loaded) : joinedFields(chunk, row, quad, loaded);
  Values parts;
  for (int64_t half = 0; half < halves; ++half) {
    auto part = [&](int64_t value) { return halves == 1 ? value : value >> 4 * half & 15; };
    if (format.row->book && !g.unpacked) {
      SmallVector<int64_t> levels;
      for (int code = 0; code < format.row->codes(); ++code)
        levels.push_back(int8_t(part(format.row->value(code) - format.row->offset)));
      Value table = e.constantVector(e.vec(format.row->codes(), e.i8()), levels);
      parts.push_back(LookupOp::create(e.b, e.loc, table, joined, format.row->codes()));
    } else {
      parts.push_back(halves == 1 ? joined : e.bitAnd(e.shiftBytes(joined, 4 * half), 15));
    }
  }
  return parts;
}

/// Adds the products of `quads` quads of chunk i to `sums`.
void DotEmitter::dotQuads(Value i, int64_t firstQuad, int64_t quads, Chunk &loaded, Values &sums) {
  Value chunk = e.at(at.weights, e.mul(i, g.codeStride));
  Value k = e.add(at.kOffset, e.mul(i, g.chunkK));
  Values x;
  for (Value integers : at.values)
    x.push_back(e.at(integers, k));
  int64_t size = R * tokens * halves;
  for (int64_t quad = firstQuad; quad < firstQuad + quads; ++quad) {
    Values values;
    for (Value pointer : x)
      values.push_back(e.bitcast(e.splat(e.load(e.i32(), e.at(pointer, 4 * quad)), V / 4), bytes));
    Value *part = sums.data() + quad % (sums.size() / size) * size;
    for (int64_t r = 0; r < R; ++r)
      for (auto [half, code] : llvm::enumerate(codes(chunk, r, quad, loaded[r])))
        for (int64_t t = 0; t < tokens; ++t) {
          Value &sum = part[(half * R + r) * tokens + t];
          sum = DotOp::create(e.b, e.loc, sum, code, values[t], halves == 1 ? largest : 15);
        }
  }
}

/// `sums`, and zeros for those of upper halves.
Values DotEmitter::withHalves(Values sums) {
  sums.append(sums.size() * (halves - 1), e.constant(lanes, 0));
  return sums;
}

Values DotEmitter::joinHalves(Values sums) {
  size_t size = sums.size() / halves;
  for (size_t s = 0; halves == 2 && s < size; ++s)
    sums[s] = e.add(sums[s], e.shiftLeft(sums[size + s], 4));
  sums.truncate(size);
  return sums;
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
  Values parts = eachChunk(zeros, chunkSums), sums = initialSums();
  for (auto [index, place] : llvm::enumerate(places))
    for (int64_t r = 0; r < R; ++r) {
      Value part = parts[index * R + r];
      int64_t shift = place.position - place.weight - stepBit();
      part = shift < 0 ? e.shiftLeft(part, -shift) : e.shiftRightArithmetic(part, shift);
      sums[r] = e.add(sums[r], part);
    }
  return sums;
}

/// A token alone takes two chunks an iteration: with one, a cold w4g128 4096x4096 took 667 us, with two 506.
Values DotEmitter::eachChunk(Values sums, function_ref<Values(Value i, Values sums)> body) {
  Value chunks = e.div(at.kLength, g.chunkK);
  bool even = g.wholeRow() ? g.padding % (2 * g.chunkK) == 0 : g.span % (2 * g.chunkK) == 0;
  int64_t unroll = tokens == 1 && even && !g.unpacked ? 2 : 1;
  return e.loop(e.div(chunks, unroll), sums, [&](Value i, Values carried) {
    for (int64_t u = 0; u < unroll; ++u)
      carried = body(e.add(e.mul(i, unroll), u), carried);
    return carried;
  });
}

/// Small tiles split every sum in parts, so that enough of them are independent.
Values DotEmitter::sums() {
  if (format.subgroup)
    return subgroupSums();
  Values sums = withHalves(initialSums());
  if (g.format.group && g.format.group < g.chunkK) {
    Chunk loaded = noVectors();
    dotQuads(e.index(0), at.firstQuad, at.quads, loaded, sums);
    return joinHalves(sums);
  }
  if (tokens == 1 && g.dot == DotKind::quads && !format.row->book && !g.unpacked)
    return fieldSums();
  size_t size = sums.size();
  while (int64_t(sums.size()) < g.independentSums && sums.size() < 4 * size)
    sums.append(sums.size(), e.constant(lanes, 0));
  sums = eachChunk(sums, [&](Value i, Values carried) {
    Chunk loaded = noVectors();
    dotQuads(i, 0, g.chunkQuads(), loaded, carried);
    return carried;
  });
  for (; sums.size() > size; sums.truncate(sums.size() / 2))
    for (size_t s = 0; s < sums.size() / 2; ++s)
      sums[s] = e.add(sums[s], sums[s + sums.size() / 2]);
  return joinHalves(sums);
}

/// Products of a subgroup are multiplied before they are added: all of a group stays in integers.
Values DotEmitter::subgroupSums() {
  int64_t perChunk = g.chunkK / format.subgroup;
  Values sums(R * tokens, e.constant(lanes, 0));
  return eachChunk(sums, [&](Value i, Values carried) {
    Chunk loaded = noVectors();
    for (int64_t s = 0; s < perChunk; ++s) {
      Value index = e.add(e.mul(i, perChunk), s);
      Value multiples = e.at(at.multiples, e.mul(index, g.subgroupMultiples()));
      Values partial(R * tokens, e.constant(lanes, 0));
      for (int64_t t = 0; at.factor && t < tokens; ++t) {
        Value sum = e.load(e.i32(), e.at(at.subgroupSums[t], e.mul(index, 4)), 4);
        for (int64_t r = 0; r < R; ++r)
          partial[r * tokens + t] = e.splat(e.mul(sum, at.factor), V / 4);
      }
      partial = withHalves(partial);
      dotQuads(i, 8 / perChunk * s, 8 / perChunk, loaded, partial);
      addSubgroup(multiples, joinHalves(partial), carried);
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

void lut::unpackChunk(Emitter &e, const Body &g, Value chunk, Value codes) {
  GroupCursor nowhere;
  DotEmitter emitter{{e, g, nowhere}};
  emitter.halves = 1;
  DotEmitter::Chunk loaded = emitter.noVectors();
  for (int64_t quad = 0; quad < g.chunkQuads(); ++quad)
    for (int64_t r = 0; r < g.stepVectors; ++r)
      e.store(emitter.codes(chunk, r, quad, loaded[r])[0],
              e.at(codes, (quad * g.stepVectors + r) * g.vectorBytes), g.vectorBytes);
}

Values lut::emitDotSums(const SumEmitter &emitter) { return DotEmitter{emitter}.sums(); }
