// Any bytes as a file: what it is, and the error where another one is wanted.
#include "compiler/checkpoint/FileKind.h"
#include "fuzz.h"

using namespace lut;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string path = test::fileOf(data, size);
  FileKind kind = fileKind(path);
  if (kind != fileKindOf(llvm::StringRef(reinterpret_cast<const char *>(data), size)))
    abort();
  for (WantedFile wanted : {WantedFile::Checkpoint, WantedFile::Config, WantedFile::Manifest,
                            WantedFile::Text, WantedFile::Program})
    test::expectGood(unexpectedFile(path, kind, wanted));
  return 0;
}
