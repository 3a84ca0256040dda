// lutc unpack: the values of a packed model as safetensors.
#ifndef LUT_COMPILER_PACK_UNPACK_H
#define LUT_COMPILER_PACK_UNPACK_H

#include <string>
#include <vector>

namespace lut {

struct UnpackRequest {
  std::string packed, library, output;
  std::vector<std::string> tensors; // names, with * and ?; empty: all
  bool verbose = false;
};

// The result is an exit code.
int unpack(const UnpackRequest &request);

} // namespace lut

#endif
