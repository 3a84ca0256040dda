// A file of known size that appears under its name when it is complete, or not at all.
#ifndef LUT_COMPILER_PACK_ATOMICFILE_H
#define LUT_COMPILER_PACK_ATOMICFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace lut {

// Until it is complete it is called <path>.partial. That name is fixed, so that a run takes the place of one
// that was killed; a lock keeps it from taking that of one that still writes.
class AtomicFile {
public:
  // An error where the file, or what it is called until then, is one of those that are read.
  static llvm::Error checkReplacesNone(llvm::ArrayRef<std::string> inputs, llvm::StringRef path);
  static llvm::Expected<std::unique_ptr<AtomicFile>> create(llvm::StringRef path, uint64_t bytes);
  ~AtomicFile(); // removes what has not been committed

  // From any number of threads.
  llvm::Error write(uint64_t offset, llvm::ArrayRef<uint8_t> bytes);
  llvm::Error read(uint64_t offset, llvm::MutableArrayRef<uint8_t> bytes) const;

  // Brings everything to the disk, then renames it.
  llvm::Error commit();

private:
  explicit AtomicFile(llvm::StringRef path) : path(path), partial(partialOf(path)) {}
  static std::string partialOf(llvm::StringRef path) { return (path + ".partial").str(); }
  llvm::Error open();
  llvm::Error cannot(llvm::StringRef action, std::error_code problem) const;

  const std::string path, partial;
  int descriptor = -1;
};

} // namespace lut

#endif
