// Errors in the user's files: file:line:col, the line, a caret, and a note that says what to write instead.
#ifndef LUT_COMPILER_CONFIG_DIAGNOSTICS_H
#define LUT_COMPILER_CONFIG_DIAGNOSTICS_H

#include "codegen/library/LibrarySpec.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/SourceMgr.h"

namespace lut {

class Diagnostics {
public:
  // Whatever goes through the sources is fit for a terminal from now on: no control characters, no endless
  // lines.
  explicit Diagnostics(llvm::SourceMgr &sources);

  void error(llvm::SMRange where, const llvm::Twine &message, const llvm::Twine &note);
  void warning(llvm::SMRange where, const llvm::Twine &message, const llvm::Twine &note);
  // What the user should know and need not change.
  void note(const llvm::Twine &message);
  // An error without a place in a file: the file itself, or the command line.
  void error(llvm::StringRef subject, const llvm::Twine &message, const llvm::Twine &note);
  // A second place that belongs to the last message.
  void noteAt(llvm::SMRange where, const llvm::Twine &message);

  // Splits "what is wrong; write this", the form of parseFormat's errors, into message and note.
  void error(llvm::SMRange where, llvm::Error problem);
  // The same of "subject: what is wrong; write this", the form of the readers of checkpoints.
  void error(llvm::StringRef subject, llvm::Error problem);

  SourcePosition position(llvm::SMRange where) const;
  llvm::SourceMgr &sourceMgr() { return sources; }
  bool failed() const { return errors != 0; }

private:
  llvm::SourceMgr &sources;
  unsigned errors = 0;
};

// "did you mean 'format'? " or "": the nearest of `names` if it is near enough to be a slip.
std::string suggest(llvm::StringRef word, llvm::ArrayRef<llvm::StringRef> names);
// "a, b or c"
std::string alternatives(llvm::ArrayRef<llvm::StringRef> names);

} // namespace lut

#endif
