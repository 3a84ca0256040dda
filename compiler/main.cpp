// lutc: the command line. Exit codes: 0 done, 1 an error in the input, 2 a bad command line, 70 a bug of
// lutc.
#include "compiler/Assemble.h"
#include "compiler/Driver.h"
#include "compiler/Inspect.h"
#include "compiler/Lists.h"
#include "compiler/bench/Bench.h"
#include "compiler/config/ConfigKeys.h"
#include "compiler/pack/Pack.h"
#include "compiler/pack/Unpack.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/Output.h"
#include "compiler/simulate/Simulate.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <sstream>
#include <unistd.h>

using namespace lut;

namespace {

// "" is CLI11's sign for a good value.
std::string checkFormat(const std::string &text) {
  llvm::Expected<Format> format = parseFormat(text);
  return format ? "" : llvm::toString(format.takeError());
}

std::string checkInclusion(const std::string &text) {
  auto [role, format] = llvm::StringRef(text).split('=');
  if (role != "lm_head" && role != "router")
    return "'" + role.str() + "' is never left out; write lm_head or router";
  bool bare = role.size() == text.size();
  return bare ? "" : checkFormat(format.str());
}

std::string checkEmit(const std::string &text) {
  for (llvm::StringRef known : {"lib", "header", "manifest", "mlir", "llvm-ir", "asm"})
    if (text == known)
      return "";
  if (llvm::StringRef(text).starts_with("mlir=") && text.size() > 5)
    return "";
  return "'" + text + "' is no output; write lib, header, manifest, mlir, mlir=<pass>, llvm-ir or asm";
}

std::string checkTarget(const std::string &text) {
  auto [target, machine] = llvm::StringRef(text).split(':');
  bool known = target == "lmma" && (target.size() == text.size() || !machine.empty());
  return known ? "" : "'" + text + "' is no target; write lmma, or lmma:<machine> (see lutc list machines)";
}

std::string checkName(const std::string &text) {
  return isIdentifier(text) ? "" : "'" + text + "' is no C identifier";
}

std::string checkVariant(const std::string &text) {
  std::vector<std::string> names = variantNames();
  if (std::find(names.begin(), names.end(), text) != names.end())
    return "";
  std::vector<llvm::StringRef> known(names.begin(), names.end());
  return "'" + text + "' is no variant; write " + alternatives(known);
}

CLI::IsMember member(llvm::ArrayRef<llvm::StringRef> names) {
  return CLI::IsMember(std::vector<std::string>(names.begin(), names.end()));
}

struct Arguments {
  CompileRequest request;
  BenchRequest bench;
  AssembleRequest assembly;
  SimulateRequest simulation;
  InspectRequest inspect;
  PackRequest pack;
  UnpackRequest unpack;
  std::string weights, listing;
  std::string activations, mode, precompute, attention = "fused"; // of a simulation
  std::string names, f32;                                         // of pack
  std::vector<std::string> include;
  bool json = false;
};

void addCompile(CLI::App &app, Arguments &arguments) {
  CompileRequest &request = arguments.request;
  CLI::App *compile = app.add_subcommand(
      "compile", "Compile a checkpoint, a model config or a list of kernels into a C library");
  compile
      ->add_option("config", request.config,
                   "A checkpoint, a Hugging Face config.json, or a YAML or JSON list of kernels")
      ->required();
  compile->add_option("-o,--output", request.directory,
                      "Directory for lib<name>.a, <name>.h, <name>.json, <name>.d");
  compile->add_option("--name", request.options.name, "Name of the library")->check(checkName);
  compile->add_option("--weights", arguments.weights, "Weight format where the config gives none: w2g128")
      ->check(checkFormat);
  compile->add_option("--numerics", request.options.numerics, "Numerics class")
      ->check(member(numericsNames()));
  compile->add_option("--strategy", request.options.strategy, "Kernel strategy")
      ->check(member(strategyNames()));
  compile->add_option("--include", arguments.include, "Compile these too: lm_head, router, lm_head=w4g128")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->check(checkInclusion);
  auto *variants = compile->add_option("--variants", request.options.variants, "Only these instruction sets");
  variants->allow_extra_args(false)->delimiter(',')->check(checkVariant);
  compile->add_option("--cpu", request.cpu,
                      "One variant, the best that this CPU runs, for it: a name, or host");
  compile
      ->add_option("--target", request.target,
                   "For a LUT-instruction machine instead of CPUs: lmma, or lmma:<machine>")
      ->check(checkTarget)
      ->excludes("--cpu")
      ->excludes(variants);
  compile->add_option("--emit", request.emit, "Outputs: lib,header,manifest; mlir, mlir=<pass>, llvm-ir, asm")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->check(checkEmit);
  compile->add_option("--tuning", request.tuning, "Schedules that lutc bench --tune found");
  compile->add_flag("--dry-run", request.dryRun, "Print the plan and write nothing");
  compile->add_flag("--explain", request.explain, "Say what was chosen for each kernel, and why");
  compile->add_flag("--time", request.time, "Say what took how long");
  compile->add_flag("-v,--verbose", request.verbose, "Name each file written");
}

void addBench(CLI::App &app, BenchRequest &request, std::string &weights) {
  CLI::App *bench = app.add_subcommand("bench", "Time the kernels of a config on this CPU");
  bench
      ->add_option("config", request.config,
                   "A checkpoint, a Hugging Face config.json, or a YAML or JSON list of kernels")
      ->required();
  bench->add_option("--weights", weights, "Weight format where the config gives none: w2g128")
      ->check(checkFormat);
  bench->add_option("--variant", request.variant, "The instruction set instead of this CPU's best")
      ->check(checkVariant);
  auto *tune = bench->add_flag("--tune", request.tune, "Time every legal schedule, find the fastest");
  bench->add_option("-o,--output", request.output, "Tuning file for lutc compile --tuning")->needs(tune);
  bench->add_flag("-v,--verbose", request.verbose, "Print every schedule")->needs(tune);
}

void addAssembly(CLI::App &app, AssembleRequest &request) {
  CLI::App *assemble = app.add_subcommand("assemble", "Encode a program of the LUT-instruction machine");
  assemble->add_option("program", request.input, "Text of the lmma dialect")->required();
  assemble->add_option("-o,--output", request.output, "Encoded program")->required();
  CLI::App *disassemble = app.add_subcommand("disassemble", "Print an encoded program as text");
  disassemble->add_option("program", request.input, "Encoded program")->required();
  disassemble->add_option("-o,--output", request.output, "Text; without it, stdout");
}

void addSimulate(CLI::App &app, Arguments &arguments) {
  SimulateRequest &request = arguments.simulation;
  CLI::App *simulate =
      app.add_subcommand("simulate", "Predict the time of a config's kernels on a LUT-instruction machine");
  auto *config = simulate->add_option("config", request.config,
                                      "Hugging Face config.json, or a YAML or JSON list of kernels");
  simulate->add_option("--machine", request.machine, "Machine: a name (lutc list machines) or a file")
      ->capture_default_str();
  simulate->add_option("-m", request.tokens, "Tokens of each run, default 1,2048; of a search 2048")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1 << 20));
  simulate->add_option("--weights", arguments.weights, "Weight format where the config gives none: w2g128")
      ->check(checkFormat);
  simulate
      ->add_option("--activations", arguments.activations,
                   "Type of activations, and of tables in a search; default: the machine's")
      ->check(CLI::IsMember({"i8", "i16", "f8", "f16"}));
  simulate
      ->add_option(
          "--mode", arguments.mode,
          "Tiles and traffic of lutc's programs (the default where there are arrays), or the best tile "
          "of any program with full traffic or as the paper's")
      ->check(CLI::IsMember({"program", "full", "paper"}));
  simulate->add_option("--precompute", arguments.precompute, "Who makes the tables")
      ->check(CLI::IsMember({"separate", "fused", "block", "array"}));
  simulate->add_option("--attention", arguments.attention, "A model's attention, counted beside its kernels")
      ->check(CLI::IsMember({"none", "unfused", "fused"}));
  simulate->add_option("--sequences", request.sequences, "Sequences that the tokens are divided into")
      ->check(CLI::Range(1, 1 << 20));
  simulate->add_option("--registers", request.registers, "Register file, times as built")
      ->check(CLI::Range(1, 16));
  auto *search = simulate->add_flag("--search", request.search, "Search arrays, registers and tiles instead");
  search->excludes(config);
  simulate->add_flag("--run", request.run, "Execute the programs too, and count what they do")
      ->excludes(search);
  simulate->add_option("-n", request.n, "Output rows of the product that --search times")
      ->needs(search)
      ->check(CLI::Range(int64_t(1), maxDimension));
  simulate->add_option("-k", request.k, "Weights in a row of that product")
      ->needs(search)
      ->check(CLI::Range(int64_t(1), maxDimension));
  simulate->add_option("--format", request.format, "table, json or svg")
      ->check(CLI::IsMember({"table", "json", "svg"}));
  simulate->add_option("-o,--output", request.output, "File to write, instead of stdout");
}

void addInspect(CLI::App &app, InspectRequest &request) {
  CLI::App *inspect =
      app.add_subcommand("inspect", "Show what is in a checkpoint, and what lutc makes of it");
  inspect->add_option("path", request.path, "A checkpoint (directory or file), or a packed model")
      ->required();
  inspect->add_flag("--json", request.json, "As JSON");
}

void addPack(CLI::App &app, Arguments &arguments) {
  PackRequest &request = arguments.pack;
  CLI::App *pack = app.add_subcommand(
      "pack", "Write the weights of a checkpoint in the order that kernels read, for an engine to map");
  pack->add_option("checkpoint", request.checkpoint,
                   "Directory, .safetensors, .safetensors.index.json, .gguf or the config.json beside them")
      ->required();
  pack->add_option(
      "--library", request.library,
      "<name>.json, the manifest of a compiled library; default: none, and the file is for kernels "
      "made at run time, as the plug-in of llama.cpp has them: LUTC_FILE=<file>, or model.lutc beside "
      "model.gguf");
  pack->add_option("--variant", request.variant, "Instruction set; default: the best for this CPU");
  pack->add_option("-o,--output", request.output, "The packed file")->required();
  pack->add_option(
          "--names", arguments.names,
          "All tensors under Hugging Face's names, the default with a library for what lutc knows, or the "
          "checkpoint's, the default without")
      ->check(CLI::IsMember({"huggingface", "checkpoint"}));
  pack->add_option(
          "--f32", arguments.f32,
          "What norms, biases and embeddings of F16 and BF16 become F32: vectors (the default), as groups "
          "read them; all; none")
      ->check(CLI::IsMember({"vectors", "all", "none"}));
  pack->add_flag("-v,--verbose", request.verbose, "Say what was written");
}

void addUnpack(CLI::App &app, UnpackRequest &request) {
  CLI::App *unpack = app.add_subcommand("unpack", "Write the values of a packed model as safetensors");
  unpack->add_option("packed", request.packed, "A file that lutc pack wrote")->required();
  unpack->add_option("--library", request.library, "<name>.json, the manifest of its library")->required();
  unpack->add_option("--tensor", request.tensors, "Only these: names, in which * and ? stand for others")
      ->allow_extra_args(false);
  unpack->add_option("-o,--output", request.output, "The safetensors file; packed weights become F32")
      ->required();
  unpack->add_flag("-v,--verbose", request.verbose, "Say what was written");
}

void addOthers(CLI::App &app, Arguments &arguments) {
  CLI::App *list = app.add_subcommand("list", "List what lutc knows");
  list->add_option("what", arguments.listing, "targets, machines, formats, models or passes")
      ->required()
      ->check(CLI::IsMember({"targets", "machines", "formats", "models", "passes"}));
  list->add_flag("--json", arguments.json, "As JSON");
  app.add_subcommand("schema", "Print the JSON schema of a list of kernels");
  app.set_version_flag("--version", "lutc " LUTC_VERSION);
  app.require_subcommand(1);
}

void rejectRepeats(const char *option, std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  auto twice = std::adjacent_find(values.begin(), values.end());
  if (twice != values.end())
    throw CLI::ValidationError(option, "'" + *twice + "' is given twice");
}

void finishRequest(Arguments &arguments) {
  CompileRequest &request = arguments.request;
  if (request.directory.empty() && !request.dryRun)
    throw CLI::RequiredError("--output");
  auto listsMlir = [](llvm::StringRef output) { return output.starts_with("mlir"); };
  if (std::count_if(request.emit.begin(), request.emit.end(), listsMlir) > 1)
    throw CLI::ValidationError("--emit", "write one mlir output at a time");
  if (!arguments.weights.empty())
    request.options.weights = llvm::cantFail(parseFormat(arguments.weights));
  std::vector<std::string> roles;
  for (llvm::StringRef text : arguments.include) {
    auto [role, format] = text.split('=');
    Inclusion inclusion{role.str(), std::nullopt};
    if (!format.empty())
      inclusion.format = llvm::cantFail(parseFormat(format));
    request.options.include.push_back(inclusion);
    roles.push_back(role.str());
  }
  rejectRepeats("--include", roles);
  rejectRepeats("--variants", request.options.variants);
  request.options.knownVariants = variantNames();
}

void finishSimulation(Arguments &arguments) {
  SimulateRequest &request = arguments.simulation;
  if (request.config.empty() && !request.search)
    throw CLI::RequiredError("config or --search");
  if (request.search && request.tokens.size() > 1)
    throw CLI::ValidationError("-m", "a search times one product; write one number");
  if (request.tokens.empty())
    request.tokens = request.search ? std::vector<int64_t>{2048} : std::vector<int64_t>{1, 2048};
  if (!arguments.weights.empty())
    request.options.weights = llvm::cantFail(parseFormat(arguments.weights));
  request.activations = lmma::parseNumber(arguments.activations);
  request.work.mode = arguments.mode == "paper" ? lmma::Mode::paper : lmma::Mode::full;
  if (!arguments.mode.empty() || request.search)
    request.programs = arguments.mode == "program";
  if (request.programs.value_or(true))
    for (auto [option, value] :
         {std::pair("--precompute", &arguments.precompute), {"--activations", &arguments.activations}})
      if (!value->empty())
        throw CLI::ValidationError(option, "is not for lutc's programs; write --mode=full or paper");
  if (request.run && !request.programs.value_or(true))
    throw CLI::ValidationError("--run", "is for lutc's programs; write --mode=program");
  if (request.search && arguments.mode == "program")
    throw CLI::ValidationError("--mode", "a search is for any tile; write full or paper");
  request.work.precompute = llvm::StringSwitch<lmma::Precompute>(arguments.precompute)
                                .Case("separate", lmma::Precompute::separate)
                                .Case("block", lmma::Precompute::block)
                                .Case("array", lmma::Precompute::array)
                                .Default(lmma::Precompute::fused);
  request.attention = llvm::StringSwitch<AttentionKind>(arguments.attention)
                          .Case("none", AttentionKind::none)
                          .Case("unfused", AttentionKind::unfused)
                          .Default(AttentionKind::fused);
}

void finishPack(Arguments &arguments) {
  if (!arguments.names.empty())
    arguments.pack.naming = arguments.names == "checkpoint" ? Naming::Checkpoint : Naming::HuggingFace;
  arguments.pack.widening = llvm::StringSwitch<Widening>(arguments.f32)
                                .Case("all", Widening::All)
                                .Case("none", Widening::None)
                                .Default(Widening::Vectors);
}

int printListing(const Arguments &arguments) {
  Table table = arguments.listing == "targets"    ? targetTable()
                : arguments.listing == "machines" ? machineTable()
                : arguments.listing == "formats"  ? formatTable()
                : arguments.listing == "models"   ? modelTable()
                                                  : passTable();
  if (arguments.json)
    table.printJson(llvm::outs());
  else
    table.print(llvm::outs());
  return ExitOk;
}

int run(const CLI::App &app, Arguments &arguments) {
  if (app.got_subcommand("list"))
    return printListing(arguments);
  if (app.got_subcommand("schema")) {
    printSchema(variantNames(), llvm::outs());
    return ExitOk;
  }
  if (app.got_subcommand("assemble"))
    return assembleFile(arguments.assembly);
  if (app.got_subcommand("disassemble"))
    return disassembleFile(arguments.assembly);
  if (app.got_subcommand("bench")) {
    if (!arguments.weights.empty())
      arguments.bench.options.weights = llvm::cantFail(parseFormat(arguments.weights));
    return bench(arguments.bench);
  }
  if (app.got_subcommand("simulate"))
    return simulate(arguments.simulation);
  if (app.got_subcommand("pack"))
    return pack(arguments.pack);
  if (app.got_subcommand("unpack"))
    return unpack(arguments.unpack);
  if (app.got_subcommand("inspect"))
    return inspect(arguments.inspect);
  return compile(arguments.request);
}

void reportBug(void *, const char *reason, bool) {
  llvm::errs() << "lutc: internal error: " << reason << "\n";
  _exit(ExitInternal);
}

} // namespace

int main(int argc, char **argv) {
  llvm::sys::PrintStackTraceOnErrorSignal(argv[0]);
  llvm::sys::AddSignalHandler([](void *) { _exit(ExitInternal); }, nullptr);
  llvm::install_fatal_error_handler(reportBug);
  // Writing fails with EFBIG or EPIPE then, and those who write say so.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app("Compiles low-bit matrix products of language models into C libraries", "lutc");
  Arguments arguments;
  addCompile(app, arguments);
  addBench(app, arguments.bench, arguments.weights);
  addAssembly(app, arguments.assembly);
  addSimulate(app, arguments);
  addInspect(app, arguments.inspect);
  addPack(app, arguments);
  addUnpack(app, arguments.unpack);
  addOthers(app, arguments);
  try {
    app.parse(argc, argv);
    if (app.got_subcommand("compile"))
      finishRequest(arguments);
    if (app.got_subcommand("simulate"))
      finishSimulation(arguments);
    if (app.got_subcommand("pack"))
      finishPack(arguments);
  } catch (const CLI::ParseError &problem) {
    std::ostringstream help;
    int code = app.exit(problem, help) ? ExitUsage : ExitOk;
    llvm::outs() << help.str();
    return finishPrinting(code);
  }
  return finishPrinting(run(app, arguments));
}
