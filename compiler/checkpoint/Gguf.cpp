// GGUF 2 and 3: header, metadata, tensor infos, and aligned data, all little-endian.
#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/Containers.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace lut {

namespace {

class GgufReader {
public:
  GgufReader(StringRef path, ArrayRef<uint8_t> bytes, Checkpoint &checkpoint)
      : path(path), bytes(bytes), checkpoint(checkpoint) {}

  Error read();

  Metadata metadata;

private:
  struct Info {
    Tensor tensor;
    uint64_t offset = 0, size = 0;
  };

  Error truncated() const {
    return fileError(path, "ends inside its header; the file is cut short or damaged, download it again");
  }
  // Moves past `size` bytes. False where there are fewer.
  bool take(uint64_t size, ArrayRef<uint8_t> &taken);
  template <typename T> bool number(T &value);
  Error text(StringRef what, StringRef &value);
  Error readHeader(uint64_t &tensorCount, uint64_t &valueCount);
  Error readEntry(MetadataEntry &entry);
  Error readArray(StringRef key, MetadataValue &value);
  Error readInfo(Info &info);
  Error checkType(uint32_t type, Info &info);
  Error addTensors(ArrayRef<Info> infos, uint64_t alignment);
  Error checkPlaces(std::vector<Info> infos, uint64_t alignment, uint64_t bytesOfData) const;

  StringRef path;
  ArrayRef<uint8_t> bytes;
  Checkpoint &checkpoint;
  uint64_t at = 0;
};

} // namespace

bool GgufReader::take(uint64_t size, ArrayRef<uint8_t> &taken) {
  if (size > bytes.size() - at)
    return false;
  taken = bytes.slice(at, size);
  at += size;
  return true;
}

template <typename T> bool GgufReader::number(T &value) {
  ArrayRef<uint8_t> taken;
  if (!take(sizeof(T), taken))
    return false;
  value = readLe<T>(taken.data());
  return true;
}

Error GgufReader::text(StringRef what, StringRef &value) {
  uint64_t size;
  ArrayRef<uint8_t> taken;
  if (!number(size) || !take(size, taken))
    return truncated();
  value = toStringRef(taken);
  if (!json::isUTF8(value))
    return fileError(path, what + " " + quoted(value) + " is not UTF-8; the file is damaged");
  return Error::success();
}

Error GgufReader::readHeader(uint64_t &tensorCount, uint64_t &valueCount) {
  ArrayRef<uint8_t> magic;
  uint32_t version;
  if (!take(4, magic) || !number(version))
    return truncated();
  if (version != 2 && version != 3)
    return fileError(path, (version & 0xffff)
                               ? "is GGUF version " + Twine(version) +
                                     ", not 2 or 3; convert the model with a newer llama.cpp"
                               : Twine("is a big-endian GGUF file; convert it to little-endian "
                                       "with llama.cpp's gguf_convert_endian.py"));
  checkpoint.version = version;
  if (!number(tensorCount) || !number(valueCount))
    return truncated();
  // A tensor info takes 24 bytes and more, a key and value 13.
  uint64_t left = bytes.size() - at;
  if (tensorCount > left / 24 || valueCount > left / 13)
    return fileError(path, "says that it has " + Twine(tensorCount) + " tensors and " + Twine(valueCount) +
                               " values, more than its size allows; the file is cut short or damaged, "
                               "download it again");
  return Error::success();
}

Error GgufReader::readArray(StringRef key, MetadataValue &value) {
  uint32_t element;
  if (!number(element) || !number(value.count))
    return truncated();
  value.element = ValueType(element);
  uint64_t begin = at;
  if (value.element == ValueType::String) {
    StringRef ignored;
    for (uint64_t i = 0; i < value.count; ++i)
      if (Error problem = text("a string of " + quoted(key), ignored))
        return problem;
  } else if (element > uint32_t(ValueType::F64) || value.element == ValueType::Array) {
    return fileError(path, "metadata " + quoted(key) + " is a list of values of type " + Twine(element) +
                               ", which GGUF does not have; the file is damaged");
  } else {
    uint64_t size = sizeOf(value.element);
    ArrayRef<uint8_t> taken;
    if (value.count > bytes.size() / size || !take(value.count * size, taken))
      return truncated();
  }
  value.bytes = bytes.slice(begin, at - begin);
  return Error::success();
}

Error GgufReader::readEntry(MetadataEntry &entry) {
  uint32_t type;
  if (Error problem = text("the key", entry.key))
    return problem;
  if (!number(type))
    return truncated();
  entry.value.type = ValueType(type);
  if (entry.value.type == ValueType::Array)
    return readArray(entry.key, entry.value);
  if (entry.value.type == ValueType::String) {
    StringRef value;
    if (Error problem = text("the value of " + quoted(entry.key), value))
      return problem;
    entry.value.bytes = arrayRefFromStringRef(value);
    return Error::success();
  }
  if (type > uint32_t(ValueType::F64))
    return fileError(path, "metadata " + quoted(entry.key) + " has type " + Twine(type) +
                               ", which GGUF does not have; the file is damaged");
  return take(sizeOf(entry.value.type), entry.value.bytes) ? Error::success() : truncated();
}

// dims[0] is the innermost extent.
Error GgufReader::readInfo(Info &info) {
  uint32_t dimensions, type;
  if (Error problem = text("the tensor's name", info.tensor.name))
    return problem;
  if (!number(dimensions))
    return truncated();
  if (dimensions > 4)
    return tensorError(path, info.tensor.name,
                       "has " + Twine(dimensions) +
                           " dimensions, above GGUF's limit of 4; the file is damaged");
  for (uint32_t i = 0; i < dimensions; ++i) {
    uint64_t extent;
    if (!number(extent))
      return truncated();
    info.tensor.shape.insert(info.tensor.shape.begin(), int64_t(extent));
  }
  if (!number(type) || !number(info.offset))
    return truncated();
  return checkType(type, info);
}

Error GgufReader::checkType(uint32_t type, Info &info) {
  Tensor &tensor = info.tensor;
  tensor.type = findGgufType(type);
  if (const RequantizedType *removed = tensor.type ? nullptr : findRequantized(type))
    return tensorError(path, tensor.name,
                       "has type " + removed->name +
                           ", which ggml has removed; quantize the "
                           "model again, to " +
                           removed->nearest);
  if (!tensor.type)
    return tensorError(
        path, tensor.name,
        "has type " + Twine(type) +
            ", which ggml does not have; forks of llama.cpp reuse such numbers: convert the model "
            "with llama.cpp, to TQ2_0 where it is ternary");
  std::optional<uint64_t> elements = countElements(tensor.shape);
  int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
  std::optional<uint64_t> size = elements ? tensor.type->bytesOf(*elements) : std::nullopt;
  if (!elements || (row % tensor.type->block == 0 && !size))
    return tensorError(path, tensor.name,
                       "its shape has more elements than a file can hold; the file is damaged");
  if (row % tensor.type->block)
    return tensorError(path, tensor.name,
                       "rows of " + Twine(row) + " elements are no whole blocks of " +
                           Twine(tensor.type->block) + ", as " + tensor.type->name +
                           " needs; the file is damaged");
  info.size = *size;
  return Error::success();
}

Error GgufReader::addTensors(ArrayRef<Info> infos, uint64_t alignment) {
  size_t first = checkpoint.tensors.size();
  uint64_t start = std::min<uint64_t>(alignTo(at, alignment), bytes.size());
  ArrayRef<uint8_t> data = bytes.drop_front(start);
  for (const Info &info : infos) {
    Tensor tensor = info.tensor;
    if (info.offset % alignment)
      return tensorError(path, tensor.name,
                         "its offset " + Twine(info.offset) + " is no multiple of the alignment " +
                             Twine(alignment) + "; the file is damaged");
    if (info.offset > data.size() || info.size > data.size() - info.offset)
      return tensorError(path, tensor.name,
                         "its " + Twine(info.size) + " bytes at offset " + Twine(info.offset) +
                             " do not lie in the " + Twine(data.size()) +
                             " bytes of data; the file is cut short or damaged, download it again");
    tensor.bytes = data.slice(info.offset, info.size);
    if (Error problem = checkpoint.addTensor(std::move(tensor)))
      return problem;
  }
  if (Error problem = checkDisjoint(path, ArrayRef(checkpoint.tensors).drop_front(first)))
    return problem;
  return checkPlaces(infos, alignment, data.size());
}

// Tensors follow one another without holes but for the alignment, from the begin of the data to the end of
// the file (gguf_init_from_file demands the same); the last may lack its padding. Where a type's number is
// one of a fork's own, its sizes differ, and this is the only sign of it.
Error GgufReader::checkPlaces(std::vector<Info> infos, uint64_t alignment, uint64_t bytesOfData) const {
  sort(infos,
       [](const Info &a, const Info &b) { return std::tie(a.offset, a.size) < std::tie(b.offset, b.size); });
  if (!infos.empty() && infos.front().offset != 0)
    return tensorError(path, infos.front().tensor.name,
                       Twine(infos.front().offset) +
                           " bytes of data before it belong to no tensor; the file is damaged, or another "
                           "program's: convert the model with llama.cpp");
  for (size_t i = 0; i < infos.size(); ++i) {
    const Info &info = infos[i];
    bool isLast = i + 1 == infos.size();
    uint64_t end = isLast ? bytesOfData : infos[i + 1].offset;
    uint64_t padded = info.offset + alignTo(info.size, alignment);
    if (end == padded || (isLast && end >= info.offset + info.size && end < padded))
      continue;
    return tensorError(path, info.tensor.name,
                       "takes " + Twine(end - info.offset) + " bytes" +
                           (isLast ? " up to the end of the file" : "") + ", and its type " +
                           info.tensor.type->name + " needs " + Twine(info.size) +
                           ": another program's type? forks of llama.cpp reuse the numbers of types; convert "
                           "the model with llama.cpp");
  }
  return Error::success();
}

Error GgufReader::read() {
  uint64_t tensorCount = 0, valueCount = 0;
  if (Error problem = readHeader(tensorCount, valueCount))
    return problem;
  DenseSet<StringRef> keys;
  for (uint64_t i = 0; i < valueCount; ++i) {
    MetadataEntry entry;
    if (Error problem = readEntry(entry))
      return problem;
    if (!keys.insert(entry.key).second)
      return fileError(path, "metadata " + quoted(entry.key) +
                                 " is given twice; the file is damaged, or another "
                                 "program's: convert the model with llama.cpp");
    metadata.entries.push_back(entry);
  }
  std::vector<Info> infos(tensorCount);
  for (Info &info : infos)
    if (Error problem = readInfo(info))
      return problem;
  const MetadataValue *value = metadata.find("general.alignment");
  std::optional<int64_t> alignment = value ? value->integer() : 32;
  if (!alignment || *alignment < 1 || *alignment > (1 << 24) || !isPowerOf2_64(uint64_t(*alignment)))
    return fileError(path, "general.alignment is no power of two up to 2^24; the file is damaged");
  checkpoint.files.push_back(path.str());
  return addTensors(infos, uint64_t(*alignment));
}

static std::string partName(StringRef stem, int64_t part, int64_t count) {
  std::string name = stem.str();
  raw_string_ostream(name) << format("-%05d-of-%05d.gguf", int(part), int(count));
  return name;
}

namespace {

// What each part of a split model says of itself and of the whole.
class SplitModel {
public:
  SplitModel(const Metadata &first, int64_t count) : first(first), count(count) {}

  // `part` counts from 0, as split.no does.
  Error check(StringRef path, const Metadata &metadata, int64_t part) const;
  Error checkTensors(StringRef path, int64_t found) const;

private:
  Error foreign(StringRef path, const Twine &what) const {
    return fileError(path, what + "; is it a part of another model? download the parts of one model again");
  }

  const Metadata &first;
  const int64_t count;
};

} // namespace

Error SplitModel::check(StringRef path, const Metadata &metadata, int64_t part) const {
  for (auto [key, wanted] : {std::pair("split.no", part), std::pair("split.count", count)}) {
    const MetadataValue *value = metadata.find(key);
    if (!value || value->integer() != wanted)
      return foreign(path, (value ? key + Twine(" is not ") : "has no " + Twine(key) + ", which would be ") +
                               Twine(wanted) + ", as of part " + Twine(part + 1) + " of " + Twine(count));
  }
  // Others than the first have no more than split.* from llama.cpp's tools; alignment is a file's own.
  for (const MetadataEntry &entry : metadata.entries) {
    const MetadataValue *value = first.find(entry.key);
    if (value && !(*value == entry.value) && entry.key != "split.no" && entry.key != "general.alignment")
      return foreign(path, "its " + quoted(entry.key) + " differs from that of the first part");
  }
  return Error::success();
}

Error SplitModel::checkTensors(StringRef path, int64_t found) const {
  const MetadataValue *value = first.find("split.tensors.count");
  if (value && value->integer() == found)
    return Error::success();
  return foreign(path, value ? "split.tensors.count is not " + Twine(found) + ", the tensors of all " +
                                   Twine(count) + " parts"
                             : Twine("has no split.tensors.count"));
}

// Adds the tensors of one file; the metadata of the checkpoint is the first one's.
static Expected<Metadata> readGguf(StringRef path, Checkpoint &checkpoint) {
  Expected<ArrayRef<uint8_t>> bytes = checkpoint.mapFile(path);
  if (!bytes)
    return bytes.takeError();
  if (toStringRef(bytes->take_front(4)) != "GGUF")
    return fileError(path, "is no GGUF file; give the parts of one model");
  GgufReader reader(path, *bytes, checkpoint);
  if (Error problem = reader.read())
    return std::move(problem);
  return std::move(reader.metadata);
}

Error readGgufParts(StringRef path, Checkpoint &checkpoint) {
  Expected<Metadata> first = readGguf(path, checkpoint);
  if (!first)
    return first.takeError();
  checkpoint.metadata = std::move(*first);
  const MetadataValue *value = checkpoint.metadata.find("split.count");
  int64_t count = value ? value->integer().value_or(1) : 1;
  if (count <= 1)
    return Error::success();
  if (count > 99999)
    return fileError(path, "says that it is one of " + Twine(count) + " parts; the file is damaged");
  StringRef stem = path;
  std::string name = partName("", 1, count);
  if (!stem.consume_back(name))
    return fileError(path, "is one of " + Twine(count) + " parts; give the first one, called <name>" + name);
  SplitModel split(checkpoint.metadata, count);
  if (Error problem = split.check(path, checkpoint.metadata, 0))
    return problem;
  for (int64_t part = 1; part < count; ++part) {
    std::string file = partName(stem, part + 1, count);
    Expected<Metadata> metadata = readGguf(file, checkpoint);
    if (!metadata)
      return metadata.takeError();
    if (Error problem = split.check(file, *metadata, part))
      return problem;
  }
  return split.checkTensors(path, int64_t(checkpoint.tensors.size()));
}

} // namespace lut
