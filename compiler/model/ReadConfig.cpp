#include "compiler/model/ReadConfig.h"

#include "compiler/checkpoint/Checkpoint.h"
#include "compiler/checkpoint/FileKind.h"
#include "compiler/config/ConfigKeys.h"
#include "compiler/config/KernelList.h"
#include "compiler/model/CheckpointConfig.h"
#include "compiler/model/ModelConfig.h"
#include "compiler/model/ModelPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace lut {

static std::string makeIdentifier(StringRef text) {
  std::string name = text.str();
  for (char &c : name)
    if (!isAlnum(c))
      c = '_';
  return isIdentifier(name) ? name : "lib_" + name;
}

// config.json says nothing about a model; its model_type does.
static std::string defaultName(StringRef path, const ConfigNode &root) {
  StringRef stem = modelStem(path);
  SmallVector<StringRef, 2> types = LanguageModel(root).modelTypes();
  return makeIdentifier(stem == "config" && !types.empty() ? types.front() : stem);
}

// Symbols and files of the runtime start with lutc.
static bool checkName(const LibrarySpec &library, const ConfigNode &root, StringRef path,
                      Diagnostics &diagnostics) {
  if (library.name != "lutc" && !StringRef(library.name).starts_with("lutc_"))
    return true;
  StringRef message = "names that start with lutc belong to the runtime";
  if (const ConfigNode *name = root.find("library"))
    diagnostics.error(name->range, message, "give the library another name");
  else
    diagnostics.error(path, message, "give the library another name with --name");
  return false;
}

static std::optional<LibrarySpec> readTree(const ConfigNode &root, const ConfigOptions &options,
                                           Diagnostics &diagnostics) {
  bool isList = root.member("kernels");
  if (root.member("model_type") || root.member("architectures")) {
    if (!isList)
      return readModelConfig(root, nullptr, options, diagnostics);
    diagnostics.error(root.member("kernels")->range, "both a model config and a list of kernels",
                      "keep `kernels`, or keep `model_type` and `architectures`");
    return std::nullopt;
  }
  if (!isList && LanguageModel(root).isNested())
    return readModelConfig(root, nullptr, options, diagnostics);
  if (any_of(kernelListKeys(), [&](const ConfigKey &key) { return root.member(key.name); }))
    return readKernelList(root, options, diagnostics);
  diagnostics.error(root.range, "neither a model config nor a list of kernels",
                    "give a Hugging Face config.json with `model_type`, or write `kernels` (`lutc schema`)");
  return std::nullopt;
}

static std::optional<LibrarySpec> readStored(CheckpointConfig &config, const ConfigOptions &options,
                                             Diagnostics &diagnostics) {
  const ConfigNode &root = config.file.root;
  LanguageModel language(root);
  if (language.family())
    return readModelConfig(root, config.stored.get(), options, diagnostics);
  SmallVector<StringRef, 2> types = language.modelTypes();
  std::string type = types.empty() ? config.unknownType : types.front().str();
  std::string who =
      type.empty() ? "nothing says which model this is" : "lutc does not know models of type '" + type + "'";
  diagnostics.note(who + ": its linear layers are compiled as the tensors name them, without groups");
  UnknownFamily family;
  for (auto [key, value] : {std::pair("hidden_size", &family.hidden), {"num_hidden_layers", &family.layers}})
    if (const ConfigNode *node = language.find(key))
      *value = node->integer();
  return planTensors(*config.stored, family, options, diagnostics);
}

static std::optional<CheckpointConfig> readSource(StringRef path, const ConfigOptions &options,
                                                  Diagnostics &diagnostics) {
  FileKind kind = fileKind(path);
  // Bytes that nobody knows can only be a damaged checkpoint, whose readers say more.
  if (isCheckpoint(kind) || kind == FileKind::Binary)
    return readCheckpointConfig(path, options, diagnostics);
  bool isConfig = is_contained({FileKind::ModelConfig, FileKind::Json, FileKind::Text, FileKind::Empty,
                                FileKind::Pipe, FileKind::Unreadable},
                               kind);
  if (!isConfig) {
    diagnostics.error(path, unexpectedFile(path, kind, WantedFile::Config));
    return std::nullopt;
  }
  std::optional<ConfigFile> file = readConfigFile(path, diagnostics);
  if (!file)
    return std::nullopt;
  CheckpointConfig config;
  config.file = std::move(*file);
  return config;
}

std::optional<LibrarySpec> readConfig(StringRef path, const ConfigOptions &options, SourceMgr &sources) {
  Diagnostics diagnostics(sources);
  std::optional<CheckpointConfig> config = readSource(path, options, diagnostics);
  if (!config)
    return std::nullopt;
  const ConfigNode &root = config->file.root;
  std::optional<LibrarySpec> library =
      config->stored ? readStored(*config, options, diagnostics) : readTree(root, options, diagnostics);
  if (!library)
    return std::nullopt;
  library->inputs = config->file.files;
  if (!options.name.empty())
    library->name = options.name;
  else if (library->name.empty())
    library->name = defaultName(config->file.files.front(), root);
  if (!options.variants.empty())
    library->variants = options.variants;
  if (!checkName(*library, root, path, diagnostics) || diagnostics.failed())
    return std::nullopt;
  return library;
}

bool hasShapes(const LibrarySpec &library) {
  for (const KernelSpec &kernel : library.kernels)
    if (kernel.isOpen()) {
      const SourcePosition &at = kernel.position;
      errs() << at.file << ":" << at.line << ":" << at.column << ": error: kernel '" << kernel.name
             << "' has no n and k, which this command needs; write both\n";
      return false;
    }
  return true;
}

} // namespace lut
