#include "codegen/MachineProducts.h"
#include "codegen/Compile.h"
#include "codegen/Session.h"
#include "codegen/library/LibraryPlan.h"
#include "codegen/targets/lmma/Assembler.h"
#include "codegen/targets/lmma/Target.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "passes/machine/ProgramTile.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

using namespace lut;
using llvm::Expected;

struct MachineProducts::State {
  Session session;
  LibrarySpec library;
  TargetRow target;
  std::optional<LibraryPlan> plan;

  const Geometry &geometry(size_t kernel) const { return plan->product(kernel).variants.front().geometry; }
  /// The product's stage, with its programs and buffers.
  StageOp stage(size_t kernel) const;
};

StageOp MachineProducts::State::stage(size_t kernel) const {
  mlir::ModuleOp module = *plan->modules.front();
  auto function = module.lookupSymbol<mlir::func::FuncOp>(plan->symbol(plan->product(kernel), target));
  auto stages = function.getOps<StageOp>();
  return *llvm::find_if(stages, [](StageOp stage) { return stage->hasAttr(kLmmaProgramsAttrName); });
}

MachineProducts::MachineProducts(std::unique_ptr<State> state) : state(std::move(state)) {}
MachineProducts::MachineProducts(MachineProducts &&) = default;
MachineProducts::~MachineProducts() = default;

Expected<MachineProducts> MachineProducts::plan(const LibrarySpec &library, const lmma::Machine &machine) {
  Expected<TargetRow> target = targetFor(machine);
  if (!target)
    return target.takeError();
  std::unique_ptr<State> state(new State{{}, library, *target, {}});
  state->library.groups.clear();
  auto plan = planLibrary(state->session.context, state->library, {&state->target});
  if (failed(plan))
    return llvm::createStringError(
        "these kernels have no programs; write --mode=full for products of any kind");
  state->plan.emplace(std::move(*plan));
  mlir::PassManager pm(&state->session.context);
  pm.addPass(createConvertToLmma());
  if (failed(pm.run(*state->plan->modules.front())))
    return llvm::make_error<InternalError>("products did not become programs");
  return MachineProducts(std::move(state));
}

Expected<lmma::TileChoice> MachineProducts::predict(size_t kernel, int64_t m) const {
  ProgramTile program = programFor(state->geometry(kernel), *state->target.machine, m);
  Expected<lmma::Estimate> estimate = program.estimate(*state->target.machine, m);
  if (!estimate)
    return estimate.takeError();
  return lmma::TileChoice{program.tile(), *estimate};
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

/// As lutc_lmma_run_stage picks it.
static lmma::ProgramOp pickProgram(StageOp stage, int64_t m) {
  auto module = stage->getParentOfType<mlir::ModuleOp>();
  lmma::ProgramOp picked;
  for (auto symbol :
       stage->getAttrOfType<mlir::ArrayAttr>(kLmmaProgramsAttrName).getAsRange<mlir::FlatSymbolRefAttr>()) {
    auto program = module.lookupSymbol<lmma::ProgramOp>(symbol.getAttr());
    if (!picked || program.getTileM() <= m)
      picked = program;
  }
  return picked;
}

namespace {
/// A launch on buffers of zeros.
struct Execution {
  std::string program;
  std::vector<std::unique_ptr<uint8_t[], void (*)(void *)>> memory;
  std::vector<lmma_buffer> buffers;
  lmma_launch launch = {};

  Execution(StageOp stage, std::string program, int64_t m);
  lmma_status run(size_t begin, size_t end, lmma_counters &counters) const;
};
} // namespace

Execution::Execution(StageOp stage, std::string bytes, int64_t m) : program(std::move(bytes)) {
  for (auto buffer :
       stage->getAttrOfType<mlir::ArrayAttr>(kLmmaBuffersAttrName).getAsRange<lmma::BufferAttr>()) {
    size_t rows = buffer.getPerToken() ? m : 1, row = buffer.getRowBytes();
    memory.emplace_back(static_cast<uint8_t *>(std::calloc(rows, row)), std::free);
    buffers.push_back({memory.back().get(), rows, row, row, buffer.getWritable()});
  }
  launch.buffers = buffers.data();
  launch.buffer_count = buffers.size();
  launch.tokens = m;
}

lmma_status Execution::run(size_t begin, size_t end, lmma_counters &counters) const {
  size_t bytes = llvm::alignTo(lmma_workspace_bytes(program.data()), 64);
  std::unique_ptr<void, void (*)(void *)> workspace(std::aligned_alloc(64, bytes), std::free);
  lmma_launch part = launch;
  part.column_begin = begin;
  part.column_end = end;
  part.workspace = workspace.get();
  part.workspace_bytes = bytes;
  return lmma_run(program.data(), &part, &counters, nullptr);
}

llvm::ArrayRef<MachineCounter> lut::machineCounters() {
  static constexpr MachineCounter rows[] = {{"instructions", &lmma_counters::instructions},
                                            {"array cycles", &lmma_counters::array_cycles},
                                            {"lookups", &lmma_counters::lookups},
                                            {"table entries", &lmma_counters::table_entries},
                                            {"table additions", &lmma_counters::table_additions},
                                            {"L2 read", &lmma_counters::memory_read},
                                            {"L2 written", &lmma_counters::memory_written},
                                            {"scratchpad read", &lmma_counters::scratchpad_read},
                                            {"scratchpad written", &lmma_counters::scratchpad_written},
                                            {"registers", &lmma_counters::registers},
                                            {"barriers", &lmma_counters::barriers}};
  return rows;
}

/// Of the closed formulas, and of the bytes that the time is made of.
static llvm::Error checkCounts(const lmma_counters &counted, const lmma_counters &predicted,
                               const lmma::Estimate &estimate) {
  auto differs = [](llvm::StringRef name, uint64_t counted, uint64_t predicted) {
    return llvm::make_error<InternalError>(
        llvm::formatv("the program counts {0} for {1}, predicted {2}", counted, name, predicted));
  };
  for (auto [name, member] : machineCounters())
    if (counted.*member != predicted.*member)
      return differs(name, counted.*member, predicted.*member);
  const std::pair<uint64_t, double> bytes[] = {{counted.memory_read, estimate.cacheRead},
                                               {counted.memory_written, estimate.cacheWritten},
                                               {counted.scratchpad_read, estimate.scratchpadRead},
                                               {counted.scratchpad_written, estimate.scratchpadWritten},
                                               {counted.registers, estimate.registersRead}};
  for (auto [count, prediction] : bytes)
    if (count != uint64_t(std::llround(prediction)))
      return differs("bytes", count, uint64_t(std::llround(prediction)));
  return llvm::Error::success();
}

Expected<lmma_counters> MachineProducts::run(size_t kernel, int64_t m) const {
  const Geometry &g = state->geometry(kernel);
  StageOp stage = state->stage(kernel);
  auto program = lmma::assemble(pickProgram(stage, m));
  if (failed(program))
    return llvm::make_error<InternalError>("the program is not valid");
  Execution execution(stage, std::move(*program), m);
  size_t columns = g.shape.tiles, bands = std::min<size_t>(columns, 64);
  std::vector<lmma_counters> counts(bands);
  std::vector<lmma_status> statuses(bands);
  llvm::parallelFor(0, bands, [&](size_t band) {
    statuses[band] = execution.run(columns * band / bands, columns * (band + 1) / bands, counts[band]);
  });
  lmma_counters all = {};
  for (auto [part, status] : llvm::zip(counts, statuses)) {
    if (status != LMMA_OK)
      return llvm::make_error<InternalError>(lmma_status_string(status));
    for (auto [name, member] : machineCounters())
      all.*member += part.*member;
  }
  const lmma::Machine &machine = *state->target.machine;
  ProgramTile tile = programFor(g, machine, m);
  if (llvm::Error problem = checkCounts(all, tile.counts(m), llvm::cantFail(tile.estimate(machine, m))))
    return std::move(problem);
  return all;
}
