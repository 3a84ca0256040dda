// Carried machines and costs for the tests of the model.
#ifndef LUT_TEST_CODEGEN_LMMA_MACHINES_H
#define LUT_TEST_CODEGEN_LMMA_MACHINES_H

#include "codegen/lmma/Workload.h"
#include "compiler/MachineReader.h"
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

} // namespace lut::lmma

#define EXPECT_WITHIN(percent, ours, theirs)                                                                 \
  EXPECT_LE(std::abs(::lut::lmma::difference(ours, theirs)), percent)                                        \
      << "ours " << (ours) << ", theirs " << (theirs) << ", "                                                \
      << ::lut::lmma::difference(ours, theirs) << " %"

#endif
