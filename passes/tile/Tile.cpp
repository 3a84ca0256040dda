#include "dialects/lmma/Lmma.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Passes.h"
#include "passes/tile/Program.h"
#include "passes/tile/TileEmitter.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_TILE
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

//===----------------------------------------------------------------------===//
// What a function of a stage is called with
//===----------------------------------------------------------------------===//

StageCall::StageCall(Emitter &e, Value operands, Value stage)
    : operands(operands), stage(stage), e(e), entry(e.index(0).getDefiningOp()) {}

/// Where the function is entered: `base` is an argument, or has been loaded there.
Value StageCall::load(Type type, Value base, size_t offset) {
  Value &value = loaded[{base.getAsOpaquePointer(), offset}];
  if (value)
    return value;
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPoint(entry);
  unsigned bytes = isa<LLVM::LLVMPointerType>(type) ? 8 : type.getIntOrFloatBitWidth() / 8;
  return value = e.load(type, e.at(base, int64_t(offset)), bytes);
}

Value StageCall::shape() { return load(e.pointer(), stage, offsetof(lutc_stage, shape)); }

Value StageCall::number(uint64_t lutc_shape::*field) {
  static const lutc_shape probe = {};
  auto address = [](const void *of) { return static_cast<const char *>(of); };
  return load(e.i64(), shape(), address(&(probe.*field)) - address(&probe));
}

PreparedPlace StageCall::prepared(bool unpacked) {
  size_t first = unpacked ? offsetof(lutc_shape, many) : offsetof(lutc_shape, few);
  auto at = [&](size_t offset) { return load(e.i64(), shape(), first + offset); };
  return {at(offsetof(lutc_prepared, values)), at(offsetof(lutc_prepared, scales)),
          at(offsetof(lutc_prepared, sums)), at(offsetof(lutc_prepared, bytes))};
}

Value StageCall::operandAt(unsigned place) {
  Value &value = places[place];
  if (value)
    return value;
  Value slot = load(e.i8(), stage, offsetof(lutc_stage, slots) + place);
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPoint(entry);
  Value index = arith::ExtUIOp::create(e.b, e.loc, e.i64(), slot);
  return value = e.at(operands, e.mul(index, sizeof(lutc_operand)));
}

Value StageCall::pointer(unsigned place) {
  return load(e.pointer(), operandAt(place), offsetof(lutc_operand, data));
}

Value StageCall::stride(unsigned place) {
  return load(e.i64(), operandAt(place), offsetof(lutc_operand, stride));
}

Value StageCall::plain() {
  return e.compare(arith::CmpIPredicate::ne, load(e.i32(), stage, offsetof(lutc_stage, plain)),
                   e.constant(e.i32(), 0));
}

static Value call(Emitter &e, Type result, Value function, ArrayRef<Value> arguments) {
  SmallVector<Type> types = llvm::to_vector(ValueRange(arguments).getTypes());
  SmallVector<Value> operands = {function};
  llvm::append_range(operands, arguments);
  auto type = LLVM::LLVMFunctionType::get(result ? result : LLVM::LLVMVoidType::get(e.b.getContext()), types);
  auto made = LLVM::CallOp::create(e.b, e.loc, type, operands);
  return result ? made.getResult() : Value();
}

Value StageCall::source(Value token) {
  Value function = load(e.pointer(), stage, offsetof(lutc_stage, source));
  Value address = LLVM::PtrToIntOp::create(e.b, e.loc, e.i64(), function);
  return e.chosen(
      e.pointer(), e.compare(arith::CmpIPredicate::eq, address, e.index(0)),
      [&] { return Values{e.at(pointer(LUTC_STAGE_X), e.mul(e.mul(token, stride(LUTC_STAGE_X)), 4))}; },
      [&] { return Values{call(e, e.pointer(), function, {operands, stage, token})}; })[0];
}

void StageCall::finish(const FinishedRows &f) {
  call(e, {}, load(e.pointer(), stage, offsetof(lutc_stage, finish)),
       {operands, stage, f.results, f.stride, f.token, f.count, f.row, f.rows});
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

namespace {
/// Makes the functions of stages that are not there yet.
struct FunctionEmitter {
  OpBuilder b;
  llvm::StringSet<> made = {};

  using Fill = function_ref<Value(Emitter &e, StageCall &call, ValueRange arguments)>;
  /// `arguments` follow the operands and the stage.
  void add(StringRef name, Location loc, ArrayRef<Type> arguments, Type result, Fill fill);
  void stage(const ProgramStage &stage);
  void run(const ProgramStage &stage);
  void prepare(const ProgramStage &stage);
  void product(const ProgramStage &stage);
  void unpackedProduct(const ProgramStage &stage);

  Type status = b.getI32Type(), integer = b.getI64Type(),
       pointer = LLVM::LLVMPointerType::get(b.getContext());
  FunctionType unpackType =
      b.getFunctionType({pointer, pointer, pointer, integer, integer, integer, pointer}, {});
};
} // namespace

void FunctionEmitter::add(StringRef name, Location loc, ArrayRef<Type> arguments, Type result, Fill fill) {
  if (name.empty() || !made.insert(name).second)
    return;
  OpBuilder::InsertionGuard guard(b);
  Emitter e{b, loc};
  SmallVector<Type> types(2, pointer);
  llvm::append_range(types, arguments);
  auto type = b.getFunctionType(types, result ? TypeRange(result) : TypeRange());
  auto function = func::FuncOp::create(b, loc, name, type);
  Block *block = function.addEntryBlock();
  b.setInsertionPointToStart(block);
  StageCall call(e, block->getArgument(0), block->getArgument(1));
  Value value = fill(e, call, ValueRange(block->getArguments()).drop_front(2));
  func::ReturnOp::create(b, loc, value ? ValueRange(value) : ValueRange());
}

/// A lutc_stage_function.
void FunctionEmitter::run(const ProgramStage &stage) {
  StageOp op = stage.op;
  if (op.prepares())
    return prepare(stage);
  if (!op->hasAttr(kLmmaProgramsAttrName))
    return product(stage);
  // A product of a LUT-instruction machine.
  add(stage.run, op.getLoc(), {integer, integer, integer}, status,
      [&](Emitter &e, StageCall &call, ValueRange range) -> Value {
        return lmma::LaunchOp::create(e.b, e.loc, status, call.operands, range[0], range[1], range[2],
                                      op->getAttrOfType<ArrayAttr>(kLmmaProgramsAttrName),
                                      op->getAttrOfType<ArrayAttr>(kLmmaBuffersAttrName));
      });
}

void FunctionEmitter::prepare(const ProgramStage &stage) {
  StageOp op = stage.op;
  const Body &body = stage.geometry;
  add(stage.run, op.getLoc(), {integer, integer, integer}, status,
      [&](Emitter &e, StageCall &call, ValueRange range) {
        auto tokens = [&](const Body &body) {
          e.each(range[1], range[2], 1, [&](Value token) {
            Value bytes = call.prepared(body.unpacked).bytes;
            emitPrepare(e, body, call, call.source(token),
                        e.at(call.pointer(LUTC_STAGE_RESULT), e.mul(token, bytes)));
          });
        };
        if (body.reorders())
          e.choose(
              emitUnpacks(e, call, range[0]), [&] { tokens(unpackedBody(body)); }, [&] { tokens(body); });
        else
          tokens(body);
        return e.constant(status, LUTC_OK);
      });
}

void FunctionEmitter::product(const ProgramStage &stage) {
  Location loc = stage.op->getLoc();
  const Body &body = stage.geometry;
  unpackedProduct(stage);
  add(stage.run, loc, {integer, integer, integer}, status,
      [&](Emitter &e, StageCall &call, ValueRange range) {
        auto fromStream = [&] { emitProduct(e, body, call, {range[0], range[1], range[2]}); };
        auto unpacked = [&] {
          StringRef unpacks = body.format.subgroup ? stage.unpackMultiples : stage.unpack;
          Value unpack = func::ConstantOp::create(b, loc, unpackType, unpacks);
          Value arguments[] = {call.operands, call.stage, unpack, range[0], range[1], range[2]};
          func::CallOp::create(b, loc, stage.unpacked, TypeRange(), arguments);
        };
        if (!body.schedule.getUnpackTokens())
          fromStream();
        else if (!body.stepTokens)
          unpacked();
        else
          e.choose(emitUnpacks(e, call, range[0]), unpacked, fromStream);
        return e.constant(status, LUTC_OK);
      });
}

/// Products that unpack their codes by different functions share the one that multiplies.
void FunctionEmitter::unpackedProduct(const ProgramStage &stage) {
  Location loc = stage.op->getLoc();
  const Body &stored = stage.geometry, body = unpackedBody(stored);
  add(stage.unpack, loc, {pointer, integer, integer, integer, pointer}, {},
      [&](Emitter &e, StageCall &call, ValueRange arguments) {
        emitUnpack(e, stored, body, call, {arguments[0], arguments[1], arguments[2], arguments[3]},
                   arguments[4]);
        return Value();
      });
  add(stage.unpackMultiples, loc, {pointer, integer, integer, integer, pointer}, {},
      [&](Emitter &e, StageCall &call, ValueRange arguments) {
        Value codes = arguments[4], room = e.at(codes, body.stepRows() * body.unpackK);
        Value behind = e.at(arguments[0], stored.spanMultipleBytes());
        Value operands[] = {call.operands, call.stage,   behind, arguments[1],
                            arguments[2],  arguments[3], codes};
        func::CallOp::create(b, loc, stage.unpack, TypeRange(), operands);
        emitUnpackMultiples(e, stored, call, {arguments[0], arguments[1], arguments[2], arguments[3]}, room);
        return Value();
      });
  add(stage.unpacked, loc, {unpackType, integer, integer, integer}, {},
      [&](Emitter &e, StageCall &call, ValueRange arguments) {
        auto unpack = [&](const PackedCodes &from, Value codes) {
          Value operands[] = {call.operands, call.stage,  from.stream, from.part,
                              from.spans,    from.length, codes};
          func::CallIndirectOp::create(b, loc, arguments[0], operands);
        };
        emitUnpackedProduct(e, body, call, {arguments[1], arguments[2], arguments[3]}, unpack);
        return Value();
      });
}

void FunctionEmitter::stage(const ProgramStage &stage) {
  StageOp op = stage.op;
  run(stage);
  add(stage.source, op.getLoc(), integer, pointer, [&](Emitter &e, StageCall &call, ValueRange arguments) {
    return emitSource(e, op, call, arguments[0]);
  });
  add(stage.finish, op.getLoc(), {pointer, integer, integer, integer, integer, integer}, {},
      [&](Emitter &e, StageCall &call, ValueRange f) {
        emitFinish(e, op, call, {f[0], f[1], f[2], f[3], f[4], f[5]});
        return Value();
      });
}

namespace {
struct Tile : lut::impl::TileBase<Tile> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    if (!target)
      return signalPassFailure();
    FunctionEmitter emitter{OpBuilder(&getContext())};
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (function.getOps<StageOp>().empty())
        continue;
      Program program = getProgram(function, target);
      emitter.b.setInsertionPoint(function);
      for (const ProgramStage &stage : program.stages)
        emitter.stage(stage);
      function.erase();
    }
  }
};
} // namespace
