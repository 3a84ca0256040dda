#include "compiler/pack/PackPlan.h"

#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/WeightRows.h"
#include "llvm/ADT/DenseMap.h"
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
          const ModuleClaims &claims, const PackOptions &options)
      : checkpoint(checkpoint), storage(storage), manifest(manifest), claims(claims), options(options),
        names(checkpoint, options.naming) {}

  Expected<PackPlan> plan();

private:
  Error addModules();
  Error addWeights(const ModuleClaim &claim);
  Error openFails(Error problem, const TensorNames::Module &module, const PackedKernel &kernel);
  Error addPlain(const Tensor &tensor);
  Error takeFactor(const Tensor &tensor);
  Error setOrder(const TensorNames::Plain &name, PackItem &item);
  Error sortItems();
  void place();
  void writeNotes();
  std::string adviceFor(const PackedKernel &kernel, const Twine &change) const;
  Error error(StringRef name, const Twine &message) const {
    return fileError(checkpoint.path, quoted(name) + " " + message);
  }

  const Checkpoint &checkpoint;
  const WeightStorage &storage;
  const Manifest &manifest;
  const ModuleClaims &claims;
  const PackOptions &options;
  const TensorNames names;
  PackPlan result;
  StringSet<> used;                        // tensors of the checkpoint that are packed, or part of others
  DenseMap<const Tensor *, float> factors; // of those that are not
  std::map<std::string, unsigned> notes;   // with the number of tensors
  std::vector<StringRef> keptNames;        // of the checkpoint, for want of Hugging Face's
};

} // namespace

// What has to be done so that the library fits.
std::string Planner::adviceFor(const PackedKernel &kernel, const Twine &change) const {
  if (kernel.modules.empty())
    return "compile the library from this checkpoint";
  return ("write " + change + " for kernel " + kernel.name + " in the list of kernels, and compile it again")
      .str();
}

// Weights that are stored in another format than the kernel's, or as they cannot be read at all.
Error Planner::openFails(Error problem, const TensorNames::Module &module, const PackedKernel &kernel) {
  auto stored = openWeights(checkpoint, storage, module.source, std::nullopt);
  if (!stored) {
    consumeError(stored.takeError());
    return problem;
  }
  std::string format = (*stored)->format.str();
  if (format == kernel.formatName)
    return problem;
  consumeError(std::move(problem));
  return error(module.name, "is stored as " + format + ", but kernel " + kernel.name +
                                " of the library is for " + kernel.formatName + "; " +
                                adviceFor(kernel, "format: " + format));
}

Error Planner::addWeights(const ModuleClaim &claim) {
  const PackedKernel &target = manifest.kernels[claim.kernel];
  TensorNames::Module module = names.module(claim.module);
  auto source = openWeights(checkpoint, storage, module.source, target.format);
  if (!source)
    return openFails(source.takeError(), module, target);
  const WeightSource &weights = **source;
  if (weights.n != target.n || weights.k != target.k)
    return error(module.name,
                 formatv("is {0} x {1}, but kernel {2} of the library is {3} x {4}; {5}", weights.n,
                         weights.k, target.name, target.n, target.k,
                         adviceFor(target, formatv("n: {0}, k: {1}", weights.n, weights.k).str())));
  PackItem item;
  bool isItself = isEmbedding(module.source + ".weight"); // not a head that is tied to it
  item.name = isItself ? names.plain(*weights.tensors.front()).name : module.name + ".weight";
  item.source = &weights;
  item.tensors = weights.tensors;
  item.kernel = &target;
  item.packing = &target.packings[options.variant];
  lutc_kernel_info info = target.info();
  item.record.bytes = sizeof(lutc_packed_header) + lutc_payload_bytes(&info, &item.packing->layout);
  item.record.role = LUTC_PACKED;
  item.record.type = LUTC_U8;
  item.record.kernel = uint32_t(claim.kernel);
  item.record.layout_id = item.packing->layoutId;
  item.record.rank = 2;
  item.record.shape[0] = uint64_t(target.n);
  item.record.shape[1] = uint64_t(target.k);
  bool isLossless = weights.conversion == "as stored";
  for (const Tensor *tensor : weights.tensors) {
    checkpoint.dropPages(tensor->bytes); // opening may have read all of it
    bool isTied = isEmbedding(tensor->name);
    if (isTied && (!isLossless || options.widening == Widening::All))
      continue; // the embedding stays
    used.insert(tensor->name);
    if (!isTied || isItself || !tensor->name.ends_with(".weight"))
      continue;
    result.items.push_back(item);
    result.items.back().name = names.plain(*tensor).name;
  }
  if (!isLossless)
    ++notes[weights.conversion];
  result.items.push_back(std::move(item));
  result.sources.push_back(std::move(*source));
  return Error::success();
}

Error Planner::addModules() {
  if (!claims.left.empty())
    result.notes.push_back(
        formatv("no kernel names {0} of the checkpoint's linear layers, such as {1}: they stay "
                "as they are",
                claims.left.size(), quoted(names.module(claims.left.front()).name)));
  for (const ModuleClaim &claim : claims.claims)
    if (Error problem = addWeights(claim))
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

Error Planner::setOrder(const TensorNames::Plain &name, PackItem &item) {
  if (name.interleavedHeads == 0)
    return Error::success();
  const Tensor &tensor = *item.tensors.front();
  int64_t rows = tensor.shape.empty() ? 1 : tensor.shape.front();
  if (name.interleavedHeads < 0 || rows == 0 || rows % (2 * name.interleavedHeads))
    return error(tensor.name, "has " + Twine(rows) + " rows, which are no " + Twine(name.interleavedHeads) +
                                  " heads of two halves; the file is damaged");
  item.interleavedHalf = rows / name.interleavedHeads / 2;
  return Error::success();
}

// GGUF's factor of a linear layer that is not packed; embeddings are looked up, and have none.
Error Planner::takeFactor(const Tensor &tensor) {
  StringRef stem = tensor.name;
  size_t rank = tensor.shape.size();
  bool isMatrix = checkpoint.isGguf() && stem.consume_back(".weight") && rank >= 2;
  const Tensor *factor =
      isMatrix && !isEmbedding(tensor.name) ? checkpoint.find((stem + ".scale").str()) : nullptr;
  if (!factor || factor->type->id != TensorType::Id::F32)
    return Error::success();
  if (rank > 2 && factor->elements() == tensor.shape[0] && factor->elements() != 1)
    return error(tensor.name, "has a factor for each expert in " + quoted(factor->name) +
                                  ", which a tensor that is not packed cannot hold; compile its layers, too");
  if (factor->elements() != 1)
    return Error::success(); // of activations, as Gemma 4's router has
  used.insert(factor->name);
  factors[&tensor] = floatAt(*factor, 0);
  return Error::success();
}

// Blocks of ggml become f32, which holds their values exactly, and so do vectors, as groups read them.
Error Planner::addPlain(const Tensor &tensor) {
  if (tensor.shape.size() > LUTC_MAX_RANK)
    return error(tensor.name,
                 "has " + Twine(tensor.shape.size()) + " dimensions, more than a packed file holds");
  std::optional<lutc_type> type = plainType(tensor.type->id);
  if (!type && !tensor.type->hasValues())
    return error(tensor.name,
                 "is of type " + tensor.type->name +
                     ", which a packed file does not hold; convert it, or remove it from the checkpoint");
  if (!type)
    ++notes[(tensor.type->name + " stored as F32").str()];
  TensorNames::Plain name = names.plain(tensor);
  if (name.isKept)
    keptNames.push_back(tensor.name);
  bool widens = options.widening == Widening::All ||
                (options.widening == Widening::Vectors && tensor.shape.size() <= 1) || name.offset != 0 ||
                factors.count(&tensor);
  if (widens && tensor.type->isFloat())
    type = LUTC_F32;
  PackItem &item = result.items.emplace_back();
  item.name = name.name;
  item.tensors = {&tensor};
  item.offset = tensor.type->hasValues() ? name.offset : 0;
  item.factor = factors.count(&tensor) ? factors[&tensor] : 1;
  item.record.role = LUTC_PLAIN;
  item.record.type = type.value_or(LUTC_F32);
  item.record.bytes = uint64_t(tensor.elements()) * lutc_type_bytes(lutc_type(item.record.type));
  item.record.rank = uint32_t(tensor.shape.size());
  copy(tensor.shape, item.record.shape);
  return setOrder(name, item);
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
  DenseMap<const WeightSource *, size_t> owners;
  for (auto [index, item] : enumerate(result.items)) {
    if (item.source)
      if (auto [owner, isNew] = owners.try_emplace(item.source, index); !isNew) {
        item.record.shared = uint32_t(owner->second) + 1;
        item.record.offset = result.items[owner->second].record.offset;
        continue;
      }
    item.record.offset = alignTo(end, LUTC_ALIGNMENT);
    end = item.record.offset + item.record.bytes;
  }
  result.fileBytes = end;
}

void Planner::writeNotes() {
  auto counted = [](size_t count) { return std::to_string(count) + (count == 1 ? " tensor" : " tensors"); };
  for (const auto &[note, count] : notes)
    result.notes.push_back(note + ": " + counted(count));
  if (!keptNames.empty())
    result.notes.push_back("no Hugging Face name, so that the checkpoint's stays, as of " +
                           quoted(keptNames.front()) + ": " + counted(keptNames.size()));
}

Expected<PackPlan> Planner::plan() {
  if (Error problem = addModules())
    return std::move(problem);
  for (Error (Planner::*step)(const Tensor &) : {&Planner::takeFactor, &Planner::addPlain})
    for (const Tensor &tensor : checkpoint.tensors)
      if (!used.contains(tensor.name))
        if (Error problem = (this->*step)(tensor))
          return std::move(problem);
  if (Error problem = sortItems())
    return std::move(problem);
  place();
  writeNotes();
  return std::move(result);
}

Expected<PackPlan> planPack(const Checkpoint &checkpoint, const WeightStorage &storage,
                            const Manifest &manifest, const ModuleClaims &claims,
                            const PackOptions &options) {
  return Planner(checkpoint, storage, manifest, claims, options).plan();
}

} // namespace lut
