#include "compiler/Assemble.h"

#include "codegen/targets/lmma/Assembler.h"
#include "compiler/checkpoint/FileKind.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/Output.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace lut {

static Expected<std::unique_ptr<MemoryBuffer>> readFile(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    return createStringError("cannot read " + path + ": " + buffer.getError().message());
  return std::move(*buffer);
}

int assembleFile(const AssembleRequest &request) {
  auto buffer = readFile(request.input);
  if (!buffer)
    return reportError(buffer.takeError());
  FileKind kind = fileKindOf((*buffer)->getBuffer());
  if (!isText(kind))
    return reportError(unexpectedFile(request.input, kind, WantedFile::Program));
  auto output = OutputPath::open(request.output);
  if (!output)
    return reportError(output.takeError());
  SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), SMLoc());
  mlir::MLIRContext context;
  context.loadDialect<lmma::LmmaDialect>();
  context.printOpOnDiagnostic(false);
  mlir::SourceMgrDiagnosticHandler diagnostics(sources, &context, errs());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  if (!module)
    return ExitError;
  auto programs = to_vector(module->getOps<lmma::ProgramOp>());
  if (programs.size() != 1)
    return reportError(createStringError(request.input + ": has " + Twine(programs.size()) +
                                         " programs; write one lmma.program"));
  auto bytes = lmma::assemble(programs.front());
  if (failed(bytes))
    return ExitError;
  if (Error problem = output->write(std::move(*bytes)))
    return reportError(std::move(problem));
  return ExitOk;
}

/// The program's name in text: the file's, as far as it is one.
static std::string nameFor(StringRef path) {
  std::string name = sys::path::stem(path).str();
  for (char &c : name)
    if (!isAlnum(c))
      c = '_';
  return isDigit(name.front()) ? "_" + name : name;
}

int disassembleFile(const AssembleRequest &request) {
  auto buffer = readFile(request.input);
  if (!buffer)
    return reportError(buffer.takeError());
  mlir::MLIRContext context;
  auto module = lmma::disassemble(context, (*buffer)->getBuffer(), nameFor(request.input));
  if (!module)
    return reportError(createStringError(request.input + ": " + toString(module.takeError())));
  std::string text;
  raw_string_ostream stream(text);
  for (auto program : (*module)->getOps<lmma::ProgramOp>())
    program->print(stream);
  text += "\n";
  auto output = OutputPath::open(request.output);
  if (!output)
    return reportError(output.takeError());
  if (Error problem = output->write(std::move(text)))
    return reportError(std::move(problem));
  return ExitOk;
}

} // namespace lut
