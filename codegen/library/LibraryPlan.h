// What is compiled for a library: the distinct products behind its kernels, and how each runs on each target.
#ifndef LUT_CODEGEN_LIBRARY_LIBRARYPLAN_H
#define LUT_CODEGEN_LIBRARY_LIBRARYPLAN_H

#include "codegen/library/LibrarySpec.h"
#include "codegen/targets/Targets.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/plan/CostModel.h"
#include "passes/tile/Program.h"

namespace mlir {
class PassManager;
} // namespace mlir

namespace lut {

/// As lutc_type in runtime/lutc.h.
enum class ElementType { f32, f16, bf16, i8 };

/// A slot of a program that outlives its IR.
struct PlannedSlot {
  Slot::Kind kind;
  int64_t size;
  size_t kernel = 0; // of weights
  bool routed = false;
  ElementType type = ElementType::f32;
  int64_t fixed = 0;
};

/// As ProgramStage, and as lutc_stage in runtime/kernel.h.
struct PlannedStage {
  std::string run, source, finish;
  lutc_shape shape;
  llvm::SmallVector<unsigned> slots;
  int64_t phase;
  bool prepares, plain, routed;
};

/// What the runtime runs for a kernel or a group on one target.
struct PlannedProgram {
  std::vector<PlannedSlot> slots;
  std::vector<PlannedStage> stages; // by phase
  int64_t tokenBlock = 0, scratchBytes = 0;
  Routing routing;
  int64_t experts = 0; // in number; 0: nothing is routed

  /// Scratch of any call besides that of its tokens: of slots, and a counter for each expert.
  int64_t fixedBytes() const;
};

/// What a product does for calls of `least` to `most` tokens (0: and more).
struct Regime {
  int64_t least, most, rows, tokens; // rows, tokens: at a time
  bool unpacked;                     // codes become bytes first, for all tokens of a block
  double cycles;                     // predicted, of one token
  /// "1", "2 .. 7", "8 and more"
  std::string range() const;
};

/// How a product runs on one target.
struct ProductVariant {
  Geometry geometry;
  PlannedProgram program;
  Cost cost; // predicted, one token
  std::string reason;

  llvm::SmallVector<Regime> regimes() const;
};

/// Kernels with equal shape, format, numerics and strategy share one product and its code.
struct Product {
  std::string name;     // a8_w158_640x2560, or with _dot or _lookup where the user asked for it
  int64_t n = 0, k = 0; // of open ones those for which the schedule is chosen
  bool open = false;
  size_t kernel = 0; // the first one behind which it is
  size_t few = 0;    // of an open one with tables: index of the same for fewer than `fewRows` rows
  Format format;
  Numerics numerics = Numerics::a8;
  std::optional<Strategy> strategy;
  std::string schedule; // where the kernel asks for one
  SourcePosition position;
  double expectedNmse = 0;
  std::vector<ProductVariant> variants; // one per target of the plan
};

/// What the caller gives a group or gets from it.
struct GroupOperand {
  Slot::Kind kind; // not scratch
  std::string name;
  int64_t size;
  size_t kernel = 0; // of weights
  ElementType type = ElementType::f32;
};

struct Group {
  std::vector<GroupOperand> operands;   // inputs, then results
  std::vector<PlannedProgram> variants; // one per target of the plan
};

struct LibraryPlan {
  const LibrarySpec &library;
  std::vector<const TargetRow *> targets; // best first
  std::vector<Product> products;
  std::vector<size_t> productOfKernel;
  std::vector<Group> groups;                              // one for each of the library's
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules; // scheduled IR, one per target

  const Product &product(size_t kernel) const { return products[productOfKernel[kernel]]; }
  /// Of the tensor-level function of a product on a target: <library>_<product>_<target>.
  std::string symbol(const Product &product, const TargetRow &target) const;
  /// The same of a group: <library>_group_<group>_<target>.
  std::string symbol(const GroupSpec &group, const TargetRow &target) const;
};

/// Called with the pass manager of a target before it runs.
using PassManagerHook = llvm::function_ref<void(mlir::PassManager &, const TargetRow &)>;

/// Picks numerics and schedules. Failures have been reported through the context's diagnostics.
llvm::FailureOr<LibraryPlan> planLibrary(mlir::MLIRContext &context, const LibrarySpec &library,
                                         std::vector<const TargetRow *> targets,
                                         PassManagerHook prepare = nullptr);

ElementType elementTypeOf(mlir::Type type);

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
