// lutc inspect: what is in a checkpoint, and what lutc makes of it.
#ifndef LUT_COMPILER_INSPECT_H
#define LUT_COMPILER_INSPECT_H

#include <string>

namespace lut {

struct InspectRequest {
  std::string path;
  bool json = false;
};

int inspect(const InspectRequest &request);

} // namespace lut

#endif
