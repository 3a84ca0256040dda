#include "compiler/checkpoint/ModuleNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <array>

using namespace llvm;

namespace lut {

// The checkpoint's family calls its layers by its own names; others' are taken for the same tensors.
static std::array<ArrayRef<const ProjectionRow *>, 2> projectionsOf(const Checkpoint &checkpoint) {
  const Architecture *architecture = checkpoint.architecture;
  return {architecture ? ArrayRef(architecture->family->rows) : allProjections(), allProjections()};
}

static const Frame &frameOf(const Checkpoint &checkpoint) {
  return checkpoint.architecture ? *checkpoint.architecture->family->frame : frames().front();
}

// "model.layers.3.mlp.up_proj" is layer 3 and the rest, whatever stands before a multimodal model's.
static std::pair<StringRef, StringRef> splitLayer(const Checkpoint &checkpoint, StringRef module) {
  return module.split((frameOf(checkpoint).layers.rsplit('.').second + ".").str()).second.split('.');
}

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
  const Architecture *architecture = checkpoint.architecture;
  if (!architecture || architecture->heads != HeadOrder::Interleaved ||
      (gguf != "attn_q" && gguf != "attn_k"))
    return 0;
  std::string key = (architecture->gguf + ".attention.head_count").str();
  const MetadataValue *heads = checkpoint.metadata.find(key),
                      *keyHeads = checkpoint.metadata.find(key + "_kv");
  const MetadataValue *value = gguf == "attn_k" && keyHeads ? keyHeads : heads;
  auto counts = value ? value->integers() : std::nullopt;
  size_t index = 0;
  if (!counts || (counts->size() > 1 && layer.getAsInteger(10, index)) || index >= counts->size())
    return -1;
  return (*counts)[index];
}

// The converter may have fused gate and up of all experts: all rows of gate stand before those of up.
static RowPart partOfFused(StringRef gguf) {
  return gguf == "ffn_gate_exps" ? RowPart::Gate : gguf == "ffn_up_exps" ? RowPart::Up : RowPart::All;
}

// The tensor of a module of a layer, by one row of its family.
static GgufName findByRow(const Checkpoint &checkpoint, StringRef layer, const ProjectionRow &row,
                          int64_t expert) {
  auto find = [&](const Twine &inside) { return checkpoint.find(("blk." + layer + "." + inside).str()); };
  GgufName name;
  name.expert = expert;
  name.interleavedHeads = interleavedHeads(checkpoint, layer, row.gguf);
  name.tensor = find(row.gguf + ".weight");
  name.scale = find(row.gguf + ".scale");
  StringRef alone = row.gguf;
  if (!name.tensor && alone.consume_back("_exps")) { // each expert in a tensor of its own
    name.tensor = find(alone + "." + Twine(expert) + ".weight");
    name.scale = find(alone + "." + Twine(expert) + ".scale");
    name.expert = 0;
  }
  if (RowPart part = partOfFused(row.gguf); !name.tensor && part != RowPart::All) {
    name.tensor = find("ffn_gate_up_exps.weight");
    name.scale = find("ffn_gate_up_exps.scale");
    name.expert = expert;
    name.part = part;
    if (!name.scale) // parts of a fused tensor have factors of their own
      name.scale = find(row.gguf + ".scale");
  }
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
  auto [layer, inside] = splitLayer(checkpoint, module);
  bool isKnown = false;
  for (ArrayRef<const ProjectionRow *> rows : projectionsOf(checkpoint))
    for (const ProjectionRow *row : isKnown ? ArrayRef<const ProjectionRow *>() : rows) {
      int64_t expert = 0;
      if (row->gguf.empty() || !matches(inside, row->path, expert))
        continue;
      isKnown = true;
      name = findByRow(checkpoint, layer, *row, expert);
      if (name.tensor)
        return name;
    }
  return {};
}

std::string ggufNameOf(const Checkpoint &checkpoint, StringRef module) {
  if (module == "lm_head")
    return "output";
  auto [layer, inside] = splitLayer(checkpoint, module);
  for (ArrayRef<const ProjectionRow *> rows : projectionsOf(checkpoint))
    for (const ProjectionRow *row : rows) {
      int64_t expert = -1;
      if (!row->gguf.empty() && matches(inside, row->path, expert))
        return ("blk." + layer + "." + row->gguf + (expert < 0 ? "" : "." + Twine(expert))).str();
    }
  return "";
}

std::vector<std::string> modulesOfGguf(const Checkpoint &checkpoint, StringRef tensor) {
  if (tensor == "output.weight")
    return {"lm_head"};
  std::vector<std::string> modules;
  if (!tensor.consume_front("blk.") || !tensor.consume_back(".weight"))
    return modules;
  auto [layer, inside] = tensor.split('.');
  bool isFused = inside == "ffn_gate_up_exps";
  for (ArrayRef<const ProjectionRow *> rows : projectionsOf(checkpoint))
    for (const ProjectionRow *row : rows)
      if (row->gguf == inside || (isFused && partOfFused(row->gguf) != RowPart::All)) {
        std::string module = (frameOf(checkpoint).layers + "." + layer + "." + row->path).str();
        if (!is_contained(modules, module))
          modules.push_back(std::move(module));
      }
  return modules;
}

// Multimodal models put the language model below one name or the other.
static std::array<std::string, 7> namesOf(StringRef module) {
  StringRef inner = module;
  for (StringRef prefix : {"language_model.", "language.", "thinker."})
    if (inner.consume_front(prefix))
      break;
  StringRef bare = inner;
  bare.consume_front("model.");
  return {module.str(),
          inner.str(),
          ("language_model." + inner).str(),
          ("model.language_model." + bare).str(),
          ("thinker." + inner).str(),
          ("language." + inner).str(),
          bare.str()};
}

namespace {
struct StackedRow {
  StringLiteral projection, owner, tensor; // owner inside a block
  RowPart part;
};
} // namespace

// transformers 5 calls Mixtral's block like others'.
static std::string otherBlock(StringRef block) {
  return block.consume_back(".block_sparse_moe") ? (block + ".mlp").str() : block.str();
}

std::optional<StackedName> findStacked(const Checkpoint &checkpoint, StringRef module) {
  using Part = RowPart;
  static constexpr StackedRow rows[] = {{"gate_proj", ".experts", "gate_up_proj", Part::Gate},
                                        {"up_proj", ".experts", "gate_up_proj", Part::Up},
                                        {"down_proj", ".experts", "down_proj", Part::All},
                                        {"w1", ".experts", "gate_up_proj", Part::Gate},
                                        {"w3", ".experts", "gate_up_proj", Part::Up},
                                        {"w2", ".experts", "down_proj", Part::All},
                                        {"gate_up_proj", ".experts", "gate_up_proj", Part::All},
                                        {"gate_proj", "", "input_linear.weight", Part::Gate},
                                        {"up_proj", "", "input_linear.weight", Part::Up},
                                        {"down_proj", "", "output_linear.weight", Part::All}};
  auto [block, inside] = module.split(".experts.");
  auto [number, projection] = inside.split('.');
  StackedName name;
  if (projection.empty())
    projection = number;
  else if (number.getAsInteger(10, name.expert) || name.expert < 0)
    return std::nullopt;
  for (const StackedRow &row : rows)
    if (row.projection == projection)
      for (const std::string &parent : {block.str(), otherBlock(block)})
        for (const std::string &known : namesOf(parent)) {
          name.experts = known + ".experts";
          name.owner = (known + row.owner).str();
          name.tensor = row.tensor;
          name.part = row.part;
          std::string tensor = (name.owner + "." + name.tensor).str();
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
  for (const Frame &frame : frames()) // of other families, which have no lm_head
    if (names.back() == "lm_head" && has(frame.head))
      return frame.head.str();
  if (names.back() == "lm_head") // tied
    for (const Frame &frame : frames())
      for (const std::string &name : namesOf(frame.embedding))
        if (has(name))
          return name;
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
    return firstOf((stacked->owner + "." + stacked->tensor).str(), {"", "_blocks"});
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
  StringRef module = tensor.rsplit('.').first, name = module.rsplit('.').second;
  return module == "token_embd" || any_of(frames(), [&](const Frame &frame) {
           return (name.empty() ? module : name) == frame.embedding.rsplit('.').second;
         });
}

StringRef optionalRole(StringRef module) {
  StringRef last = module.rsplit('.').second;
  if (module == "lm_head" || last == "lm_head" || module == "output")
    return "lm_head";
  return last == "gate" || last == "router" || last == "ffn_gate_inp" ? "router" : "";
}

} // namespace lut
