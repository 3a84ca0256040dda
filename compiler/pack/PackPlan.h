// What a packed model will hold: from a checkpoint and the manifest of a library.
#ifndef LUT_COMPILER_PACK_PACKPLAN_H
#define LUT_COMPILER_PACK_PACKPLAN_H

#include "compiler/checkpoint/WeightSource.h"
#include "compiler/pack/Manifest.h"

namespace lut {

// One tensor of the file.
struct PackItem {
  std::string name;
  lutc_file_record record = {};        // all but the name's offset, and the checksum
  std::vector<const Tensor *> tensors; // that hold the weights; of a plain tensor, itself
  // Of packed weights.
  const WeightSource *source = nullptr;
  const PackedKernel *kernel = nullptr;
  const Packing *packing = nullptr;
};

struct PackPlan {
  std::vector<std::unique_ptr<WeightSource>> sources;
  std::vector<PackItem> items;    // in the file's order
  std::vector<std::string> notes; // what is not stored as it was
  std::string names;              // of all items, each with a zero byte
  uint64_t fileBytes = 0;
};

llvm::Expected<PackPlan> planPack(const Checkpoint &checkpoint, const WeightStorage &storage,
                                  const Manifest &manifest, size_t variant);

} // namespace lut

#endif
