// A config.json, and what the quantizer of its model wrote beside it.
#ifndef LUT_COMPILER_MODEL_CONFIGFILE_H
#define LUT_COMPILER_MODEL_CONFIGFILE_H

#include "compiler/config/ConfigTree.h"
#include "compiler/quantizers/Quantization.h"

namespace lut {

struct ConfigFile {
  std::vector<std::string> files; // that were read
  ConfigNode root;
};

// Older quantizers left the config.json as it was: where it has no quantization_config, their file takes that
// key's place.
std::optional<ConfigFile> readConfigFile(llvm::StringRef path, Diagnostics &diagnostics);

// quantization_config, or compression_config as compressed-tensors once called it; nested or not. Null: there
// is none.
const ConfigNode *findQuantization(const ConfigNode &root);

// How the weights of a checkpoint are stored, from its config and, where that is silent, its tensors. Nothing
// after an error, which is reported.
std::optional<Quantization> readQuantization(const Checkpoint &checkpoint, Diagnostics &diagnostics);
std::optional<Quantization> readQuantization(const Checkpoint &checkpoint, const ConfigNode &root,
                                             Diagnostics &diagnostics);

} // namespace lut

#endif
