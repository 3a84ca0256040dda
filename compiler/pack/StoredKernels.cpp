#include "compiler/pack/StoredKernels.h"

#include "codegen/Compile.h"
#include "codegen/library/Packing.h"
#include "codegen/targets/Targets.h"
#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/ModuleList.h"
#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace lut {

// Of GGUF by their own names, since a tensor may hold what other families have in two.
static std::vector<std::string> modulesOf(const Checkpoint &checkpoint) {
  std::vector<std::string> modules;
  if (!checkpoint.isGguf()) {
    for (CheckpointModule &module : listModules(checkpoint))
      modules.push_back(std::move(module.name));
    return modules;
  }
  for (const LinearTensor &linear : linearTensors(checkpoint)) {
    // A tensor without bytes may claim any number of experts.
    const int64_t experts = linear.tensor->bytes.empty() ? 0 : linear.experts();
    for (int64_t expert = 0; expert < experts; ++expert)
      modules.push_back(linear.isStacked() ? linear.expertModule(expert) : linear.module);
  }
  const Tensor *embedding = checkpoint.find("token_embd.weight");
  if (embedding && embedding->type->block > 1)
    modules.push_back(checkpoint.find("output.weight") ? "token_embd" : "lm_head");
  return modules;
}

static size_t kernelFor(const WeightSource &weights, std::vector<KernelSpec> &kernels) {
  auto known = find_if(kernels, [&](const KernelSpec &it) {
    return it.n == weights.n && it.k == weights.k && it.format.str() == weights.format.str();
  });
  if (known != kernels.end())
    return size_t(known - kernels.begin());
  KernelSpec &kernel = kernels.emplace_back();
  kernel.name = formatv("{0}_{1}x{2}", weights.format.str(), weights.n, weights.k);
  kernel.n = weights.n;
  kernel.k = weights.k;
  kernel.format = weights.format;
  return kernels.size() - 1;
}

Manifest storedManifest() {
  Manifest manifest;
  for (const TargetRow &row : targetRows())
    if (!row.isMachine())
      manifest.variants.push_back(row.name.str());
  return manifest;
}

static Error addKernels(ArrayRef<KernelSpec> kernels, Manifest &manifest) {
  auto layouts = chooseLayouts(kernels);
  if (!layouts)
    return layouts.takeError();
  for (const auto &[spec, variants] : zip(kernels, *layouts)) {
    PackedKernel &kernel = manifest.kernels.emplace_back();
    kernel.name = spec.name;
    kernel.formatName = spec.format.str();
    kernel.n = spec.n;
    kernel.k = spec.k;
    kernel.format = spec.format;
    for (const lutc_layout &layout : variants)
      kernel.packings.push_back({layout, layoutId(layout)});
  }
  return Error::success();
}

Expected<ModuleClaims> addStoredKernels(const Checkpoint &checkpoint, const WeightStorage &storage,
                                        Manifest &manifest) {
  ModuleClaims result;
  std::vector<KernelSpec> kernels;
  for (const std::string &module : modulesOf(checkpoint)) {
    auto weights = openWeights(checkpoint, storage, module, std::nullopt);
    if (weights)
      result.claims.push_back({module, kernelFor(**weights, kernels)});
    else if (weights.errorIsA<UnnamedFormat>())
      consumeError(weights.takeError()); // floats stay as they are
    else
      return weights.takeError();
  }
  if (kernels.empty())
    return fileError(checkpoint.path, "stores no linear layer in a format of lutc; compile a library with "
                                      "--weights, to which floats are rounded, and write --library");
  if (Error problem = addKernels(kernels, manifest))
    return std::move(problem);
  return std::move(result);
}

} // namespace lut
