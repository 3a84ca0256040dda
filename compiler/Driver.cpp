#include "compiler/Driver.h"

#include "codegen/Compile.h"
#include "codegen/library/Object.h"
#include "codegen/library/Writers.h"
#include "codegen/targets/Targets.h"
#include "codegen/targets/lmma/Target.h"
#include "compiler/config/Diagnostics.h"
#include "compiler/config/Tuning.h"
#include "compiler/model/ReadConfig.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/Log.h"
#include "compiler/report/Output.h"
#include "compiler/report/Plan.h"
#include "compiler/simulate/MachineReader.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace lut {

// Names the config in what is written, without its path. A checkpoint may have none.
static std::string hashOf(const SourceMgr &sources) {
  StringRef config = sources.getNumBuffers() ? sources.getMemoryBuffer(1)->getBuffer() : "";
  auto digest = BLAKE3::hash<8>(arrayRefFromStringRef(config));
  return toHex(digest, /*LowerCase=*/true);
}

static CompileOptions makeOptions(const CompileRequest &request, const LibrarySpec &library,
                                  const SourceMgr &sources) {
  CompileOptions options;
  options.variants = library.variants;
  options.cpu = request.cpu;
  options.explain = request.explain;
  if (request.time)
    options.log = logLine;
  options.configHash = hashOf(sources);
  options.emitLlvmIr = is_contained(request.emit, "llvm-ir");
  options.emitAssembly = is_contained(request.emit, "asm");
  for (StringRef output : request.emit)
    if (output.consume_front("mlir")) {
      options.emitMlir = true;
      options.emitMlirAfter = output.ltrim('=').str();
    }
  return options;
}

static std::string archiveName(const LibrarySpec &library) { return "lib" + library.name + ".a"; }
static std::string headerName(const LibrarySpec &library) { return library.name + ".h"; }
static std::string manifestName(const LibrarySpec &library) { return library.name + ".json"; }
static std::string depfileName(const LibrarySpec &library) { return library.name + ".d"; }

// The names that are known before anything is compiled: all but those of listings.
static std::vector<std::string> outputNames(const CompileRequest &request, const LibrarySpec &library) {
  std::vector<std::string> names = {depfileName(library)};
  if (is_contained(request.emit, "lib"))
    names.push_back(archiveName(library));
  if (is_contained(request.emit, "header"))
    names.push_back(headerName(library));
  if (is_contained(request.emit, "manifest"))
    names.push_back(manifestName(library));
  return names;
}

// The depfile is always written: build systems ask for it whatever else they ask for.
static std::vector<OutputFile> chooseFiles(const CompileRequest &request, const LibrarySpec &library,
                                           Artifacts &artifacts) {
  std::vector<OutputFile> files;
  auto add = [&](StringRef output, const std::string &name, std::string &bytes) {
    if (is_contained(request.emit, output))
      files.push_back({name, std::move(bytes)});
  };
  add("lib", archiveName(library), artifacts.archive);
  add("header", headerName(library), artifacts.header);
  add("manifest", manifestName(library), artifacts.manifest);
  for (auto &[name, bytes] : artifacts.listings)
    files.push_back({name, std::move(bytes)});
  std::vector<std::string> outputs;
  for (const OutputFile &file : files)
    outputs.push_back(request.directory + "/" + file.name);
  std::vector<std::string> inputs = library.inputs;
  if (!request.tuning.empty())
    inputs.push_back(request.tuning);
  files.push_back({depfileName(library), writeDepfile(outputs, inputs)});
  return files;
}

// What the tuning file measured has to be what is compiled for.
static bool addTuning(const CompileRequest &request, SourceMgr &sources, LibrarySpec &library) {
  if (request.tuning.empty())
    return true;
  std::optional<Tuning> tuning = readTuning(request.tuning, sources);
  if (!tuning)
    return false;
  Diagnostics diagnostics(sources);
  StringRef cpu = request.cpu == "host" ? sys::getHostCPUName() : StringRef(request.cpu);
  if (!cpu.empty() && cpu != tuning->cpu)
    diagnostics.error(request.tuning, "was measured on CPU '" + tuning->cpu + "', not on '" + cpu + "'",
                      "tune on that CPU, or compile with --cpu=" + tuning->cpu);
  if (!library.variants.empty() && !is_contained(library.variants, tuning->target))
    diagnostics.error(request.tuning, "tunes variant " + tuning->target + ", which is not compiled",
                      "add the variant, or remove --tuning");
  library.tuning = std::move(tuning->kernels);
  return !diagnostics.failed();
}

// The machine's facts in the row of the target table.
static bool addMachine(const CompileRequest &request, SourceMgr &sources, CompileOptions &options) {
  if (request.target.empty())
    return true;
  StringRef name = StringRef(request.target).split(':').second;
  std::optional<lmma::Machine> machine = readMachine(name.empty() ? "a100-lut-4x" : name, sources);
  if (!machine)
    return false;
  Expected<TargetRow> row = targetFor(*machine);
  if (!row) {
    reportError(row.takeError());
    return false;
  }
  options.machine = *row;
  return true;
}

int compile(const CompileRequest &request) {
  SourceMgr sources;
  std::optional<LibrarySpec> library = readConfig(request.config, request.options, sources);
  if (!library || !addTuning(request, sources, *library))
    return ExitError;
  CompileOptions options = makeOptions(request, *library, sources);
  if (!addMachine(request, sources, options))
    return ExitError;
  if (request.dryRun) {
    Expected<Choices> choices = chooseKernels(*library, options);
    if (!choices)
      return reportError(choices.takeError());
    printPlan(*library, *choices, outs());
    return ExitOk;
  }
  std::vector<std::string> names = outputNames(request, *library);
  for (const std::string &name : names)
    if (Error problem = checkReplacesNone({request.config, request.tuning}, request.directory + "/" + name))
      return reportError(std::move(problem));
  auto output = OutputDirectory::open(request.directory, names);
  if (!output)
    return reportError(output.takeError());
  Artifacts artifacts;
  if (Error problem = compileLibrary(*library, options, artifacts))
    return reportError(std::move(problem));
  std::vector<OutputFile> files = chooseFiles(request, *library, artifacts);
  if (Error problem = output->write(files))
    return reportError(std::move(problem));
  if (request.verbose)
    for (const OutputFile &file : files)
      logLine("wrote " + request.directory + "/" + file.name);
  return ExitOk;
}

std::vector<std::string> variantNames() {
  std::vector<std::string> names;
  for (const TargetRow &row : targetRows())
    if (!row.isMachine())
      names.push_back(StringRef(row.name).str());
  return names;
}

} // namespace lut
