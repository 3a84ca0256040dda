// Runs the linear products of one decoder layer of BitNet-b1.58-2B-4T, at m = 1 and m = 64 tokens, on random
// weights of the real size; measures them and compares them with the oracle.
#include "Report.h"
#include "Threads.h"
#include "bitnet.h"
#include <cstdio>
#include <cstring>

using namespace lut::example;

namespace {
struct Options {
  const char *variant = nullptr;
  double seconds = 20;
  size_t threads = 1;
  bool json = false;
};

constexpr const char *usage =
    "Usage: decoder_layer [--seconds S] [--threads N] [--variant NAME] [--json]\n"
    "  --seconds S     time to measure, 20 by default; preparation and the oracle take a few more\n"
    "  --threads N     threads of the products and of the read loops, 1 by default\n"
    "  --variant NAME  the variant to run instead of the best one for this CPU\n"
    "  --json          print JSON instead of a table\n";
} // namespace

static bool parse(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--json") {
      options.json = true;
      continue;
    }
    if (i + 1 == argc)
      return false;
    const char *value = argv[++i];
    char *end = nullptr;
    if (name == "--variant")
      options.variant = value;
    else if (name == "--seconds")
      options.seconds = std::strtod(value, &end);
    else if (name == "--threads")
      options.threads = std::strtoul(value, &end, 10);
    else
      return false;
    if (end && (end == value || *end))
      return false;
  }
  return options.seconds >= 0 && options.threads >= 1 && options.threads <= 1024;
}

static int fail(const char *what, lutc_status status) {
  std::fprintf(stderr, "decoder_layer: %s: %s\n", what, lutc_status_string(status));
  return 1;
}

int main(int argc, char **argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (const lutc_status status = lutc_use_variant(&bitnet_library, options.variant))
    return fail(options.variant ? options.variant : "no variant", status);

  const size_t sizes[] = {1, 64};
  Layer layer(bitnet_library, sizes[1]);
  const Copies copies(layer);
  if (copies.status != LUTC_OK)
    return fail("packing", copies.status);
  std::vector<Oracle> oracles;
  for (const Linear &linear : layer.linears)
    oracles.emplace_back(linear, sizes[1]);

  const Threads threads(options.threads);
  std::vector<Batch> batches;
  bool passed = true;
  for (size_t m : sizes) {
    Batch batch = {m, {}, {}};
    if (const lutc_status status =
            measure(layer, copies, m, options.seconds / std::size(sizes), threads.get(), batch.times))
      return fail("running", status);
    // Y is still that of the last measured pass.
    for (size_t i = 0; i < layer.linears.size(); ++i) {
      batch.comparisons.push_back(oracles[i].compare(layer.linears[i], m));
      passed &= batch.comparisons.back().passes();
    }
    batches.push_back(batch);
  }
  (options.json ? printJson : printTable)(layer, copies, options.threads, batches);
  return passed ? 0 : 1;
}
