#include "compiler/pack/ModuleClaims.h"

#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/ModuleList.h"
#include "compiler/config/ModuleGlob.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;

namespace lut {

namespace {

class Claimer {
public:
  Claimer(const Checkpoint &checkpoint, const Manifest &manifest)
      : checkpoint(checkpoint), manifest(manifest) {}

  Expected<ModuleClaims> claim();

private:
  void claimProjection(const ProjectionSpec &projection);
  Error claimPattern(StringRef pattern, size_t kernel);
  Error matchesNothing(StringRef pattern, size_t kernel) const;

  const Checkpoint &checkpoint;
  const Manifest &manifest;
  std::vector<CheckpointModule> modules;
  StringMap<size_t> kernelOf; // of modules that patterns have claimed
  ModuleClaims result;
};

} // namespace

static std::string moduleName(StringRef path, int64_t layer, int64_t expert) {
  std::string name = path.str();
  auto replace = [&](StringRef what, int64_t number) {
    size_t at = name.find(what.str());
    if (at != std::string::npos)
      name.replace(at, what.size(), std::to_string(number));
  };
  replace("{layer}", layer);
  replace("{expert}", expert);
  return name;
}

void Claimer::claimProjection(const ProjectionSpec &projection) {
  auto kernel =
      find_if(manifest.kernels, [&](const PackedKernel &it) { return it.name == projection.kernel; });
  if (kernel == manifest.kernels.end())
    return; // not compiled: its tensors stay as they are
  for (int64_t layer = projection.first; layer <= projection.last; ++layer)
    for (int64_t copy = 0; copy < projection.copies; ++copy)
      result.claims.push_back(
          {moduleName(projection.projection, layer, copy), size_t(kernel - manifest.kernels.begin())});
}

static bool matches(const ModuleGlob &glob, const CheckpointModule &module) {
  return any_of(module.names, [&](StringRef name) { return glob.matches(name); });
}

Error Claimer::matchesNothing(StringRef pattern, size_t kernel) const {
  std::string wider, advice = "lutc inspect lists its layers";
  for (char c : pattern)
    if (c != '*')
      wider += c;
    else if (!StringRef(wider).ends_with("*"))
      wider += "**";
  Expected<ModuleGlob> glob = ModuleGlob::parse(wider);
  if (!glob)
    consumeError(glob.takeError());
  else if (any_of(modules, [&](const CheckpointModule &module) { return matches(*glob, module); }))
    advice = "* stands for no dot: write " + quoted(wider);
  return fileError(checkpoint.path, "no module matches " + quoted(pattern) + " of kernel " +
                                        manifest.kernels[kernel].name + "; " + advice);
}

Error Claimer::claimPattern(StringRef pattern, size_t kernel) {
  Expected<ModuleGlob> glob = ModuleGlob::parse(pattern);
  if (!glob)
    return glob.takeError();
  bool found = false;
  for (const CheckpointModule &module : modules) {
    if (!matches(*glob, module))
      continue;
    found = true;
    auto [entry, isNew] = kernelOf.try_emplace(module.name, kernel);
    if (isNew)
      result.claims.push_back({module.name, kernel});
    else if (entry->second != kernel)
      return fileError(checkpoint.path, quoted(module.name) + " is claimed by two kernels, " +
                                            manifest.kernels[entry->second].name + " and " +
                                            manifest.kernels[kernel].name +
                                            "; let `modules` of one of them leave it out");
  }
  return found ? Error::success() : matchesNothing(pattern, kernel);
}

Expected<ModuleClaims> Claimer::claim() {
  for (const ProjectionSpec &projection : manifest.projections)
    claimProjection(projection);
  if (any_of(manifest.kernels, [](const PackedKernel &kernel) { return !kernel.modules.empty(); }))
    modules = listModules(checkpoint);
  for (auto [index, kernel] : enumerate(manifest.kernels))
    for (StringRef pattern : kernel.modules)
      if (Error problem = claimPattern(pattern, index))
        return std::move(problem);
  for (const CheckpointModule &module : modules)
    if (!kernelOf.contains(module.name))
      result.left.push_back(module.name);
  return std::move(result);
}

Expected<ModuleClaims> claimModules(const Checkpoint &checkpoint, const Manifest &manifest) {
  return Claimer(checkpoint, manifest).claim();
}

} // namespace lut
