#include "compiler/checkpoint/FileKind.h"

#include "compiler/checkpoint/Bytes.h"
#include "compiler/checkpoint/Containers.h"
#include "compiler/checkpoint/JsonScanner.h"
#include "runtime/file.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace lut {

namespace {

struct KindRow {
  FileKind kind;
  StringLiteral what;
  StringLiteral magic = ""; // first bytes; empty: told otherwise
};

constexpr KindRow rows[] = {
    {FileKind::Gguf, "a GGUF file", "GGUF"},
    {FileKind::Packed, "a packed model", LUTC_FILE_MAGIC},
    {FileKind::LfsPointer, "a Git LFS pointer, not the file that it stands for",
     "version https://git-lfs.github.com/spec"},
    {FileKind::Archive, "a static library", "!<arch>\n"},
    {FileKind::Archive, "a static library", "!<thin>\n"},
    {FileKind::Elf, "an ELF file (a program, an object or a shared library)",
     "\x7f"
     "ELF"},
    {FileKind::Zip, "a zip file, as PyTorch writes .bin and .pt", "PK\x03\x04"},
    {FileKind::Pickle, "a Python pickle, as PyTorch wrote .bin and .pt", "\x80\x02"},
    {FileKind::Pickle, "a Python pickle", "\x80\x03"},
    {FileKind::Pickle, "a Python pickle", "\x80\x04"},
    {FileKind::Pickle, "a Python pickle", "\x80\x05"},
    {FileKind::Gzip, "a gzip file", "\x1f\x8b"},
    {FileKind::Utf16, "text in UTF-16", "\xff\xfe"},
    {FileKind::Utf16, "text in UTF-16", "\xfe\xff"},
    {FileKind::Html, "a web page", "<!DOCTYPE"},
    {FileKind::Html, "a web page", "<!doctype"},
    {FileKind::Html, "a web page", "<html"},
    {FileKind::Pipe, "no regular file"},
    {FileKind::Special, "no regular file"},
    {FileKind::Directory, "a directory"},
    {FileKind::Safetensors, "a safetensors file"},
    {FileKind::ShardIndex, "an index of safetensors files"},
    {FileKind::ModelConfig, "the config of a model"},
    {FileKind::Manifest, "the manifest of a library that lutc compiled"},
    {FileKind::Tuning, "a tuning file of lutc bench"},
    {FileKind::Json, "a JSON file"},
    {FileKind::Text, "a text file"},
    {FileKind::Empty, "empty"},
    {FileKind::Binary, "a binary file that lutc does not know"},
};

// The first key at the top that only one kind of JSON has.
FileKind kindOfJson(StringRef text) {
  FileKind kind = FileKind::Json;
  JsonScanner json(text);
  json.object([&](StringRef key) {
    if (key == "weight_map")
      kind = FileKind::ShardIndex;
    else if (key == "lutc")
      kind = FileKind::Manifest;
    else if (key == "lutc_tuning")
      kind = FileKind::Tuning;
    else if (key == "model_type" || key == "architectures" || key == "text_config")
      kind = FileKind::ModelConfig;
    return (kind == FileKind::Json || kind == FileKind::ModelConfig) && json.skipValue();
  });
  return kind;
}

bool isSafetensors(StringRef bytes) {
  static constexpr uint64_t maxHeader = 100'000'000; // the limit of the format's own library
  return bytes.size() > 8 && bytes[8] == '{' &&
         readLe<uint64_t>(arrayRefFromStringRef(bytes).data()) <= maxHeader;
}

} // namespace

bool isControl(char c) { return (c >= 0 && c < ' ' && !StringRef("\t\n\r\f").contains(c)) || c == 127; }

FileKind fileKindOf(StringRef bytes) {
  static constexpr size_t beginning = 4096;
  if (bytes.empty())
    return FileKind::Empty;
  for (const KindRow &row : rows)
    if (!row.magic.empty() && bytes.starts_with(row.magic))
      return row.kind;
  if (isSafetensors(bytes))
    return FileKind::Safetensors;
  if (bytes.take_front(beginning).contains('\0')) // as git tells text from bytes
    return FileKind::Binary;
  return bytes.ltrim().starts_with("{") ? kindOfJson(bytes) : FileKind::Text;
}

FileKind fileKind(StringRef path) {
  sys::fs::file_status status;
  if (sys::fs::status(path, status))
    return FileKind::Unreadable;
  if (status.type() == sys::fs::file_type::directory_file)
    return FileKind::Directory;
  if (status.type() == sys::fs::file_type::fifo_file)
    return FileKind::Pipe;
  if (status.type() != sys::fs::file_type::regular_file)
    return FileKind::Special;
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  return buffer ? fileKindOf((*buffer)->getBuffer()) : FileKind::Unreadable;
}

bool isText(FileKind kind) {
  return is_contained({FileKind::ShardIndex, FileKind::ModelConfig, FileKind::Manifest, FileKind::Tuning,
                       FileKind::Json, FileKind::Text},
                      kind);
}

bool isCheckpoint(FileKind kind) {
  return is_contained({FileKind::Directory, FileKind::Safetensors, FileKind::Gguf, FileKind::ShardIndex},
                      kind);
}

// The manifest of lib<name>.a, <name>.h or <name>.d, which lutc compile writes beside it.
static std::string manifestBeside(StringRef path) {
  SmallString<128> manifest(sys::path::parent_path(path));
  StringRef stem = sys::path::stem(path);
  stem.consume_front("lib");
  sys::path::append(manifest, stem + ".json");
  return fileKind(manifest) == FileKind::Manifest ? manifest.str().str() : "<name>.json";
}

static std::string remedy(StringRef path, FileKind kind, WantedFile wanted) {
  bool wantsModel = wanted == WantedFile::Checkpoint || wanted == WantedFile::Config;
  if (kind == FileKind::LfsPointer)
    return "fetch that with `git lfs pull`";
  if (kind == FileKind::Html)
    return "download the file itself";
  if (kind == FileKind::Gzip)
    return "unpack it";
  if (kind == FileKind::Utf16)
    return "save it as UTF-8";
  if (wantsModel && (kind == FileKind::Zip || kind == FileKind::Pickle))
    return "save the model as safetensors";
  if (wantsModel && kind == FileKind::Manifest)
    return "give the checkpoint or config that the library was compiled from, or pack for it with lutc pack "
           "--library " +
           path.str();
  if (wantsModel && kind == FileKind::Packed)
    return "give the checkpoint that was packed";
  switch (wanted) {
  case WantedFile::Checkpoint:
    return "give a checkpoint: a directory, a .safetensors or .gguf file";
  case WantedFile::Config:
    return "give a checkpoint, its config.json or a list of kernels (`lutc schema`)";
  case WantedFile::Manifest:
    return "give " + manifestBeside(path) + ", the manifest that lutc compile wrote beside the library";
  case WantedFile::Text:
    return "give YAML or JSON";
  case WantedFile::Program:
    return "give the text of a program (`lutc disassemble` writes it)";
  }
  llvm_unreachable("one of the cases");
}

Error unexpectedFile(StringRef path, FileKind kind, WantedFile wanted) {
  const KindRow *row = find_if(rows, [&](const KindRow &it) { return it.kind == kind; });
  assert(row != std::end(rows) && "files that cannot be read have an error of their own");
  return fileError(path, "is " + row->what + "; " + remedy(path, kind, wanted));
}

} // namespace lut
