#include "compiler/model/ConfigFile.h"
#include "compiler/model/LanguageModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace lut {

const ConfigNode *findQuantization(const ConfigNode &root) {
  LanguageModel config(root);
  for (StringRef key : {"quantization_config", "compression_config"})
    if (const ConfigNode *found = config.find(key))
      return found;
  return nullptr;
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
  for (const QuantizerFile &row : quantizerFiles()) {
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

std::optional<Quantization> readQuantization(const Checkpoint &checkpoint, Diagnostics &diagnostics) {
  if (checkpoint.isGguf())
    return Quantization();
  if (checkpoint.config.empty())
    return quantizationOf(checkpoint);
  std::optional<ConfigFile> file = readConfigFile(checkpoint.config, diagnostics);
  return file ? readQuantization(checkpoint, file->root, diagnostics) : std::nullopt;
}

std::optional<Quantization> readQuantization(const Checkpoint &checkpoint, const ConfigNode &root,
                                             Diagnostics &diagnostics) {
  const Family *family = LanguageModel(root).family();
  const ConfigNode *config = findQuantization(root);
  std::optional<Quantization> result =
      config ? readQuantization(*config, diagnostics) : quantizationOf(checkpoint);
  if (result && family) {
    result->interleaved = family->interleaved;
    result->transposed = family->transposed;
  }
  return result;
}

} // namespace lut
