#include "codegen/MachineProducts.h"
#include "codegen/Session.h"
#include "codegen/library/LibraryPlan.h"
#include "codegen/targets/lmma/Target.h"
#include "passes/machine/ProgramTile.h"

using namespace lut;
using llvm::Expected;

struct MachineProducts::State {
  Session session;
  LibrarySpec library;
  TargetRow target;
  std::optional<LibraryPlan> plan;

  const Geometry &geometry(size_t kernel) const { return plan->product(kernel).variants.front().geometry; }
};

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
  return MachineProducts(std::move(state));
}

Expected<lmma::TileChoice> MachineProducts::predict(size_t kernel, int64_t m) const {
  ProgramTile program = programFor(state->geometry(kernel), *state->target.machine, m);
  Expected<lmma::Estimate> estimate = program.estimate(*state->target.machine, m);
  if (!estimate)
    return estimate.takeError();
  return lmma::TileChoice{program.tile(), *estimate};
}
