#include "compiler/pack/Pack.h"

#include "codegen/Targets.h"
#include "compiler/ConfigFile.h"
#include "compiler/Driver.h"
#include "compiler/Log.h"
#include "compiler/pack/Packer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace lut {

// The one that is asked for, or the best that this CPU runs, as the library itself chooses.
static std::optional<size_t> chooseVariant(const Manifest &manifest, const PackRequest &request,
                                           Diagnostics &diagnostics) {
  SmallVector<StringRef> names(manifest.variants.begin(), manifest.variants.end());
  if (!request.variant.empty()) {
    auto found = find(names, request.variant);
    if (found != names.end())
      return found - names.begin();
    diagnostics.error(request.library, "the library has no variant " + request.variant,
                      "write --variant=" + alternatives(names));
    return std::nullopt;
  }
  for (auto [index, name] : enumerate(names)) {
    const TargetRow *row = findTarget(name);
    if (row && (lutc_cpu_features() & row->cpuBits) == row->cpuBits)
      return index;
  }
  diagnostics.error(request.library, "this CPU runs no variant of the library",
                    "name the one that the weights are for: --variant=" + alternatives(names));
  return std::nullopt;
}

static std::optional<Manifest> readLibrary(const PackRequest &request, Diagnostics &diagnostics) {
  std::optional<Manifest> manifest = readManifest(request.library, diagnostics);
  if (!manifest || any_of(manifest->projections, [](const ProjectionSpec &it) { return !it.kernel.empty(); }))
    return manifest;
  diagnostics.error(request.library, "the library is one of kernels and says nothing about a model",
                    "compile it from the checkpoint or its config.json");
  return std::nullopt;
}

int pack(const PackRequest &request) {
  SourceMgr sources;
  Diagnostics diagnostics(sources);
  std::optional<Manifest> manifest = readLibrary(request, diagnostics);
  std::optional<size_t> variant = manifest ? chooseVariant(*manifest, request, diagnostics) : std::nullopt;
  if (!variant)
    return ExitError;
  Expected<Checkpoint> checkpoint = openCheckpoint(request.checkpoint);
  if (!checkpoint)
    return reportError(checkpoint.takeError());
  std::optional<Quantization> storage = readQuantization(*checkpoint, diagnostics);
  if (!storage)
    return ExitError;
  Expected<PackPlan> plan = planPack(*checkpoint, *storage, *manifest, *variant);
  if (!plan)
    return reportError(plan.takeError());
  for (const std::string &note : plan->notes)
    logLine(note);
  PackTarget target{request.output, manifest->hash, manifest->variants[*variant]};
  if (Error problem = writePacked(*checkpoint, *plan, target))
    return reportError(std::move(problem));
  if (request.verbose)
    logLine(formatv("wrote {0}: {1} tensors, {2} bytes, for variant {3}", request.output, plan->items.size(),
                    plan->fileBytes, target.variant));
  return ExitOk;
}

} // namespace lut
