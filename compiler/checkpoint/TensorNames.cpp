#include "compiler/checkpoint/TensorNames.h"

#include "compiler/checkpoint/ModuleNames.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

TensorNames::TensorNames(const Checkpoint &checkpoint, Naming naming)
    : checkpoint(checkpoint), naming(naming),
      family(checkpoint.architecture ? *checkpoint.architecture->family : families().front()) {}

bool TensorNames::hasHuggingFace(const Checkpoint &checkpoint) {
  return !checkpoint.isGguf() || checkpoint.architecture;
}

static std::string replaced(StringRef pattern, StringRef what, StringRef by) {
  auto [head, tail] = pattern.split(what);
  return head.size() == pattern.size() ? pattern.str() : (head + by + tail).str();
}

// Of a module, or of a tensor without .weight in transformers; empty: it has none, or is a linear layer.
std::string TensorNames::findName(StringRef gguf) const {
  const Frame &frame = *family.frame;
  for (auto [own, theirs] : {std::pair<StringRef, StringRef>{"token_embd", frame.embedding},
                             {"output_norm", frame.norm},
                             {"output", frame.head}})
    if (gguf == own)
      return theirs.str();
  if (!gguf.consume_front("blk."))
    return "";
  auto [layer, inside] = gguf.split('.');
  for (const BesideRow &row : family.beside)
    if (!row.gguf.empty() && row.gguf == inside)
      return (frame.layers + "." + layer + "." + row.module).str();
  return "";
}

std::string TensorNames::huggingFace(StringRef tensor) const {
  if (std::string name = findName(tensor); !name.empty())
    return name;
  auto [stem, suffix] = tensor.rsplit('.');
  if (suffix != "weight" && suffix != "bias")
    return "";
  std::string name = findName(stem);
  if (name.empty())
    if (auto modules = modulesOfGguf(checkpoint, (stem + ".weight").str()); !modules.empty())
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
  if (checkpoint.architecture && StringRef(name).ends_with("norm.weight"))
    plain.offset = -checkpoint.architecture->normOffset;
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
  std::string own = isOwn ? module.str() : ggufNameOf(checkpoint, module), theirs = huggingFaceModule(own);
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
  bool isTied = isEmbedding(name + ".weight") && !isEmbedding((module + ".weight").str());
  return {isTied ? module.str() : name, module.str()};
}

} // namespace lut
