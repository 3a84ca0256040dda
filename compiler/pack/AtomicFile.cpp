#include "compiler/pack/AtomicFile.h"

#include "compiler/report/Output.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include <unistd.h>

using namespace llvm;

namespace lut {

static std::error_code lastError() { return std::error_code(errno, std::generic_category()); }

Error AtomicFile::cannot(StringRef action, std::error_code problem) const {
  return createStringError(problem, "cannot " + action + " " + path + ": " + problem.message());
}

// The name may have gone to a finished file between opening and locking; then the next one is ours.
Error AtomicFile::open() {
  for (;;) {
    if (std::error_code problem =
            sys::fs::openFileForReadWrite(partial, descriptor, sys::fs::CD_OpenAlways, sys::fs::OF_None,
                                          sys::fs::all_read | sys::fs::all_write))
      return cannot("write", problem);
    std::error_code locked = sys::fs::tryLockFile(descriptor);
    sys::fs::UniqueID named;
    sys::fs::file_status opened;
    if (!locked && !sys::fs::status(descriptor, opened) && !sys::fs::getUniqueID(partial, named) &&
        opened.getUniqueID() == named)
      return Error::success();
    ::close(descriptor);
    descriptor = -1;
    if (locked == std::errc::no_lock_available) // also LLVM's sign that it is taken
      return createStringError("another lutc is writing " + path + "; wait for it, or write to another file");
    if (locked)
      return cannot("lock", locked);
  }
}

Error AtomicFile::checkReplacesNone(ArrayRef<std::string> inputs, StringRef path) {
  if (Error problem = lut::checkReplacesNone(inputs, path))
    return problem;
  return lut::checkReplacesNone(inputs, partialOf(path));
}

Expected<std::unique_ptr<AtomicFile>> AtomicFile::create(StringRef path, uint64_t bytes) {
  std::unique_ptr<AtomicFile> file(new AtomicFile(path));
  if (Error problem = checkReplaceable(path))
    return std::move(problem);
  // A link of the partial name would lead to somebody else's file.
  if (Error problem = checkReplaceable(file->partial, /*followsLinks=*/false))
    return std::move(problem);
  if (Error problem = file->open())
    return std::move(problem);
  sys::RemoveFileOnSignal(file->partial);
  // Space for all of it, or an early failure.
  std::error_code problem = sys::fs::resize_file(file->descriptor, 0);
  if (!problem)
    problem = sys::fs::resize_file(file->descriptor, bytes);
  if (problem)
    return file->cannot("write", problem);
  return std::move(file);
}

AtomicFile::~AtomicFile() {
  if (descriptor < 0)
    return;
  sys::fs::remove(partial);
  sys::DontRemoveFileOnSignal(partial);
  ::close(descriptor);
}

Error AtomicFile::write(uint64_t offset, ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t written =
        sys::RetryAfterSignal(-1, ::pwrite, descriptor, bytes.data(), bytes.size(), off_t(offset));
    if (written < 0)
      return cannot("write", lastError());
    bytes = bytes.drop_front(written);
    offset += written;
  }
  return Error::success();
}

Error AtomicFile::read(uint64_t offset, MutableArrayRef<uint8_t> bytes) const {
  while (!bytes.empty()) {
    ssize_t got = sys::RetryAfterSignal(-1, ::pread, descriptor, bytes.data(), bytes.size(), off_t(offset));
    if (got <= 0)
      return cannot("read back", got ? lastError() : std::make_error_code(std::errc::io_error));
    bytes = bytes.drop_front(got);
    offset += got;
  }
  return Error::success();
}

// The rename itself is on the disk when the directory is.
static std::error_code syncDirectory(StringRef path) {
  StringRef parent = sys::path::parent_path(path);
  int directory = -1;
  std::string name = parent.empty() ? "." : parent.str();
  if (std::error_code problem = sys::fs::openFileForRead(name, directory))
    return problem;
  bool failed = ::fsync(directory) != 0 && errno != EINVAL; // EINVAL: a file system without it
  std::error_code problem = failed ? lastError() : std::error_code();
  ::close(directory);
  return problem;
}

Error AtomicFile::commit() {
  if (::fsync(descriptor) != 0)
    return cannot("write", lastError());
  if (std::error_code problem = sys::fs::rename(partial, path))
    return cannot("write", problem);
  sys::DontRemoveFileOnSignal(partial);
  ::close(descriptor); // with the lock
  descriptor = -1;
  std::error_code problem = syncDirectory(path);
  return problem ? cannot("write", problem) : Error::success();
}

} // namespace lut
