// Writes what a plan says, band by band, on all cores.
#ifndef LUT_COMPILER_PACK_PACKER_H
#define LUT_COMPILER_PACK_PACKER_H

#include "compiler/pack/PackPlan.h"

namespace lut {

struct PackTarget {
  std::string path;
  uint64_t libraryHash = 0;
  std::string variant;
  // What a thread takes at a time: the codes of some rows, but of one tile at least, or so much of a plain
  // tensor.
  uint64_t bandBytes = 4 << 20;
};

// The file appears under its name when it is complete and on the disk, or not at all. The memory that is
// needed depends on neither the model nor its largest tensor.
llvm::Error writePacked(const Checkpoint &checkpoint, PackPlan &plan, const PackTarget &target);

} // namespace lut

#endif
