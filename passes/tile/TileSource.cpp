// What comes before the activations of a product: norms, activation functions, rotations, the order of
// permuted columns, 16 elements at a time on every target, so that sums have one order. The arithmetic is
// that of test/reference/elementwise.h.
#include "passes/tile/TileEmitter.h"
#include <cmath>

using namespace mlir;
using namespace lut;

namespace {

struct SourceEmitter {
  static constexpr int64_t L = 16; // lanes

  Emitter &e;
  StageCall &call;
  Value buffer;
  Value elements = call.number(&lutc_shape::k);
  DenseMap<Value, Value> memory{}; // pointer to the token's row of each value that lies in memory
  struct Statistics {
    Value mean, factor; // scalars; mean: null for rms
  };
  DenseMap<Operation *, Statistics> statistics{};
  VectorType floats = e.vec(L, e.f32()), ints = e.vec(L, e.i32());

  void visit(Operation *op);
  Value rowOf(Value value);
  void normalize(NormOp op);
  void permute(PermuteOp op);
  void rotate(RotateOp op);
  void rotateVectors(int64_t block);
  void rotateLanes(int64_t block);

  // `valid`: of 16 elements, those that exist; null: all.
  Value evaluate(Value value, Value k, Value valid);
  Value load(Value pointer, Value valid);
  Value masked(Value lanes, Value valid);
  Value element(Value pointer) { return e.splat(e.load(e.f32(), pointer, 4), L); }
  void each(function_ref<void(Value k, Value valid)> body);
  Value sum(function_ref<Value(Value k, Value valid)> term);

  Value divide(Value a, Value c) { return arith::DivFOp::create(e.b, e.loc, a, c); }
  Value exponential(Value x);
  Value activation(Activation kind, Value x);
};

} // namespace

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Whole vectors, then the last elements of a row that is no multiple of 16 long.
void SourceEmitter::each(function_ref<void(Value, Value)> body) {
  e.each(e.div(elements, L), [&](Value i) { body(e.mul(i, L), Value()); });
  Value rest = e.rem(elements, L);
  e.when(e.compare(arith::CmpIPredicate::ne, rest, e.index(0)), [&] { body(e.sub(elements, rest), rest); });
}

/// 16 elements, 0 from `valid` on, which are not read.
Value SourceEmitter::load(Value pointer, Value valid) {
  if (!valid)
    return e.load(floats, pointer, 4);
  Value copy = e.allocate(L * 4);
  e.store(e.real(floats, 0.0), copy, 4);
  e.each(valid, [&](Value i) {
    Value offset = e.mul(i, 4);
    e.store(e.load(e.f32(), e.at(pointer, offset), 4), e.at(copy, offset), 4);
  });
  return e.load(floats, copy, 4);
}

/// 0 in lanes that do not exist.
Value SourceEmitter::masked(Value lanes, Value valid) {
  if (!valid)
    return lanes;
  Value count = e.splat(arith::TruncIOp::create(e.b, e.loc, e.i32(), valid), L);
  Value lane = e.constantVector(ints, llvm::to_vector(llvm::seq<int64_t>(0, L)));
  return e.select(e.compare(arith::CmpIPredicate::slt, lane, count), lanes, e.real(floats, 0.0));
}

/// The sum of terms: 16 sums of every 16th element, then halves are added.
Value SourceEmitter::sum(function_ref<Value(Value, Value)> term) {
  Value lanes = e.loop(e.div(elements, L), {e.real(floats, 0.0)}, [&](Value i, Values carried) {
    return Values{e.add(carried[0], term(e.mul(i, L), Value()))};
  })[0];
  Value rest = e.rem(elements, L);
  lanes = e.chosen(
      floats, e.compare(arith::CmpIPredicate::ne, rest, e.index(0)),
      [&] { return Values{e.add(lanes, masked(term(e.sub(elements, rest), rest), rest))}; },
      [&] { return Values{lanes}; })[0];
  for (int64_t half = L / 2; half >= 1; half /= 2) {
    auto part = [&](int64_t first) {
      return vector::ShuffleOp::create(e.b, e.loc, lanes, lanes,
                                       llvm::to_vector(llvm::seq<int64_t>(first, first + half)))
          .getResult();
    };
    Value low = part(0), high = part(half);
    lanes = e.add(low, high);
  }
  return vector::ExtractOp::create(e.b, e.loc, lanes, ArrayRef<int64_t>{0});
}

/// Pointer to the token's row of `value`, which is computed to the buffer where it does not lie in memory.
Value SourceEmitter::rowOf(Value value) {
  auto found = memory.find(value);
  if (found != memory.end())
    return found->second;
  each([&](Value k, Value valid) { // the buffer has room for whole vectors
    e.store(evaluate(value, k, valid), e.at(buffer, e.mul(k, 4)), 4);
  });
  memory[value] = buffer;
  return buffer;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// exp(x) = 2^n exp(r), n = rne(x / ln 2), ln 2 in two parts; a polynomial of degree 7 (Cephes expf), error
/// below 2 units in the last place.
Value SourceEmitter::exponential(Value x) {
  x = e.bound(e.bound(x, 88.0, arith::CmpFPredicate::OGT), -87.0, arith::CmpFPredicate::OLT);
  Value magic = e.real(floats, 12582912.0); // 1.5 * 2^23: the integer part is in the low bits
  Value shifted = e.add(e.mul(x, e.real(floats, 1.44269504f)), magic), n = e.sub(shifted, magic);
  Value r =
      e.sub(e.sub(x, e.mul(n, e.real(floats, 0.693359375f))), e.mul(n, e.real(floats, -2.12194440e-4f)));
  Value p = e.real(floats, 1.9875691500e-4f);
  for (float c : {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    p = e.add(e.mul(p, r), e.real(floats, c));
  Value y = e.add(e.add(e.mul(p, e.mul(r, r)), r), e.real(floats, 1.0));
  Value exponent = e.shiftLeft(e.add(e.bitcast(shifted, ints), 127 - int64_t(0x4b400000)), 23);
  return e.mul(y, e.bitcast(exponent, floats));
}

Value SourceEmitter::activation(Activation kind, Value x) {
  auto minus = [&](Value v) { return arith::NegFOp::create(e.b, e.loc, v).getResult(); };
  auto sigmoidal = [&](Value argument) {
    return divide(x, e.add(exponential(minus(argument)), e.real(floats, 1.0)));
  };
  switch (kind) {
  case Activation::silu:
    return sigmoidal(x);
  case Activation::gelu: {
    Value cube = e.mul(e.mul(e.mul(x, x), x), e.real(floats, 0.044715f));
    return sigmoidal(e.mul(e.add(x, cube), e.real(floats, 1.5957691f))); // 2 sqrt(2 / pi)
  }
  case Activation::relu2: {
    Value positive = e.bound(x, 0.0, arith::CmpFPredicate::OLT);
    return e.mul(positive, positive);
  }
  case Activation::none:
    return x;
  }
  llvm_unreachable("an activation");
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// 16 elements of `value` from k on.
Value SourceEmitter::evaluate(Value value, Value k, Value valid) {
  auto found = memory.find(value);
  if (found != memory.end())
    return load(e.at(found->second, e.mul(k, 4)), valid);
  Operation *op = value.getDefiningOp();
  Value x = evaluate(op->getOperand(0), k, valid);
  if (auto norm = dyn_cast<NormOp>(op)) {
    const Statistics &s = statistics[op];
    if (s.mean)
      x = e.sub(x, e.splat(s.mean, L));
    x = e.mul(e.mul(x, e.splat(s.factor, L)), evaluate(norm.getWeight(), k, valid));
    return norm.getBias() ? e.add(x, evaluate(norm.getBias(), k, valid)) : x;
  }
  if (auto activate = dyn_cast<ActivateOp>(op)) {
    Value y = activation(activate.getActivation(), x);
    return activate.getFactor() ? e.mul(y, evaluate(activate.getFactor(), k, valid)) : y;
  }
  Value other = op->getOperand(1);
  return emitBinary(e, *op, x, isOneForAll(*op) ? element(memory[other]) : evaluate(other, k, valid));
}

/// The token's mean and 1 / sqrt(mean square + epsilon).
void SourceEmitter::normalize(NormOp op) {
  if (auto *input = op.getX().getDefiningOp(); isa_and_nonnull<ActivateOp>(input))
    rowOf(op.getX()); // read two or three times: not worth computing again
  Value count = e.toFloat(arith::TruncIOp::create(e.b, e.loc, e.i32(), elements)), mean;
  if (op.getKind() == NormKind::layer)
    mean = divide(sum([&](Value k, Value valid) { return evaluate(op.getX(), k, valid); }), count);
  Value squares = sum([&](Value k, Value valid) {
    Value x = evaluate(op.getX(), k, valid);
    if (mean)
      x = e.sub(x, e.splat(mean, L));
    return e.mul(x, x);
  });
  Value spread = e.add(divide(squares, count), e.real(e.f32(), op.getEpsilon().convertToFloat()));
  Value root = LLVM::SqrtOp::create(e.b, e.loc, e.f32(), spread);
  statistics[op] = {mean, divide(e.real(e.f32(), 1.0), root)};
}

/// Steps of 1, 2, 4, 8 of the Hadamard transform, then the scale where there are no others.
void SourceEmitter::rotateLanes(int64_t block) {
  each([&](Value k, Value) {
    Value pointer = e.at(buffer, e.mul(k, 4)), v = e.load(floats, pointer, 4);
    for (int64_t step = 1; step < std::min(block, L); step *= 2) {
      SmallVector<int64_t> partner;
      SmallVector<float> signs;
      for (int64_t lane = 0; lane < L; ++lane) {
        partner.push_back(lane ^ step);
        signs.push_back(lane & step ? -1.0f : 1.0f);
      }
      Value sign =
          arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(floats, ArrayRef<float>(signs)));
      v = e.add(vector::ShuffleOp::create(e.b, e.loc, v, v, partner), e.mul(v, sign));
    }
    if (block <= L)
      v = e.mul(v, e.real(floats, float(1 / std::sqrt(double(block)))));
    e.store(v, pointer, 4);
  });
}

/// Steps of 16 and more: pairs of vectors.
void SourceEmitter::rotateVectors(int64_t block) {
  for (int64_t step = L; step < block; step *= 2) {
    int64_t side = step / L;
    e.each(e.div(elements, 2 * L), [&](Value pair) {
      Value run = e.div(pair, side), inner = e.rem(pair, side);
      Value first = e.at(buffer, e.mul(e.add(e.mul(run, 2 * side), inner), L * 4)),
            second = e.at(first, step * 4);
      Value a = e.load(floats, first, 4), c = e.load(floats, second, 4);
      Value plus = e.add(a, c), minus = e.sub(a, c);
      if (2 * step == block) {
        Value factor = e.real(floats, float(1 / std::sqrt(double(block))));
        plus = e.mul(plus, factor);
        minus = e.mul(minus, factor);
      }
      e.store(plus, first, 4);
      e.store(minus, second, 4);
    });
  }
}

void SourceEmitter::rotate(RotateOp op) {
  each([&](Value k, Value valid) { e.store(evaluate(op.getX(), k, valid), e.at(buffer, e.mul(k, 4)), 4); });
  rotateLanes(op.getBlock());
  rotateVectors(op.getBlock());
  memory[op.getY()] = buffer;
}

/// Gathers one by one: gather instructions are slower, or absent. A row in the buffer is followed by its
/// permuted one. Columns of damaged weights read inside the row, too.
void SourceEmitter::permute(PermuteOp op) {
  Value row = rowOf(op.getX()), columns = memory[op.getW()];
  Value permuted = row == buffer ? e.at(buffer, e.mul(call.number(&lutc_shape::row_k), 4)) : buffer;
  Value last = arith::TruncIOp::create(e.b, e.loc, e.i32(), e.add(elements, -1));
  auto gather = [&](Value k) {
    Value column = e.least(e.load(e.i32(), e.at(columns, e.mul(k, 4)), 4), last);
    Value offset = e.mul(arith::ExtUIOp::create(e.b, e.loc, e.i64(), column), 4);
    e.store(e.load(e.f32(), e.at(row, offset), 4), e.at(permuted, e.mul(k, 4)), 4);
  };
  e.each(e.div(elements, L), [&](Value i) {
    for (int64_t lane = 0; lane < L; ++lane)
      gather(e.add(e.mul(i, L), lane));
  });
  e.each(e.sub(elements, e.rem(elements, L)), elements, 1, gather);
  memory[op.getY()] = permuted;
}

void SourceEmitter::visit(Operation *op) {
  if (auto norm = dyn_cast<NormOp>(op))
    normalize(norm);
  if (auto permutation = dyn_cast<PermuteOp>(op))
    permute(permutation);
  if (auto rotation = dyn_cast<RotateOp>(op))
    rotate(rotation);
}

/// The order of the columns of permuted weights. Those of experts have none that their tokens share.
static Value columnsOf(Emitter &e, StageCall &call, unsigned place) {
  return e.at(call.pointer(place), call.number(&lutc_shape::columns_offset));
}

Value lut::emitSource(Emitter &e, StageOp stage, StageCall &call, Value token) {
  Value buffer =
      e.at(call.pointer(LUTC_STAGE_BUFFER), e.mul(e.mul(token, call.stride(LUTC_STAGE_BUFFER)), 4));
  SourceEmitter emitter{e, call, buffer};
  Block &body = stage.getBody().front();
  for (auto [i, argument] : llvm::enumerate(body.getArguments())) {
    unsigned place = LUTC_STAGE_X + i;
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    Value &pointer = emitter.memory[argument];
    pointer = type ? call.pointer(place) : columnsOf(e, call, place);
    if (type && type.getRank() == 2)
      pointer = e.at(pointer, e.mul(e.mul(token, call.stride(place)), 4));
  }
  for (Operation &op : body) {
    emitter.visit(&op);
    if (!isa<QuantizeActivationsOp, PrecomputeOp>(op) || !isa<RankedTensorType>(op.getOperand(0).getType()))
      continue;
    Value source = op.getOperand(0);
    if (isa<BlockArgument>(source)) { // a copy that is padded
      emitter.each([&](Value k, Value valid) {
        e.store(emitter.evaluate(source, k, valid), e.at(buffer, e.mul(k, 4)), 4);
      });
      emitter.memory[source] = buffer;
    }
    Value row = emitter.rowOf(source);
    e.each(call.number(&lutc_shape::k), call.number(&lutc_shape::row_k), 1,
           [&](Value k) { e.store(e.real(e.f32(), 0.0), e.at(row, e.mul(k, 4)), 4); });
    return row;
  }
  llvm_unreachable("a stage that prepares quantizes a tensor");
}
