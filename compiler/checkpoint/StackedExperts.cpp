// Experts whose weights a layer stacks, as transformers 5 and gpt-oss do. With E experts:
//   gate_up_proj [E][2 f][h], down_proj [E][h][f] of floats; all rows of gate stand before those of up
// Llama 4 and Qwen3-VL have the transposed matrices, Granite names of its own.
// gpt-oss has gate and up in turn, row by row, and floats as [E][h][2 f] and [E][f][h]. As published it has
//   <name>_blocks U8 [E][n][k / 32][16], elements 2 j and 2 j + 1 of e2m1 in the nibbles of byte j
//   <name>_scales U8 [E][n][k / 32], e8m0
#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/ModuleNames.h"
#include "compiler/checkpoint/WeightRows.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

namespace {

// Rows first, first + step, ... of an expert's matrix.
struct Selection {
  int64_t first, step, count;
  int64_t operator[](int64_t row) const { return first + row * step; }
};

// Floats [k][n] of one expert, or [n][k].
struct StackedRows : FloatRows {
  StackedRows(Layer layer, const Tensor &tensor, const uint8_t *bytes, Selection rows, bool transposed)
      : FloatRows(std::move(layer), rows.count, tensor.shape[transposed ? 1 : 2]), type(*tensor.type),
        bytes(bytes), rows(rows), across(tensor.shape[2]), transposed(transposed) {}

  Error readRow(int64_t row, float *values) const override {
    if (!transposed)
      type.decode(bytes + rows[row] * k * type.blockBytes, k, values);
    for (int64_t i = 0; i < k && transposed; ++i)
      type.decode(bytes + (i * across + rows[row]) * type.blockBytes, 1, values + i);
    return Error::success();
  }

  const TensorType &type;
  const uint8_t *const bytes;
  const Selection rows;
  const int64_t across; // elements of a line
  const bool transposed;
};

class MicroscaleSource : public WeightSource {
public:
  MicroscaleSource(Layer layer, int64_t groups, const uint8_t *blocks, const uint8_t *scales, Selection rows)
      : WeightSource(layer.name, rows.count, 32 * groups, cantFail(parseFormat("fp4g32e")), "as stored"),
        layer(std::move(layer)), blocks(blocks), scales(scales), rows(rows) {}

  Error readRows(int64_t first, const WeightBand &band) const override {
    int64_t groups = k / 32;
    for (int64_t row = 0; row < band.count; ++row) {
      const uint8_t *pairs = blocks + rows[first + row] * (k / 2),
                    *from = scales + rows[first + row] * groups;
      for (int64_t i = 0; i < k; ++i)
        band.codes(row)[i] = pairs[i / 2] >> i % 2 * 4 & 15;
      std::copy_n(from, groups, band.scales<uint8_t>(row));
      if (is_contained(ArrayRef(from, groups), 0xff))
        return layer.error("a scale of row " + Twine(first + row) +
                           " is not a number; the checkpoint is damaged");
    }
    return Error::success();
  }

private:
  const Layer layer;
  const uint8_t *const blocks, *const scales; // of one expert
  const Selection rows;
};

} // namespace

// Of the n rows of an expert's matrix.
static Expected<Selection> select(const Layer &layer, RowPart part, int64_t n, bool inTurn) {
  if (part == RowPart::All)
    return Selection{0, 1, n};
  if (n % 2)
    return layer.error("shares " + Twine(n) +
                       " rows of gate and up, which are no halves; the checkpoint is "
                       "damaged");
  int64_t isUp = part == RowPart::Up;
  return inTurn ? Selection{isUp, 2, n / 2} : Selection{isUp * (n / 2), 1, n / 2};
}

static Error checkExpert(const Layer &layer, int64_t expert, const Tensor &tensor) {
  if (expert < tensor.shape[0])
    return Error::success();
  return layer.error("there is no expert " + Twine(expert) + " in a tensor of " + tensor.shapeText());
}

static WeightSourceOr openBlocks(const Layer &layer, const Layer &experts, const StackedName &name,
                                 std::optional<Format> format) {
  using Id = TensorType::Id;
  auto blocks = experts.get((name.tensor + "_blocks").str(), Id::U8, {-1, -1, -1, 16});
  if (!blocks)
    return blocks.takeError();
  int64_t n = (*blocks)->shape[1], groups = (*blocks)->shape[2];
  auto scales = experts.get((name.tensor + "_scales").str(), Id::U8, {(*blocks)->shape[0], n, groups});
  if (!scales)
    return scales.takeError();
  if (Error problem = checkExpert(layer, name.expert, **blocks))
    return std::move(problem);
  auto rows = select(layer, name.part, n, /*inTurn=*/true);
  if (!rows)
    return rows.takeError();
  int64_t at = name.expert * n * groups;
  auto source = std::make_unique<MicroscaleSource>(layer, groups, (*blocks)->bytes.data() + 16 * at,
                                                   (*scales)->bytes.data() + at, *rows);
  if (format && format->str() != source->format.str())
    return otherFormat(layer, source->format.str(), *format);
  return std::move(source);
}

WeightSourceOr openStacked(const Layer &layer, const StackedName &name, const WeightStorage &storage,
                           std::optional<Format> format) {
  Layer experts{layer.checkpoint, name.owner, layer.used};
  bool hasBlocks = experts.find((name.tensor + "_blocks").str());
  if (hasBlocks && !storage.hasBlocks())
    return layer.error("is stored as " + name.tensor +
                       "_blocks, which lutc does not read with the quantization method " + storage.name() +
                       "; it reads those of gpt-oss, of method mxfp4");
  if (hasBlocks)
    return openBlocks(layer, experts, name, format);
  auto tensor = experts.get(name.tensor, floatTypes(), {-1, -1, -1});
  if (!tensor)
    return tensor.takeError();
  if (Error problem = checkExpert(layer, name.expert, **tensor))
    return std::move(problem);
  auto rows = select(layer, name.part, (*tensor)->shape[storage.transposed ? 2 : 1], storage.interleaved);
  if (!rows)
    return rows.takeError();
  if (!format)
    return unnamedFormat(layer, *(*tensor)->type);
  size_t bytes = (*tensor)->bytes.size() / size_t((*tensor)->shape[0]);
  return roundWeights(std::make_unique<StackedRows>(layer, **tensor,
                                                    (*tensor)->bytes.data() + name.expert * bytes, *rows,
                                                    storage.transposed),
                      (*tensor)->type->name, *format);
}

} // namespace lut
