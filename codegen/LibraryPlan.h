// What is compiled for a library: the distinct products behind its kernels, and how each runs on each target.
#ifndef LUT_CODEGEN_LIBRARYPLAN_H
#define LUT_CODEGEN_LIBRARYPLAN_H

#include "codegen/LibrarySpec.h"
#include "codegen/Targets.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/CostModel.h"
#include "passes/Geometry.h"

namespace mlir {
class PassManager;
} // namespace mlir

namespace lut {

/// How a product runs on one target.
struct ProductVariant {
  Geometry geometry;
  Cost cost; // predicted, one token
  std::string reason;
};

/// Kernels with equal shape, format, numerics and strategy share one product and its code.
struct Product {
  std::string name; // a8_w158_640x2560, or with _dot or _lookup where the user asked for it
  int64_t n = 0, k = 0;
  Format format;
  Numerics numerics = Numerics::a8;
  std::optional<Strategy> strategy;
  std::string schedule; // where the kernel asks for one
  SourcePosition position;
  double expectedNmse = 0;
  std::vector<ProductVariant> variants; // one per target of the plan
};

struct LibraryPlan {
  const LibrarySpec &library;
  std::vector<const TargetRow *> targets; // best first
  std::vector<Product> products;
  std::vector<size_t> productOfKernel;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules; // scheduled IR, one per target

  const Product &product(size_t kernel) const { return products[productOfKernel[kernel]]; }
  /// Prefix of the functions of a product on a target: <library>_<product>_<target>.
  std::string symbol(const Product &product, const TargetRow &target) const;
};

/// Called with the pass manager of a target before it runs.
using PassManagerHook = llvm::function_ref<void(mlir::PassManager &, const TargetRow &)>;

/// Picks numerics and schedules. Failures have been reported through the context's diagnostics.
llvm::FailureOr<LibraryPlan> planLibrary(mlir::MLIRContext &context, const LibrarySpec &library,
                                         std::vector<const TargetRow *> targets,
                                         PassManagerHook prepare = nullptr);

/// Name of the product of a kernel whose numerics are decided.
std::string productName(const KernelSpec &kernel);

/// What a kernel could run on a target in class `numerics`, the fastest predicted first.
llvm::FailureOr<llvm::SmallVector<Candidate>> listCandidates(mlir::MLIRContext &context,
                                                             const KernelSpec &kernel, Numerics numerics,
                                                             const TargetRow &target);

/// One line on a product's schedule on the target with index `target`, and the reason for it.
std::string explain(const LibraryPlan &plan, const Product &product, size_t target);

mlir::Location locationOf(mlir::MLIRContext &context, const SourcePosition &position, llvm::StringRef name);

} // namespace lut

#endif
