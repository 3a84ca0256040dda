#include "compiler/report/Output.h"

#include "compiler/report/ExitCode.h"
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

Error checkReplaceable(StringRef path, bool followsLinks) {
  sys::fs::file_status status;
  if (sys::fs::status(path, status, followsLinks) || status.type() == sys::fs::file_type::regular_file)
    return Error::success();
  if (status.type() == sys::fs::file_type::directory_file)
    return cannot("replace", path, std::make_error_code(std::errc::is_a_directory));
  return createStringError("cannot replace " + path + ": it is no regular file");
}

Error checkReplacesNone(ArrayRef<std::string> inputs, StringRef output) {
  for (const std::string &input : inputs)
    if (sys::fs::equivalent(input, output))
      return createStringError("cannot write " + output + ": it is read; write to another file");
  return Error::success();
}

namespace {

// A temporary beside its final place, so that renaming it cannot fail half-way.
class Temporary {
public:
  Error create(StringRef directory, StringRef name);
  Error write(StringRef bytes);
  Error rename();
  ~Temporary();

private:
  SmallString<128> target, path; // no path: there is none
  int descriptor = -1;
};

} // namespace

Error Temporary::create(StringRef directory, StringRef name) {
  target = inside(directory, name);
  if (Error problem = checkReplaceable(target))
    return problem;
  SmallString<128> unique;
  std::error_code problem = sys::fs::createUniqueFile(
      target + ".%%%%%%.tmp", descriptor, unique, sys::fs::OF_None, sys::fs::all_read | sys::fs::all_write);
  if (problem)
    return cannot("write in", directory, problem);
  path = unique;
  sys::RemoveFileOnSignal(path);
  return Error::success();
}

Error Temporary::write(StringRef bytes) {
  raw_fd_ostream stream(std::exchange(descriptor, -1), /*shouldClose=*/true);
  stream << bytes;
  stream.close();
  std::error_code problem = stream.error();
  stream.clear_error();
  return problem ? cannot("write", target, problem) : Error::success();
}

Error Temporary::rename() {
  if (std::error_code problem = sys::fs::rename(path, target))
    return cannot("write", target, problem);
  sys::DontRemoveFileOnSignal(path);
  path.clear();
  return Error::success();
}

Temporary::~Temporary() {
  if (descriptor >= 0)
    raw_fd_ostream(descriptor, /*shouldClose=*/true);
  if (path.empty())
    return;
  sys::fs::remove(path);
  sys::DontRemoveFileOnSignal(path);
}

OutputDirectory::OutputDirectory(OutputDirectory &&other)
    : path(std::move(other.path)), made(std::exchange(other.made, {})) {}

OutputDirectory::~OutputDirectory() {
  for (const std::string &directory : reverse(made))
    sys::fs::remove(directory); // which leaves those that are not empty
}

Error OutputDirectory::make() {
  for (StringRef parent = path; !parent.empty() && !sys::fs::exists(parent);
       parent = sys::path::parent_path(parent))
    made.insert(made.begin(), parent.str());
  std::error_code problem = sys::fs::create_directories(path, /*IgnoreExisting=*/true, sys::fs::all_all);
  return problem ? cannot("create", path, problem) : Error::success();
}

Expected<OutputDirectory> OutputDirectory::open(StringRef path, ArrayRef<std::string> names) {
  OutputDirectory directory(path);
  if (Error problem = directory.make())
    return std::move(problem);
  for (const std::string &name : names)
    if (Error problem = Temporary().create(path, name))
      return std::move(problem);
  return std::move(directory);
}

Error OutputDirectory::write(ArrayRef<OutputFile> files) {
  std::vector<Temporary> temporaries(files.size());
  for (auto [file, temporary] : zip(files, temporaries)) {
    if (Error problem = temporary.create(path, file.name))
      return problem;
    if (Error problem = temporary.write(file.bytes))
      return problem;
  }
  for (Temporary &temporary : temporaries)
    if (Error problem = temporary.rename())
      return problem;
  made.clear();
  return Error::success();
}

Expected<OutputPath> OutputPath::open(StringRef path) {
  OutputPath output;
  if (path.empty())
    return std::move(output);
  StringRef parent = sys::path::parent_path(path);
  if (!parent.empty() && !sys::fs::exists(parent))
    return cannot("write", path, std::make_error_code(std::errc::no_such_file_or_directory));
  output.name = sys::path::filename(path).str();
  auto directory = OutputDirectory::open(parent.empty() ? "." : parent, output.name);
  if (!directory)
    return directory.takeError();
  output.directory.emplace(std::move(*directory));
  return std::move(output);
}

Error OutputPath::write(std::string bytes) {
  if (directory)
    return directory->write({{name, std::move(bytes)}});
  outs() << bytes;
  return Error::success();
}

int finishPrinting(int exitCode) {
  outs().flush();
  std::error_code problem = outs().error();
  outs().clear_error();
  errs().clear_error(); // there is nowhere to say it
  if (!problem)
    return exitCode;
  int code = reportError(cannot("write to", "stdout", problem));
  errs().clear_error();
  return exitCode == ExitOk ? code : exitCode;
}

} // namespace lut
