#include "compiler/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

void Diagnostics::note(const Twine &message) {
  std::string text = message.str();
  if (!text.empty())
    sources.PrintMessage(errs(), SMDiagnostic("", SourceMgr::DK_Note, text));
}

void Diagnostics::error(SMRange where, const Twine &message, const Twine &text) {
  ++errors;
  sources.PrintMessage(where.Start, SourceMgr::DK_Error, message, where);
  note(text);
}

void Diagnostics::warning(SMRange where, const Twine &message, const Twine &text) {
  sources.PrintMessage(where.Start, SourceMgr::DK_Warning, message, where);
  note(text);
}

void Diagnostics::error(StringRef subject, const Twine &message, const Twine &text) {
  ++errors;
  sources.PrintMessage(errs(), SMDiagnostic(subject, SourceMgr::DK_Error, message.str()));
  note(text);
}

void Diagnostics::noteAt(SMRange where, const Twine &message) {
  sources.PrintMessage(where.Start, SourceMgr::DK_Note, message, where);
}

void Diagnostics::error(SMRange where, Error problem) {
  std::string text = toString(std::move(problem));
  auto [message, advice] = StringRef(text).split("; ");
  error(where, message, advice);
}

SourcePosition Diagnostics::position(SMRange where) const {
  unsigned buffer = sources.FindBufferContainingLoc(where.Start);
  if (!buffer)
    return {};
  auto [line, column] = sources.getLineAndColumn(where.Start, buffer);
  return {sources.getMemoryBuffer(buffer)->getBufferIdentifier().str(), line, column};
}

std::string alternatives(ArrayRef<StringRef> names) {
  std::string text;
  for (auto [index, name] : enumerate(names))
    text += ((index == 0 ? "" : index + 1 == names.size() ? " or " : ", ") + name).str();
  return text;
}

std::string suggest(StringRef word, ArrayRef<StringRef> names) {
  StringRef best;
  unsigned bestDistance = 1 + (word.size() + 2) / 3;
  for (StringRef name : names) {
    unsigned distance = word.edit_distance(name, /*AllowReplacements=*/true, bestDistance);
    if (distance >= bestDistance)
      continue;
    best = name;
    bestDistance = distance;
  }
  return best.empty() ? "" : ("did you mean '" + best + "'? ").str();
}

} // namespace lut
