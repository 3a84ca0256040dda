// What the tensors of a packed file are called: as in the checkpoint, or as in Hugging Face's transformers.
// Under a name of Hugging Face a tensor means what it means there: rows of queries and keys have the order
// that transformers rotates, and norms do not contain the 1 that llama.cpp's converter adds to Gemma's.
#ifndef LUT_COMPILER_CHECKPOINT_TENSORNAMES_H
#define LUT_COMPILER_CHECKPOINT_TENSORNAMES_H

#include "compiler/checkpoint/Checkpoint.h"

namespace lut {

enum class Naming { HuggingFace, Checkpoint };

class TensorNames {
public:
  TensorNames(const Checkpoint &checkpoint, Naming naming);

  // Those of safetensors are Hugging Face's already; GGUF files have them for the architectures of families.
  static bool hasHuggingFace(const Checkpoint &checkpoint);

  // Of a tensor that is no packed weights.
  struct Plain {
    std::string name;
    bool isKept = false;          // the checkpoint's, for want of one of Hugging Face
    int64_t interleavedHeads = 0; // as of GgufName
    float offset = 0;             // to be added to the values
  };
  Plain plain(const Tensor &tensor) const;

  // Of a linear layer, which may be given by either name.
  struct Module {
    std::string name;
    std::string source; // what openWeights is asked for
  };
  Module module(llvm::StringRef module) const;

  // Of a tensor of GGUF, with {expert} where experts share it; empty: there is none.
  std::string huggingFace(llvm::StringRef tensor) const;

private:
  std::string huggingFaceModule(llvm::StringRef own) const;
  Module ggufModule(llvm::StringRef module) const;

  std::string findName(llvm::StringRef gguf) const;

  const Checkpoint &checkpoint;
  const Naming naming;
  const Family &family; // llama, where lutc does not know the file's
};

} // namespace lut

#endif
