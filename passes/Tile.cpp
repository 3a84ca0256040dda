#include "dialects/lmma/Lmma.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Passes.h"
#include "passes/Program.h"
#include "passes/TileEmitter.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_TILE
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;

namespace {
/// The function of one stage: `lutc_status (const lutc_operand *operands, size_t m, size_t begin, size_t
/// end)`.
struct StageEmitter {
  OpBuilder &b;
  const Program &program;
  const ProgramStage &stage;
  StageOp op = stage.op;
  Emitter e = {b, op.getLoc()};
  Value operands = {}, m = {}, begin = {}, end = {};

  void run(const Twine &name);
  void prepare();
  void compute();
  Value launch();
  SourceRows rows(unsigned slot);
  SourceRows columns(unsigned slot);
  /// Pointer and stride (elements) of an operand: 16 bytes each in `operands`.
  Value pointer(unsigned slot) {
    return e.load(LLVM::LLVMPointerType::get(e.b.getContext()), e.at(operands, 16 * slot), 8);
  }
  Value stride(unsigned slot) { return e.load(e.i64(), e.at(operands, 16 * slot + 8), 8); }
  /// The slot of a value inside the stage.
  unsigned slotOf(Value argument) {
    return program.slotOf(op.getInputs()[cast<BlockArgument>(argument).getArgNumber()]);
  }
};
} // namespace

SourceRows StageEmitter::rows(unsigned slot) {
  bool vector = program.slots[slot].kind == Slot::Kind::vector;
  return {pointer(slot), vector ? Value() : stride(slot)};
}

/// The order of the columns of permuted weights. Those of experts have none that their tokens share.
SourceRows StageEmitter::columns(unsigned slot) {
  assert(program.slots[slot].kind == Slot::Kind::weights);
  return {e.at(pointer(slot), e.index(stage.geometry.columnsOffset)), Value()};
}

void StageEmitter::prepare() {
  SmallVector<SourceRows> inputs;
  for (Value argument : op.getBody().getArguments())
    inputs.push_back(isa<WeightsType>(argument.getType()) ? columns(slotOf(argument))
                                                          : rows(slotOf(argument)));
  Value prepared = pointer(stage.result), buffer;
  if (stage.buffer)
    buffer = pointer(stage.buffer);
  auto tokens = [&](const Geometry &g) {
    e.loop(begin, end, 1, {}, [&](Value token, Values) {
      Value row = buffer ? e.at(buffer, e.mul(token, program.slots[stage.buffer].size)) : Value();
      Value x = emitSource(e, op, inputs, token, row);
      emitPrepare(e, g, x, e.at(prepared, e.mul(token, g.preparedBytes)));
      return Values();
    });
  };
  const Geometry &g = stage.geometry;
  if (!g.tables || !g.schedule.getUnpackTokens())
    return tokens(g);
  e.choose(emitUnpacks(e, g, m), [&] { tokens(unpackedGeometry(g)); }, [&] { tokens(g); });
}

void StageEmitter::compute() {
  ProductOperands operands;
  for (Operation &each : op.getBody().front().without_terminator()) {
    if (isa<LookupGemmOp, DotGemmOp>(each)) {
      Value w = each.getOperand(1);
      if (auto reinterpret = w.getDefiningOp<ReinterpretOp>())
        w = reinterpret.getW();
      operands.prepared = pointer(slotOf(each.getOperand(0)));
      operands.packed = pointer(slotOf(w));
    }
    if (!isa<AddOp, ScaleOp>(each))
      continue;
    SourceRows other = rows(slotOf(each.getOperand(1)));
    bool one = !other.stride && cast<RankedTensorType>(each.getOperand(1).getType()).getDimSize(0) == 1;
    operands.epilogues.push_back({isa<AddOp>(each), other, one && stage.geometry.n != 1});
  }
  operands.y = rows(stage.result);
  operands.carried = stage.buffer ? rows(stage.buffer) : operands.y;
  operands.result = cast<RankedTensorType>(op.getResult().getType()).getElementType();
  operands.y.elementBytes = operands.result.getIntOrFloatBitWidth() / 8;
  operands.m = m;
  operands.tileBegin = begin;
  operands.tileEnd = end;
  emitProduct(e, stage.geometry, operands);
}

/// A product of a LUT-instruction machine.
Value StageEmitter::launch() {
  return lmma::LaunchOp::create(e.b, e.loc, e.i32(), operands, m, begin, end,
                                op->getAttrOfType<ArrayAttr>(kLmmaProgramsAttrName),
                                op->getAttrOfType<ArrayAttr>(kLmmaBuffersAttrName));
}

void StageEmitter::run(const Twine &name) {
  Type pointer = LLVM::LLVMPointerType::get(e.b.getContext()), i64 = e.i64();
  auto function =
      func::FuncOp::create(e.b, e.loc, name.str(), e.b.getFunctionType({pointer, i64, i64, i64}, {e.i32()}));
  Block *block = function.addEntryBlock();
  e.b.setInsertionPointToStart(block);
  operands = block->getArgument(0);
  m = block->getArgument(1);
  begin = block->getArgument(2);
  end = block->getArgument(3);
  Value status;
  if (op->hasAttr(kLmmaProgramsAttrName))
    status = launch();
  else
    op.prepares() ? prepare() : compute();
  func::ReturnOp::create(e.b, e.loc, status ? status : e.constant(e.i32(), 0)); // LUTC_OK
}

static void tileFunction(func::FuncOp function, TargetAttr target) {
  Program program = getProgram(function, target);
  OpBuilder b(function);
  for (const ProgramStage &stage : program.stages) {
    b.setInsertionPoint(function);
    StageEmitter{b, program, stage}.run(function.getName() + stage.suffix);
  }
  function.erase();
}

namespace {
struct Tile : lut::impl::TileBase<Tile> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    if (!target)
      return signalPassFailure();
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!function.getOps<StageOp>().empty())
        tileFunction(function, target);
  }
};
} // namespace
