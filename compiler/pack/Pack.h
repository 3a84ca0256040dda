// lutc pack: the weights of a checkpoint in the order that kernels read, in one file.
#ifndef LUT_COMPILER_PACK_PACK_H
#define LUT_COMPILER_PACK_PACK_H

#include "compiler/pack/PackPlan.h"
#include <string>

namespace lut {

struct PackRequest {
  std::string checkpoint, output;
  std::string library;          // empty: the file is for open kernels in any library
  std::string variant;          // empty: the best that this CPU runs
  std::optional<Naming> naming; // absent: the file's own without a library, else Hugging Face's where known
  Widening widening = Widening::Vectors;
  bool verbose = false;
};

// The result is an exit code.
int pack(const PackRequest &request);

} // namespace lut

#endif
