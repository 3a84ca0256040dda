// A checkpoint as its files hold it: named tensors and metadata, mapped into memory and never copied. Names,
// shapes, types and extents are checked when it is opened; what tensors mean is for others.
#ifndef LUT_COMPILER_CHECKPOINT_CHECKPOINT_H
#define LUT_COMPILER_CHECKPOINT_CHECKPOINT_H

#include "compiler/checkpoint/Metadata.h"
#include "compiler/checkpoint/TensorType.h"
#include "compiler/families/Families.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/StringSaver.h"
#include <memory>
#include <vector>

namespace lut {

struct Tensor {
  llvm::StringRef name; // UTF-8
  const TensorType *type = nullptr;
  llvm::SmallVector<int64_t, 4> shape; // outermost first: [n, k] of a linear layer's weight, also in GGUF
  llvm::ArrayRef<uint8_t> bytes;       // exactly type->bytesOf(elements()), at any alignment

  int64_t elements() const;
  std::string shapeText() const; // "4096 x 2048"
};

class Checkpoint {
public:
  enum class Container { Safetensors, Gguf };

  Container container = Container::Safetensors;
  unsigned version = 0;                       // of GGUF: 2 or 3
  std::string path;                           // as given
  std::string config;                         // path of the config.json beside the tensors; empty: none
  std::vector<std::string> files;             // that hold tensors
  std::vector<Tensor> tensors;                // in the order of the files
  Metadata metadata;                          // of GGUF; of safetensors, __metadata__
  const Architecture *architecture = nullptr; // of GGUF whose family lutc knows
  std::vector<std::string> notes;             // what was taken although the files disagree

  bool isGguf() const { return container == Container::Gguf; }
  const Tensor *find(llvm::StringRef name) const; // null: there is none
  // Those called <prefix>..., in the order of their names.
  std::vector<const Tensor *> startingWith(llvm::StringRef prefix) const;

  // Gives back the memory of pages that hold nothing but `bytes`; they are read again when needed.
  void dropPages(llvm::ArrayRef<uint8_t> bytes) const;

  // For the readers of containers.
  llvm::Error addTensor(Tensor tensor); // an error when its name is taken
  void sortNames();                     // once all tensors are there
  llvm::Expected<llvm::ArrayRef<uint8_t>> mapFile(llvm::StringRef path);
  llvm::StringRef save(llvm::StringRef text) { return strings->save(text); }

private:
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> buffers;
  std::unique_ptr<llvm::BumpPtrAllocator> memory = std::make_unique<llvm::BumpPtrAllocator>();
  std::unique_ptr<llvm::StringSaver> strings = std::make_unique<llvm::StringSaver>(*memory);
  llvm::DenseMap<llvm::StringRef, unsigned> indexOf;
  std::vector<unsigned> byName; // indices of tensors
};

// Opens a file of safetensors or GGUF (told apart by content), all parts of a split model, a
// model.safetensors.index.json, or a directory with one of these, which its config.json stands for. Errors
// name the file and the tensor, and say "what is wrong; what to do".
llvm::Expected<Checkpoint> openCheckpoint(llvm::StringRef path);

// A file's name without its ending and the number of a part: "llama" of llama-00001-of-00003.gguf.
llvm::StringRef modelStem(llvm::StringRef path);

} // namespace lut

#endif
