// safetensors: u64 size of a JSON header, the header, the bytes of the tensors.
#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/JsonScanner.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace lut {

// The limit of the format's own library.
static constexpr uint64_t maxHeader = 100'000'000;
static constexpr size_t maxDimensions = 8;

namespace {

class SafetensorsReader {
public:
  SafetensorsReader(StringRef path, ArrayRef<uint8_t> header, ArrayRef<uint8_t> data, Checkpoint &checkpoint)
      : path(path), json(toStringRef(header)), data(data), checkpoint(checkpoint) {}

  Error read();

private:
  struct Entry {
    std::string dtype;
    SmallVector<int64_t, 4> shape;
    SmallVector<uint64_t, 2> offsets;
  };

  bool readMetadata();
  Error checkPlaces(ArrayRef<Tensor> tensors) const;
  bool readEntry(Entry &entry);
  bool readNumbers(size_t limit, SmallVectorImpl<uint64_t> &numbers);
  Error addEntry(StringRef name, const Entry &entry);

  StringRef path;
  JsonScanner json;
  ArrayRef<uint8_t> data;
  Checkpoint &checkpoint;
};

} // namespace

bool SafetensorsReader::readMetadata() {
  StringSet<> keys;
  return json.object([&](StringRef key) {
    SmallString<64> storage;
    if (!keys.insert(key).second)
      return json.fail(quoted(key) + " is given twice");
    StringRef text, saved = checkpoint.save(key);
    if (!json.string(text, storage))
      return false;
    MetadataValue value;
    value.bytes = arrayRefFromStringRef(checkpoint.save(text));
    if (checkpoint.files.size() == 1) // shards repeat it
      checkpoint.metadata.entries.push_back({saved, value});
    return true;
  });
}

bool SafetensorsReader::readNumbers(size_t limit, SmallVectorImpl<uint64_t> &numbers) {
  numbers.clear();
  return json.array([&] {
    uint64_t number;
    if (!json.integer(number))
      return false;
    numbers.push_back(number);
    return numbers.size() <= limit || json.fail("more than " + Twine(limit) + " numbers");
  });
}

bool SafetensorsReader::readEntry(Entry &entry) {
  SmallSet<std::string, 4> keys;
  return json.object([&](StringRef key) {
    SmallString<16> storage;
    if (!keys.insert(key.str()).second)
      return json.fail(quoted(key) + " is given twice");
    SmallVector<uint64_t, 8> numbers;
    StringRef text;
    if (key == "dtype") {
      if (!json.string(text, storage))
        return false;
      entry.dtype = text.str();
      return true;
    }
    if (key == "data_offsets")
      return readNumbers(2, entry.offsets);
    if (key != "shape")
      return json.fail("unknown key " + quoted(key) + " of a tensor");
    if (!readNumbers(maxDimensions, numbers))
      return false;
    entry.shape.assign(numbers.begin(), numbers.end());
    return true;
  });
}

Error SafetensorsReader::addEntry(StringRef name, const Entry &entry) {
  auto error = [&](const Twine &message) { return tensorError(path, name, message); };
  Tensor tensor;
  tensor.type = findSafetensorsType(entry.dtype);
  if (!tensor.type)
    return error("unknown dtype " + quoted(entry.dtype) + "; save it as F32, F16 or BF16");
  std::optional<uint64_t> elements = countElements(entry.shape);
  std::optional<uint64_t> size = elements ? tensor.type->bytesOf(*elements) : std::nullopt;
  if (!size)
    return error("its shape has more elements than a file can hold; the file is damaged");
  if (entry.offsets.size() != 2 || entry.offsets[0] > entry.offsets[1] || entry.offsets[1] > data.size())
    return error("data_offsets do not lie in the " + Twine(data.size()) +
                 " bytes behind the header; the file is cut short or damaged, download it again");
  if (entry.offsets[1] - entry.offsets[0] != *size)
    return error("data_offsets span " + Twine(entry.offsets[1] - entry.offsets[0]) +
                 " bytes, and dtype and shape need " + Twine(*size) + "; the file is damaged");
  tensor.name = checkpoint.save(name);
  tensor.shape = entry.shape;
  tensor.bytes = data.slice(entry.offsets[0], *size);
  return checkpoint.addTensor(std::move(tensor));
}

Error SafetensorsReader::read() {
  size_t first = checkpoint.tensors.size();
  Error problem = Error::success();
  bool hasMetadata = false;
  bool good = json.object([&](StringRef key) {
    if (key == "__metadata__" && std::exchange(hasMetadata, true))
      return json.fail("'__metadata__' is given twice");
    if (key == "__metadata__")
      return readMetadata();
    Entry entry;
    if (!readEntry(entry))
      return false;
    problem = joinErrors(std::move(problem), addEntry(key, entry));
    return !problem;
  });
  if (problem)
    return problem;
  // Writers pad the header with spaces.
  if (!good || !(json.atEnd() || json.fail("text behind the header's object")))
    return fileError(path, "the header is no table of tensors: " + json.problem() +
                               "; the file is damaged, download it again");
  return checkPlaces(ArrayRef(checkpoint.tensors).drop_front(first));
}

// Tensors follow one another without holes from the begin of the data to the end of the file: the rule of the
// format's own library (Metadata::validate).
Error SafetensorsReader::checkPlaces(ArrayRef<Tensor> tensors) const {
  if (Error problem = checkDisjoint(path, tensors))
    return problem;
  std::vector<ArrayRef<uint8_t>> places;
  for (const Tensor &tensor : tensors)
    places.push_back(tensor.bytes);
  sort(places, [](auto a, auto b) { return std::pair(a.begin(), a.end()) < std::pair(b.begin(), b.end()); });
  const uint8_t *end = data.begin();
  places.push_back(data.take_back(0));
  for (ArrayRef<uint8_t> place : places) {
    if (place.begin() != end)
      return fileError(path,
                       Twine(place.begin() - end) + " bytes from byte " + Twine(end - data.begin()) +
                           " of the data on belong to no tensor; the file is damaged, or was not written by "
                           "safetensors: save it again");
    end = place.end();
  }
  return Error::success();
}

Error readSafetensors(StringRef path, Checkpoint &checkpoint) {
  Expected<ArrayRef<uint8_t>> bytes = checkpoint.mapFile(path);
  if (!bytes)
    return bytes.takeError();
  if (bytes->size() < 8)
    return fileError(path, "has " + Twine(bytes->size()) +
                               " bytes, too few for a checkpoint; give a .safetensors or .gguf file");
  uint64_t header = readLe<uint64_t>(bytes->data());
  if (header > maxHeader || header > bytes->size() - 8)
    return fileError(path, "is no safetensors file, or is cut short: it says its header has " +
                               Twine(header) + " bytes; give a .safetensors or .gguf file");
  if (!toStringRef(bytes->slice(8, header)).starts_with("{"))
    return fileError(
        path, "the header is no table of tensors: expected '{' as its first byte; the file is damaged, "
              "download it again");
  checkpoint.files.push_back(path.str());
  return SafetensorsReader(path, bytes->slice(8, header), bytes->drop_front(8 + header), checkpoint).read();
}

namespace {

// {"metadata": {"total_size": 8}, "weight_map": {"model.layers.0....": "model-00001-of-00002.safetensors",
// ...}}
class ShardIndex {
public:
  ShardIndex(StringRef path, Checkpoint &checkpoint) : path(path), checkpoint(checkpoint) {}

  Error read(StringRef text);

private:
  bool readPlaces(JsonScanner &json);
  bool readMetadata(JsonScanner &json);
  Error readShards();
  Error checkPlaces() const;
  void compareSize();

  StringRef path;
  Checkpoint &checkpoint;
  std::optional<uint64_t> totalSize;       // of all tensors, as the index says
  MapVector<StringRef, StringRef> shardOf; // of each tensor
  StringSet<> shards;
  MapVector<StringRef, std::pair<size_t, size_t>> ranges; // tensors of each shard
};

} // namespace

bool ShardIndex::readPlaces(JsonScanner &json) {
  return json.object([&](StringRef name) {
    SmallString<64> storage;
    StringRef saved = checkpoint.save(name), shard;
    if (!json.string(shard, storage))
      return false;
    bool isFileName = !shard.empty() && sys::path::filename(shard) == shard && !shard.starts_with(".") &&
                      none_of(shard, [](unsigned char c) { return c < ' '; });
    if (!isFileName)
      return json.fail(quoted(shard) + " is no name of a file beside the index");
    bool isNew = shardOf.insert({saved, shards.insert(shard).first->first()}).second;
    return isNew || json.fail("tensor " + quoted(name) + " is given twice");
  });
}

bool ShardIndex::readMetadata(JsonScanner &json) {
  return json.object([&](StringRef key) {
    uint64_t size = 0;
    bool isSize = key == "total_size" && json.nextIsInteger();
    if (!(isSize ? json.integer(size) : json.skipValue()))
      return false;
    if (isSize)
      totalSize = size;
    return true;
  });
}

Error ShardIndex::readShards() {
  std::vector<StringRef> order(shards.keys().begin(), shards.keys().end());
  llvm::sort(order);
  for (StringRef shard : order) {
    SmallString<128> file(sys::path::parent_path(path));
    sys::path::append(file, shard);
    size_t first = checkpoint.tensors.size();
    if (Error problem = readSafetensors(file, checkpoint))
      return problem;
    ranges[shard] = {first, checkpoint.tensors.size()};
  }
  return Error::success();
}

// The index and the shards name the same tensors, in the same files.
Error ShardIndex::checkPlaces() const {
  for (auto [name, shard] : shardOf) {
    const Tensor *tensor = checkpoint.find(name);
    size_t index = tensor ? tensor - checkpoint.tensors.data() : SIZE_MAX;
    auto [first, end] = ranges.lookup(shard);
    if (index < first || index >= end)
      return tensorError(path, name,
                         "is not in " + quoted(shard) +
                             ", where the index says it is; download that file again");
  }
  for (auto [shard, range] : ranges)
    for (const Tensor &tensor : ArrayRef(checkpoint.tensors).slice(range.first, range.second - range.first))
      if (!shardOf.contains(tensor.name))
        return tensorError(path, tensor.name,
                           "is in " + quoted(shard) +
                               ", and the index does not name it; is that file a part of another model? "
                               "download the index and that file again");
  return Error::success();
}

// Converters that write other types often copy the size from the index of the original.
void ShardIndex::compareSize() {
  uint64_t size = 0;
  for (const Tensor &tensor : checkpoint.tensors)
    size += tensor.bytes.size();
  if (totalSize && *totalSize != size)
    checkpoint.notes.push_back((path + ": total_size is " + Twine(*totalSize) + ", and the tensors have " +
                                Twine(size) + " bytes; the tensors count")
                                   .str());
}

Error ShardIndex::read(StringRef text) {
  JsonScanner json(text);
  bool hasPlaces = false;
  bool good = json.object([&](StringRef key) {
    if (key == "metadata" && json.nextIsObject())
      return readMetadata(json);
    if (key != "weight_map")
      return json.skipValue();
    if (std::exchange(hasPlaces, true))
      return json.fail("'weight_map' is given twice");
    return readPlaces(json);
  });
  if (!good || !(json.atEnd() || json.fail("text behind the object")))
    return fileError(path, "is no index of tensors: " + json.problem() + "; download it again");
  if (shardOf.empty())
    return fileError(path, "names no tensors in weight_map; name a .safetensors file instead");
  if (Error problem = readShards())
    return problem;
  if (Error problem = checkPlaces())
    return problem;
  compareSize();
  return Error::success();
}

Error readShardIndex(StringRef path, Checkpoint &checkpoint) {
  Expected<ArrayRef<uint8_t>> bytes = checkpoint.mapFile(path);
  if (!bytes)
    return bytes.takeError();
  if (bytes->size() > maxHeader)
    return fileError(path, "is larger than an index of tensors; give the directory of a checkpoint");
  return ShardIndex(path, checkpoint).read(toStringRef(*bytes));
}

} // namespace lut
