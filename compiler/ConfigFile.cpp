#include "compiler/ConfigFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace lut {

namespace {

struct QuantizerRow {
  StringLiteral file, method; // which the file may leave out
};

constexpr QuantizerRow quantizers[] = {
    {"quantize_config.json", "gptq"}, // AutoGPTQ
    {"quant_config.json", "awq"},     // AutoAWQ
};

} // namespace

const ConfigNode *findQuantization(const ConfigNode &root) {
  const ConfigNode *text = root.find("text_config");
  const ConfigNode *nested = text ? text->find("quantization_config") : nullptr;
  return nested ? nested : root.find("quantization_config");
}

static void addMethod(ConfigNode &quantization, StringRef method) {
  if (quantization.find("quant_method"))
    return;
  ConfigNode value;
  value.kind = ConfigNode::Scalar;
  value.text = method.str();
  value.quoted = true;
  value.range = quantization.range;
  quantization.members.insert(quantization.members.begin(), {"quant_method", quantization.range, value});
}

std::optional<ConfigFile> readConfigFile(StringRef path, Diagnostics &diagnostics) {
  std::optional<ConfigNode> root = readConfigTree(path, diagnostics);
  if (!root)
    return std::nullopt;
  ConfigFile config{{path.str()}, std::move(*root)};
  for (const QuantizerRow &row : quantizers) {
    SmallString<128> beside(sys::path::parent_path(path));
    sys::path::append(beside, row.file);
    if (sys::path::filename(path) != "config.json" || findQuantization(config.root) ||
        !sys::fs::exists(beside))
      continue;
    std::optional<ConfigNode> quantization = readConfigTree(beside, diagnostics);
    if (!quantization)
      return std::nullopt;
    addMethod(*quantization, row.method);
    config.files.push_back(beside.str().str());
    erase_if(config.root.members, [](auto &member) { return member.key == "quantization_config"; }); // null
    config.root.members.push_back({"quantization_config", quantization->range, std::move(*quantization)});
  }
  return config;
}

} // namespace lut
