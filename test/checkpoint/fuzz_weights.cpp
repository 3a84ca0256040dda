// Tensors of any type, shape and content under the names that the readers of each family look for.
#include "fuzz.h"

using namespace lut;

namespace {

constexpr llvm::StringLiteral suffixes[] = {"qweight",
                                            "qzeros",
                                            "scales",
                                            "g_idx",
                                            "weight",
                                            "weight_scale",
                                            "weight_shape",
                                            "weight_zero_point",
                                            "weight_g_idx",
                                            "weight_packed",
                                            "experts.gate_up_proj",
                                            "experts.gate_up_proj_blocks",
                                            "experts.gate_up_proj_scales",
                                            "experts.down_proj",
                                            "experts.down_proj_blocks",
                                            "experts.down_proj_scales"};

// Empty: without a config.
constexpr llvm::StringLiteral methods[] = {"",
                                           R"("quant_method": "gptq")",
                                           R"("quant_method": "gptq", "checkpoint_format": "gptq_v2")",
                                           R"("quant_method": "auto-round")",
                                           R"("quant_method": "awq")",
                                           R"("quant_method": "awq", "version": "gemv")",
                                           R"("quant_method": "compressed-tensors", "config_groups": {})",
                                           R"("quant_method": "bitnet", "quantization_mode": "online")",
                                           R"("quant_method": "bitnet", "linear_class": "autobitlinear")",
                                           R"("quant_method": "mxfp4")",
                                           R"("quant_method": "quip")"};

Quantization quantizationBy(llvm::StringRef method, unsigned bits, unsigned group) {
  std::string text = "{" + method.str() + ", \"bits\": " + std::to_string(std::max(bits, 1u)) +
                     ", \"group_size\": " + std::to_string(group) + "}";
  llvm::SourceMgr sources;
  Diagnostics diagnostics(sources);
  auto config = readConfigTree(llvm::MemoryBuffer::getMemBufferCopy(text), true, diagnostics);
  auto read = config ? readQuantization(*config, diagnostics) : std::nullopt;
  if (!read)
    abort();
  return std::move(*read);
}

struct Input {
  llvm::ArrayRef<uint8_t> bytes;

  uint8_t next() {
    uint8_t byte = bytes.empty() ? 0 : bytes.front();
    bytes = bytes.drop_front(bytes.empty() ? 0 : 1);
    return byte;
  }
};

// Types and extents are small; the content is what is left of the input, again and again.
void addTensors(Input &input, Checkpoint &checkpoint, std::vector<std::vector<uint8_t>> &contents) {
  unsigned count = input.next() % 8;
  for (unsigned i = 0; i < count; ++i) {
    Tensor tensor;
    tensor.name = checkpoint.isGguf()
                      ? checkpoint.save("blk.0.attn_q.weight")
                      : checkpoint.save("m." + suffixes[input.next() % std::size(suffixes)].str());
    tensor.type = &tensorTypes()[input.next() % tensorTypes().size()];
    for (unsigned rank = input.next() % 5; rank; --rank)
      tensor.shape.push_back(input.next() % 80);
    if (checkpoint.isGguf() && !tensor.shape.empty())
      tensor.shape.back() *= tensor.type->block; // rows are whole blocks
    std::optional<uint64_t> size = tensor.type->bytesOf(tensor.elements());
    if (!size || *size > 1 << 14)
      continue;
    std::vector<uint8_t> &content = contents.emplace_back(*size);
    for (size_t at = 0; at < *size && !input.bytes.empty(); at += input.bytes.size())
      std::copy_n(input.bytes.begin(), std::min<size_t>(input.bytes.size(), *size - at),
                  content.begin() + at);
    tensor.bytes = content;
    llvm::consumeError(checkpoint.addTensor(std::move(tensor)));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input{{data, size}};
  Checkpoint checkpoint;
  checkpoint.path = "input";
  unsigned method = input.next() % (std::size(methods) + 1);
  if (method == std::size(methods))
    checkpoint.container = Checkpoint::Container::Gguf;
  unsigned bits = input.next() % 10, group = input.next() % 16 * 16;
  uint8_t flags = input.next();
  static constexpr llvm::StringLiteral formats[] = {"w4g32z", "w158",    "w158r",  "w1",
                                                    "w2g64",  "w3z",     "w8z",    "w2g256",
                                                    "w4g32m", "fp4g32e", "nl4g16", "w4k32m"};
  std::optional<Format> format;
  if (uint8_t index = input.next(); flags & 8)
    format = llvm::cantFail(parseFormat(formats[index % std::size(formats)]));
  std::vector<std::vector<uint8_t>> contents;
  addTensors(input, checkpoint, contents);
  Quantization storage = checkpoint.isGguf()       ? Quantization()
                         : methods[method].empty() ? quantizationOf(checkpoint)
                                                   : quantizationBy(methods[method], bits, group);
  storage.interleaved = storage.transposed = flags & 4;
  llvm::StringRef module = checkpoint.isGguf() ? "model.layers.0.self_attn.q_proj"
                           : !(flags & 16)     ? "m"
                           : flags & 32        ? "m.experts.1.up_proj"
                                               : "m.experts.0.down_proj";
  test::readLayer(checkpoint, storage, module, format);
  return 0;
}
