#include "passes/Program.h"

using namespace mlir;
using namespace lut;

/// The runtime's lists of pairs and segments (runtime/experts.c): five 32-bit numbers for each pair.
static int64_t listBytes(int64_t top) { return roundUp(top * 20, 64); }

int64_t Program::scratchBytes() const {
  int64_t bytes = listBytes(routing.top);
  for (const Slot &slot : slots)
    if (slot.kind == Slot::Kind::scratch)
      bytes += slot.size * (slot.routed ? routing.top : 1);
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
  if (type.getElementType().isInteger(32))
    return {Slot::Kind::routes, type.getDimSize(1), argument};
  if (type.getRank() == 1)
    return {Slot::Kind::vector, type.getDimSize(0), argument};
  return {Slot::Kind::rows, type.getDimSize(1), argument};
}

static Operation *productIn(StageOp stage) {
  for (Operation &op : stage.getBody().front())
    if (isa<LookupGemmOp, DotGemmOp>(op))
      return &op;
  return nullptr;
}

static Geometry geometryOf(StageOp stage, TargetAttr target) {
  Operation *user = stage;
  while (!isa<StageOp>(user) || cast<StageOp>(user).prepares())
    user = *user->user_begin(); // what reads the activations, routed or not
  return getGeometry(productIn(cast<StageOp>(user)), target);
}

static Slot resultSlot(StageOp stage, const Geometry &geometry) {
  Value result = stage.getResult();
  if (stage.prepares()) { // of many tokens without tables, of fewer with them
    int64_t few = geometry.schedule.getUnpackTokens(), bytes = geometry.preparedBytes;
    int64_t many = few ? unpackedGeometry(geometry).preparedBytes : bytes;
    return {Slot::Kind::scratch, many, result, /*routed=*/false, {}, (few - 1) * (bytes - many)};
  }
  auto type = cast<RankedTensorType>(result.getType());
  int64_t elements = type.getDimSize(1);
  if (llvm::any_of(result.getUsers(), llvm::IsaPred<func::ReturnOp>))
    return {Slot::Kind::result, elements, result, /*routed=*/false, type.getElementType()};
  return {Slot::Kind::scratch, rowBytes(elements), result};
}

/// What a stage needs of a token for itself: activations that it computes before it quantizes them, and those
/// in another order; sums between k blocks of a result that may lie where a residual is still to be read.
static int64_t bufferBytes(StageOp stage, const Geometry &g) {
  Block &body = stage.getBody().front();
  if (stage.prepares()) {
    bool computes = llvm::any_of(body, llvm::IsaPred<NormOp, ActivateOp, RotateOp, AddOp, ScaleOp>);
    bool permutes = llvm::any_of(body, llvm::IsaPred<PermuteOp>);
    return rowBytes(g.k) * (computes + permutes);
  }
  bool residual = llvm::any_of(body.getOps<AddOp>(),
                               [](AddOp add) { return add.getOther().getType() == add.getX().getType(); });
  bool converted = !body.getOps<ConvertOp>().empty();
  return (residual || converted) && g.kBlocks > 1 ? rowBytes(g.n) : 0;
}

namespace {
/// Walks through the ops of a function.
struct ProgramBuilder {
  TargetAttr target;
  Program program = {};
  DenseMap<Value, int64_t> phases{}; // of results
  int64_t prepares = 0, products = 0, segmentTokens = 0;
  int64_t productTokens = INT64_MAX; // most that a product takes which is not routed

  void addStage(StageOp op);
  void addRoute(RouteOp op);
  void addCombine(CombineOp op);
  int64_t phaseAfter(Operation *op);
  unsigned addSlot(Slot slot) {
    program.slots.push_back(slot);
    return program.slots.size() - 1;
  }
};
} // namespace

int64_t ProgramBuilder::phaseAfter(Operation *op) {
  int64_t phase = 0;
  for (Value input : op->getOperands())
    if (auto found = phases.find(input); found != phases.end())
      phase = std::max(phase, found->second + 1);
  phases[op->getResult(0)] = phase;
  return phase;
}

void ProgramBuilder::addStage(StageOp op) {
  ProgramStage stage{op, "", geometryOf(op, target)};
  stage.phase = phaseAfter(op);
  int64_t index = op.prepares() ? prepares++ : products++;
  stage.suffix = op.prepares() ? "_prepare" : "_compute";
  if (index)
    stage.suffix += std::to_string(index);
  for (Value input : op.getInputs())
    stage.routed |= program.slots[program.slotOf(input)].routed;
  Slot result = resultSlot(op, stage.geometry);
  result.routed = stage.routed;
  stage.result = addSlot(result);
  for (Value input : op.getInputs())
    if (Slot &slot = program.slots[program.slotOf(input)]; stage.routed && slot.kind == Slot::Kind::weights)
      slot.kind = Slot::Kind::experts;
  int64_t block = stage.geometry.schedule.getTokenBlock(),
          &least = stage.routed ? segmentTokens : program.tokenBlock;
  least = least ? std::min(least, block) : block;
  if (!op.prepares() && !stage.routed)
    productTokens = std::min(productTokens, block);
  program.stages.push_back(std::move(stage));
}

void ProgramBuilder::addRoute(RouteOp op) {
  phaseAfter(op);
  unsigned from = program.slotOf(op.getX());
  program.routing.top = cast<RankedTensorType>(op.getExperts().getType()).getDimSize(1);
  program.routing.gathers.push_back(
      {from, addSlot({Slot::Kind::scratch, program.slots[from].size, op.getY(), /*routed=*/true})});
}

void ProgramBuilder::addCombine(CombineOp op) {
  phaseAfter(op);
  Routing &routing = program.routing;
  routing.experts = program.slotOf(op.getExperts());
  routing.gates = program.slotOf(op.getGates());
  routing.combined = program.slotOf(op.getX());
  if (op.getResidual())
    routing.residual = program.slotOf(op.getResidual());
  routing.result =
      addSlot({Slot::Kind::result, cast<RankedTensorType>(op.getY().getType()).getDimSize(1), op.getY()});
}

/// Tokens that are routed together: enough for experts to get several each.
static constexpr int64_t routedTokens = 64;

Program lut::getProgram(func::FuncOp function, TargetAttr target) {
  ProgramBuilder builder{target};
  Program &program = builder.program;
  for (Value argument : function.getArguments())
    builder.addSlot(argumentSlot(argument));
  for (Operation &op : function.getBody().front()) {
    if (auto stage = dyn_cast<StageOp>(op))
      builder.addStage(stage);
    else if (auto route = dyn_cast<RouteOp>(op))
      builder.addRoute(route);
    else if (auto combine = dyn_cast<CombineOp>(op))
      builder.addCombine(combine);
  }
  if (program.routing.top) {
    program.tokenBlock = std::min(routedTokens, builder.productTokens);
    program.routing.segmentTokens = builder.segmentTokens;
  }
  for (ProgramStage &stage : program.stages)
    if (int64_t bytes = bufferBytes(stage.op, stage.geometry))
      stage.buffer = builder.addSlot({Slot::Kind::scratch, bytes, {}, stage.routed});
  llvm::sort(program.stages, [](const ProgramStage &a, const ProgramStage &b) {
    return std::make_pair(a.phase, a.result) < std::make_pair(b.phase, b.result);
  });
  return std::move(program);
}
