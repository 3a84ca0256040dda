// Carried machines and costs for the tests of the model.
#ifndef LUT_TEST_CODEGEN_LMMA_MACHINES_H
#define LUT_TEST_CODEGEN_LMMA_MACHINES_H

#include "compiler/simulate/MachineReader.h"
#include "compiler/simulate/Workload.h"
#include <cstdio>
#include <gtest/gtest.h>

namespace lut::lmma {

inline Machine machine(llvm::StringRef name) {
  llvm::SourceMgr sources;
  std::optional<Machine> found = readMachine(name, sources);
  EXPECT_TRUE(found) << name.str();
  return found.value_or(Machine());
}

inline const Costs &costs() {
  static const Costs all = readCosts();
  return all;
}

inline Gemm gemm(int64_t m, int64_t n, int64_t k, int64_t planes, Number activations = Number::i8) {
  Gemm product;
  product.m = m;
  product.n = n;
  product.k = k;
  product.weights.planes = planes;
  product.activations = activations;
  product.sums = isFloat(activations) ? Number::f16 : Number::i32;
  return product;
}

/// (ours - theirs) / theirs, in percent.
inline double difference(double ours, double theirs) { return (ours / theirs - 1) * 100; }

/// Also prints the row, for README.md of compiler/simulate.
inline void expectWithin(double percent, double ours, double theirs, const std::string &what) {
  std::printf("%-52s paper %-10.6g ours %-10.6g %+.1f %%\n", what.c_str(), theirs, ours,
              difference(ours, theirs));
  EXPECT_LE(std::abs(difference(ours, theirs)), percent) << what;
}

} // namespace lut::lmma

#endif
