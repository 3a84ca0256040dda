// Runs a model's decoder layers on the library of its config, called `decoder`, with random weights of the
// real size: first every product of a layer, at m = 1 and m = 64 tokens, compared with the oracle; then all
// layers with norms, attention and residuals, compared with double precision, in tokens a second.
#include "Reference.h"
#include "Report.h"
#include "Threads.h"
#include "decoder.h"
#include <chrono>
#include <cstdio>
#include <cstring>

using namespace lut::example;

namespace {
struct Options {
  const char *variant = nullptr;
  double seconds = 20;
  size_t threads = 1, prompt = 128;
  bool json = false;
};

constexpr const char *usage =
    "Usage: decoder_layer [--seconds S] [--threads N] [--variant NAME] [--prompt N] [--json]\n"
    "  --seconds S     time to measure, 20 by default; preparation and the oracle take a few more\n"
    "  --threads N     threads of the products and of the read loops, 1 by default\n"
    "  --variant NAME  the variant to run instead of the best one for this CPU\n"
    "  --prompt N      tokens of the prefill, and position of the decoding, 128 by default\n"
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
    else if (name == "--prompt")
      options.prompt = std::strtoul(value, &end, 10);
    else
      return false;
    if (end && (end == value || *end))
      return false;
  }
  return options.seconds >= 0 && options.threads >= 1 && options.threads <= 1024 && options.prompt >= 1 &&
         options.prompt <= 4096;
}

static int fail(const char *what, lutc_status status) {
  std::fprintf(stderr, "decoder_layer: %s: %s\n", what, lutc_status_string(status));
  return 1;
}

static std::vector<float> drawRows(size_t m) {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> x(m * DECODER_HIDDEN);
  for (float &value : x)
    value = normal(random);
  return x;
}

// The first layer for three tokens and then a fourth, which reads their keys and values, against double
// precision.
static lutc_status check(Decoder &decoder, const lutc_parallel *parallel, double &error) {
  const size_t m = 4;
  const std::vector<float> x = drawRows(m);
  std::vector<float> y = x;
  lutc_status status = decoder.run(y.data(), m - 1, 0, 1, parallel);
  if (status == LUTC_OK)
    status = decoder.run(y.data() + (m - 1) * DECODER_HIDDEN, 1, m - 1, 1, parallel);
  error = layerError(x, y, referenceLayer(decoder, x, m));
  return status;
}

// Tokens a second of calls of m tokens through all layers, the fastest of those within `seconds`.
static lutc_status measureSpeed(Decoder &decoder, size_t m, size_t position, double seconds,
                                const lutc_parallel *parallel, Speed &speed) {
  using Clock = std::chrono::steady_clock;
  const std::vector<float> x = drawRows(m);
  const Clock::time_point start = Clock::now();
  const auto since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  do {
    std::vector<float> y = x;
    decoder.attentionSeconds = 0;
    const Clock::time_point begin = Clock::now();
    if (const lutc_status status = decoder.run(y.data(), m, position, DECODER_LAYERS, parallel))
      return status;
    const double elapsed = since(begin);
    if (m / elapsed > speed.tokensPerSecond)
      speed = {m, parallel->threads, m / elapsed, decoder.attentionSeconds / elapsed};
  } while (since(start) < seconds);
  return LUTC_OK;
}

static lutc_status measureDecoder(const Options &options, DecoderReport &report) {
  const Shape shape = {DECODER_LAYERS,       DECODER_HIDDEN,     DECODER_HEADS,
                       DECODER_KV_HEADS,     DECODER_HEAD_DIM,   DECODER_ROPE_THETA,
                       DECODER_NORM_EPSILON, DECODER_ACTIVATION, DECODER_QK_NORM != 0};
  Decoder decoder(decoder_library, shape, std::max<size_t>(options.prompt, 4), options.prompt + 4);
  report.missing = decoder.missing;
  if (decoder.missing || decoder.status != LUTC_OK)
    return decoder.status;
  report.packedBytes = decoder.packedBytes();
  lutc_status status = LUTC_OK;
  for (size_t count : {size_t(1), options.threads}) {
    const Threads threads(count); // only these: waiting threads spin
    if (report.speeds.empty())
      status = check(decoder, threads.get(), report.error);
    for (size_t m : {options.prompt, size_t(1)}) {
      Speed speed = {};
      if (status == LUTC_OK)
        status =
            measureSpeed(decoder, m, m == 1 ? options.prompt : 0, options.seconds / 4, threads.get(), speed);
      report.speeds.push_back(speed);
    }
    if (count == options.threads)
      break;
  }
  return status;
}

int main(int argc, char **argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (const lutc_status status = lutc_use_variant(&decoder_library, options.variant))
    return fail(options.variant ? options.variant : "no variant", status);

  const size_t sizes[] = {1, 64};
  Layer layer(decoder_library, sizes[1]);
  const Copies copies(layer);
  if (copies.status != LUTC_OK)
    return fail("packing", copies.status);
  std::vector<Oracle> oracles;
  for (const Linear &linear : layer.linears)
    oracles.emplace_back(linear, sizes[1]);

  std::vector<Batch> batches;
  bool passed = true;
  for (size_t m : sizes) {
    const Threads threads(options.threads);
    Batch batch = {m, {}, {}};
    if (const lutc_status status = measure(layer, copies, m, options.seconds / 4, threads.get(), batch.times))
      return fail("running", status);
    // Y is still that of the last measured pass.
    for (size_t i = 0; i < layer.linears.size(); ++i) {
      batch.comparisons.push_back(oracles[i].compare(layer.linears[i], m));
      passed &= batch.comparisons.back().passes();
    }
    batches.push_back(batch);
  }
  DecoderReport report;
  if (const lutc_status status = measureDecoder(options, report))
    return fail("the decoder", status);
  (options.json ? printJson : printTable)(layer, copies, options.threads, batches, report);
  return passed && (report.missing || report.error < 1e-2) ? 0 : 1;
}
