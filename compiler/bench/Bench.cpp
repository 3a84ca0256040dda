#include "compiler/bench/Bench.h"

#include "codegen/Compile.h"
#include "compiler/bench/Measure.h"
#include "compiler/config/Tuning.h"
#include "compiler/model/ReadConfig.h"
#include "compiler/report/ExitCode.h"
#include "compiler/report/Output.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace lut {

// The fastest predicted that --tune times.
constexpr size_t mostSchedules = 32;

namespace {

// One kernel in one class, with what it could run.
struct Subject {
  KernelSpec kernel;
  std::vector<ScheduleOption> options;
  std::vector<KernelTimes> times;
  // One packed copy serves a token alone and a batch, so both count.
  double total(size_t option) const { return times[option].alone + times[option].batch; }
};

struct Bench {
  const BenchRequest &request;
  CompileOptions options;
  Tuning tuning;
  size_t close = 0, subjects = 0; // choices of the cost model within 5 % of the fastest

  Error run(const LibrarySpec &library);
  Error measureSubject(Subject &subject);
  void report(const Subject &subject);
};

} // namespace

static LibrarySpec candidateLibrary(const Subject &subject) {
  LibrarySpec library;
  library.name = "bench";
  for (auto [index, option] : enumerate(subject.options)) {
    KernelSpec kernel = subject.kernel;
    kernel.name = formatv("schedule{0}", index);
    kernel.schedule = option.schedule;
    library.kernels.push_back(kernel);
  }
  return library;
}

Error Bench::measureSubject(Subject &subject) {
  LibrarySpec library = candidateLibrary(subject);
  Artifacts artifacts;
  if (Error error = compileLibrary(library, options, artifacts))
    return error;
  auto loaded = LoadedLibrary::load(artifacts.archive, library.name);
  if (!loaded)
    return loaded.takeError();
  std::vector<const lutc_kernel *> kernels;
  for (const KernelSpec &kernel : library.kernels) {
    auto found = loaded->kernel(kernel.name);
    if (!found)
      return found.takeError();
    kernels.push_back(*found);
  }
  auto times = measure(*loaded, kernels);
  if (!times)
    return times.takeError();
  subject.times = std::move(*times);
  return Error::success();
}

void Bench::report(const Subject &subject) {
  const KernelTimes &chosen = subject.times[0];
  std::string title = subject.options[0].product;
  auto line = [&](const KernelTimes &times, StringRef what) {
    outs() << formatv("{0,-28} {1,8:F1} us alone ({2:F1} activations) {3,8:F2} us a token of a batch  {4}\n",
                      title, times.alone, times.prepare, times.batch, what);
  };
  line(chosen, subject.options[0].schedule);
  if (!request.tune)
    return;
  size_t best = 0;
  for (size_t option = 0; option < subject.options.size(); ++option) {
    if (subject.total(option) < subject.total(best))
      best = option;
    if (request.verbose && option)
      line(subject.times[option], subject.options[option].schedule);
  }
  ++subjects;
  close += subject.total(0) <= 1.05 * subject.total(best);
  if (best)
    line(subject.times[best], formatv("{0}: {1:P1} faster", subject.options[best].schedule,
                                      subject.total(0) / subject.total(best) - 1)
                                  .str());
  tuning.kernels.push_back({tuning.target,
                            subject.options[best].product,
                            subject.options[best].schedule,
                            subject.times[best].alone,
                            subject.times[best].batch,
                            {}});
}

Error Bench::run(const LibrarySpec &library) {
  StringSet<> done;
  for (const KernelSpec &kernel : library.kernels)
    for (StringRef numerics : {"a8", "t8"}) {
      if (kernel.numerics != "auto" && kernel.numerics != numerics)
        continue;
      if (numerics == "t8" && (kernel.strategy == "dot" || !kernel.format.hasTables()))
        continue;
      Subject subject{kernel, {}, {}};
      subject.kernel.numerics = numerics;
      auto found = scheduleOptions(subject.kernel, options);
      if (!found)
        return found.takeError();
      tuning.target = found->target;
      subject.options = std::move(found->options);
      if (!done.insert(subject.options[0].product).second)
        continue;
      subject.options.resize(std::min(subject.options.size(), request.tune ? mostSchedules : 1));
      if (Error error = measureSubject(subject))
        return error;
      report(subject);
      outs().flush();
    }
  return Error::success();
}

int bench(const BenchRequest &request) {
  SourceMgr sources;
  std::optional<LibrarySpec> library = readConfig(request.config, request.options, sources);
  if (!library || !hasShapes(*library))
    return ExitError;
  if (Error problem = checkReplacesNone({request.config}, request.output))
    return reportError(std::move(problem));
  auto output = OutputPath::open(request.output);
  if (!output)
    return reportError(output.takeError());
  Bench bench{request, {}, {}};
  bench.options.cpu = "host";
  if (!request.variant.empty())
    bench.options.variants = {request.variant};
  bench.tuning.cpu = sys::getHostCPUName().str();
  if (Error problem = bench.run(*library))
    return reportError(std::move(problem));
  if (!request.tune)
    return ExitOk;
  outs() << formatv("the cost model's choice is within 5 % of the fastest schedule for {0} of {1} kernels\n",
                    bench.close, bench.subjects);
  if (request.output.empty())
    return ExitOk;
  if (Error problem = output->write(printTuning(bench.tuning)))
    return reportError(std::move(problem));
  return ExitOk;
}

} // namespace lut
