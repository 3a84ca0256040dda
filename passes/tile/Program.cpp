#include "passes/tile/Program.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/tile/TileEmitter.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

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
    int64_t few = geometry.shape.few.bytes, many = geometry.shape.many.bytes;
    int64_t fixed = std::max<int64_t>(0, geometry.schedule.getUnpackTokens() - 1) * (few - many);
    return {Slot::Kind::scratch, many, result, /*routed=*/false, {}, fixed};
  }
  auto type = cast<RankedTensorType>(result.getType());
  int64_t elements = type.getDimSize(1);
  if (llvm::any_of(result.getUsers(), llvm::IsaPred<func::ReturnOp>))
    return {Slot::Kind::result, elements, result, /*routed=*/false, type.getElementType()};
  return {Slot::Kind::scratch, rowBytes(elements), result};
}

/// Whether a stage's activations have to be computed or copied before they are quantized, each time to a row
/// of their own: functions of them, another order of columns, else zeros behind them.
static int64_t sourceRows(StageOp stage, const Geometry &g) {
  Block &body = stage.getBody().front();
  bool computes = llvm::any_of(body, [](Operation &op) { return op.hasTrait<ComputesRows>(); });
  bool permutes = llvm::any_of(body, llvm::IsaPred<PermuteOp>);
  return std::max<int64_t>(computes + permutes, g.shape.row_k != g.shape.k);
}

/// What a stage needs of a token for itself: rows of its source; sums between k blocks of a result that may
/// lie where a residual is still to be read, or has no place for all rows of a tile.
static int64_t bufferBytes(StageOp stage, const Geometry &g) {
  Block &body = stage.getBody().front();
  if (stage.prepares())
    return rowBytes(g.shape.row_k) * sourceRows(stage, g);
  bool residual = llvm::any_of(body, [](Operation &op) {
    return op.hasTrait<FollowsProduct>() && op.getOperand(1).getType() == op.getOperand(0).getType();
  });
  bool converted = !body.getOps<ConvertOp>().empty();
  bool apart = residual || converted || g.n % g.tileRows != 0;
  return apart && g.shape.k_blocks > 1 ? rowBytes(g.shape.tiles * g.tileRows) : 0;
}

//===----------------------------------------------------------------------===//
// Names of functions
//===----------------------------------------------------------------------===//

/// Ops of a stage with their attributes and the numbers of their operands, without sizes.
static std::string textOf(StageOp stage) {
  std::string text;
  llvm::raw_string_ostream out(text);
  DenseMap<Value, size_t> numbers;
  for (Value argument : stage.getBody().getArguments())
    numbers.try_emplace(argument, numbers.size());
  for (Operation &op : stage.getBody().front()) {
    out << op.getName() << op.getAttrDictionary();
    for (Value operand : op.getOperands()) {
      out << " " << numbers.lookup(operand);
      if (auto type = dyn_cast<RankedTensorType>(operand.getType()))
        out << ":" << type.getRank() << (isOneForAll(op) ? "one" : "");
    }
    for (Value result : op.getResults())
      numbers.try_emplace(result, numbers.size());
    if (isa<QuantizeActivationsOp, PrecomputeOp>(op))
      break; // what follows is the body's
  }
  return text;
}

static std::string sourceName(StageOp stage) {
  std::string name;
  for (Operation &op : stage.getBody().front())
    if (op.hasTrait<ComputesRows>() || isa<PermuteOp>(op))
      name += (op.getName().stripDialect() + "_").str();
  if (name.empty())
    return "copy";
  return name + llvm::utohexstr(uint32_t(llvm::xxh3_64bits(textOf(stage))), /*LowerCase=*/true);
}

/// "scale_one_add_rows_f32"
static std::string finishName(StageOp stage) {
  std::string name;
  for (Operation &op : stage.getBody().front())
    if (op.hasTrait<FollowsProduct>()) {
      bool vector = cast<RankedTensorType>(op.getOperand(1).getType()).getRank() == 1;
      name += op.getName().stripDialect().str() + (isOneForAll(op) ? "_one_"
                                                   : vector        ? "_vector_"
                                                                   : "_rows_");
    }
  llvm::raw_string_ostream(name) << cast<RankedTensorType>(stage.getResult().getType()).getElementType();
  return name;
}

/// <library>_<what>_<name>_<target>
static std::string symbolOf(func::FuncOp function, TargetAttr target, StringRef what, const Twine &name) {
  std::string library = function->getParentOfType<ModuleOp>().getName().value_or("").str();
  return (library + (library.empty() ? "" : "_") + what + "_" + name + "_" + target.getName()).str();
}

namespace {
/// Walks through the ops of a function.
struct ProgramBuilder {
  func::FuncOp function;
  TargetAttr target;
  Program program = {};
  DenseMap<Value, int64_t> phases{}; // of results
  int64_t products = 0, segmentTokens = 0;
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
  ProgramStage stage{op, geometryOf(op, target), "", "", "", "", "", ""};
  const Geometry &g = stage.geometry;
  stage.phase = phaseAfter(op);
  if (op.prepares()) {
    stage.run = symbolOf(function, target, "prepare", g.prepareName());
    if (sourceRows(op, g) || function->hasAttr(kOpenAttrName))
      stage.source = symbolOf(function, target, "source", sourceName(op));
  } else if (g.inArray()) {
    stage.run = (function.getName() + "_compute" + (products ? std::to_string(products) : "")).str();
    ++products;
  } else {
    std::string finish = finishName(op);
    stage.run = symbolOf(function, target, "product", g.productName());
    if (g.schedule.getUnpackTokens()) {
      stage.unpack = symbolOf(function, target, "unpack", g.unpackName());
      if (g.format.subgroup)
        stage.unpackMultiples = symbolOf(function, target, "unpack", g.unpackMultiplesName());
      stage.unpacked = symbolOf(function, target, "unpacked", unpackedBody(g).unpackedName());
    }
    stage.finish = symbolOf(function, target, "finish", finish);
    stage.plain = finish == "f32";
  }
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

/// By place: result, buffer, then what is prepared, or prepared activations, weights and what follows them.
static SmallVector<unsigned> stageSlots(const Program &program, const ProgramStage &stage) {
  StageOp op = stage.op;
  SmallVector<unsigned> slots = {stage.result, stage.buffer ? stage.buffer : stage.result};
  auto add = [&](Value argument) {
    slots.push_back(program.slotOf(op.getInputs()[cast<BlockArgument>(argument).getArgNumber()]));
  };
  if (op.prepares()) {
    for (Value argument : op.getBody().getArguments())
      add(argument);
    return slots;
  }
  for (Operation &each : op.getBody().front()) {
    if (isa<LookupGemmOp, DotGemmOp>(each)) {
      Value w = each.getOperand(1);
      if (auto reinterpret = w.getDefiningOp<ReinterpretOp>())
        w = reinterpret.getW();
      add(each.getOperand(0));
      add(w);
    }
    if (each.hasTrait<FollowsProduct>())
      add(each.getOperand(1));
  }
  return slots;
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
  ProgramBuilder builder{function, target};
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
  for (ProgramStage &stage : program.stages) {
    if (int64_t bytes = bufferBytes(stage.op, stage.geometry))
      stage.buffer = builder.addSlot({Slot::Kind::scratch, bytes, {}, stage.routed});
    stage.slots = stageSlots(program, stage);
  }
  llvm::sort(program.stages, [](const ProgramStage &a, const ProgramStage &b) {
    return std::make_pair(a.phase, a.result) < std::make_pair(b.phase, b.result);
  });
  return std::move(program);
}
