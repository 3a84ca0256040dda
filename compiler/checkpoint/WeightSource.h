// The weights of one linear layer, whatever encodes them in the checkpoint, in the canonical form of
// lutc_weights (runtime/lutc.h), row by row.
#ifndef LUT_COMPILER_CHECKPOINT_WEIGHTSOURCE_H
#define LUT_COMPILER_CHECKPOINT_WEIGHTSOURCE_H

#include "compiler/checkpoint/Checkpoint.h"
#include "compiler/checkpoint/WeightBand.h"

namespace lut {

class WeightSource {
public:
  virtual ~WeightSource() = default;

  const std::string name; // of the layer or tensor, for messages
  const int64_t n, k;
  const Format format;          // of what readRows yields
  const std::string conversion; // "as stored", "Q6_K rounded to w4g32"
  // All that the weights are made of. Other tensors of the layer, such as its bias, are no part of them.
  std::vector<const Tensor *> tensors;

  // Codes and scales are those of columns columns()[0], columns()[1], ... of the layer. Empty: in their own
  // order, as in every format without p.
  llvm::ArrayRef<int32_t> columns() const { return order; }

  // The n rows of a tensor of GGUF where the weights are nothing but their blocks; else empty.
  llvm::ArrayRef<uint8_t> storedRows() const { return stored; }

  // Rows from `first` on, to a band of this format. Any number of threads may read. Errors name the layer:
  // scales that are not finite, codes or zero points that the format lacks.
  virtual llvm::Error readRows(int64_t first, const WeightBand &band) const = 0;

protected:
  WeightSource(llvm::StringRef name, int64_t n, int64_t k, Format format, llvm::StringRef conversion)
      : name(name), n(n), k(k), format(format), conversion(conversion) {}

  std::vector<int32_t> order;
  llvm::ArrayRef<uint8_t> stored;
};

// Weights are stored as floats, and no format was named that they are rounded to.
class UnnamedFormat : public llvm::ErrorInfo<UnnamedFormat> {
public:
  static char ID;
  explicit UnnamedFormat(std::string message) : message(std::move(message)) {}
  void log(llvm::raw_ostream &out) const override { out << message; }
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

private:
  std::string message;
};

struct Layer;

// How a checkpoint stores what its tensors alone do not say. This one reads floats and tensors that speak for
// themselves: GGUF's, and blocks of gpt-oss. A quantizer's reads what it has packed.
class WeightStorage {
public:
  virtual ~WeightStorage() = default;

  virtual std::string name() const { return "none"; } // of the method, for people
  // The weights of a layer that has no matrix of floats.
  virtual llvm::Expected<std::unique_ptr<WeightSource>> openPacked(const Layer &layer,
                                                                   std::optional<Format> format) const;
  // What the floats of a layer are rounded to when the model runs.
  virtual std::optional<Format> formatOfFloats(llvm::StringRef) const { return std::nullopt; }

  // Whether <name>_blocks and <name>_scales of stacked experts are gpt-oss's MXFP4.
  virtual bool hasBlocks() const { return true; }

  bool interleaved = false, transposed = false; // of stacked experts, as in Family
};

// Opens the weights of a linear layer: "model.layers.0.self_attn.q_proj", an expert's
// "model.layers.0.mlp.experts.7.up_proj", "lm_head"; a GGUF file is asked for the tensors that it calls
// blk.0.attn_q and so on, or by those names themselves. Under the first name, queries and keys of
// architecture llama have the row order of Hugging Face, which rotary embeddings depend on; under the second,
// GGUF's.
//
// With `format`, the source yields exactly that format. Weights that are stored in another one are an error;
// float weights, and those that no format holds losslessly, are rounded to it. Without `format` the source
// yields what is stored, and weights without a lossless format are an error that says what would work. The
// source reads from the checkpoint, which has to outlive it.
llvm::Expected<std::unique_ptr<WeightSource>> openWeights(const Checkpoint &checkpoint,
                                                          const WeightStorage &storage,
                                                          llvm::StringRef module,
                                                          std::optional<Format> format);

} // namespace lut

#endif
