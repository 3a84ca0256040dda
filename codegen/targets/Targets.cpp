#include "codegen/targets/Targets.h"
#include "codegen/targets/Lower.h"
#include "dialects/lmma/MachineAttr.h"
#include "runtime/kernel.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace lut;

static const TargetRow kRows[] = {
#define LUT_TARGET(name, summary, features, cpuBits, populate, vectorBytes, registers, dot, ...)             \
  {#name, summary, features, cpuBits, populate, vectorBytes, registers, DotKind::dot, __VA_ARGS__},
#define LUT_MACHINE(name, summary, vectorBytes, registers, simpleCycles10, streamBytes)                      \
  {#name,                                                                                                    \
   summary,                                                                                                  \
   "",                                                                                                       \
   0,                                                                                                        \
   populateSse2Patterns,                                                                                     \
   vectorBytes,                                                                                              \
   registers,                                                                                                \
   DotKind::none,                                                                                            \
   0,                                                                                                        \
   0,                                                                                                        \
   5,                                                                                                        \
   5,                                                                                                        \
   5,                                                                                                        \
   simpleCycles10,                                                                                           \
   32768,                                                                                                    \
   streamBytes,                                                                                              \
   0,                                                                                                        \
   lmma::Machine()},
#include "codegen/targets/Targets.def"
};

llvm::ArrayRef<TargetRow> lut::targetRows() { return kRows; }

const TargetRow *lut::findTarget(llvm::StringRef name) {
  for (const TargetRow &row : kRows)
    if (row.name == name)
      return &row;
  return nullptr;
}

TargetAttr TargetRow::attribute(mlir::MLIRContext *context) const {
  return TargetAttr::get(context, name, vectorBytes, registers, dot, permuteBytes, permute2Bytes, dotCycles10,
                         permuteCycles10, permute2Cycles10, simpleCycles10, l1Bytes, streamBytesPer100Cycles,
                         prefetchBytes, machine ? lmma::attributeOf(context, *machine) : nullptr);
}

/// Whether `features` has every "+name" of the row.
static bool supports(const llvm::StringMap<bool> &features, const TargetRow &row) {
  llvm::SmallVector<llvm::StringRef> needed;
  row.features.split(needed, ',', -1, /*KeepEmpty=*/false);
  return llvm::all_of(needed, [&](llvm::StringRef name) { return features.lookup(name.drop_front()); });
}

namespace {
/// A row with the facts of some CPUs.
struct TunedRow {
  llvm::SmallVector<llvm::StringRef> cpus;
  TargetRow row;
  TunedRow(llvm::StringRef names, const TargetRow &row, int64_t dot, int64_t permute2, int64_t stream,
           int64_t prefetch)
      : row(row) {
    names.split(cpus, ' ');
    this->row.dotCycles10 = dot;
    this->row.permute2Cycles10 = permute2;
    this->row.streamBytesPer100Cycles = stream;
    this->row.prefetchBytes = prefetch;
  }
};
} // namespace

static const TargetRow *tuned(const TargetRow &row, llvm::StringRef cpu) {
  static const TunedRow rows[] = {
#define LUT_CPU(cpus, target, ...) {cpus, *findTarget(#target), __VA_ARGS__},
#include "codegen/targets/Targets.def"
  };
  for (const TunedRow &candidate : rows)
    if (candidate.row.name == row.name && llvm::is_contained(candidate.cpus, cpu))
      return &candidate.row;
  return &row;
}

llvm::Expected<const TargetRow *> lut::bestTargetFor(llvm::StringRef cpu,
                                                     llvm::ArrayRef<std::string> variants) {
  llvm::StringMap<bool> features;
  if (cpu == "host") {
    features = llvm::sys::getHostCPUFeatures();
  } else {
    if (llvm::X86::parseArchX86(cpu, /*Only64Bit=*/true) == llvm::X86::CK_None)
      return llvm::createStringError("unknown CPU '" + cpu + "'; write host or a name such as znver4");
    llvm::SmallVector<llvm::StringRef> names;
    llvm::X86::getFeaturesForCPU(cpu, names);
    for (llvm::StringRef name : names)
      features[name] = true;
  }
  for (const TargetRow &row : kRows)
    if (supports(features, row) && (variants.empty() || llvm::is_contained(variants, row.name.str())))
      return tuned(row, cpu == "host" ? llvm::sys::getHostCPUName() : cpu);
  return llvm::createStringError("CPU '" + cpu + "' runs none of the variants " + llvm::join(variants, ", ") +
                                 "; write others, or another CPU");
}
