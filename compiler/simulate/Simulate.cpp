#include "compiler/simulate/Simulate.h"

#include "compiler/model/ReadConfig.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/Output.h"
#include "compiler/report/Table.h"
#include "compiler/simulate/MachineReader.h"
#include "compiler/simulate/ModelWork.h"
#include "compiler/simulate/Plot.h"
#include "passes/machine/ProgramTile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace lut {

namespace {

// A pass of m tokens.
struct Run {
  int64_t m;
  lmma::Workload work;
  lmma::WorkResult result;
};

} // namespace

// The arrays have to hold the widest weights.
static void widenArrays(const lmma::Workload &work, lmma::Machine &machine) {
  for (const lmma::WorkKernel &kernel : work.kernels)
    machine.array.weights.planes = std::max(machine.array.weights.planes, kernel.gemm.weights.planes);
}

static Table kernelTable(const Run &run, const lmma::Machine &machine) {
  Table table{{"kernel", "count", "m x n x k", "tile", "us", "% of peak", "bound", "tables us", "DRAM MB",
               "L2 MB", "scratchpad MB", "registers MB", "registers/thread", "scratchpad KiB", "mJ"},
              {}};
  for (const lmma::KernelResult &row : run.result.kernels) {
    const lmma::Gemm &gemm = row.kernel->gemm;
    const lmma::Estimate &estimate = row.choice.estimate;
    table.rows.push_back(
        {row.kernel->name, row.kernel->count, formatv("{0} x {1} x {2}", gemm.m, gemm.n, gemm.k).str(),
         row.choice.tile.str(), estimate.seconds(machine) * 1e6, estimate.utilisation() * 100,
         lmma::name(estimate.bound), row.precomputeSeconds * 1e6,
         (estimate.memoryRead + estimate.memoryWritten) / 1e6,
         (estimate.cacheRead + estimate.cacheWritten) / 1e6,
         (estimate.scratchpadRead + estimate.scratchpadWritten) / 1e6, estimate.registersRead / 1e6,
         estimate.registersPerThread, estimate.scratchpadBytes / 1024.0,
         estimate.joules ? json::Value(estimate.joules * 1e3) : json::Value("unknown")});
  }
  return table;
}

// What executing each kernel's program once counted: bytes where a counter names a place.
static Table countTable(const Run &run) {
  Table table{{"kernel"}, {}};
  for (const MachineCounter &counter : machineCounters())
    table.columns.push_back(counter.name.str());
  for (const lmma::WorkKernel &kernel : run.work.kernels) {
    auto &row = table.rows.emplace_back();
    row.push_back(kernel.name);
    for (const MachineCounter &counter : machineCounters())
      row.push_back(int64_t((*kernel.counted).*counter.member));
  }
  return table;
}

// What one pass over all kernels takes.
static Table totalTable(const Run &run) {
  const lmma::WorkResult &result = run.result;
  Table table{{"part", "ms"}, {}};
  table.rows.push_back({"products", result.products * 1e3});
  table.rows.push_back({"tables", result.precompute * 1e3});
  if (run.work.layers) {
    table.rows.push_back({"attention", result.attention * 1e3});
    table.rows.push_back({"norms, residuals, activations", result.elementwise * 1e3});
  }
  table.rows.push_back({"all", result.seconds() * 1e3});
  return table;
}

static StringRef modeName(const SimulateRequest &request) {
  return *request.programs ? "program" : request.work.mode == lmma::Mode::paper ? "paper" : "full";
}

static double adderArea(const lmma::Costs &costs, const lmma::Machine &machine,
                        const SimulateRequest &request) {
  return request.work.precompute == lmma::Precompute::array ? lmma::tableAdderArea(costs, machine) : 0;
}

static void printText(ArrayRef<Run> runs, const lmma::Machine &machine, const lmma::Costs &costs,
                      const SimulateRequest &request, raw_ostream &out) {
  out << machine.name << ": " << machine.summary << "\n"
      << formatv(
             "{0} traffic; mm2 in each of {1} cores: {2:f3} of tensor cores, {3:f3} of adders for tables, "
             "{4:f3} of added registers\n",
             modeName(request), machine.cores, lmma::tensorArea(costs, machine),
             adderArea(costs, machine, request), lmma::extraRegisterArea(costs, machine));
  for (const Run &run : runs) {
    out << "\nm = " << run.m << "\n";
    kernelTable(run, machine).print(out, "  ");
    out << "\n";
    totalTable(run).print(out, "  ");
    if (!request.run)
      continue;
    out << "\n  counted by executing each once, as predicted:\n\n";
    countTable(run).print(out, "  ");
  }
}

static void printJson(ArrayRef<Run> runs, const lmma::Machine &machine, const lmma::Costs &costs,
                      const SimulateRequest &request, raw_ostream &out) {
  json::OStream stream(out, 2);
  stream.object([&] {
    stream.attribute("machine", machine.name);
    stream.attribute("mode", modeName(request));
    stream.attribute("tensor mm2", lmma::tensorArea(costs, machine));
    stream.attribute("table adders mm2", adderArea(costs, machine, request));
    stream.attribute("added registers mm2", lmma::extraRegisterArea(costs, machine));
    stream.attributeArray("runs", [&] {
      for (const Run &run : runs)
        stream.object([&] {
          stream.attribute("m", run.m);
          stream.attributeBegin("kernels");
          kernelTable(run, machine).printJson(stream);
          stream.attributeEnd();
          stream.attributeBegin("all");
          totalTable(run).printJson(stream);
          stream.attributeEnd();
          if (request.run) {
            stream.attributeBegin("counted");
            countTable(run).printJson(stream);
            stream.attributeEnd();
          }
          if (run.result.joules)
            stream.attribute("mJ of products", run.result.joules * 1e3);
        });
    });
  });
  out << "\n";
}

static void drawRuns(ArrayRef<Run> runs, const lmma::Machine &machine, raw_ostream &out) {
  std::vector<BarGroup> groups;
  for (const Run &run : runs) {
    BarGroup group{formatv("m = {0}: {1:f3} ms", run.m, run.result.seconds() * 1e3), {}};
    for (const lmma::KernelResult &row : run.result.kernels)
      group.bars.push_back(
          {row.kernel->name, lmma::name(row.choice.estimate.bound).str(), row.seconds * 1e3});
    if (run.work.layers) {
      group.bars.push_back({"attention", "attention", run.result.attention * 1e3});
      group.bars.push_back({"norms and others", "memory", run.result.elementwise * 1e3});
    }
    groups.push_back(std::move(group));
  }
  drawBars("Kernels on " + machine.name + ", by what bounds them", "ms", groups, out);
}

static Expected<std::string> simulateLibrary(const SimulateRequest &request, const LibrarySpec &library,
                                             lmma::Machine machine) {
  lmma::Costs costs = readCosts();
  std::optional<MachineProducts> programs;
  if (*request.programs) {
    Expected<MachineProducts> planned = MachineProducts::plan(library, machine);
    if (!planned)
      return planned.takeError();
    programs.emplace(std::move(*planned));
    machine = withExactTables(machine);
  }
  std::vector<Run> runs;
  for (int64_t m : request.tokens) {
    Expected<lmma::Workload> work =
        makeWorkload(library, machine, request, programs ? &*programs : nullptr, m);
    if (!work)
      return work.takeError();
    runs.push_back({m, std::move(*work), {}});
    widenArrays(runs.back().work, machine);
  }
  for (Run &run : runs) {
    Expected<lmma::WorkResult> result = lmma::simulate(machine, costs, run.work, request.work);
    if (!result)
      return result.takeError();
    run.result = std::move(*result);
  }
  std::string text;
  raw_string_ostream out(text);
  if (request.format == "json")
    printJson(runs, machine, costs, request, out);
  else if (request.format == "svg")
    drawRuns(runs, machine, out);
  else
    printText(runs, machine, costs, request, out);
  return text;
}

// All or nothing, to stdout or to a file.
int simulate(SimulateRequest request) {
  auto output = OutputPath::open(request.output);
  if (!output)
    return reportError(output.takeError());
  SourceMgr sources;
  std::optional<lmma::Machine> machine = readMachine(request.machine, sources);
  if (!machine)
    return ExitError;
  if (request.registers)
    machine->registerMultiple = request.registers;
  request.programs = request.programs.value_or(machine->isLut() || request.run);
  if (*request.programs)
    request.work.precompute = lmma::Precompute::block;
  Expected<std::string> text = std::string();
  if (request.search) {
    text = searchDesigns(request, *machine);
  } else {
    std::optional<LibrarySpec> library = readConfig(request.config, request.options, sources);
    if (!library || !hasShapes(*library))
      return ExitError;
    text = simulateLibrary(request, *library, *machine);
  }
  if (!text)
    return reportError(text.takeError());
  if (Error problem = output->write(std::move(*text)))
    return reportError(std::move(problem));
  return ExitOk;
}

} // namespace lut
