// The config of a checkpoint: the config.json beside its tensors, or what GGUF's metadata says.
#ifndef LUT_COMPILER_CHECKPOINTCONFIG_H
#define LUT_COMPILER_CHECKPOINTCONFIG_H

#include "compiler/Config.h"
#include "compiler/ConfigFile.h"
#include "compiler/quantizers/Quantization.h"

namespace lut {

struct CheckpointConfig {
  ConfigFile file; // a library's default name comes from the first of its files
  // What the tensors say of the weights where no quantization_config does.
  std::optional<Quantization> quantization;
};

std::optional<CheckpointConfig> readCheckpointConfig(llvm::StringRef path, const ConfigOptions &options,
                                                     Diagnostics &diagnostics);

} // namespace lut

#endif
