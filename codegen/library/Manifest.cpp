#include "codegen/library/Descriptors.h"
#include "codegen/library/Packing.h"
#include "codegen/library/Writers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace lut;
using llvm::json::Array;
using llvm::json::Object;

/// What the packer needs of a variant.
static Object packingObject(const Geometry &geometry) {
  const lutc_layout layout = layoutOf(geometry);
  Object packing{{"layout_id", layoutId(layout)}};
  for (auto [index, field] : llvm::enumerate(layoutFields))
    packing[field] = reinterpret_cast<const uint32_t *>(&layout)[index];
  packing["kind"] = stringifyLayout(geometry.layout);
  return packing;
}

static Object variantObject(const LibraryPlan &plan, const Product &product, size_t target) {
  const ProductVariant &variant = product.variants[target];
  const Geometry &g = variant.geometry;
  std::string schedule;
  llvm::raw_string_ostream(schedule) << g.schedule;
  Array regimes;
  for (const Regime &regime : variant.regimes()) {
    Object object{{"m", regime.range()},
                  {"rows", regime.rows},
                  {"tokens", regime.tokens},
                  {"unpacked", regime.unpacked},
                  {"predicted_cycles_per_token", llround(regime.cycles)}};
    if (regime.most == 1) {
      object["of_compute"] = llround(variant.cost.computeCycles);
      object["of_weight_traffic"] = llround(variant.cost.memoryCycles);
    }
    regimes.push_back(std::move(object));
  }
  Object object{{"variant", plan.targets[target]->name},
                {"strategy", stringifyStrategy(g.strategy)},
                {"layout", stringifyLayout(g.layout)},
                {"symbol", variant.program.stages.back().run},
                {"schedule", schedule},
                {"reason", variant.reason},
                {"regimes", std::move(regimes)}};
  if (!product.open) {
    object["packed_bytes"] = packedBytes(g);
    object["packing"] = packingObject(g);
    object["scratch_bytes_per_token"] = variant.program.scratchBytes;
  }
  return object;
}

static Object kernelObject(const LibraryPlan &plan, size_t kernel) {
  const KernelSpec &spec = plan.library.kernels[kernel];
  const Product &product = plan.product(kernel);
  Array variants;
  for (size_t target = 0; target < plan.targets.size(); ++target)
    variants.push_back(variantObject(plan, product, target));
  Object object{{"name", spec.name},
                {"format", spec.format.str()},
                {"numerics", stringifyNumerics(product.numerics)},
                {"expected_nmse", product.expectedNmse},
                {"error_budget", spec.errorBudget},
                {"variants", std::move(variants)}};
  if (spec.isOpen()) {
    object["open"] = true;
  } else {
    object["n"] = spec.n;
    object["k"] = spec.k;
  }
  if (!spec.modules.empty())
    object["modules"] = Array(spec.modules);
  return object;
}

/// Packed weights have the bytes of their kernel's variant, at most packed_bytes, and no elements.
static Object operandObject(const LibraryPlan &plan, const GroupSpec &group, const GroupOperand &operand) {
  static constexpr llvm::StringLiteral kinds[] = {"rows", "vector", "weights", "result", "routes", "experts"};
  static constexpr llvm::StringLiteral types[] = {"f32", "f16", "bf16", "i8"};
  Object object{{"name", operand.name}, {"kind", kinds[size_t(operand.kind)]}};
  if (operand.kind != Slot::Kind::weights && operand.kind != Slot::Kind::experts) {
    object["type"] = operand.kind == Slot::Kind::routes ? "i32" : types[size_t(operand.type)];
    object["size"] = operand.size;
    return object;
  }
  int64_t most = 0;
  for (const ProductVariant &variant : plan.product(operand.kernel).variants)
    most = std::max(most, packedBytes(variant.geometry));
  object["kernel"] = plan.library.kernels[operand.kernel].name;
  object["packed_bytes"] = most;
  if (operand.kind == Slot::Kind::experts)
    object["count"] = group.experts;
  return object;
}

static Object groupObject(const LibraryPlan &plan, size_t index) {
  const GroupSpec &spec = plan.library.groups[index];
  const Group &group = plan.groups[index];
  Array operands, variants;
  for (const GroupOperand &operand : group.operands)
    operands.push_back(operandObject(plan, spec, operand));
  for (auto [target, program] : llvm::enumerate(group.variants)) {
    Array stages;
    for (const PlannedStage &stage : program.stages)
      stages.push_back(Object{{"symbol", stage.run},
                              {"phase", stage.phase},
                              {"tiles", stage.prepares ? 0 : int64_t(stage.shape.tiles)}});
    variants.push_back(Object{{"variant", plan.targets[target]->name},
                              {"token_block", program.tokenBlock},
                              {"scratch_bytes_per_token", program.scratchBytes},
                              {"stages", std::move(stages)}});
  }
  return Object{{"name", spec.name},
                {"steps", describeGroup(plan.library, spec)},
                {"operands", std::move(operands)},
                {"variants", std::move(variants)}};
}

static Object projectionObject(const ProjectionSpec &projection) {
  Object object{{"projection", projection.projection},
                {"first_layer", projection.first},
                {"last_layer", projection.last},
                {"copies", projection.copies},
                {"n", projection.n},
                {"k", projection.k}};
  if (projection.kernel.empty())
    object["not_compiled"] = projection.reason;
  else
    object["kernel"] = projection.kernel;
  return object;
}

std::string lut::writeManifest(const LibraryPlan &plan, llvm::StringRef configHash,
                               llvm::ArrayRef<size_t> codeBytes) {
  const LibrarySpec &library = plan.library;
  Array kernels, groups, projections, variants;
  for (size_t target = 0; target < plan.targets.size(); ++target)
    variants.push_back(Object{{"name", plan.targets[target]->name},
                              {"summary", plan.targets[target]->summary},
                              {"code_bytes", int64_t(codeBytes[target])}});
  for (size_t kernel = 0; kernel < library.kernels.size(); ++kernel)
    kernels.push_back(kernelObject(plan, kernel));
  for (size_t group = 0; group < library.groups.size(); ++group)
    groups.push_back(groupObject(plan, group));
  for (const ProjectionSpec &projection : library.projections)
    projections.push_back(projectionObject(projection));
  Object manifest{{"lutc", LUTC_VERSION},
                  {"library", library.name},
                  {"config", configHash},
                  {"hash", llvm::utohexstr(libraryHash(library.kernels), /*LowerCase=*/true, 16)},
                  {"variants", std::move(variants)},
                  {"kernels", std::move(kernels)},
                  {"groups", std::move(groups)}};
  if (!library.modelType.empty()) {
    const ModelShape &model = library.model;
    manifest["model_type"] = library.modelType;
    manifest["model"] = Object{{"layers", model.layers},         {"hidden", model.hidden},
                               {"heads", model.heads},           {"kv_heads", model.kvHeads},
                               {"head_dim", model.headDim},      {"vocabulary", model.vocabulary},
                               {"rope_theta", model.ropeTheta},  {"norm_epsilon", model.normEpsilon},
                               {"activation", model.activation}, {"qk_norm", model.qkNorm}};
  }
  if (!library.projections.empty())
    manifest["projections"] = std::move(projections);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(manifest)));
  return text;
}

/// A path as Make reads it: spaces and # escaped, $ doubled.
static std::string escape(llvm::StringRef path) {
  std::string text;
  for (char c : path) {
    if (c == ' ' || c == '#')
      text += '\\';
    if (c == '$')
      text += '$';
    text += c;
  }
  return text;
}

std::string lut::writeDepfile(llvm::ArrayRef<std::string> outputs, llvm::ArrayRef<std::string> inputs) {
  std::string text;
  for (const std::string &output : outputs)
    text += (text.empty() ? "" : " ") + escape(output);
  text += ":";
  for (const std::string &input : inputs)
    text += " " + escape(input);
  return text + "\n";
}
