#include "codegen/targets/lmma/MachineFiles.h"

extern "C" {
#define LUT_DATA_FILE(symbol, path) extern const char lutc_data_##symbol[];
#include "codegen/targets/lmma/MachineFiles.def"
}

namespace lut::lmma {

llvm::ArrayRef<DataFile> dataFiles() {
  static const DataFile files[] = {
#define LUT_DATA_FILE(symbol, path) {path, lutc_data_##symbol},
#include "codegen/targets/lmma/MachineFiles.def"
  };
  return files;
}

} // namespace lut::lmma
