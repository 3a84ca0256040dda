#include "Results.h"
#include "Machine.h"
#include <algorithm>
#include <sstream>
#include <thread>

using namespace lut::bench;

static std::string quoted(const std::string &text) {
  std::string json = "\"";
  for (char c : text)
    if (c == '"' || c == '\\')
      json += std::string("\\") + c;
    else
      json += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return json + '"';
}

// Items as an array or object, one a line.
static std::string list(const std::vector<std::string> &items, char open, char close) {
  if (items.empty())
    return {open, close};
  std::string json(1, open);
  for (size_t i = 0; i < items.size(); ++i)
    json += (i ? ",\n" : "\n") + items[i];
  return json + "\n" + close;
}

// The median over the rounds of how many times longer a peer took than lutc in the same round.
static double ratio(const Timing &lutc, const Timing &peer) {
  std::vector<double> ratios;
  for (size_t round = 0; round < std::min(lutc.seconds.size(), peer.seconds.size()); ++round)
    ratios.push_back(peer.seconds[round] / lutc.seconds[round]);
  std::sort(ratios.begin(), ratios.end());
  return ratios[ratios.size() / 2];
}

static std::string timingJson(const Cell &cell, const Timing &timing) {
  const Contender &contender = *timing.contender;
  const double elements = double(cell.shape.n * cell.shape.k);
  std::ostringstream json;
  json << "{\"peer\": " << quoted(contender.peer) << ", \"type\": " << quoted(contender.type)
       << ", \"weights\": " << quoted(contender.weights)
       << ", \"bits\": " << double(timing.copyBytes) * 8 / elements << ", \"nmse\": " << timing.nmse
       << ", \"rounds\": " << timing.seconds.size() << ", \"min_us\": " << timing.min() * 1e6
       << ", \"median_us\": " << timing.median() * 1e6
       << ", \"gb_s\": " << double(timing.copyBytes) / timing.min() * 1e-9
       << ", \"gmac_s\": " << elements * double(cell.m) / timing.min() * 1e-9;
  std::vector<std::string> ratios;
  if (contender.peer == "lutc")
    for (const Timing &peer : cell.timings)
      if (peer.contender->peer != "lutc" && peer.contender->weights == contender.weights)
        ratios.push_back(quoted(peer.contender->name()) + ": " + std::to_string(ratio(timing, peer)));
  if (!ratios.empty())
    json << ", \"speedup\": " << list(ratios, '{', '}');
  return json.str() + "}";
}

static std::string cellJson(const Cell &cell) {
  double read = 0, peak = 0;
  std::vector<std::string> results;
  for (const Timing &timing : cell.timings) {
    if (timing.contender->peer == "read")
      read = std::max(read, double(timing.copyBytes) / timing.min());
    else if (timing.contender->peer == "int8 peak")
      peak = std::max(peak, double(timing.copyBytes) / timing.min());
    else
      results.push_back(timingJson(cell, timing));
  }
  std::ostringstream json;
  json << "{\"n\": " << cell.shape.n << ", \"k\": " << cell.shape.k << ", \"m\": " << cell.m
       << ", \"threads\": " << cell.threads << ", \"weights\": " << (cell.hot ? "\"hot\"" : "\"cold\"")
       << ", \"cycled_bytes\": " << cell.cycledBytes << ", \"read_gb_s\": " << read * 1e-9
       << ", \"int8_peak_gmac_s\": " << peak * 1e-9 << ", \"results\": " << list(results, '[', ']') << "}";
  return json.str();
}

static std::string missingJson(const Missing &missing) {
  std::vector<std::string> shapes;
  for (const std::string &shape : missing.shapes)
    shapes.push_back(quoted(shape));
  return "{\"name\": " + quoted(missing.name) + ", \"reason\": " + quoted(missing.reason) +
         ", \"shapes\": " + list(shapes, '[', ']') + "}";
}

std::string Results::json(const Options &options) const {
  std::vector<std::string> cellItems, missingItems;
  for (const Cell &cell : cells)
    cellItems.push_back(cellJson(cell));
  for (const Missing &it : missing)
    missingItems.push_back(missingJson(it));
  std::ostringstream json;
  json << "{\"command\": " << quoted(options.command) << ",\n\"cpu\": " << quoted(cpuName())
       << ", \"cores\": " << std::thread::hardware_concurrency()
       << ", \"last_level_cache_bytes\": " << lastLevelCache()
       << ", \"huge_page_fraction\": " << hugePageFraction() << ", \"load_average\": " << options.load
       << ",\n\"variant\": " << quoted(options.settings.variant)
       << ",\n\"not_run\": " << list(missingItems, '[', ']') << ",\n\"cells\": " << list(cellItems, '[', ']')
       << "}\n";
  return json.str();
}
