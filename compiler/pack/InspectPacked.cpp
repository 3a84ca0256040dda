#include "compiler/pack/InspectPacked.h"

#include "compiler/pack/PackedModel.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/TensorRows.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>

using namespace llvm;

namespace lut {

namespace {

struct PackedModel {
  std::unique_ptr<MemoryBuffer> buffer;
  lutc_file file;

  const lutc_file_header &header() const { return *reinterpret_cast<const lutc_file_header *>(file.data); }
  StringRef variant() const { return text(header().variant, sizeof header().variant); }
  std::string hash() const { return utohexstr(header().library_hash, /*LowerCase=*/true, 16); }
  lutc_tensor tensor(size_t index) const {
    lutc_tensor tensor;
    [[maybe_unused]] lutc_status status = lutc_tensor_at(&file, index, &tensor);
    assert(status == LUTC_OK);
    return tensor;
  }
  // The tensor that has the same bytes and comes first; null: they are its own.
  const char *owner(size_t index) const {
    uint32_t shared = lutc_record_at(&file, index)->shared;
    return shared ? tensor(shared - 1).name : nullptr;
  }
  static StringRef text(const char *field, size_t size) { return StringRef(field, strnlen(field, size)); }
};

} // namespace

static Expected<PackedModel> open(StringRef path) {
  auto buffer = mapPacked(path);
  if (!buffer)
    return buffer.takeError();
  PackedModel model{std::move(*buffer), {}};
  lutc_status status =
      lutc_read_file(model.buffer->getBufferStart(), model.buffer->getBufferSize(), &model.file);
  if (status != LUTC_OK)
    return createStringError(path + ": " + lutc_status_string(status));
  return model;
}

static StringRef roleName(lutc_role role) {
  static constexpr StringLiteral names[] = {"packed", "plain"};
  return names[role];
}

// Of the elements; of packed weights their format.
static StringRef typeName(const lutc_tensor &tensor) {
  if (tensor.role != LUTC_PACKED)
    return elementName(tensor.type);
  auto *header = static_cast<const lutc_packed_header *>(tensor.data);
  return PackedModel::text(header->format, sizeof header->format);
}

static void printText(const PackedModel &model, StringRef path, raw_ostream &out) {
  TensorRows rows;
  for (size_t i = 0; i < model.file.tensor_count; ++i) {
    lutc_tensor tensor = model.tensor(i);
    std::string shape = join(
        map_range(ArrayRef(tensor.shape, tensor.rank), [](size_t it) { return std::to_string(it); }), " x ");
    rows.add(tensor.name, {roleName(tensor.role), printable(typeName(tensor)),
                           shape.empty() ? "scalar" : shape, int64_t(tensor.bytes)});
  }
  out << path << ": packed model, " << model.file.tensor_count << " tensors in " << model.file.bytes
      << " bytes\n"
      << "library hash: " << model.hash() << "\nvariant: " << printable(model.variant()) << "\n\n";
  rows.print({"tensor", "count", "role", "type", "shape", "bytes"}, out);
  for (size_t i = 0; i < model.file.tensor_count; ++i)
    if (const char *owner = model.owner(i))
      out << printable(model.tensor(i).name) << " has the bytes of " << printable(owner) << "\n";
}

static void printJson(const PackedModel &model, raw_ostream &out) {
  json::OStream json(out, 2);
  json.object([&] {
    json.attribute("container", "packed");
    json.attribute("version", int64_t(model.header().version));
    json.attribute("library_hash", model.hash());
    json.attribute("variant", printable(model.variant()));
    json.attributeArray("tensors", [&] {
      for (size_t i = 0; i < model.file.tensor_count; ++i)
        json.object([&] {
          lutc_tensor tensor = model.tensor(i);
          json.attribute("name", json::fixUTF8(tensor.name));
          json.attribute("role", roleName(tensor.role));
          json.attribute("type", printable(typeName(tensor)));
          json.attribute("shape", json::Array(ArrayRef(tensor.shape, tensor.rank)));
          json.attribute("offset", int64_t(lutc_record_at(&model.file, i)->offset));
          json.attribute("bytes", int64_t(tensor.bytes));
          if (const char *owner = model.owner(i))
            json.attribute("shares", json::fixUTF8(owner));
        });
    });
  });
  out << "\n";
}

int inspectPacked(StringRef path, bool json) {
  Expected<PackedModel> model = open(path);
  if (!model)
    return reportError(model.takeError());
  if (json)
    printJson(*model, outs());
  else
    printText(*model, path, outs());
  return ExitOk;
}

} // namespace lut
