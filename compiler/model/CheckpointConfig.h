// The config of a checkpoint: the config.json beside its tensors, or what GGUF's metadata says.
#ifndef LUT_COMPILER_MODEL_CHECKPOINTCONFIG_H
#define LUT_COMPILER_MODEL_CHECKPOINTCONFIG_H

#include "compiler/config/ConfigOptions.h"
#include "compiler/model/ConfigFile.h"
#include "compiler/model/StoredLayers.h"

namespace lut {

struct CheckpointConfig {
  // The config.json, or what GGUF's metadata says; empty where there is none, or the family is unknown. A
  // library's default name comes from the first of the files.
  ConfigFile file;
  std::string unknownType; // what GGUF calls a family that lutc does not know
  std::unique_ptr<StoredLayers> stored;
};

std::optional<CheckpointConfig> readCheckpointConfig(llvm::StringRef path, const ConfigOptions &options,
                                                     Diagnostics &diagnostics);

} // namespace lut

#endif
