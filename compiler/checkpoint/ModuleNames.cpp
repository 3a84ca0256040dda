#include "compiler/checkpoint/ModuleNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <array>

using namespace llvm;

namespace lut {

namespace {

struct NameRow {
  StringLiteral module, gguf; // inside a layer
  RowPart part = RowPart::All;
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
    // Fused by the converter: all rows of gate stand before those of up.
    {"mlp.experts.{expert}.gate_proj", "ffn_gate_up_exps", RowPart::Gate},
    {"mlp.experts.{expert}.up_proj", "ffn_gate_up_exps", RowPart::Up},
    {"block_sparse_moe.experts.{expert}.w1", "ffn_gate_up_exps", RowPart::Gate},
    {"block_sparse_moe.experts.{expert}.w3", "ffn_gate_up_exps", RowPart::Up},
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

// The tensor of a module of a layer, by one row of the table.
static GgufName findByRow(const Checkpoint &checkpoint, StringRef layer, const NameRow &row, int64_t expert) {
  auto find = [&](const Twine &inside) { return checkpoint.find(("blk." + layer + "." + inside).str()); };
  GgufName name;
  name.expert = expert;
  name.part = row.part;
  name.interleavedHeads = interleavedHeads(checkpoint, layer, row.gguf);
  name.tensor = find(row.gguf + ".weight");
  name.scale = find(row.gguf + ".scale");
  StringRef alone = row.gguf;
  if (!name.tensor && alone.consume_back("_exps")) { // each expert in a tensor of its own
    name.tensor = find(alone + "." + Twine(expert) + ".weight");
    name.scale = find(alone + "." + Twine(expert) + ".scale");
    name.expert = 0;
  }
  // Parts of a fused tensor have factors of their own.
  if (!name.scale && row.part != RowPart::All)
    name.scale = find(row.part == RowPart::Gate ? "ffn_gate_exps.scale" : "ffn_up_exps.scale");
  return name;
}

static GgufName findByGgufName(const Checkpoint &checkpoint, StringRef module) {
  auto find = [&](const Twine &tensor) { return checkpoint.find(tensor.str()); };
  GgufName name;
  module.consume_back(".weight");
  name.tensor = find(module + ".weight");
  if (!name.tensor && !module.rsplit('.').second.getAsInteger(10, name.expert) && name.expert >= 0) {
    module = module.rsplit('.').first;
    name.tensor = find(module + ".weight");
    if (name.tensor && name.tensor->shape.size() != 3) // no stack, as of experts or heads
      name.tensor = nullptr;
  }
  name.scale = find(module + ".scale");
  return name;
}

GgufName findGgufTensor(const Checkpoint &checkpoint, StringRef module) {
  GgufName name = findByGgufName(checkpoint, module);
  if (name.tensor)
    return name;
  if (module == "lm_head") {
    name = findByGgufName(checkpoint, "output");
    if (!name.tensor) { // tied; what a factor of an embedding means is nobody's to guess
      name = findByGgufName(checkpoint, "token_embd");
      name.scale = nullptr;
    }
    return name;
  }
  auto [layer, inside] = module.split("layers.").second.split('.');
  for (const NameRow &row : nameRows) {
    int64_t expert = 0;
    if (matches(inside, row.module, expert))
      name = findByRow(checkpoint, layer, row, expert);
    if (name.tensor)
      return name;
  }
  return {};
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
  RowPart part;
};
} // namespace

std::optional<StackedName> findStacked(const Checkpoint &checkpoint, StringRef module) {
  using Part = RowPart;
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

const Tensor *findWeights(const Checkpoint &checkpoint, StringRef module) {
  if (checkpoint.isGguf())
    return findGgufTensor(checkpoint, module).tensor;
  auto firstOf = [&](StringRef name, ArrayRef<StringLiteral> endings) -> const Tensor * {
    for (StringRef ending : endings)
      if (const Tensor *tensor = checkpoint.find((name + ending).str()))
        return tensor;
    return nullptr;
  };
  if (std::optional<StackedName> stacked = findStacked(checkpoint, module))
    return firstOf((stacked->experts + "." + stacked->tensor).str(), {"", "_blocks"});
  return firstOf(moduleNameIn(checkpoint, module), {".qweight", ".weight_packed", ".weight"});
}

// Only matrices of products are stored in blocks. Of others in floats the name says what they are.
static bool isOtherMatrix(StringRef module) {
  static constexpr StringLiteral words[] = {"embed", "_embd", "wte",         "wpe",  "norm",
                                            "conv",  "pos_",  "token_types", "rel_b"};
  return any_of(words, [&](StringRef word) { return module.contains(word); });
}

static StringRef linearModule(const Checkpoint &checkpoint, const Tensor &tensor) {
  StringRef name = tensor.name;
  size_t rank = tensor.shape.size();
  bool isPlain = tensor.type->block == 1;
  if (checkpoint.isGguf()) {
    bool isMatrix = name.consume_back(".weight") && (rank == 2 || rank == 3) &&
                    (name.starts_with("blk.") || name == "output");
    return !isMatrix || (isPlain && isOtherMatrix(name)) ? "" : name;
  }
  if (name.consume_back(".qweight") || name.consume_back(".weight_packed"))
    return name;
  StringRef stack = name; // of experts
  stack.consume_back("_blocks");
  if (rank >= 3 && findStacked(checkpoint, stack))
    return stack;
  bool isMatrix = name.consume_back(".weight") && rank == 2;
  return !isMatrix || isOtherMatrix(name) ? "" : name;
}

std::vector<LinearTensor> linearTensors(const Checkpoint &checkpoint) {
  std::vector<LinearTensor> found;
  for (const Tensor &tensor : checkpoint.tensors)
    if (StringRef module = linearModule(checkpoint, tensor); !module.empty())
      found.push_back({module.str(), &tensor});
  return found;
}

std::string LinearTensor::expertModule(int64_t expert) const {
  auto [head, tail] = StringRef(module).rsplit(".experts.");
  std::string number = std::to_string(expert);
  return tail.empty() ? module + "." + number : (head + ".experts." + number + "." + tail).str();
}

bool isEmbedding(StringRef tensor) {
  StringRef module = tensor.rsplit('.').first;
  return module == "token_embd" || module.ends_with("embed_tokens");
}

StringRef optionalRole(StringRef module) {
  StringRef last = module.rsplit('.').second;
  if (module == "lm_head" || last == "lm_head" || module == "output")
    return "lm_head";
  return last == "gate" || last == "router" || last == "ffn_gate_inp" ? "router" : "";
}

} // namespace lut
