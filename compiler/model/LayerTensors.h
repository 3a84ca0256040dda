// What the layers of a checkpoint hold, by Hugging Face's names inside a layer: which norms and biases there
// are beside the weights of products.
#ifndef LUT_COMPILER_MODEL_LAYERTENSORS_H
#define LUT_COMPILER_MODEL_LAYERTENSORS_H

#include "compiler/checkpoint/Checkpoint.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <optional>
#include <set>

namespace lut {

class LayerTensors {
public:
  // Of the first `layers`: more of them predict further tokens.
  LayerTensors(const Checkpoint &checkpoint, const Family &family, int64_t layers);

  // Of a tensor such as "input_layernorm.weight"; experts are called {expert}.
  size_t layersWith(llvm::StringRef inside) const;
  // An extent of it that is not `elements`; nothing: it has as many wherever there is one.
  std::optional<int64_t> otherSize(llvm::StringRef inside, int64_t elements) const;
  bool has(llvm::StringRef outside) const; // the layers: "model.norm.weight", "lm_head.bias"
  int64_t layers() const { return count; } // the highest number, plus 1
  llvm::ArrayRef<std::string> names() const { return order; } // in that of the files

private:
  llvm::StringMap<std::set<int64_t>> layersOf, sizesOf;
  std::vector<std::string> order;
  llvm::StringSet<> others; // outside the layers, without what multimodal models put before them
  int64_t count = 0;
};

} // namespace lut

#endif
