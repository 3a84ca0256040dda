// lutc pack: the weights of a checkpoint in the layout of a compiled library, in one file.
#ifndef LUT_COMPILER_PACK_PACK_H
#define LUT_COMPILER_PACK_PACK_H

#include "compiler/pack/PackPlan.h"
#include <string>

namespace lut {

struct PackRequest {
  std::string checkpoint, library, output;
  std::string variant;          // empty: the best that this CPU runs
  std::optional<Naming> naming; // absent: Hugging Face's where they are known
  Widening widening = Widening::Vectors;
  bool verbose = false;
};

// The result is an exit code.
int pack(const PackRequest &request);

} // namespace lut

#endif
