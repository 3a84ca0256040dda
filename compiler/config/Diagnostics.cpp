#include "compiler/config/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"

using namespace llvm;

namespace lut {

// Without its control characters, which a terminal would obey.
static std::string visible(StringRef text) {
  std::string out;
  raw_string_ostream stream(out);
  for (char c : text)
    if ((c >= 0 && c < ' ' && c != '\t' && c != '\n') || c == 127)
      stream << format("\\x%02x", c);
    else
      stream << c;
  return out;
}

static void print(const SMDiagnostic &problem, void *) {
  static constexpr size_t longestLine = 400;
  std::string message = visible(problem.getMessage()), line = visible(problem.getLineContents());
  if (line.size() <= longestLine && line == problem.getLineContents())
    return SMDiagnostic(*problem.getSourceMgr(), problem.getLoc(), problem.getFilename(), problem.getLineNo(),
                        problem.getColumnNo(), problem.getKind(), message, line, problem.getRanges())
        .print(nullptr, errs());
  std::string place =
      (problem.getFilename() + ":" + Twine(problem.getLineNo()) + ":" + Twine(problem.getColumnNo() + 1))
          .str();
  SMDiagnostic(place, problem.getKind(), message).print(nullptr, errs());
}

Diagnostics::Diagnostics(SourceMgr &sources) : sources(sources) { sources.setDiagHandler(print); }

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

void Diagnostics::error(StringRef subject, Error problem) {
  std::string text = toString(std::move(problem));
  StringRef rest = text;
  if (!rest.consume_front((subject + ": ").str()))
    subject = "lutc";
  auto [message, advice] = rest.split("; ");
  error(subject, message, advice);
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
