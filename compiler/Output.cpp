#include "compiler/Output.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace lut {

static Error cannot(StringRef action, StringRef path, std::error_code problem) {
  return createStringError(problem, "cannot " + action + " " + path + ": " + problem.message());
}

static SmallString<128> inside(StringRef directory, StringRef name) {
  SmallString<128> path(directory);
  sys::path::append(path, name);
  return path;
}

// A temporary beside its final place, so that renaming it cannot fail half-way.
static Error writeTemporary(StringRef directory, const OutputFile &file, std::string &temporary) {
  if (sys::fs::is_directory(inside(directory, file.name)))
    return cannot("replace", inside(directory, file.name), std::make_error_code(std::errc::is_a_directory));
  int descriptor;
  SmallString<128> path;
  std::error_code problem =
      sys::fs::createUniqueFile(inside(directory, file.name + ".%%%%%%.tmp"), descriptor, path,
                                sys::fs::OF_None, sys::fs::all_read | sys::fs::all_write);
  if (problem)
    return cannot("write in", directory, problem);
  temporary = path.str().str();
  sys::RemoveFileOnSignal(temporary);
  raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream << file.bytes;
  stream.close();
  problem = stream.error();
  stream.clear_error();
  return problem ? cannot("write", inside(directory, file.name), problem) : Error::success();
}

static Error writeAndRename(StringRef directory, ArrayRef<OutputFile> files,
                            std::vector<std::string> &temporaries) {
  for (auto [file, temporary] : zip(files, temporaries))
    if (Error problem = writeTemporary(directory, file, temporary))
      return problem;
  for (auto [file, temporary] : zip(files, temporaries)) {
    SmallString<128> path = inside(directory, file.name);
    if (std::error_code problem = sys::fs::rename(temporary, path))
      return cannot("write", path, problem);
    sys::DontRemoveFileOnSignal(temporary);
    temporary.clear();
  }
  return Error::success();
}

Error writeFiles(StringRef directory, ArrayRef<OutputFile> files) {
  if (std::error_code problem =
          sys::fs::create_directories(directory, /*IgnoreExisting=*/true, sys::fs::all_all))
    return cannot("create", directory, problem);
  std::vector<std::string> temporaries(files.size());
  Error result = writeAndRename(directory, files, temporaries);
  for (const std::string &temporary : temporaries) {
    if (temporary.empty())
      continue;
    sys::fs::remove(temporary);
    sys::DontRemoveFileOnSignal(temporary);
  }
  return result;
}

} // namespace lut
