#include "compiler/simulate/Search.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut::lmma {

static std::vector<Array> arraysOfSize(const SearchSpace &space) {
  std::vector<Array> arrays;
  for (int64_t k = 1; k <= 8; k *= 2)
    for (int64_t m = 1; m * k <= space.size; m *= 2)
      arrays.push_back({m, space.size / (m * k), k, space.entry, space.gemm.weights});
  return arrays;
}

Array densestArray(const Costs &costs, const SearchSpace &space) {
  std::vector<Array> arrays = arraysOfSize(space);
  auto product = [&](const Array &array) {
    Cost cost = arrayCost(costs, array);
    return cost.area * cost.energy;
  };
  return *min_element(arrays, [&](const Array &a, const Array &b) { return product(a) < product(b); });
}

static bool dominates(const Candidate &a, const Candidate &b) {
  return a.area <= b.area && a.joules <= b.joules && a.seconds <= b.seconds &&
         (a.area < b.area || a.joules < b.joules || a.seconds < b.seconds);
}

std::vector<Candidate> search(const Costs &costs, const SearchSpace &space) {
  std::vector<Candidate> all;
  for (const Array &array : arraysOfSize(space))
    for (int64_t arrays : {1, 2, 4, 8})
      for (int64_t registers : {1, 2}) {
        Machine machine = space.machine;
        machine.array = array;
        machine.arrays = arrays;
        machine.registerMultiple = registers;
        Expected<TileChoice> choice = bestTile(machine, space.gemm, space.mode, space.precompute);
        if (!choice) {
          consumeError(choice.takeError());
          continue;
        }
        addEnergy(costs, machine, space.gemm, choice->estimate);
        double area = tensorArea(costs, machine) + extraRegisterArea(costs, machine);
        if (space.precompute == Precompute::array)
          area += tableAdderArea(costs, machine);
        all.push_back({array, arrays, registers, *choice, area, choice->estimate.joules,
                       choice->estimate.seconds(machine)});
      }
  for (Candidate &candidate : all)
    candidate.onFront = none_of(all, [&](const Candidate &other) { return dominates(other, candidate); });
  llvm::sort(all, [](const Candidate &a, const Candidate &b) {
    return std::tie(a.area, a.seconds) < std::tie(b.area, b.seconds);
  });
  return all;
}

} // namespace lut::lmma
