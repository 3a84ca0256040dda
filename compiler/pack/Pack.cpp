#include "compiler/pack/Pack.h"

#include "codegen/targets/Targets.h"
#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/FileKind.h"
#include "compiler/model/ConfigFile.h"
#include "compiler/pack/AtomicFile.h"
#include "compiler/pack/Packer.h"
#include "compiler/pack/StoredKernels.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/Log.h"
#include "compiler/report/Output.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace lut {

// The one that is asked for, or the best that this CPU runs, as libraries themselves choose.
static std::optional<size_t> chooseVariant(const Manifest &manifest, const PackRequest &request,
                                           Diagnostics &diagnostics) {
  SmallVector<StringRef> names(manifest.variants.begin(), manifest.variants.end());
  StringRef file = request.library, owner = "the library";
  if (request.library.empty())
    file = request.checkpoint, owner = "lutc";
  if (!request.variant.empty()) {
    auto found = find(names, request.variant);
    if (found != names.end())
      return found - names.begin();
    diagnostics.error(file, owner + " has no variant " + request.variant,
                      "write --variant=" + alternatives(names));
    return std::nullopt;
  }
  for (auto [index, name] : enumerate(names)) {
    const TargetRow *row = findTarget(name);
    if (row && (lutc_cpu_features() & row->cpuBits) == row->cpuBits)
      return index;
  }
  diagnostics.error(file, "this CPU runs no variant of " + owner,
                    "name the one that the weights are for: --variant=" + alternatives(names));
  return std::nullopt;
}

static std::optional<Manifest> readLibrary(const PackRequest &request, Diagnostics &diagnostics) {
  if (request.library.empty())
    return storedManifest();
  FileKind kind = fileKind(request.library);
  if (kind != FileKind::Manifest && kind != FileKind::Json && kind != FileKind::Unreadable) {
    diagnostics.error(request.library, unexpectedFile(request.library, kind, WantedFile::Manifest));
    return std::nullopt;
  }
  std::optional<Manifest> manifest = readManifest(request.library, diagnostics);
  if (!manifest ||
      any_of(manifest->projections, [](const ProjectionSpec &it) { return !it.kernel.empty(); }) ||
      any_of(manifest->kernels, [](const PackedKernel &it) { return !it.modules.empty(); }))
    return manifest;
  diagnostics.error(
      request.library, "no kernel of the library names modules of a checkpoint",
      "write `modules: model.layers.*.self_attn.q_proj` at kernels of its list and compile it again");
  return std::nullopt;
}

// Architectures that lutc does not know keep the names, and the order of rows, that the file has.
static Expected<Naming> chooseNaming(const Checkpoint &checkpoint, const PackRequest &request) {
  std::optional<Naming> wanted = request.naming;
  if (!wanted && request.library.empty())
    wanted = Naming::Checkpoint;
  if (wanted == Naming::Checkpoint || TensorNames::hasHuggingFace(checkpoint))
    return wanted.value_or(Naming::HuggingFace);
  const MetadataValue *architecture = checkpoint.metadata.find("general.architecture");
  std::string what = "the Hugging Face names of architecture " +
                     quoted(architecture ? architecture->string().value_or("") : "") + " are not known";
  if (wanted)
    return fileError(checkpoint.path, what + "; write --names=checkpoint");
  logLine(what + ": all tensors keep the names of the checkpoint");
  return Naming::Checkpoint;
}

int pack(const PackRequest &request) {
  SourceMgr sources;
  Diagnostics diagnostics(sources);
  std::optional<Manifest> manifest = readLibrary(request, diagnostics);
  std::optional<size_t> variant = manifest ? chooseVariant(*manifest, request, diagnostics) : std::nullopt;
  if (!variant)
    return ExitError;
  auto place = OutputPath::open(request.output); // writing goes through AtomicFile
  if (!place)
    return reportError(place.takeError());
  Expected<Checkpoint> checkpoint = openCheckpoint(request.checkpoint);
  if (!checkpoint)
    return reportError(checkpoint.takeError());
  std::vector<std::string> inputs = checkpoint->files;
  inputs.push_back(request.library);
  if (Error problem = AtomicFile::checkReplacesNone(inputs, request.output))
    return reportError(std::move(problem));
  std::optional<Quantization> storage = readQuantization(*checkpoint, diagnostics);
  if (!storage)
    return ExitError;
  Expected<Naming> naming = chooseNaming(*checkpoint, request);
  if (!naming)
    return reportError(naming.takeError());
  for (const std::string &note : checkpoint->notes)
    logLine(note);
  Expected<ModuleClaims> claims = request.library.empty() ? addStoredKernels(*checkpoint, *storage, *manifest)
                                                          : claimModules(*checkpoint, *manifest);
  if (!claims)
    return reportError(claims.takeError());
  Expected<PackPlan> plan =
      planPack(*checkpoint, *storage, *manifest, *claims, {*variant, *naming, request.widening});
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
