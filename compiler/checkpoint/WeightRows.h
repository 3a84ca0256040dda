// What lies between a checkpoint's tensors and a WeightSource: the weights of a layer as integers with scales
// and zero points, or as floats.
#ifndef LUT_COMPILER_CHECKPOINT_WEIGHTROWS_H
#define LUT_COMPILER_CHECKPOINT_WEIGHTROWS_H

#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/WeightSource.h"

namespace lut {

// A linear layer of a checkpoint: finds its tensors, and names it in errors.
struct Layer {
  const Checkpoint &checkpoint;
  std::string name;
  // What its reader has asked for, of this Layer and its copies: all that the weights are made of.
  std::shared_ptr<std::vector<const Tensor *>> used = std::make_shared<std::vector<const Tensor *>>();

  llvm::Error error(const llvm::Twine &message) const;
  const Tensor *find(llvm::StringRef suffix) const; // of "<name>.<suffix>"; null: there is none
  const Tensor *use(const Tensor *tensor) const;    // whatever its name; the same
  const Tensor *findFloats() const;                 // the `weight` that is a matrix of floats
  std::string listTensors() const; // "qweight (I32, 32 x 256), scales (F16, 2 x 256)"; empty: there are none
  // With these dimensions (-1: any) and one of these types, else an error.
  llvm::Expected<const Tensor *> get(llvm::StringRef suffix, llvm::ArrayRef<TensorType::Id> types,
                                     llvm::ArrayRef<int64_t> shape) const;
};

struct FloatRows {
  FloatRows(Layer layer, int64_t n, int64_t k) : layer(std::move(layer)), n(n), k(k) {}
  virtual ~FloatRows() = default;
  virtual llvm::Error readRow(int64_t row, float *values) const = 0;

  const Layer layer;
  const int64_t n, k;
};

// A weight is scale * (code - zero). `group` weights along k share both: k where the whole row does. Columns
// stand in the order of `order`, as in WeightSource.
struct IntegerRows : FloatRows {
  IntegerRows(Layer layer, int64_t n, int64_t k, int bits, int64_t group)
      : FloatRows(std::move(layer), n, k), bits(bits), group(group) {}
  // codes [count][k], scales and zeros [count][groups()]
  virtual void unpack(int64_t first, int64_t count, uint8_t *codes, float *scales, uint8_t *zeros) const = 0;
  llvm::Error readRow(int64_t row, float *values) const override; // columns in their own order
  virtual const Tensor &scales() const = 0;                       // all of them, in any order
  int64_t groups() const { return (k + group - 1) / group; }

  const int bits;
  const int64_t group;
  bool symmetric = true; // every zero is 2^(bits - 1)
  std::vector<int32_t> order;
};

using IntegerRowsOr = llvm::Expected<std::unique_ptr<IntegerRows>>;
using WeightSourceOr = llvm::Expected<std::unique_ptr<WeightSource>>;

// Integers in the format that has their bits, groups and order; rounded to `wanted` where no format has.
WeightSourceOr openIntegers(IntegerRowsOr rows, std::optional<Format> wanted);
WeightSourceOr openGguf(const Layer &layer, const GgufName &name, std::optional<Format> format);
// An expert of those that safetensors stack.
WeightSourceOr openStacked(const Layer &layer, const StackedName &name, const WeightStorage &storage,
                           std::optional<Format> format);
// The rows of `source` with the interleaved halves of each head apart again.
WeightSourceOr separateHalves(const Layer &layer, std::unique_ptr<WeightSource> source, int64_t heads);

// The rows in `bytes` of a tensor, times `factor`.
std::unique_ptr<FloatRows> floatRows(Layer layer, const Tensor &tensor, llvm::ArrayRef<uint8_t> bytes,
                                     float factor = 1);

// Rounds to nearest by group; ternary by the mean of absolute values.
WeightSourceOr roundWeights(std::unique_ptr<FloatRows> rows, llvm::StringRef from, Format format);

// Errors: the weights are stored in a format that is not the one asked for; as floats, and none was asked
// for.
llvm::Error otherFormat(const Layer &layer, llvm::StringRef stored, const Format &wanted);
llvm::Error unnamedFormat(const Layer &layer, const TensorType &stored);

// Weights per scale, from the scales along k and what the config says; an error when they do not fit.
llvm::Expected<int64_t> groupOf(const Layer &layer, int64_t k, int64_t groups, int64_t configured);

// Columns sorted by group, as g_idx [k] assigns them; empty when they are in order already.
llvm::Expected<std::vector<int32_t>> orderByGroup(const Layer &layer, const Tensor &groupIndex, int64_t k,
                                                  int64_t group);

// Element `index` of a tensor of F16, BF16 or F32.
float floatAt(const Tensor &tensor, size_t index);
llvm::ArrayRef<TensorType::Id> floatTypes();

std::string numberText(float value); // for messages

// codes[i] = columns[order[i]] for each row of k.
void permuteColumns(llvm::ArrayRef<int32_t> order, int64_t rows, int64_t k, uint8_t *codes);

} // namespace lut

#endif
