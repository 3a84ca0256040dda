#include "Report.h"
#include <cstdio>

using namespace lut::example;

static double gigabytesPerSecond(size_t bytes, double seconds) { return bytes / seconds * 1e-9; }

namespace {
// A product's row, from the medians.
struct Row {
  Row(const Layer &layer, const Copies &copies, const Batch &batch, size_t index)
      : linear(layer.linears[index]), variant(*lutc_kernel_variant(linear.kernel)),
        comparison(batch.comparisons[index]), minUs(batch.times.linears[index].min() * 1e6),
        medianUs(batch.times.linears[index].median() * 1e6),
        rate(gigabytesPerSecond(variant.packed_bytes, medianUs * 1e-6)),
        share(rate / gigabytesPerSecond(copies.copyBytes, batch.times.read.median())) {}

  const Linear &linear;
  const lutc_variant_info &variant;
  const Comparison &comparison;
  double minUs, medianUs, rate, share;
};
} // namespace

static void printRow(const Row &row, size_t m) {
  const lutc_kernel_info &info = row.linear.info;
  const std::string shape = std::to_string(info.n) + " x " + std::to_string(info.k);
  const std::string oracle =
      row.comparison.wrong ? std::to_string(row.comparison.wrong) + " wrong" : std::string("exact");
  std::printf("%-10s %-7s %-12s %-11s %-8s %3zu %9.1f %9.1f %6.2f %5.0f%%  %-9s %.1e\n", info.name,
              info.format, shape.c_str(), row.variant.variant, row.variant.strategy, m, row.minUs,
              row.medianUs, row.rate, row.share * 100, oracle.c_str(), row.comparison.nmse);
}

static void printDecoder(const DecoderReport &decoder) {
  if (decoder.missing) {
    std::printf("\nall layers: not run, the library has no group %s\n", decoder.missing);
    return;
  }
  std::printf("\nall layers, %.0f MiB of weights; a layer's NMSE against double precision %.1e\n",
              decoder.packedBytes / 1048576.0, decoder.error);
  for (const Speed &speed : decoder.speeds)
    std::printf("m = %3zu, %zu thread%s: %8.1f tokens/s, attention %4.1f %% of the time\n", speed.m,
                speed.threads, speed.threads == 1 ? "" : "s", speed.tokensPerSecond,
                speed.attentionShare * 100);
}

void lut::example::printTable(const Layer &layer, const Copies &copies, size_t threads,
                              const std::vector<Batch> &batches, const DecoderReport &decoder) {
  std::printf("%zu thread%s; weights %s: %zu packed copies in turn, %.0f MiB, last-level cache %.0f MiB\n\n",
              threads, threads == 1 ? "" : "s", copies.temperature(), copies.count,
              copies.bytes() / 1048576.0, copies.cacheBytes / 1048576.0);
  std::printf("%-10s %-7s %-12s %-11s %-8s %3s %9s %9s %6s %6s  %-9s %s\n", "kernel", "format", "n x k",
              "variant", "strategy", "m", "us min", "us median", "GB/s", "share", "oracle", "NMSE");
  for (const Batch &batch : batches)
    for (size_t i = 0; i < layer.linears.size(); ++i)
      printRow(Row(layer, copies, batch, i), batch.m);
  std::printf("\nGB/s: packed weights by the median time; share: of the read bandwidth\n");
  for (const Batch &batch : batches) {
    const Times &read = batch.times.read, &layerTimes = batch.times.layer;
    std::printf("m = %2zu: layer %.1f us a token (median %.1f); read bandwidth %.2f GB/s (median %.2f), %s\n",
                batch.m, layerTimes.min() * 1e6 / batch.m, layerTimes.median() * 1e6 / batch.m,
                gigabytesPerSecond(copies.copyBytes, read.min()),
                gigabytesPerSecond(copies.copyBytes, read.median()), batch.times.reader.c_str());
  }
  printDecoder(decoder);
}

static void printJsonProduct(const Row &row) {
  const lutc_kernel_info &info = row.linear.info;
  std::printf(
      "        {\"kernel\": \"%s\", \"format\": \"%s\", \"numerics\": \"%s\", \"n\": %zu, \"k\": %zu, "
      "\"variant\": \"%s\", \"strategy\": \"%s\", \"packed_bytes\": %zu, \"us_min\": %.3f, "
      "\"us_median\": %.3f, \"gb_per_s\": %.3f, \"share\": %.4f, \"wrong\": %zu, \"nmse\": %.3e}",
      info.name, info.format, info.numerics, info.n, info.k, row.variant.variant, row.variant.strategy,
      row.variant.packed_bytes, row.minUs, row.medianUs, row.rate, row.share, row.comparison.wrong,
      row.comparison.nmse);
}

void lut::example::printJson(const Layer &layer, const Copies &copies, size_t threads,
                             const std::vector<Batch> &batches, const DecoderReport &decoder) {
  std::printf("{\n  \"threads\": %zu, \"weights\": \"%s\", \"copies\": %zu, \"copy_bytes\": %zu, "
              "\"cache_bytes\": %zu,\n  \"batches\": [",
              threads, copies.temperature(), copies.count, copies.copyBytes, copies.cacheBytes);
  for (const Batch &batch : batches) {
    std::printf("%s\n    {\"m\": %zu, \"us_per_token_min\": %.3f, \"us_per_token_median\": %.3f, "
                "\"read_gb_per_s_best\": %.3f, \"read_gb_per_s_median\": %.3f, \"reader\": \"%s\",\n"
                "      \"products\": [",
                &batch == batches.data() ? "" : ",", batch.m, batch.times.layer.min() * 1e6 / batch.m,
                batch.times.layer.median() * 1e6 / batch.m,
                gigabytesPerSecond(copies.copyBytes, batch.times.read.min()),
                gigabytesPerSecond(copies.copyBytes, batch.times.read.median()), batch.times.reader.c_str());
    for (size_t i = 0; i < layer.linears.size(); ++i) {
      std::printf("%s\n", i ? "," : "");
      printJsonProduct(Row(layer, copies, batch, i));
    }
    std::printf("]}");
  }
  std::printf("],\n  \"layer_nmse\": %.3e,\n  \"speeds\": [", decoder.error);
  for (const Speed &speed : decoder.speeds)
    std::printf("%s\n    {\"m\": %zu, \"threads\": %zu, \"tokens_per_s\": %.3f, \"attention_share\": %.4f}",
                &speed == decoder.speeds.data() ? "" : ",", speed.m, speed.threads, speed.tokensPerSecond,
                speed.attentionShare);
  std::printf("]\n}\n");
}
