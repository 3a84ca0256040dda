// What a packed model will hold: from a checkpoint and the manifest of a library.
#ifndef LUT_COMPILER_PACK_PACKPLAN_H
#define LUT_COMPILER_PACK_PACKPLAN_H

#include "compiler/checkpoint/TensorNames.h"
#include "compiler/checkpoint/WeightSource.h"
#include "compiler/pack/ModuleClaims.h"

namespace lut {

// Which plain tensors of F16 and BF16 are stored as F32, which holds their values.
enum class Widening { None, Vectors, All };

struct PackOptions {
  size_t variant = 0; // of the manifest
  Naming naming = Naming::HuggingFace;
  Widening widening = Widening::Vectors;
};

// One tensor of the file.
struct PackItem {
  std::string name;
  lutc_file_record record = {};        // all but the name's offset, and the checksum
  std::vector<const Tensor *> tensors; // that hold the weights; of a plain tensor, itself
  // Of packed weights. Items of one source have the same bytes.
  const WeightSource *source = nullptr;
  const PackedKernel *kernel = nullptr;
  const Packing *packing = nullptr;
  // Of a plain tensor.
  int64_t interleavedHalf = 0; // rows of half a head, where both are interleaved and come apart; 0: nowhere
  float offset = 0;            // to be added to the values
  float factor = 1;            // of the values, before
};

struct PackPlan {
  std::vector<std::unique_ptr<WeightSource>> sources;
  std::vector<PackItem> items;    // in the file's order
  std::vector<std::string> notes; // what is not stored as it was
  std::string names;              // of all items, each with a zero byte
  uint64_t fileBytes = 0;
};

llvm::Expected<PackPlan> planPack(const Checkpoint &checkpoint, const WeightStorage &storage,
                                  const Manifest &manifest, const ModuleClaims &claims,
                                  const PackOptions &options);

} // namespace lut

#endif
