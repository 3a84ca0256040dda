#include "compiler/pack/PackPlan.h"

#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace llvm;

namespace lut {

namespace {

class Planner {
public:
  Planner(const Checkpoint &checkpoint, const WeightStorage &storage, const Manifest &manifest,
          size_t variant)
      : checkpoint(checkpoint), storage(storage), manifest(manifest), variant(variant) {}

  Expected<PackPlan> plan();

private:
  Error addProjection(const ProjectionSpec &projection);
  Error addWeights(StringRef module, size_t kernel);
  Error addPlain(const Tensor &tensor);
  Error sortItems();
  void place();
  Error error(StringRef name, const Twine &message) const {
    return fileError(checkpoint.path, quoted(name) + " " + message);
  }

  const Checkpoint &checkpoint;
  const WeightStorage &storage;
  const Manifest &manifest;
  const size_t variant;
  PackPlan result;
  StringSet<> used;                      // tensors of the checkpoint that are packed
  std::map<std::string, unsigned> notes; // with the number of tensors
};

} // namespace

// Whatever encodes the weights of a module.
static std::vector<const Tensor *> tensorsOf(const Checkpoint &checkpoint, StringRef module) {
  std::vector<const Tensor *> tensors;
  if (checkpoint.isGguf())
    return {findGgufTensor(checkpoint, module).tensor};
  if (std::optional<StackedName> stacked = findStacked(checkpoint, module)) {
    std::string name = (stacked->experts + "." + stacked->tensor).str();
    for (StringRef suffix : {"", "_blocks", "_scales"})
      if (const Tensor *tensor = checkpoint.find(name + suffix.str()))
        tensors.push_back(tensor);
    return tensors;
  }
  std::string name = moduleNameIn(checkpoint, module);
  for (StringRef suffix : {"weight", "qweight", "qzeros", "scales", "g_idx", "weight_scale", "weight_packed",
                           "weight_shape", "weight_zero_point", "weight_g_idx"})
    if (const Tensor *tensor = checkpoint.find(name + "." + suffix.str()))
      tensors.push_back(tensor);
  return tensors;
}

// A tied lm_head shares its weights with the embedding, which stays.
static bool isEmbedding(StringRef tensor) {
  return tensor == "token_embd.weight" || tensor.ends_with("embed_tokens.weight");
}

Error Planner::addWeights(StringRef module, size_t kernel) {
  const PackedKernel &target = manifest.kernels[kernel];
  auto source = openWeights(checkpoint, storage, module, target.format);
  if (!source)
    return source.takeError();
  const WeightSource &weights = **source;
  if (weights.n != target.n || weights.k != target.k)
    return error(module,
                 formatv("is {0} x {1}, but kernel {2} of the library is {3} x {4}; compile the library from "
                         "this checkpoint",
                         weights.n, weights.k, target.name, target.n, target.k));
  PackItem item;
  item.name = (module + ".weight").str();
  item.source = &weights;
  item.tensors = tensorsOf(checkpoint, module);
  item.kernel = &target;
  item.packing = &target.packings[variant];
  lutc_kernel_info info = target.info();
  item.record.bytes = sizeof(lutc_packed_header) + lutc_payload_bytes(&info, &item.packing->layout);
  item.record.role = LUTC_PACKED;
  item.record.type = LUTC_U8;
  item.record.kernel = uint32_t(kernel);
  item.record.layout_id = item.packing->layoutId;
  item.record.rank = 2;
  item.record.shape[0] = uint64_t(target.n);
  item.record.shape[1] = uint64_t(target.k);
  for (const Tensor *tensor : item.tensors) {
    checkpoint.dropPages(tensor->bytes); // opening may have read all of it
    if (!isEmbedding(tensor->name))
      used.insert(tensor->name);
  }
  if (weights.conversion != "as stored")
    ++notes[weights.conversion];
  result.items.push_back(std::move(item));
  result.sources.push_back(std::move(*source));
  return Error::success();
}

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

Error Planner::addProjection(const ProjectionSpec &projection) {
  auto kernel =
      find_if(manifest.kernels, [&](const PackedKernel &it) { return it.name == projection.kernel; });
  if (kernel == manifest.kernels.end())
    return Error::success(); // not compiled: its tensors stay as they are
  for (int64_t layer = projection.first; layer <= projection.last; ++layer)
    for (int64_t copy = 0; copy < projection.copies; ++copy)
      if (Error problem = addWeights(moduleName(projection.projection, layer, copy),
                                     size_t(kernel - manifest.kernels.begin())))
        return problem;
  return Error::success();
}

static std::optional<lutc_type> plainType(TensorType::Id id) {
  using Id = TensorType::Id;
  static constexpr std::pair<Id, lutc_type> types[] = {
      {Id::F32, LUTC_F32}, {Id::F16, LUTC_F16},         {Id::BF16, LUTC_BF16},      {Id::F64, LUTC_F64},
      {Id::I8, LUTC_I8},   {Id::I16, LUTC_I16},         {Id::I32, LUTC_I32},        {Id::I64, LUTC_I64},
      {Id::U8, LUTC_U8},   {Id::U16, LUTC_U16},         {Id::U32, LUTC_U32},        {Id::U64, LUTC_U64},
      {Id::Bool, LUTC_U8}, {Id::F8_E4M3, LUTC_F8_E4M3}, {Id::F8_E5M2, LUTC_F8_E5M2}};
  for (auto [known, type] : types)
    if (known == id)
      return type;
  return std::nullopt;
}

// Blocks of ggml become f32, which holds their values exactly.
Error Planner::addPlain(const Tensor &tensor) {
  if (tensor.shape.size() > LUTC_MAX_RANK)
    return error(tensor.name,
                 "has " + Twine(tensor.shape.size()) + " dimensions, more than a packed file holds");
  std::optional<lutc_type> type = plainType(tensor.type->id);
  if (!type && !tensor.type->decode)
    return error(tensor.name,
                 "is of type " + tensor.type->name +
                     ", which a packed file does not hold; convert it, or remove it from the checkpoint");
  if (!type)
    ++notes[(tensor.type->name + " stored as F32").str()];
  PackItem &item = result.items.emplace_back();
  item.name = tensor.name.str();
  item.tensors = {&tensor};
  item.record.role = LUTC_PLAIN;
  item.record.type = type.value_or(LUTC_F32);
  item.record.bytes = uint64_t(tensor.elements()) * lutc_type_bytes(lutc_type(item.record.type));
  item.record.rank = uint32_t(tensor.shape.size());
  copy(tensor.shape, item.record.shape);
  return Error::success();
}

// Sorts by name.
Error Planner::sortItems() {
  sort(result.items, [](const PackItem &a, const PackItem &b) { return a.name < b.name; });
  for (auto [index, item] : enumerate(result.items)) {
    if (item.name.empty() || StringRef(item.name).contains('\0'))
      return error(item.name, "is no name for a tensor of a packed file; rename it");
    if (index && item.name == result.items[index - 1].name)
      return error(item.name, "would stand twice in the packed file; rename the tensor of the checkpoint");
  }
  return Error::success();
}

void Planner::place() {
  for (PackItem &item : result.items) {
    item.record.name = result.names.size();
    result.names += item.name + '\0';
  }
  uint64_t end =
      sizeof(lutc_file_header) + result.items.size() * sizeof(lutc_file_record) + result.names.size();
  end = alignTo(end, LUTC_FILE_PAGE);
  for (PackItem &item : result.items) {
    item.record.offset = alignTo(end, LUTC_ALIGNMENT);
    end = item.record.offset + item.record.bytes;
  }
  result.fileBytes = end;
}

Expected<PackPlan> Planner::plan() {
  for (const ProjectionSpec &projection : manifest.projections)
    if (Error problem = addProjection(projection))
      return std::move(problem);
  for (const Tensor &tensor : checkpoint.tensors)
    if (!used.contains(tensor.name))
      if (Error problem = addPlain(tensor))
        return std::move(problem);
  if (Error problem = sortItems())
    return std::move(problem);
  place();
  for (const auto &[note, count] : notes)
    result.notes.push_back(formatv("{0}: {1} {2}", note, count, count == 1 ? "tensor" : "tensors"));
  return std::move(result);
}

Expected<PackPlan> planPack(const Checkpoint &checkpoint, const WeightStorage &storage,
                            const Manifest &manifest, size_t variant) {
  return Planner(checkpoint, storage, manifest, variant).plan();
}

} // namespace lut
