#include "compiler/checkpoint/ModuleNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

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
static int64_t interleavedHeads(const Checkpoint &checkpoint, StringRef gguf) {
  const MetadataValue *architecture = checkpoint.metadata.find("general.architecture");
  if (!architecture || architecture->string() != StringRef("llama") || (gguf != "attn_q" && gguf != "attn_k"))
    return 0;
  const MetadataValue *heads = checkpoint.metadata.find("llama.attention.head_count");
  const MetadataValue *keyHeads = checkpoint.metadata.find("llama.attention.head_count_kv");
  const MetadataValue *value = gguf == "attn_k" && keyHeads ? keyHeads : heads;
  auto counts = value ? value->integers() : std::nullopt;
  return counts && !counts->empty() && all_equal(*counts) ? counts->front() : 0;
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
    name.interleavedHeads = interleavedHeads(checkpoint, row.gguf);
    return name;
  }
  return name;
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

std::string moduleNameIn(const Checkpoint &checkpoint, StringRef module) {
  auto has = [&](const Twine &name) {
    return any_of(ArrayRef<StringLiteral>{".weight", ".qweight", ".weight_packed"},
                  [&](StringRef suffix) { return checkpoint.find((name + suffix).str()); });
  };
  StringRef inner = module;
  inner.consume_front("language_model.");
  StringRef bare = inner;
  bare.consume_front("model.");
  for (const std::string &name : {module.str(), inner.str(), ("language_model." + inner).str(),
                                  ("model.language_model." + bare).str(), bare.str()})
    if (has(name))
      return name;
  if (bare == "lm_head") // tied
    for (StringRef name : {"model.embed_tokens", "language_model.model.embed_tokens",
                           "model.language_model.embed_tokens", "embed_tokens"})
      if (has(name))
        return name.str();
  return module.str();
}

} // namespace lut
