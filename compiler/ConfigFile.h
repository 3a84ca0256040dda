// A config.json, and what the quantizer of its model wrote beside it.
#ifndef LUT_COMPILER_CONFIGFILE_H
#define LUT_COMPILER_CONFIGFILE_H

#include "compiler/ConfigTree.h"

namespace lut {

struct ConfigFile {
  std::vector<std::string> files; // that were read
  ConfigNode root;
};

// Older quantizers left the config.json as it was: where it has no quantization_config, their file takes that
// key's place.
std::optional<ConfigFile> readConfigFile(llvm::StringRef path, Diagnostics &diagnostics);

// Nested or not; null: there is none.
const ConfigNode *findQuantization(const ConfigNode &root);

} // namespace lut

#endif
