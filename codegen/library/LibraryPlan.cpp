#include "codegen/library/LibraryPlan.h"
#include "codegen/library/GroupFunction.h"
#include "codegen/library/Pipeline.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace lut;

std::string LibraryPlan::symbol(const Product &product, const TargetRow &target) const {
  return llvm::formatv("{0}_{1}_{2}", library.name, product.name, target.name);
}

std::string LibraryPlan::symbol(const GroupSpec &group, const TargetRow &target) const {
  return llvm::formatv("{0}_group_{1}_{2}", library.name, group.name, target.name);
}

Location lut::locationOf(MLIRContext &context, const SourcePosition &position, llvm::StringRef name) {
  if (!position.line)
    return NameLoc::get(StringAttr::get(&context, name));
  return FileLineColLoc::get(&context, position.file, position.line, position.column);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static std::optional<Strategy> strategyOf(const KernelSpec &kernel) {
  return kernel.strategy == "auto" ? std::nullopt : symbolizeStrategy(kernel.strategy);
}

/// The name says everything that the product's schedule depends on.
static Product makeProduct(const KernelSpec &kernel, Numerics numerics) {
  Product product;
  product.open = kernel.isOpen();
  product.n = product.open ? typicalDimension : kernel.n;
  product.k = product.open ? typicalDimension : kernel.k;
  product.format = kernel.format;
  product.numerics = numerics;
  product.strategy = strategyOf(kernel);
  product.position = kernel.position;
  product.expectedNmse = expectedNmse(kernel.format, product.k, numerics);
  product.name = llvm::formatv("{0}_{1}_", stringifyNumerics(numerics), kernel.format.str());
  product.name += product.open ? "open" : llvm::formatv("{0}x{1}", kernel.n, kernel.k).str();
  if (product.strategy)
    product.name += "_" + stringifyStrategy(*product.strategy).str();
  product.schedule = kernel.schedule;
  if (!product.schedule.empty())
    product.name += "_" + kernel.name;
  return product;
}

//===----------------------------------------------------------------------===//
// Schedules
//===----------------------------------------------------------------------===//

static const TunedSchedule *findTuned(const LibrarySpec &library, const Product &product,
                                      const TargetRow &target) {
  for (const TunedSchedule &tuned : library.tuning)
    if (tuned.product == product.name && tuned.target == target.name)
      return &tuned;
  return nullptr;
}

/// The schedule that the kernel or a tuning asks for; null where the cost model is to choose.
static Attribute tunedSchedule(MLIRContext &context, const LibraryPlan &plan, const Product &product,
                               const TargetRow &target) {
  std::string text = product.schedule;
  if (const TunedSchedule *tuned = findTuned(plan.library, product, target))
    text = tuned->schedule;
  return text.empty() ? Attribute() : parseAttribute(text, &context);
}

static Value addProduct(OpBuilder &b, const LibraryPlan &plan, const Product &product,
                        const TargetRow &target, Value x, Value w) {
  MLIRContext *context = b.getContext();
  Location loc = locationOf(*context, product.position, product.name);
  auto y = RankedTensorType::get({ShapedType::kDynamic, product.n}, b.getF32Type());
  StrategyAttr strategy = product.strategy ? StrategyAttr::get(context, *product.strategy) : StrategyAttr();
  auto gemm = MpGemmOp::create(b, loc, y, x, w, NumericsAttr::get(context, product.numerics), strategy);
  if (Attribute schedule = tunedSchedule(*context, plan, product, target))
    gemm->setAttr(kTunedAttrName, schedule);
  return gemm.getY();
}

static void addFunction(OpBuilder &b, const LibraryPlan &plan, const Product &product,
                        const TargetRow &target) {
  Location loc = locationOf(*b.getContext(), product.position, product.name);
  auto rows = [&](int64_t size) {
    return RankedTensorType::get({ShapedType::kDynamic, size}, b.getF32Type());
  };
  auto w = weightsOf(b.getContext(), product.n, product.k, product.format);
  auto function = func::FuncOp::create(b, loc, plan.symbol(product, target),
                                       b.getFunctionType({rows(product.k), w}, {rows(product.n)}));
  if (product.open)
    function->setAttr(kOpenAttrName, b.getUnitAttr());
  OpBuilder body = OpBuilder::atBlockBegin(function.addEntryBlock());
  func::ReturnOp::create(
      body, loc, addProduct(body, plan, product, target, function.getArgument(0), function.getArgument(1)));
}

ElementType lut::elementTypeOf(Type type) {
  return type.isF16()    ? ElementType::f16
         : type.isBF16() ? ElementType::bf16
         : type.isF32()  ? ElementType::f32
                         : ElementType::i8;
}

int64_t PlannedProgram::fixedBytes() const {
  int64_t bytes = experts ? roundUp((experts + 1) * 4, 64) : 0;
  for (const PlannedSlot &slot : slots)
    bytes += slot.fixed;
  return bytes;
}

/// What is left of a program when its IR is lowered.
static PlannedProgram keep(const Program &program, ArrayRef<size_t> kernels) {
  PlannedProgram planned;
  planned.tokenBlock = program.tokenBlock;
  planned.scratchBytes = program.scratchBytes();
  planned.routing = program.routing;
  for (auto [index, slot] : llvm::enumerate(program.slots))
    planned.slots.push_back({slot.kind, slot.size, index < kernels.size() ? kernels[index] : 0, slot.routed,
                             slot.element ? elementTypeOf(slot.element) : ElementType::f32, slot.fixed});
  for (const ProgramStage &stage : program.stages) {
    StageOp op = stage.op;
    planned.stages.push_back({stage.run, stage.source, stage.finish, stage.geometry.shape, stage.slots,
                              stage.phase, op.prepares(), stage.plain, stage.routed});
  }
  return planned;
}

static ProductVariant variantOf(func::FuncOp function, TargetAttr target) {
  ProductVariant variant;
  function.walk([&](Operation *op) {
    if (!isa<LookupGemmOp, DotGemmOp>(op))
      return;
    variant.geometry = getGeometry(op, target);
    auto cycles = [&](StringRef name) { return op->getAttrOfType<FloatAttr>(name).getValueAsDouble(); };
    variant.cost = {cycles(kComputeCyclesAttrName), cycles(kMemoryCyclesAttrName),
                    cycles(kBatchCyclesAttrName), cycles(kFewCyclesAttrName), target.hasArray()};
    variant.reason = op->getAttrOfType<StringAttr>(kReasonAttrName).str();
  });
  return variant;
}

std::string lut::productName(const KernelSpec &kernel) {
  return makeProduct(kernel, *symbolizeNumerics(kernel.numerics)).name;
}

/// Every schedule of the tuning parses.
static LogicalResult checkTuning(MLIRContext &context, const LibrarySpec &library) {
  for (const TunedSchedule &tuned : library.tuning) {
    Attribute schedule;
    {
      ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
      schedule = parseAttribute(tuned.schedule, &context);
    }
    if (isa_and_nonnull<ScheduleAttr>(schedule))
      continue;
    return emitError(locationOf(context, tuned.position, tuned.product))
           << "no schedule; write the file again with lutc bench --tune";
  }
  return success();
}

/// Programs of a LUT-instruction machine have the shape in their instructions.
static LogicalResult checkOpen(MLIRContext &context, const LibraryPlan &plan) {
  for (const KernelSpec &kernel : plan.library.kernels)
    if (kernel.isOpen() && plan.targets.front()->isMachine())
      return emitError(locationOf(context, kernel.position, kernel.name))
             << "kernels without n and k are for CPUs; write n and k for " << plan.targets.front()->name;
  return success();
}

static OwningOpRef<ModuleOp> makeModule(MLIRContext &context, LibraryPlan &plan, const TargetRow &row) {
  OpBuilder b(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getUnknownLoc(), plan.library.name);
  (*module)->setAttr(kTargetAttrName, row.attribute(&context));
  b.setInsertionPointToEnd(module->getBody());
  for (const Product &product : plan.products)
    addFunction(b, plan, product, row);
  auto product = [&](OpBuilder &body, size_t kernel, Value x, Value w) {
    return addProduct(body, plan, plan.product(kernel), row, x, w);
  };
  for (auto [group, spec] : llvm::zip(plan.groups, plan.library.groups))
    group.operands = addGroupFunction(b, plan.library, spec, plan.symbol(spec, row), product);
  return module;
}

llvm::FailureOr<llvm::SmallVector<Candidate>> lut::listCandidates(MLIRContext &context,
                                                                  const KernelSpec &kernel, Numerics numerics,
                                                                  const TargetRow &target) {
  LibrarySpec library;
  LibraryPlan plan{library, {&target}, {makeProduct(kernel, numerics)}, {0}, {}, {}};
  OwningOpRef<ModuleOp> module = makeModule(context, plan, target);
  PassManager pm(&context);
  buildTablesPipeline(pm);
  if (failed(pm.run(*module)))
    return failure();
  SmallVector<Candidate> result;
  module->walk([&](LookupGemmOp op) {
    TargetAttr target = getTarget(op);
    result = scheduleModelOf(target).candidates(op, target);
  });
  if (auto asked = strategyOf(kernel))
    llvm::erase_if(result, [&](const Candidate &it) { return it.schedule.getStrategy() != *asked; });
  return result;
}

static LogicalResult scheduleFor(MLIRContext &context, LibraryPlan &plan, const TargetRow &row,
                                 PassManagerHook prepare = nullptr) {
  OwningOpRef<ModuleOp> module = makeModule(context, plan, row);
  TargetAttr target = row.attribute(&context);
  PassManager pm(&context);
  buildPlanPipeline(pm);
  if (prepare)
    prepare(pm, row);
  if (failed(pm.run(*module)))
    return failure();
  for (Product &product : plan.products) {
    auto function = module->lookupSymbol<func::FuncOp>(plan.symbol(product, row));
    ProductVariant variant = variantOf(function, target);
    variant.program = keep(getProgram(function, target), {0, product.kernel});
    product.variants.push_back(std::move(variant));
  }
  for (auto [group, spec] : llvm::zip(plan.groups, plan.library.groups)) {
    auto function = module->lookupSymbol<func::FuncOp>(plan.symbol(spec, row));
    SmallVector<size_t> kernels;
    for (const GroupOperand &operand : group.operands)
      kernels.push_back(operand.kernel);
    group.variants.push_back(keep(getProgram(function, target), kernels));
    if (size_t slots = group.variants.back().slots.size(); slots > LUTC_MAX_SLOTS)
      return emitError(locationOf(context, spec.position, spec.name))
             << "group '" << spec.name << "' has " << slots << " operands and buffers on " << row.name
             << ", more than the " << int64_t(LUTC_MAX_SLOTS) << " of a call; write two groups";
    group.variants.back().experts = spec.experts;
  }
  plan.modules.push_back(std::move(module));
  return success();
}

//===----------------------------------------------------------------------===//
// Numerics
//===----------------------------------------------------------------------===//

/// The fastest class on `target` within the kernel's error budget. Ternary models are trained with int8
/// activations, so class a8 is always within theirs. Where no class is, the most accurate one.
static Numerics chooseNumerics(MLIRContext &context, const LibrarySpec &library, const KernelSpec &kernel,
                               const TargetRow &target) {
  if (auto given = symbolizeNumerics(kernel.numerics))
    return *given;
  if (strategyOf(kernel) == Strategy::dot || !kernel.format.hasTables())
    return Numerics::a8; // class t8 is defined by tables
  if (target.isMachine())
    return Numerics::a8; // its tables are exact
  auto cost = [&](Numerics numerics) {
    Product product = makeProduct(kernel, numerics);
    product.n = product.k = typicalDimension; // one class for all shapes, as of schedules
    LibraryPlan probe{library, {&target}, {product}, {0}, {}, {}};
    bool planned = succeeded(scheduleFor(context, probe, target));
    return planned ? probe.products[0].variants[0].cost : Cost{INFINITY, INFINITY, INFINITY};
  };
  const int64_t k = kernel.isOpen() ? typicalDimension : kernel.k;
  double a8 = expectedNmse(kernel.format, k, Numerics::a8);
  double t8 = expectedNmse(kernel.format, k, Numerics::t8);
  bool a8Fits = a8 <= kernel.errorBudget || kernel.format.row->trits, t8Fits = t8 <= kernel.errorBudget;
  if (a8Fits && t8Fits)
    return cost(Numerics::t8).total() < cost(Numerics::a8).total() ? Numerics::t8 : Numerics::a8;
  if (a8Fits || t8Fits)
    return t8Fits ? Numerics::t8 : Numerics::a8;
  return t8 < a8 ? Numerics::t8 : Numerics::a8;
}

static void addProducts(MLIRContext &context, LibraryPlan &plan) {
  for (const KernelSpec &kernel : plan.library.kernels) {
    Product product =
        makeProduct(kernel, chooseNumerics(context, plan.library, kernel, *plan.targets.front()));
    size_t index = 0;
    while (index < plan.products.size() && plan.products[index].name != product.name)
      ++index;
    if (index == plan.products.size()) {
      product.kernel = plan.productOfKernel.size();
      plan.products.push_back(product);
      if (product.open && product.format.hasTables()) {
        plan.products[index].few = plan.products.size();
        product.n = fewTypicalRows;
        product.name += "_few";
        plan.products.push_back(product);
      }
    }
    plan.productOfKernel.push_back(index);
  }
}

llvm::FailureOr<LibraryPlan> lut::planLibrary(MLIRContext &context, const LibrarySpec &library,
                                              std::vector<const TargetRow *> targets,
                                              PassManagerHook prepare) {
  LibraryPlan plan{library, std::move(targets), {}, {}, {}, {}};
  if (failed(checkTuning(context, library)) || failed(checkOpen(context, plan)))
    return failure();
  addProducts(context, plan);
  plan.groups.resize(library.groups.size());
  for (const TargetRow *row : plan.targets)
    if (failed(scheduleFor(context, plan, *row, prepare)))
      return failure();
  return std::move(plan);
}

std::string Regime::range() const {
  if (!most)
    return llvm::formatv("{0} and more", least);
  return least == most ? std::to_string(least) : llvm::formatv("{0} .. {1}", least, most).str();
}

llvm::SmallVector<Regime> ProductVariant::regimes() const {
  const Geometry &g = geometry;
  int64_t unpacks = g.schedule.getUnpackTokens();
  llvm::SmallVector<Regime> result;
  if (unpacks != 1)
    result.push_back({1, 1, g.tileRows, 1, false, cost.aloneCycles()});
  if (unpacks == 0 || unpacks > 2)
    result.push_back({2, unpacks ? unpacks - 1 : 0, g.batchRows(), g.stepTokens, false,
                      unpacks ? cost.fewCycles : cost.batchCycles});
  if (unpacks) {
    Body unpacked = unpackedBody(g);
    result.push_back({unpacks, 0, unpacked.stepRows(), unpacked.stepTokens, true, cost.batchCycles});
  }
  return result;
}

std::string lut::explain(const LibraryPlan &plan, const Product &product, size_t target) {
  const ProductVariant &variant = product.variants[target];
  const Geometry &g = variant.geometry;
  std::string text = llvm::formatv("{0}: class {1}, {2} in layout {3}, {4}", plan.targets[target]->name,
                                   stringifyNumerics(product.numerics), stringifyStrategy(g.strategy),
                                   stringifyLayout(g.layout), variant.reason);
  for (const Regime &regime : variant.regimes()) {
    text += llvm::formatv("; m = {0}: {1} rows x {2} token{3} at a time{4}, predicted {5:F0} cycles a token",
                          regime.range(), regime.rows, regime.tokens, regime.tokens == 1 ? "" : "s",
                          regime.unpacked ? " of unpacked codes" : "", regime.cycles);
    if (regime.most == 1)
      text += llvm::formatv(" ({0:F0} of compute, {1:F0} of weight traffic)", variant.cost.computeCycles,
                            variant.cost.memoryCycles);
  }
  return text;
}
