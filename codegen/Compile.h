// From a library's request to the bytes of its files.
#ifndef LUT_CODEGEN_COMPILE_H
#define LUT_CODEGEN_COMPILE_H

#include "codegen/library/LibrarySpec.h"
#include "codegen/targets/Targets.h"
#include "runtime/kernel.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <utility>

namespace lut {

struct CompileOptions {
  std::vector<std::string> variants; // rows of the target table; empty: all, or what `cpu` decides
  std::optional<TargetRow> machine;  // one variant, for this LUT-instruction machine; excludes both others
  std::string cpu;       // one variant, the best that this CPU runs: a name known to LLVM, or host
  bool emitMlir = false; // list the IR of every variant, after pass `emitMlirAfter` (empty: all passes)
  std::string emitMlirAfter;
  bool emitLlvmIr = false, emitAssembly = false;
  bool explain = false;
  std::function<void(const std::string &)> log; // takes one line for each phase; may be empty
  std::string configHash;                       // names the config in outputs, without its path
};

/// The contents of every output file.
struct Artifacts {
  std::string archive, header, manifest;
  std::vector<std::pair<std::string, std::string>> listings; // file name, text
};

/// What was chosen for every kernel: its class, and strategy with layout on each target.
struct Choices {
  std::vector<std::string> targets;
  struct Kernel {
    std::string numerics;
    std::vector<std::string> strategies;
  };
  std::vector<Kernel> kernels;
};

/// A failure that no input should cause. The message names a reproducer.
class InternalError : public llvm::ErrorInfo<InternalError> {
public:
  static char ID;
  explicit InternalError(std::string message) : message(std::move(message)) {}
  void log(llvm::raw_ostream &out) const override { out << message; }
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

private:
  std::string message;
};

/// Picks numerics and schedules and stops there.
llvm::Expected<Choices> chooseKernels(const LibrarySpec &library, const CompileOptions &options);

/// How each variant for CPUs, best first, stores the weights of these kernels, were they made at run time.
llvm::Expected<std::vector<std::vector<lutc_layout>>> chooseLayouts(llvm::ArrayRef<KernelSpec> kernels);

/// One way to run a kernel.
struct ScheduleOption {
  std::string product;  // the kernel's numerics class, format and shape
  std::string schedule; // #lut.schedule<...>
};

struct ScheduleOptions {
  std::string target;                  // the one that the options decide for
  std::vector<ScheduleOption> options; // the fastest predicted first
};

/// Every schedule of a kernel whose numerics are decided.
llvm::Expected<ScheduleOptions> scheduleOptions(const KernelSpec &kernel, const CompileOptions &options);

/// Diagnostics about kernels go to stderr at the user's own line; the error that is returned sums them up.
llvm::Error compileLibrary(const LibrarySpec &library, const CompileOptions &options, Artifacts &artifacts);

} // namespace lut

#endif
