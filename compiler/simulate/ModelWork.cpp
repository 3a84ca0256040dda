#include "compiler/simulate/ModelWork.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace lut {

Expected<lmma::WeightType> weightsOf(const Format &format, const lmma::Machine &machine) {
  if (machine.isLut() && machine.array.weights.trits) {
    if (format.row->trits)
      return lmma::WeightType{2, true};
    return createStringError("the tables of " + machine.name + " hold sums of trits, which weights of " +
                             format.str() + " are not; write --weights=w158, or take another machine");
  }
  return lmma::WeightType{format.row->bits, false};
}

lmma::Gemm gemmOn(const lmma::Machine &machine, const SimulateRequest &request) {
  lmma::Gemm gemm;
  gemm.activations =
      request.activations.value_or(machine.isLut() ? machine.array.entry : machine.mac.operand);
  gemm.sums = machine.sumType();
  return gemm;
}

// The group that multiplies kernel `index`, and its place among the products of that step.
static std::pair<const GroupSpec *, size_t> findProduct(const LibrarySpec &library, size_t index) {
  for (const GroupSpec &group : library.groups)
    for (const GroupStep &step : group.steps)
      if (auto found = find(step.kernels, index); found != step.kernels.end())
        return {&group, found - step.kernels.begin()};
  return {nullptr, 0};
}

static int64_t countMatrices(const LibrarySpec &library, const KernelSpec &kernel) {
  if (library.projections.empty())
    return 1;
  int64_t count = 0;
  for (const ProjectionSpec &projection : library.projections)
    if (projection.kernel == kernel.name)
      count += (projection.last - projection.first + 1) * projection.copies;
  return count;
}

// Tokens are spread evenly over experts: as many as their choices reach have some.
static void routeTokens(const GroupSpec &group, lmma::WorkKernel &kernel) {
  int64_t pairs = kernel.gemm.m * group.top, used = std::min(group.experts, pairs);
  kernel.count = kernel.count / group.experts * used;
  kernel.gemm.m = divideCeil(pairs, used);
}

static void addModel(const LibrarySpec &library, const SimulateRequest &request, int64_t m,
                     lmma::Workload &work) {
  const ModelShape &shape = library.model;
  work.layers = shape.layers;
  work.hidden = shape.hidden;
  for (const KernelSpec &kernel : library.kernels)
    if (StringRef(kernel.name).starts_with("down_proj"))
      work.ffn = kernel.k;
  lmma::Attention &attention = work.attention;
  attention.sequences = std::min(request.sequences, m);
  attention.tokens = divideCeil(m, attention.sequences);
  attention.fused = request.attention == AttentionKind::fused;
  attention.headDim = shape.headDim;
  attention.kvHeads = shape.kvHeads;
  attention.heads = request.attention == AttentionKind::none ? 0 : shape.heads;
}

Expected<lmma::Workload> makeWorkload(const LibrarySpec &library, const lmma::Machine &machine,
                                      const SimulateRequest &request, const MachineProducts *programs,
                                      int64_t m) {
  lmma::Workload work;
  for (auto [index, spec] : enumerate(library.kernels)) {
    Expected<lmma::WeightType> weights = programs
                                             ? lmma::WeightType{spec.format.row->bits, spec.format.row->trits}
                                             : weightsOf(spec.format, machine);
    if (!weights)
      return weights.takeError();
    lmma::WorkKernel kernel{spec.name, gemmOn(machine, request), countMatrices(library, spec)};
    kernel.gemm.m = m;
    kernel.gemm.n = spec.n;
    kernel.gemm.k = spec.k;
    kernel.gemm.weights = *weights;
    auto [group, place] = findProduct(library, index);
    kernel.sharesTables = place > 0;
    if (group && group->experts)
      routeTokens(*group, kernel);
    if (programs) {
      Expected<lmma::TileChoice> program = programs->predict(index, kernel.gemm.m);
      if (!program)
        return program.takeError();
      kernel.program = *program;
    }
    if (request.run) {
      Expected<lmma_counters> counted = programs->run(index, kernel.gemm.m);
      if (!counted)
        return counted.takeError();
      kernel.counted = *counted;
    }
    work.kernels.push_back(std::move(kernel));
  }
  if (library.model.layers)
    addModel(library, request, m, work);
  return work;
}

} // namespace lut
