// What follows a product: additions and scalings of its results, and their type.
#include "passes/tile/TileEmitter.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lut;

namespace {
struct FinishEmitter {
  Emitter &e;
  StageOp stage;
  StageCall &call;
  const FinishedRows &finished;

  void lanes(Value token, Value row, int64_t count);
  Value operand(Operation &op, unsigned place, Value token, Value row, int64_t count);
};
} // namespace

Value lut::emitBinary(Emitter &e, Operation &op, Value x, Value other) {
  return llvm::TypeSwitch<Operation *, Value>(&op)
      .Case<AddOp>([&](auto) { return e.add(x, other); })
      .Case<ScaleOp>([&](auto) { return e.mul(x, other); })
      .DefaultUnreachable("an op that follows products");
}

/// `count` elements from row `row` on of what is added or multiplied.
Value FinishEmitter::operand(Operation &op, unsigned place, Value token, Value row, int64_t count) {
  auto type = cast<RankedTensorType>(op.getOperand(1).getType());
  Value pointer = call.pointer(place);
  if (isOneForAll(op))
    return e.splat(e.load(e.f32(), pointer, 4), count);
  Value element = type.getRank() == 1 ? row : e.add(e.mul(token, call.stride(place)), row);
  return e.load(e.vec(count, e.f32()), e.at(pointer, e.mul(element, 4)), 4);
}

/// Finishes rows [row, row + count) of those given, of token `token` of them.
void FinishEmitter::lanes(Value token, Value row, int64_t count) {
  Value from = e.mul(e.add(e.mul(token, finished.stride), row), 4);
  Value result = e.load(e.vec(count, e.f32()), e.at(finished.results, from), 4);
  Value absoluteToken = e.add(token, finished.token), absoluteRow = e.add(row, finished.row);
  unsigned place = LUTC_STAGE_OPERANDS;
  for (Operation &op : stage.getBody().front())
    if (op.hasTrait<FollowsProduct>())
      result = emitBinary(e, op, result, operand(op, place++, absoluteToken, absoluteRow, count));
  Type type = cast<RankedTensorType>(stage.getResult().getType()).getElementType();
  result = emitConversion(e, result, type);
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  Value element = e.add(e.mul(absoluteToken, call.stride(LUTC_STAGE_RESULT)), absoluteRow);
  e.store(result, e.at(call.pointer(LUTC_STAGE_RESULT), e.mul(element, bytes)), bytes);
}

void lut::emitFinish(Emitter &e, StageOp stage, StageCall &call, const FinishedRows &finished) {
  constexpr int64_t L = 8;
  FinishEmitter emitter{e, stage, call, finished};
  Value whole = e.sub(finished.rows, e.rem(finished.rows, L));
  e.each(finished.count, [&](Value token) {
    e.each(e.index(0), whole, L, [&](Value row) { emitter.lanes(token, row, L); });
    e.each(whole, finished.rows, 1, [&](Value row) { emitter.lanes(token, row, 1); });
  });
}
