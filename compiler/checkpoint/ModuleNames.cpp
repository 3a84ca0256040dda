#include "compiler/checkpoint/ModuleNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <array>

using namespace llvm;

namespace lut {

namespace {

struct NameRow {
  StringLiteral module, gguf; // inside a layer
};

// By llama.cpp's tensor names.
constexpr NameRow nameRows[] = {
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.qkv_proj", "attn_qkv"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.gate_up_proj", "ffn_up"}, // Phi-3
    {"mlp.down_proj", "ffn_down"},
    {"mlp.gate", "ffn_gate_inp"},
    {"mlp.router", "ffn_gate_inp"},
    {"block_sparse_moe.gate", "ffn_gate_inp"},
    {"mlp.experts.{expert}.gate_proj", "ffn_gate_exps"},
    {"mlp.experts.{expert}.up_proj", "ffn_up_exps"},
    {"mlp.experts.{expert}.down_proj", "ffn_down_exps"},
    {"block_sparse_moe.experts.{expert}.w1", "ffn_gate_exps"},
    {"block_sparse_moe.experts.{expert}.w3", "ffn_up_exps"},
    {"block_sparse_moe.experts.{expert}.w2", "ffn_down_exps"},
};

} // namespace

// Matches a path to a row's; the number in place of {expert} goes to `expert`.
static bool matches(StringRef path, StringRef pattern, int64_t &expert) {
  auto [head, tail] = pattern.split("{expert}");
  if (head.size() == pattern.size())
    return path == pattern;
  return path.consume_front(head) && path.consume_back(tail) && !path.getAsInteger(10, expert) && expert >= 0;
}

// llama.cpp rotates neighbouring rows of llama's queries and keys where transformers rotates rows that are
// half a head apart, so its converter reorders them (LlamaModel.permute of convert_hf_to_gguf.py).
// -1: the file does not say how many heads the layer has.
static int64_t interleavedHeads(const Checkpoint &checkpoint, StringRef layer, StringRef gguf) {
  const MetadataValue *architecture = checkpoint.metadata.find("general.architecture");
  if (!architecture || architecture->string() != StringRef("llama") || (gguf != "attn_q" && gguf != "attn_k"))
    return 0;
  const MetadataValue *heads = checkpoint.metadata.find("llama.attention.head_count");
  const MetadataValue *keyHeads = checkpoint.metadata.find("llama.attention.head_count_kv");
  const MetadataValue *value = gguf == "attn_k" && keyHeads ? keyHeads : heads;
  auto counts = value ? value->integers() : std::nullopt;
  size_t index = 0;
  if (!counts || (counts->size() > 1 && layer.getAsInteger(10, index)) || index >= counts->size())
    return -1;
  return (*counts)[index];
}

GgufName findGgufTensor(const Checkpoint &checkpoint, StringRef module) {
  GgufName name;
  auto find = [&](const Twine &tensor) { return checkpoint.find(tensor.str()); };
  if ((name.tensor = find(module)) || (name.tensor = find(module + ".weight")))
    return name;
  if (module == "lm_head") {
    name.tensor = find("output.weight");
    if (!name.tensor) // tied
      name.tensor = find("token_embd.weight");
    return name;
  }
  StringRef path = module.split("layers.").second;
  auto [layer, inside] = path.split('.');
  for (const NameRow &row : nameRows) {
    if (!matches(inside, row.module, name.expert))
      continue;
    name.tensor = find("blk." + layer + "." + row.gguf + ".weight");
    if (!name.tensor && row.gguf.ends_with("_exps")) { // each expert in a tensor of its own
      name.tensor = find("blk." + layer + "." + row.gguf.drop_back(5) + "." + Twine(name.expert) + ".weight");
      name.expert = 0;
    }
    name.interleavedHeads = interleavedHeads(checkpoint, layer, row.gguf);
    return name;
  }
  return name;
}

std::string ggufNameOf(StringRef module) {
  if (module == "lm_head")
    return "output";
  auto [layer, inside] = module.split("layers.").second.split('.');
  for (const NameRow &row : nameRows) {
    int64_t expert = -1;
    if (matches(inside, row.module, expert))
      return ("blk." + layer + "." + row.gguf + (expert < 0 ? "" : "." + Twine(expert))).str();
  }
  return "";
}

std::vector<std::string> modulesOfGguf(StringRef tensor) {
  if (tensor == "output.weight")
    return {"lm_head"};
  std::vector<std::string> modules;
  if (!tensor.consume_front("blk.") || !tensor.consume_back(".weight"))
    return modules;
  auto [layer, inside] = tensor.split('.');
  for (const NameRow &row : nameRows)
    if (row.gguf == inside)
      modules.push_back(("model.layers." + layer + "." + row.module).str());
  return modules;
}

// Multimodal models put the language model below one name or the other.
static std::array<std::string, 5> namesOf(StringRef module) {
  StringRef inner = module;
  inner.consume_front("language_model.");
  StringRef bare = inner;
  bare.consume_front("model.");
  return {module.str(), inner.str(), ("language_model." + inner).str(),
          ("model.language_model." + bare).str(), bare.str()};
}

namespace {
struct StackedRow {
  StringLiteral projection, tensor;
  StackedName::Part part;
};
} // namespace

std::optional<StackedName> findStacked(const Checkpoint &checkpoint, StringRef module) {
  using Part = StackedName::Part;
  static constexpr StackedRow rows[] = {
      {"gate_proj", "gate_up_proj", Part::Gate},  {"up_proj", "gate_up_proj", Part::Up},
      {"down_proj", "down_proj", Part::All},      {"w1", "gate_up_proj", Part::Gate},
      {"w3", "gate_up_proj", Part::Up},           {"w2", "down_proj", Part::All},
      {"gate_up_proj", "gate_up_proj", Part::All}};
  StringRef layer = module.split(".experts.").first, inside = module.split(".experts.").second;
  StringRef number = inside.split('.').first, projection = inside.split('.').second;
  StackedName name;
  if (projection.empty())
    projection = number;
  else if (number.getAsInteger(10, name.expert) || name.expert < 0)
    return std::nullopt;
  const StackedRow *row = find_if(rows, [&](const StackedRow &row) { return row.projection == projection; });
  if (row == std::end(rows))
    return std::nullopt;
  name.tensor = row->tensor;
  name.part = row->part;
  StringRef block = layer; // transformers 5 calls Mixtral's like others'
  std::string renamed = block.consume_back(".block_sparse_moe") ? (block + ".mlp").str() : layer.str();
  for (StringRef parent : {layer, StringRef(renamed)})
    for (const std::string &known : namesOf(parent)) {
      name.experts = known + ".experts";
      std::string tensor = (name.experts + "." + name.tensor).str();
      if (checkpoint.find(tensor) || checkpoint.find(tensor + "_blocks"))
        return name;
    }
  return std::nullopt;
}

std::string moduleNameIn(const Checkpoint &checkpoint, StringRef module) {
  auto has = [&](const Twine &name) {
    return any_of(ArrayRef<StringLiteral>{".weight", ".qweight", ".weight_packed"},
                  [&](StringRef suffix) { return checkpoint.find((name + suffix).str()); });
  };
  auto names = namesOf(module);
  if (auto found = find_if(names, has); found != names.end())
    return *found;
  if (names.back() == "lm_head") // tied
    for (StringRef name : {"model.embed_tokens", "language_model.model.embed_tokens",
                           "model.language_model.embed_tokens", "embed_tokens"})
      if (has(name))
        return name.str();
  StringRef layer = module; // as above
  if (std::string router; layer.consume_back(".block_sparse_moe.gate"))
    if (router = moduleNameIn(checkpoint, (layer + ".mlp.gate").str()); has(router))
      return router;
  return module.str();
}

} // namespace lut
