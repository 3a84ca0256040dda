#include "compiler/checkpoint/TensorNames.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

namespace {

struct ArchitectureRow {
  StringLiteral architecture;
  float normOffset;
};
constexpr ArchitectureRow architectureRows[] = {
#define LUT_ARCHITECTURE(architecture, modelType, normOffset) {architecture, normOffset},
#include "compiler/checkpoint/TensorNames.def"
};

struct TensorRow {
  StringLiteral architecture, gguf, huggingFace;
};
constexpr TensorRow tensorRows[] = {
#define LUT_TENSOR_NAME(architecture, gguf, huggingface) {architecture, gguf, huggingface},
#include "compiler/checkpoint/TensorNames.def"
};

} // namespace

static StringRef architectureOf(const Checkpoint &checkpoint) {
  const MetadataValue *value = checkpoint.metadata.find("general.architecture");
  return value ? value->string().value_or("") : "";
}

static const ArchitectureRow *findArchitecture(const Checkpoint &checkpoint) {
  StringRef name = architectureOf(checkpoint);
  auto *row = find_if(architectureRows, [&](const ArchitectureRow &row) { return row.architecture == name; });
  return row == std::end(architectureRows) ? nullptr : row;
}

TensorNames::TensorNames(const Checkpoint &checkpoint, Naming naming)
    : checkpoint(checkpoint), naming(naming), architecture(architectureOf(checkpoint)) {
  if (const ArchitectureRow *row = findArchitecture(checkpoint))
    normOffset = row->normOffset;
}

bool TensorNames::hasHuggingFace(const Checkpoint &checkpoint) {
  return !checkpoint.isGguf() || findArchitecture(checkpoint);
}

static std::string replaced(StringRef pattern, StringRef what, StringRef by) {
  auto [head, tail] = pattern.split(what);
  return head.size() == pattern.size() ? pattern.str() : (head + by + tail).str();
}

// The name in a row of the table; rows of the architecture before those of all.
static std::string findName(StringRef architecture, StringRef gguf) {
  StringRef inside = gguf, layer;
  if (inside.consume_front("blk."))
    layer = inside.split('.').first;
  for (StringRef wanted : {architecture, StringRef()})
    for (const TensorRow &row : tensorRows)
      if (row.architecture == wanted && replaced(row.gguf, "{layer}", layer) == gguf)
        return replaced(row.huggingFace, "{layer}", layer);
  return "";
}

std::string TensorNames::huggingFace(StringRef tensor) const {
  if (std::string name = findName(architecture, tensor); !name.empty())
    return name;
  auto [stem, suffix] = tensor.rsplit('.');
  if (suffix != "weight" && suffix != "bias")
    return "";
  std::string name = findName(architecture, stem);
  if (name.empty())
    if (auto modules = modulesOfGguf((stem + ".weight").str()); !modules.empty())
      name = modules.front();
  return name.empty() ? "" : (name + "." + suffix).str();
}

TensorNames::Plain TensorNames::plain(const Tensor &tensor) const {
  Plain plain{tensor.name.str()};
  if (naming == Naming::Checkpoint || !checkpoint.isGguf())
    return plain;
  std::string name = huggingFace(tensor.name);
  plain.isKept = name.empty() || StringRef(name).contains("{expert}"); // Hugging Face has an expert at a time
  if (plain.isKept)
    return plain;
  plain.name = name;
  plain.interleavedHeads = findGgufTensor(checkpoint, StringRef(name).rsplit('.').first).interleavedHeads;
  if (StringRef(name).ends_with("norm.weight"))
    plain.offset = -normOffset;
  return plain;
}

// Of "blk.3.attn_q", "blk.3.ffn_up_exps.7"; empty: there is none.
std::string TensorNames::huggingFaceModule(StringRef own) const {
  auto [stack, expert] = own.rsplit('.');
  bool isExpert = stack.ends_with("_exps");
  std::string name = huggingFace((isExpert ? stack : own).str() + ".weight");
  name = StringRef(name).rsplit('.').first.str();
  return isExpert ? replaced(name, "{expert}", expert) : name;
}

TensorNames::Module TensorNames::ggufModule(StringRef module) const {
  bool isOwn = module == "output" || module.starts_with("blk.");
  std::string own = isOwn ? module.str() : ggufNameOf(module), theirs = huggingFaceModule(own);
  if (theirs.empty() && !isOwn)
    theirs = module.str();
  auto [stack, expert] = StringRef(own).rsplit('.');
  if (isOwn && stack.ends_with("ffn_gate_up_exps"))
    theirs.clear(); // two layers of Hugging Face
  std::string alone = (stack.drop_back(stack.ends_with("_exps") ? 5 : 0) + "." + expert).str();
  if (checkpoint.find(alone + ".weight")) // each expert in a tensor of its own
    own = alone;
  std::string name = naming == Naming::Checkpoint ? own : theirs;
  if (name.empty())
    name = isOwn ? own : module.str();
  bool isTensor =
      checkpoint.find(name + ".weight") || (isOwn && name == own); // openWeights takes GGUF's names
  return {name, isTensor || theirs.empty() ? name : theirs};
}

TensorNames::Module TensorNames::module(StringRef module) const {
  if (checkpoint.isGguf())
    return ggufModule(module);
  if (std::optional<StackedName> stacked = findStacked(checkpoint, module))
    return {stacked->experts + module.split(".experts").second.str(), module.str()};
  std::string name = moduleNameIn(checkpoint, module);
  bool isTied = StringRef(name).ends_with("embed_tokens") && !module.ends_with("embed_tokens");
  return {isTied ? module.str() : name, module.str()};
}

} // namespace lut
