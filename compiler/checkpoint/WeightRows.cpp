#include "compiler/checkpoint/WeightRows.h"

#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/Containers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"

using namespace llvm;

namespace lut {

Error Layer::error(const Twine &message) const {
  return fileError(checkpoint.path, quoted(name) + ": " + message);
}

const Tensor *Layer::use(const Tensor *tensor) const {
  if (tensor && !is_contained(*used, tensor))
    used->push_back(tensor);
  return tensor;
}

const Tensor *Layer::find(StringRef suffix) const {
  return use(checkpoint.find((name + "." + suffix).str()));
}

const Tensor *Layer::findFloats() const {
  const Tensor *tensor = find("weight");
  return tensor && is_contained(floatTypes(), tensor->type->id) ? tensor : nullptr;
}

std::string Layer::listTensors() const {
  std::string text;
  for (const Tensor &tensor : checkpoint.tensors)
    if (StringRef rest = tensor.name;
        rest.consume_front(name) && rest.consume_front(".") && !rest.contains('.'))
      text += (text.empty() ? "" : ", ") + rest.str() + " (" + tensor.type->name.str() + ", " +
              tensor.shapeText() + ")";
  return text;
}

Expected<const Tensor *> Layer::get(StringRef suffix, ArrayRef<TensorType::Id> types,
                                    ArrayRef<int64_t> shape) const {
  const Tensor *tensor = find(suffix);
  if (!tensor)
    return error("has " + listTensors() + ", but no tensor " + suffix +
                 "; the checkpoint is incomplete, download it again");
  auto fits = [](int64_t wanted, int64_t found) { return found > 0 && (wanted < 0 || wanted == found); };
  if (!is_contained(types, tensor->type->id))
    return error(
        suffix + " is of type " + tensor->type->name + ", not " + tensorType(types.front()).name +
        "; the checkpoint is of another method than its quantization_config says, or of one that lutc does "
        "not read");
  bool good = tensor->shape.size() == shape.size();
  for (size_t i = 0; good && i < shape.size(); ++i)
    good = fits(shape[i], tensor->shape[i]);
  if (good)
    return tensor;
  std::string wanted;
  for (int64_t extent : shape)
    wanted += (wanted.empty() ? "" : " x ") + (extent < 0 ? std::string("any") : std::to_string(extent));
  return error(suffix + " is " + tensor->shapeText() + ", not " + wanted +
               "; the checkpoint is of another method than its quantization_config says, or damaged");
}

Error IntegerRows::readRow(int64_t row, float *values) const {
  std::vector<uint8_t> codes(k), zeros(groups());
  std::vector<float> scales(groups());
  unpack(row, 1, codes.data(), scales.data(), zeros.data());
  for (int64_t i = 0; i < k; ++i)
    values[order.empty() ? i : order[i]] = scales[i / group] * float(codes[i] - zeros[i / group]);
  return Error::success();
}

namespace {

struct TensorRows : FloatRows {
  TensorRows(Layer layer, const Tensor &tensor, int64_t n, ArrayRef<uint8_t> bytes, float factor)
      : FloatRows(std::move(layer), n, tensor.shape.back()), type(*tensor.type), bytes(bytes),
        factor(factor) {}

  Error readRow(int64_t row, float *values) const override {
    int64_t blocks = k / type.block;
    type.decode(bytes.data() + row * blocks * type.blockBytes, blocks, values);
    for (int64_t i = 0; i < k && factor != 1; ++i)
      values[i] *= factor;
    return Error::success();
  }

  const TensorType &type;
  ArrayRef<uint8_t> bytes;
  const float factor;
};

} // namespace

std::unique_ptr<FloatRows> floatRows(Layer layer, const Tensor &tensor, ArrayRef<uint8_t> bytes,
                                     float factor) {
  int64_t rowBytes = tensor.shape.back() / tensor.type->block * tensor.type->blockBytes;
  return std::make_unique<TensorRows>(std::move(layer), tensor, bytes.size() / rowBytes, bytes, factor);
}

Error otherFormat(const Layer &layer, StringRef stored, const Format &wanted) {
  return layer.error("is stored as " + stored + ", not as " + wanted.str() + "; compile the library with " +
                     stored);
}

char UnnamedFormat::ID = 0;

Error unnamedFormat(const Layer &layer, const TensorType &stored) {
  return make_error<UnnamedFormat>(
      toString(layer.error("is stored as " + stored.name +
                           "; name a format that the weights are rounded to, such as --weights=w4g32")));
}

Expected<int64_t> groupOf(const Layer &layer, int64_t k, int64_t groups, int64_t configured) {
  if (groups == 1)
    return k;
  if (configured > 0 && (k - 1) / configured + 1 == groups)
    return configured;
  if (k % groups == 0)
    return k / groups;
  std::string said = configured > 0 ? ", which are no groups of " + std::to_string(configured) : "";
  return layer.error("has " + Twine(groups) + " scales along k = " + Twine(k) + said +
                     "; write the group_size that the weights were quantized with into quantization_config");
}

Expected<std::vector<int32_t>> orderByGroup(const Layer &layer, const Tensor &groupIndex, int64_t k,
                                            int64_t group) {
  std::vector<int32_t> order(k);
  std::vector<int64_t> next((k + group - 1) / group); // place of each group's next column
  bool inOrder = true;
  for (size_t i = 0; i < next.size(); ++i)
    next[i] = int64_t(i) * group;
  for (int64_t column = 0; column < k; ++column) {
    int32_t index = readLe<int32_t>(groupIndex.bytes.data() + 4 * column);
    if (index < 0 || index >= int64_t(next.size()))
      return layer.error("g_idx puts column " + Twine(column) + " into group " + Twine(index) + " of " +
                         Twine(next.size()) + "; the checkpoint is damaged");
    int64_t place = next[index]++;
    if (place >= std::min(k, (index + int64_t(1)) * group))
      return layer.error("g_idx puts more than " + Twine(group) + " columns into group " + Twine(index) +
                         "; quantize with groups of one size");
    order[place] = int32_t(column);
    inOrder &= place == column;
  }
  if (inOrder)
    order.clear();
  return order;
}

ArrayRef<TensorType::Id> floatTypes() {
  static constexpr TensorType::Id ids[] = {TensorType::Id::F16, TensorType::Id::BF16, TensorType::Id::F32};
  return ids;
}

float floatAt(const Tensor &tensor, size_t index) {
  float value;
  tensor.type->decode(tensor.bytes.data() + index * tensor.type->blockBytes, 1, &value);
  return value;
}

std::string numberText(float value) {
  std::string text;
  raw_string_ostream(text) << format("%g", value);
  return text;
}

void permuteColumns(ArrayRef<int32_t> order, int64_t rows, int64_t k, uint8_t *codes) {
  if (order.empty())
    return;
  std::vector<uint8_t> row(k);
  for (int64_t r = 0; r < rows; ++r, codes += k) {
    std::copy(codes, codes + k, row.begin());
    for (int64_t i = 0; i < k; ++i)
      codes[i] = row[order[i]];
  }
}

} // namespace lut
