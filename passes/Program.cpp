#include "passes/Program.h"

using namespace mlir;
using namespace lut;

int64_t Program::scratchBytes() const {
  int64_t bytes = 0;
  for (const Slot &slot : slots)
    if (slot.kind == Slot::Kind::scratch)
      bytes += slot.size;
  return bytes;
}

unsigned Program::slotOf(Value value) const {
  return llvm::find_if(slots, [&](const Slot &slot) { return slot.value == value; }) - slots.begin();
}

static Slot argumentSlot(Value argument) {
  if (auto w = dyn_cast<WeightsType>(argument.getType()))
    return {Slot::Kind::weights, w.getN(), argument};
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!type)
    return {Slot::Kind::scratch, 0, argument}; // activations that another function prepares
  if (type.getRank() == 1)
    return {Slot::Kind::vector, type.getDimSize(0), argument};
  return {Slot::Kind::rows, type.getDimSize(1), argument};
}

/// Rows of f32 that a stage leaves to a later one start at a cache line.
static int64_t rowBytes(int64_t elements) { return roundUp(elements * 4, 64); }

static Operation *productIn(StageOp stage) {
  for (Operation &op : stage.getBody().front())
    if (isa<LookupGemmOp, DotGemmOp>(op))
      return &op;
  return nullptr;
}

static Geometry geometryOf(StageOp stage, TargetAttr target) {
  if (stage.prepares())
    stage = cast<StageOp>(*stage->user_begin());
  return getGeometry(productIn(stage), target);
}

static Slot resultSlot(StageOp stage, const Geometry &geometry) {
  Value result = stage.getResult();
  if (stage.prepares())
    return {Slot::Kind::scratch, geometry.preparedBytes, result};
  int64_t elements = cast<RankedTensorType>(result.getType()).getDimSize(1);
  if (llvm::any_of(result.getUsers(), llvm::IsaPred<func::ReturnOp>))
    return {Slot::Kind::result, elements, result};
  return {Slot::Kind::scratch, rowBytes(elements), result};
}

/// Elements of a row that a stage needs for itself: activations that it computes before it quantizes them;
/// sums between k blocks of a result that may lie where a residual is still to be read.
static int64_t bufferElements(StageOp stage, const Geometry &g) {
  Block &body = stage.getBody().front();
  if (stage.prepares()) {
    bool computes = llvm::any_of(body, llvm::IsaPred<NormOp, ActivateOp, RotateOp, AddOp, ScaleOp>);
    return computes ? g.k : 0;
  }
  bool residual = llvm::any_of(body.getOps<AddOp>(),
                               [](AddOp add) { return add.getOther().getType() == add.getX().getType(); });
  return residual && g.kBlocks > 1 ? g.n : 0;
}

Program lut::getProgram(func::FuncOp function, TargetAttr target) {
  Program program;
  for (Value argument : function.getArguments())
    program.slots.push_back(argumentSlot(argument));
  DenseMap<Value, int64_t> phases; // of stages' results
  int64_t prepares = 0, products = 0;
  for (auto op : function.getOps<StageOp>()) {
    ProgramStage stage{op, "", geometryOf(op, target)};
    for (Value input : op.getInputs())
      if (auto found = phases.find(input); found != phases.end())
        stage.phase = std::max(stage.phase, found->second + 1);
    phases[op.getResult()] = stage.phase;
    int64_t index = op.prepares() ? prepares++ : products++;
    stage.suffix = op.prepares() ? "_prepare" : "_compute";
    if (index)
      stage.suffix += std::to_string(index);
    stage.result = program.slots.size();
    program.slots.push_back(resultSlot(op, stage.geometry));
    int64_t block = stage.geometry.schedule.getTokenBlock();
    program.tokenBlock = program.tokenBlock ? std::min(program.tokenBlock, block) : block;
    program.stages.push_back(std::move(stage));
  }
  for (ProgramStage &stage : program.stages)
    if (int64_t elements = bufferElements(stage.op, stage.geometry)) {
      stage.buffer = program.slots.size();
      program.slots.push_back({Slot::Kind::scratch, rowBytes(elements), {}});
    }
  llvm::sort(program.stages, [](const ProgramStage &a, const ProgramStage &b) {
    return std::make_pair(a.phase, a.result) < std::make_pair(b.phase, b.result);
  });
  return program;
}
