// Writes all files of a library, or none.
#ifndef LUT_COMPILER_REPORT_OUTPUT_H
#define LUT_COMPILER_REPORT_OUTPUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace lut {

struct OutputFile {
  std::string name, bytes;
};

// An error where a file that is written would take the place of a device or a directory. A link counts as
// what it leads to, or, not followed, as none that may be replaced.
llvm::Error checkReplaceable(llvm::StringRef path, bool followsLinks = true);
// An error where a file that is written would take the place of one that is read.
llvm::Error checkReplacesNone(llvm::ArrayRef<std::string> inputs, llvm::StringRef output);

// A directory that files are written to. It is made before anything else is done, so that a place that cannot
// be written is found first; where nothing has been written in the end, what was made goes.
class OutputDirectory {
public:
  // Also checks that files of these names can be put into it.
  static llvm::Expected<OutputDirectory> open(llvm::StringRef path, llvm::ArrayRef<std::string> names);
  OutputDirectory(OutputDirectory &&other);
  ~OutputDirectory();

  // Files appear under their names only after all have been written.
  llvm::Error write(llvm::ArrayRef<OutputFile> files);

private:
  explicit OutputDirectory(llvm::StringRef path) : path(path) {}
  llvm::Error make();

  std::string path;
  std::vector<std::string> made; // directories, outermost first
};

// One file by its path, whose directory exists; without a path, stdout.
class OutputPath {
public:
  static llvm::Expected<OutputPath> open(llvm::StringRef path);
  llvm::Error write(std::string bytes);

private:
  std::optional<OutputDirectory> directory;
  std::string name;
};

// What has been printed has arrived. Else the error is printed, and the exit code is another one.
int finishPrinting(int exitCode);

} // namespace lut

#endif
