// Times lutc's kernels beside the engines that a user could link instead. scripts/bench runs it.
#include "Machine.h"
#include "Options.h"
#include "Results.h"
#include <cstdio>
#include <fstream>
#include <stdexcept>

using namespace lut::bench;

constexpr Peer peers[] = {{"machine", openMachine},   {"lutc", openLutc},
                          {"llama.cpp", openGgml},    {"onnxruntime", openOnnxRuntime},
                          {"openblas", openOpenBlas}, {"onednn", openOneDnn}};

// The list of kernels for lutc compile.
static void printKernels(const Options &options) {
  std::puts("library: bench\nkernels:");
  for (const Shape &shape : options.shapes)
    for (const std::string &format : options.settings.formats)
      for (const std::string &numerics : classesOf(format))
        std::printf("  - {name: %s_%s_%s, n: %zu, k: %zu, format: %s, numerics: %s}\n", format.c_str(),
                    numerics.c_str(), shape.name().c_str(), shape.n, shape.k, format.c_str(),
                    numerics.c_str());
}

static Contenders open(const Options &options, std::vector<Missing> &missing) {
  Contenders contenders;
  for (const Peer &peer : peers) {
    if (!options.wantsPeer(peer.name))
      continue;
    try {
      peer.open(options.settings, contenders, missing);
    } catch (const std::exception &error) {
      missing.push_back({peer.name, error.what(), {}});
    }
  }
  return contenders;
}

static void printProgress(const Cell &cell) {
  const Timing *best = nullptr, *lutc = nullptr;
  for (const Timing &timing : cell.timings) {
    if (timing.contender->weights == "machine")
      continue;
    const Timing *&place = timing.contender->peer == "lutc" ? lutc : best;
    if (!place || timing.min() < place->min())
      place = &timing;
  }
  std::fprintf(stderr, "%s m=%zu %s, threads=%zu:", cell.shape.name().c_str(), cell.m,
               cell.hot ? "hot" : "cold", cell.threads);
  for (const Timing *timing : {lutc, best})
    if (timing)
      std::fprintf(stderr, "  %s %.0f us", timing->contender->name().c_str(), timing->min() * 1e6);
  std::fprintf(stderr, "  (%zu rounds)\n", cell.timings[0].seconds.size());
}

static void measure(const Options &options, Contenders &contenders, Results &results) {
  size_t most = 0;
  for (size_t m : options.tokens)
    most = std::max(most, m);
  for (const Shape &shape : options.shapes) {
    const Problem problem(shape, most);
    for (size_t threads : options.threads) {
      std::fprintf(stderr, "%s: preparing weights\n", shape.name().c_str());
      Field field(contenders, problem, threads, options.cpuClock, results.missing);
      for (size_t m : options.tokens)
        for (const std::string &temperature : options.temperatures) {
          results.cells.push_back(field.time(m, temperature == "hot", options.seconds));
          printProgress(results.cells.back());
        }
    }
  }
}

int main(int argc, char **argv) {
  Options options;
  if (!options.parse(argc, argv)) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (options.kernels) {
    printKernels(options);
    return 0;
  }
  Results results;
  try {
    Contenders contenders = open(options, results.missing);
    measure(options, contenders, results);
    std::ofstream file(options.output);
    if (!(file << results.json(options) << std::flush))
      throw std::runtime_error("cannot write " + options.output);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
