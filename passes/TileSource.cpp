// What comes before the activations of a product: norms, activation functions, rotations, the order of
// permuted columns, 16 elements at a time on every target, so that sums have one order. The arithmetic is
// that of test/reference/elementwise.h.
#include "passes/TileEmitter.h"
#include <cmath>

using namespace mlir;
using namespace lut;

namespace {

struct SourceEmitter {
  static constexpr int64_t L = 16; // lanes

  Emitter &e;
  Value buffer;
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
  void rotateVectors(int64_t block, int64_t elements);
  void rotateLanes(int64_t block, int64_t elements);

  Value evaluate(Value value, Value k, int64_t valid);
  Value element(Value pointer) { return e.splat(e.load(e.f32(), pointer, 4), L); }
  void each(int64_t elements, function_ref<void(Value k, int64_t valid)> body);
  Value sum(int64_t elements, function_ref<Value(Value k, int64_t valid)> term);

  Value divide(Value a, Value c) { return arith::DivFOp::create(e.b, e.loc, a, c); }
  Value exponential(Value x);
  Value activation(Activation kind, Value x);
};

} // namespace

static int64_t elementsOf(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void SourceEmitter::each(int64_t elements, function_ref<void(Value, int64_t)> body) {
  e.loop(elements / L, {}, [&](Value i, Values) {
    body(e.mul(i, L), L);
    return Values();
  });
  if (elements % L)
    body(e.index(elements / L * L), elements % L);
}

/// The sum of terms, 0 in lanes that do not exist: 16 sums of every 16th element, then halves are added.
Value SourceEmitter::sum(int64_t elements, function_ref<Value(Value, int64_t)> term) {
  Value lanes = e.loop(elements / L, {e.real(floats, 0.0)}, [&](Value i, Values carried) {
    return Values{e.add(carried[0], term(e.mul(i, L), L))};
  })[0];
  if (elements % L)
    lanes = e.add(lanes, term(e.index(elements / L * L), elements % L));
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
  each(elementsOf(value), [&](Value k, int64_t valid) {
    e.store(evaluate(value, k, valid), e.at(buffer, e.mul(k, 4)),
            4); // rows of the buffer end at a cache line
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
Value SourceEmitter::evaluate(Value value, Value k, int64_t valid) {
  auto found = memory.find(value);
  if (found != memory.end())
    return e.loadFirst(floats, e.at(found->second, e.mul(k, 4)), valid);
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
  Value operand = op->getOperand(1);
  auto type = cast<RankedTensorType>(operand.getType());
  bool one = type.getRank() == 1 && type.getDimSize(0) == 1;
  Value other = one ? element(memory[operand]) : evaluate(operand, k, valid);
  return isa<AddOp>(op) ? e.add(x, other) : e.mul(x, other);
}

/// The token's mean and 1 / sqrt(mean square + epsilon).
void SourceEmitter::normalize(NormOp op) {
  if (auto *input = op.getX().getDefiningOp(); isa_and_nonnull<ActivateOp>(input))
    rowOf(op.getX()); // read two or three times: not worth computing again
  int64_t elements = elementsOf(op.getX());
  Value count = e.real(e.f32(), double(elements)), mean;
  if (op.getKind() == NormKind::layer)
    mean =
        divide(sum(elements, [&](Value k, int64_t valid) { return evaluate(op.getX(), k, valid); }), count);
  Value squares = sum(elements, [&](Value k, int64_t valid) {
    Value x = evaluate(op.getX(), k, valid);
    if (mean) {
      x = e.sub(x, e.splat(mean, L));
      if (valid < L)
        x = arith::SelectOp::create(e.b, e.loc, e.firstLanes(L, valid), x, e.real(floats, 0.0));
    }
    return e.mul(x, x);
  });
  Value spread = e.add(divide(squares, count), e.real(e.f32(), op.getEpsilon().convertToFloat()));
  Value root = LLVM::SqrtOp::create(e.b, e.loc, e.f32(), spread);
  statistics[op] = {mean, divide(e.real(e.f32(), 1.0), root)};
}

/// Steps of 1, 2, 4, 8 of the Hadamard transform, then the scale where there are no others.
void SourceEmitter::rotateLanes(int64_t block, int64_t elements) {
  each(elements, [&](Value k, int64_t) {
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
void SourceEmitter::rotateVectors(int64_t block, int64_t elements) {
  for (int64_t step = L; step < block; step *= 2) {
    int64_t side = step / L;
    e.loop(elements / (2 * L), {}, [&](Value pair, Values) {
      Value run = arith::DivUIOp::create(e.b, e.loc, pair, e.index(side));
      Value inner = arith::RemUIOp::create(e.b, e.loc, pair, e.index(side));
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
      return Values();
    });
  }
}

void SourceEmitter::rotate(RotateOp op) {
  int64_t elements = elementsOf(op.getX());
  each(elements,
       [&](Value k, int64_t valid) { e.store(evaluate(op.getX(), k, valid), e.at(buffer, e.mul(k, 4)), 4); });
  rotateLanes(op.getBlock(), elements);
  rotateVectors(op.getBlock(), elements);
  memory[op.getY()] = buffer;
}

/// Gathers one by one: gather instructions are slower, or absent. A row in the buffer is followed by its
/// permuted one. Columns of damaged weights read inside the row, too.
void SourceEmitter::permute(PermuteOp op) {
  int64_t elements = elementsOf(op.getX());
  Value row = rowOf(op.getX()), columns = memory[op.getW()];
  Value permuted = row == buffer ? e.at(buffer, rowBytes(elements)) : buffer;
  Value last = e.constant(e.i32(), elements - 1);
  each(elements, [&](Value k, int64_t valid) {
    Value from = e.at(columns, e.mul(k, 4)), to = e.at(permuted, e.mul(k, 4));
    for (int64_t lane = 0; lane < valid; ++lane) {
      Value column = arith::MinUIOp::create(e.b, e.loc, e.load(e.i32(), e.at(from, 4 * lane), 4), last);
      Value offset = e.mul(arith::ExtUIOp::create(e.b, e.loc, e.i64(), column), 4);
      e.store(e.load(e.f32(), e.at(row, offset), 4), e.at(to, 4 * lane), 4);
    }
  });
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

Value lut::emitSource(Emitter &e, StageOp stage, ArrayRef<SourceRows> inputs, Value token, Value buffer) {
  SourceEmitter emitter{e, buffer};
  Block &body = stage.getBody().front();
  for (auto [argument, input] : llvm::zip(body.getArguments(), inputs)) {
    Value pointer = input.pointer;
    if (input.stride)
      pointer = e.at(pointer, e.mul(e.mul(token, input.stride), 4));
    emitter.memory[argument] = pointer;
  }
  for (Operation &op : body) {
    emitter.visit(&op);
    if (isa<QuantizeActivationsOp, PrecomputeOp>(op) && isa<RankedTensorType>(op.getOperand(0).getType()))
      return emitter.rowOf(op.getOperand(0));
  }
  llvm_unreachable("a stage that prepares quantizes a tensor");
}
