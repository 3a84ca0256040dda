// bench_onnxruntime <library of ONNX Runtime> <plug-in> [seconds a cell]: sessions with the plug-in beside
// sessions with the built-in op, in turn. A session has several products of 4096 x 4096, each with its own
// weights, so that those of m = 1 come from memory. Prints a table.
#include "OnnxApi.h"
#include "OnnxModel.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

using namespace lut::bench;
using namespace lut::bench::onnx;

namespace {

constexpr size_t n = 4096, k = 4096, products = 8, mostTokens = 128;

struct Weights {
  int bits;
  size_t block;
  int level;
};
constexpr Weights cases[] = {{4, 32, 4}, {4, 128, 4}, {2, 128, 4}, {8, 128, 4}, {4, 32, 0}};

class Engine : public Api {
public:
  explicit Engine(const ApiBase &base) : Api(base.getApi(apiVersion)) {
    require(createEnv(logErrors, "bench", &environment));
    require(createCpuMemoryInfo(arenaAllocator, defaultMemory, &memory));
  }
  Environment *environment = nullptr;
  MemoryInfo *memory = nullptr;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Products {
public:
  Products(Engine &engine, const std::string &model, int threads, const char *plugin) : engine(engine) {
    SessionOptions *options = nullptr;
    engine.require(engine.createSessionOptions(&options));
    engine.require(engine.setThreads(options, threads));
    engine.require(engine.addConfigEntry(options, "session.force_spinning_stop", "1"));
    if (plugin)
      engine.require(engine.registerCustomOps(options, plugin));
    engine.require(
        engine.createSessionFromArray(engine.environment, model.data(), model.size(), options, &session));
    engine.releaseSessionOptions(options);
    y.resize(products * mostTokens * n);
  }
  ~Products() { engine.releaseSession(session); }
  Products(const Products &) = delete;
  Products &operator=(const Products &) = delete;

  // Seconds of all products.
  double run(std::vector<float> &x, size_t m) {
    Value *input = tensor(x.data(), m, k);
    std::vector<std::string> names;
    std::vector<const char *> outputNames;
    std::vector<Value *> outputs;
    for (size_t i = 0; i < products; ++i)
      names.push_back("Y" + std::to_string(i));
    for (size_t i = 0; i < products; ++i) {
      outputNames.push_back(names[i].c_str());
      outputs.push_back(tensor(y.data() + i * m * n, m, n));
    }
    const char *inputName = "X";
    const double begin = now();
    Status *status =
        engine.run(session, nullptr, &inputName, &input, 1, outputNames.data(), products, outputs.data());
    const double seconds = now() - begin;
    engine.releaseValue(input);
    for (Value *output : outputs)
      engine.releaseValue(output);
    engine.require(status);
    return seconds;
  }

  std::vector<float> y; // [products][m][n]

private:
  Value *tensor(float *data, size_t rows, size_t columns) {
    const int64_t shape[] = {int64_t(rows), int64_t(columns)};
    Value *value = nullptr;
    engine.require(engine.createTensor(engine.memory, data, rows * columns * sizeof(float), shape, 2,
                                       elementFloat, &value));
    return value;
  }

  Engine &engine;
  Session *session = nullptr;
};

std::string drawModel(const Weights &weights, std::mt19937 &random) {
  OnnxModel model(n, k, weights.bits, weights.block, weights.level);
  std::uniform_real_distribution<float> scale(0.01f, 0.02f);
  for (size_t i = 0; i < products; ++i) {
    std::string codes(n * k * size_t(weights.bits) / 8, '\0'),
        scales(n * k / weights.block * sizeof(float), '\0');
    for (size_t at = 0; at < codes.size(); at += sizeof(uint32_t)) {
      const uint32_t word = uint32_t(random());
      std::memcpy(&codes[at], &word, sizeof word);
    }
    for (size_t at = 0; at < scales.size(); at += sizeof(float)) {
      const float value = scale(random);
      std::memcpy(&scales[at], &value, sizeof value);
    }
    model.addProduct(i, codes, scales);
  }
  return model.serialize();
}

double nmse(const std::vector<float> &a, const std::vector<float> &b, size_t count) {
  double error = 0, power = 0;
  for (size_t i = 0; i < count; ++i) {
    error += (double(a[i]) - double(b[i])) * (double(a[i]) - double(b[i]));
    power += double(b[i]) * double(b[i]);
  }
  return error / power;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double least(const std::vector<double> &values) { return *std::min_element(values.begin(), values.end()); }

// Least times in microseconds a product, and how many times faster it is with the plug-in: median and least
// of all rounds.
void printCell(Products &stock, Products &ours, std::vector<float> &x, size_t m, double seconds) {
  std::vector<double> stockTimes, times, ratios;
  stock.run(x, m);
  ours.run(x, m);
  constexpr double bound = 2e-4; // both round activations to int8
  if (const double error = nmse(ours.y, stock.y, products * m * n); !(error < bound))
    throw std::runtime_error("results differ: NMSE " + std::to_string(error));
  for (const double end = now() + seconds; now() < end || ratios.size() < 6;) {
    const bool isStockFirst = ratios.size() % 2 == 0; // what runs second finds other caches and threads
    double first = (isStockFirst ? stock : ours).run(x, m), second = (isStockFirst ? ours : stock).run(x, m);
    if (!isStockFirst)
      std::swap(first, second);
    stockTimes.push_back(first * 1e6 / products);
    times.push_back(second * 1e6 / products);
    ratios.push_back(first / second);
  }
  std::printf(" %.0f, %.0f: %.2fx (%.2f) |", least(stockTimes), least(times), median(ratios), least(ratios));
  std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_onnxruntime <library of ONNX Runtime> <plug-in> [seconds a cell]\n");
    return 2;
  }
  const ApiBase *(*base)() = nullptr;
  Library(argv[1]).find("OrtGetApiBase", base);
  Engine engine(*base());
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(mostTokens * k);
  for (float &value : x)
    value = normal(random);
  std::printf(
      "ONNX Runtime %s, %zu x %zu, %zu products a session; least us of the built-in op, of lutc: times "
      "faster, median "
      "(least)\n\n",
      base()->getVersion(), n, k, products);
  std::puts("| weights | accuracy level | threads | m = 1 | m = 8 | m = 128 |\n| --- | --- | --- | --- | --- "
            "| --- |");
  for (const Weights &weights : cases) {
    const std::string model = drawModel(weights, random);
    for (int threads : {1, 2}) {
      Products stock(engine, model, threads, nullptr), ours(engine, model, threads, argv[2]);
      std::printf("| %d bits, blocks of %zu | %d | %d |", weights.bits, weights.block, weights.level,
                  threads);
      for (size_t m : {size_t(1), size_t(8), mostTokens})
        printCell(stock, ours, x, m, argc > 3 ? std::atof(argv[3]) : 3);
      std::puts("");
    }
  }
}
