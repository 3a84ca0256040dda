// What a file is, by its first bytes, whatever it is called.
#ifndef LUT_COMPILER_CHECKPOINT_FILEKIND_H
#define LUT_COMPILER_CHECKPOINT_FILEKIND_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace lut {

enum class FileKind {
  Unreadable, // or absent
  Pipe,       // which is read once
  Special,    // a device
  Directory,
  Safetensors,
  Gguf,
  ShardIndex,  // model.safetensors.index.json
  ModelConfig, // a Hugging Face config.json
  Packed,      // by lutc pack
  Manifest,    // by lutc compile
  Tuning,      // by lutc bench --tune
  Json,        // of another kind
  Text,
  Utf16,
  Html,
  LfsPointer,
  Archive,
  Elf,
  Zip,
  Pickle,
  Gzip,
  Empty,
  Binary
};

// What is asked for where a file is given.
enum class WantedFile { Checkpoint, Config, Manifest, Text, Program };

FileKind fileKind(llvm::StringRef path);
FileKind fileKindOf(llvm::StringRef bytes); // of all bytes of a file

// Whether text does not have the character: only tabs, ends of lines and form feeds are control characters of
// text.
bool isControl(char c);

bool isText(FileKind kind);
// Whether the file has a model's tensors, or names the files that do.
bool isCheckpoint(FileKind kind);

// "path: is a static library; give ...": a file of this kind is not what is wanted.
llvm::Error unexpectedFile(llvm::StringRef path, FileKind kind, WantedFile wanted);

} // namespace lut

#endif
