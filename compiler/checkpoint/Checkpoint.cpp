#include "compiler/checkpoint/Checkpoint.h"

#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/FileKind.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <numeric>
#include <sys/mman.h>

using namespace llvm;

namespace lut {

Error fileError(StringRef path, const Twine &message) {
  return createStringError(inconvertibleErrorCode(), path + ": " + message);
}

std::string quoted(StringRef name) {
  static constexpr size_t limit = 160;
  std::string text = "'";
  raw_string_ostream stream(text);
  printEscapedString(name.take_front(limit), stream);
  stream << (name.size() > limit ? "...'" : "'");
  return text;
}

Error tensorError(StringRef path, StringRef tensor, const Twine &message) {
  return fileError(path, "tensor " + quoted(tensor) + ": " + message);
}

std::optional<uint64_t> countElements(ArrayRef<int64_t> shape) {
  uint64_t count = 1;
  for (int64_t extent : shape) {
    bool overflow = false;
    count = SaturatingMultiply(count, uint64_t(extent), &overflow);
    if (extent < 0 || overflow || count > uint64_t(INT64_MAX))
      return std::nullopt;
  }
  return count;
}

int64_t Tensor::elements() const { return int64_t(*countElements(shape)); }

std::string Tensor::shapeText() const {
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

Error checkDisjoint(StringRef path, ArrayRef<Tensor> tensors) {
  std::vector<const Tensor *> order;
  for (const Tensor &tensor : tensors)
    if (!tensor.bytes.empty())
      order.push_back(&tensor);
  sort(order, [](const Tensor *a, const Tensor *b) { return a->bytes.data() < b->bytes.data(); });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i]->bytes.data() < order[i - 1]->bytes.end())
      return tensorError(path, order[i]->name,
                         "overlaps tensor " + quoted(order[i - 1]->name) +
                             "; the file is damaged, download it again");
  return Error::success();
}

const Tensor *Checkpoint::find(StringRef name) const {
  auto found = indexOf.find(name);
  return found == indexOf.end() ? nullptr : &tensors[found->second];
}

void Checkpoint::sortNames() {
  byName.assign(tensors.size(), 0);
  std::iota(byName.begin(), byName.end(), 0);
  sort(byName, [&](unsigned a, unsigned b) { return tensors[a].name < tensors[b].name; });
}

std::vector<const Tensor *> Checkpoint::startingWith(StringRef prefix) const {
  std::vector<const Tensor *> found;
  auto at = llvm::lower_bound(byName, prefix,
                              [&](unsigned index, StringRef name) { return tensors[index].name < name; });
  for (; at != byName.end() && tensors[*at].name.starts_with(prefix); ++at)
    found.push_back(&tensors[*at]);
  return found;
}

Error Checkpoint::addTensor(Tensor tensor) {
  if (!indexOf.try_emplace(tensor.name, unsigned(tensors.size())).second)
    return tensorError(path, tensor.name, "there are two of this name; keep one");
  tensors.push_back(std::move(tensor));
  return Error::success();
}

// Devices and pipes have no end to check extents against.
Expected<ArrayRef<uint8_t>> Checkpoint::mapFile(StringRef file) {
  sys::fs::file_status status;
  std::error_code problem = sys::fs::status(file, status);
  if (!problem && status.type() != sys::fs::file_type::regular_file)
    return fileError(file, "is no regular file");
  if (!problem) {
    auto buffer = MemoryBuffer::getFile(file, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    problem = buffer.getError();
    if (!problem) {
      buffers.push_back(std::move(*buffer));
      return arrayRefFromStringRef(buffers.back()->getBuffer());
    }
  }
  return fileError(file, "cannot read: " + problem.message());
}

void Checkpoint::dropPages(ArrayRef<uint8_t> bytes) const {
  bool isMapped = any_of(buffers, [&](const auto &buffer) {
    return buffer->getBufferKind() == MemoryBuffer::MemoryBuffer_MMap &&
           arrayRefFromStringRef(buffer->getBuffer()).begin() <= bytes.begin() &&
           bytes.end() <= arrayRefFromStringRef(buffer->getBuffer()).end();
  });
  uintptr_t page = sys::Process::getPageSizeEstimate();
  uintptr_t begin = alignTo(uintptr_t(bytes.begin()), page), end = alignDown(uintptr_t(bytes.end()), page);
  if (isMapped && begin < end)
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}

StringRef modelStem(StringRef path) {
  StringRef stem = sys::path::stem(path), name = stem;
  auto dropNumber = [&](StringRef before) {
    size_t digits = name.size() - name.rtrim("0123456789").size();
    name = name.drop_back(digits);
    return digits && name.consume_back(before);
  };
  return dropNumber("-of-") && dropNumber("-") && !name.empty() ? name : stem;
}

namespace {

// The files of a directory that may hold its tensors.
struct Candidates {
  std::vector<std::string> indexes, files;
  std::string other; // by another program, which lutc does not read

  Error collect(StringRef directory);
  Expected<std::string> choose(StringRef directory) const;
};

} // namespace

// By name; what is called otherwise counts by its content where there is nothing else.
Error Candidates::collect(StringRef directory) {
  std::vector<std::string> unnamed;
  std::error_code problem;
  for (sys::fs::directory_iterator it(directory, problem), end; it != end && !problem;
       it.increment(problem)) {
    StringRef name = sys::path::filename(it->path());
    bool isLaterPart = name.contains("-of-") && !name.contains("-00001-of-");
    if (name.ends_with(".safetensors.index.json"))
      indexes.push_back(it->path());
    else if (name.ends_with(".safetensors") || (name.ends_with(".gguf") && !isLaterPart))
      files.push_back(it->path());
    else
      unnamed.push_back(it->path());
  }
  if (problem)
    return fileError(directory, "cannot read: " + problem.message());
  if (!indexes.empty() || !files.empty())
    return Error::success();
  sort(unnamed);
  for (const std::string &file : unnamed) {
    FileKind kind = fileKind(file);
    if (kind == FileKind::Safetensors || kind == FileKind::Gguf)
      files.push_back(file);
    if (kind == FileKind::Zip || kind == FileKind::Pickle)
      other = file;
  }
  return Error::success();
}

Expected<std::string> Candidates::choose(StringRef directory) const {
  if (indexes.size() == 1)
    return indexes.front();
  if (!indexes.empty())
    return fileError(directory, "holds several indexes; name one of them");
  auto plain =
      find_if(files, [](StringRef file) { return sys::path::filename(file) == "model.safetensors"; });
  if (plain != files.end())
    return *plain;
  if (files.size() == 1)
    return files.front();
  if (!files.empty())
    return fileError(
        directory,
        "holds several files of tensors and no model.safetensors.index.json; name one of the files");
  if (!other.empty())
    return unexpectedFile(other, fileKind(other), WantedFile::Checkpoint);
  return fileError(directory, "holds no .safetensors and no .gguf file; give the directory of a checkpoint");
}

// The file of a directory that holds its tensors, or names those that do.
static Expected<std::string> chooseFile(StringRef directory) {
  Candidates candidates;
  if (Error problem = candidates.collect(directory))
    return std::move(problem);
  return candidates.choose(directory);
}

// model.safetensors.index.json beside model-00001-of-00003.safetensors; empty: there is none.
static std::string indexBeside(StringRef file) {
  SmallString<128> index(sys::path::parent_path(file));
  sys::path::append(index, modelStem(file) + ".safetensors.index.json");
  return sys::fs::exists(index) ? index.str().str() : "";
}

static Error readFile(StringRef file, Checkpoint &checkpoint) {
  FileKind kind = fileKind(file);
  if (kind == FileKind::Gguf) {
    checkpoint.container = Checkpoint::Container::Gguf;
    return readGgufParts(file, checkpoint);
  }
  if (kind == FileKind::ShardIndex || (isText(kind) && file.ends_with(".index.json")))
    return readShardIndex(file, checkpoint);
  // Damaged files have errors of their own there.
  if (is_contained({FileKind::Safetensors, FileKind::Binary, FileKind::Empty, FileKind::Pipe,
                    FileKind::Special, FileKind::Unreadable},
                   kind))
    return readSafetensors(file, checkpoint);
  return unexpectedFile(file, kind, WantedFile::Checkpoint);
}

static const Architecture *architectureOf(const Metadata &metadata) {
  const MetadataValue *value = metadata.find("general.architecture");
  std::string name = value ? value->string().value_or("").str() : "";
  const MetadataValue *experts = metadata.find(name + ".expert_count");
  return findArchitecture(name, experts && experts->integer().value_or(0) > 0);
}

Expected<Checkpoint> openCheckpoint(StringRef path) {
  Checkpoint checkpoint;
  checkpoint.path = path.str();
  std::string file = path.str();
  FileKind kind = fileKind(path);
  if (kind == FileKind::ModelConfig) {
    StringRef parent = sys::path::parent_path(path);
    file = parent.empty() ? "." : parent.str();
  }
  if (kind == FileKind::Directory || kind == FileKind::ModelConfig) {
    Expected<std::string> chosen = chooseFile(file);
    if (!chosen)
      return chosen.takeError();
    file = *chosen;
  }
  if (kind == FileKind::Safetensors && modelStem(file) != sys::path::stem(file)) {
    std::string index = indexBeside(file);
    if (index.empty())
      checkpoint.notes.push_back(
          file + ": is a part of a model, without the index of all; its tensors are read alone");
    else
      file = index;
  }
  if (Error problem = readFile(file, checkpoint))
    return std::move(problem);
  checkpoint.sortNames();
  if (checkpoint.isGguf())
    checkpoint.architecture = architectureOf(checkpoint.metadata);
  SmallString<128> config(sys::path::parent_path(file));
  sys::path::append(config, "config.json");
  if (sys::fs::exists(config))
    checkpoint.config = config.str().str();
  return std::move(checkpoint);
}

} // namespace lut
