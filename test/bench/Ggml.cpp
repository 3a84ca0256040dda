// llama.cpp's CPU back end, from the shared libraries of npm's @node-llama-cpp/linux-x64.
#include "Contender.h"
#include "GgmlApi.h"
#include "Library.h"
#include <filesystem>
#include <stdexcept>

using namespace lut::bench;
using namespace lut::bench::ggml;

namespace {
// ggml's name of a type, and what it competes with.
struct Type {
  const char *name, *weights;
};
constexpr Type types[] = {{"q1_0", "1"},   {"tq1_0", "ternary"}, {"tq2_0", "ternary"}, {"q2_0", "2"},
                          {"q2_K", "2"},   {"q3_K", "3"},        {"q4_0", "4"},        {"q4_K", "4"},
                          {"iq4_nl", "4"}, {"mxfp4", "4"},       {"q5_K", "5"},        {"q6_K", "6"},
                          {"q8_0", "8"}};

// The library of each instruction set that lutc can be held to.
struct Build {
  const char *variant, *library;
};
constexpr Build builds[] = {
    {"avx2", "haswell"}, {"avx512bw", "skylakex"}, {"avx512vbmi", "icelake"}, {"x86_64", "x64"}};

// ggml configures a thread's AMX tiles once; other libraries in the process configure them too.
class TileConfig {
public:
  void restore() {
    if (isKnown())
      asm volatile("ldtilecfg %0" ::"m"(bytes));
    else
      asm volatile("tilerelease");
  }
  void save() {
    if (!isKnown())
      asm volatile("sttilecfg %0" : "=m"(bytes));
  }

private:
  bool isKnown() const { return bytes[0] != 0; } // the palette; 0: no configuration
  char bytes[64] = {};
};

// A loaded CPU back end.
struct Engine : Api {
  explicit Engine(const Settings &settings);
  int typeOf(const std::string &name) const;
  // The types of buffers for weights: "" first, then those that repack.
  std::vector<BufferType *> bufferTypes() const;

  std::string build; // zen4
  Device *device;
  Backend *backend;
  void (*setThreads)(Backend *, int);
  TileConfig tiles; // of the main thread; ggml's other threads are new in each graph

private:
  std::string choose(const std::string &directory, const std::string &variant) const;
  Registry *registry;
};
} // namespace

// The build with the highest score on this CPU, or the one for a variant.
std::string Engine::choose(const std::string &directory, const std::string &variant) const {
  for (const Build &it : builds)
    if (variant == it.variant)
      return directory + "/libggml-cpu-" + it.library + ".so";
  int best = 0;
  std::string path;
  for (const auto &entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().rfind("libggml-cpu-", 0) != 0)
      continue;
    int (*score)();
    Library(entry.path()).find("ggml_backend_score", score);
    if (score() > best)
      best = score(), path = entry.path();
  }
  if (path.empty())
    throw std::runtime_error("no CPU back end for this CPU");
  return path;
}

Engine::Engine(const Settings &settings) {
  const std::string directory = settings.npm + "/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64";
  const Library base(directory + "/libggml-base.so", RTLD_NOW | RTLD_GLOBAL);
#define LUT_GGML_FIND(result, name, arguments) base.find("ggml_" #name, name);
  LUT_GGML_FUNCTIONS(LUT_GGML_FIND)
#undef LUT_GGML_FIND
  log_set([](int, const char *, void *) {}, nullptr);
  const std::string path = choose(directory, settings.variant);
  build = std::filesystem::path(path).stem().string().substr(std::string("libggml-cpu-").size());
  Registry *(*start)();
  Library(path).find("ggml_backend_init", start);
  registry = start();
  if (!registry)
    throw std::runtime_error("the back end " + build + " does not run on this CPU");
  device = backend_reg_dev_get(registry, 0);
  backend = backend_dev_init(device, nullptr);
  setThreads = reinterpret_cast<decltype(setThreads)>(
      backend_reg_get_proc_address(registry, "ggml_backend_set_n_threads"));
}

int Engine::typeOf(const std::string &name) const {
  for (int type = 0; type < 256; ++type)
    if (const char *it = type_name(type); it && name == it)
      return type;
  return -1;
}

std::vector<BufferType *> Engine::bufferTypes() const {
  std::vector<BufferType *> all = {backend_dev_buffer_type(device)};
  const auto extra = reinterpret_cast<BufferType **(*)(Device *)>(
      backend_reg_get_proc_address(registry, "ggml_backend_dev_get_extra_bufts"));
  if (extra)
    for (BufferType **it = extra(device); it && *it; ++it)
      all.push_back(*it);
  return all;
}

namespace {
class Ggml : public Contender {
public:
  Ggml(std::shared_ptr<Engine> engine, std::string name, std::string weights, int type,
       BufferType *bufferType)
      : Contender("llama.cpp", std::move(name), std::move(weights)), engine(std::move(engine)), type(type),
        bufferType(bufferType), usesTiles(this->engine->backend_buft_name(bufferType) == std::string("AMX")) {
  }
  ~Ggml() override { release(); }

  std::string bind(const Problem &bound, size_t threadCount) override;
  size_t copyBytes() const override { return copySize; }
  void store(size_t batches, size_t calls) override;
  void release() override;
  void begin(size_t m, bool hot) override;
  void run(size_t batch) override;
  std::string check(size_t m) override {
    y.resize(m * problem->shape.n);
    engine->backend_tensor_get(lastY, y.data(), 0, y.size() * sizeof(float));
    return Contender::check(m);
  }

private:
  std::vector<float> dequantized() const override;
  double bound() const override { return 3e-4; }
  bool isSupported();
  Context *newContext(size_t tensors, size_t graphs);
  void releaseGraphs();

  const std::shared_ptr<Engine> engine;
  const int type;
  BufferType *const bufferType;
  const bool usesTiles;
  size_t threads = 1, rowSize = 0, copySize = 0, calls = 1;
  std::vector<char> rows; // [period][rowSize]
  Context *weightContext = nullptr, *graphContext = nullptr;
  Buffer *weightBuffer = nullptr, *tokenBuffer = nullptr;
  std::vector<Tensor *> copies;
  std::vector<Graph *> graphs; // one a batch
  Tensor *lastY = nullptr;
};
} // namespace

Context *Ggml::newContext(size_t tensors, size_t graphs) {
  return engine->init({tensors * engine->tensor_overhead() +
                           graphs * (engine->graph_overhead_custom(calls + 1, false) + 64) + 1024,
                       nullptr, true});
}

// Whether this buffer type has a product for the type, as llama.cpp asks: by a tensor in such a buffer.
bool Ggml::isSupported() {
  const auto [n, k] = problem->shape;
  Context *context = newContext(3, 0);
  Tensor *w = engine->new_tensor_2d(context, type, int64_t(k), int64_t(n));
  Buffer *buffer =
      engine->backend_buft_alloc_buffer(bufferType, engine->backend_buft_get_alloc_size(bufferType, w));
  engine->backend_tensor_alloc(buffer, w, engine->backend_buffer_get_base(buffer));
  Tensor *x = engine->new_tensor_2d(context, typeF32, int64_t(k), 1);
  const bool supported = engine->backend_dev_supports_op(engine->device, engine->mul_mat(context, w, x));
  engine->free(context);
  engine->backend_buffer_free(buffer);
  return supported;
}

std::string Ggml::bind(const Problem &bound, size_t threadCount) {
  problem = &bound;
  threads = threadCount;
  const size_t k = problem->shape.k, block = size_t(engine->get_type_traits(type)->blockSize);
  if (k % block)
    return "k is no multiple of " + std::to_string(block);
  if (!isSupported())
    return "ggml has no such product";
  rowSize = engine->row_size(type, int64_t(k));
  rows.resize(period * rowSize);
  engine->quantize_chunk(type, problem->rows.data(), rows.data(), 0, period, int64_t(k), nullptr);
  store(1, 1);
  return "";
}

std::vector<float> Ggml::dequantized() const {
  std::vector<float> values(period * problem->shape.k);
  engine->get_type_traits(type)->toFloat(rows.data(), values.data(), int64_t(values.size()));
  return values;
}

void Ggml::releaseGraphs() {
  if (graphContext)
    engine->free(graphContext), engine->backend_buffer_free(tokenBuffer);
  graphContext = nullptr;
}

void Ggml::release() {
  releaseGraphs();
  if (weightContext)
    engine->free(weightContext), engine->backend_buffer_free(weightBuffer);
  weightContext = nullptr;
}

// The first copy is converted by the buffer type, the others are its bytes.
void Ggml::store(size_t batches, size_t callCount) {
  release();
  calls = callCount;
  const auto [n, k] = problem->shape;
  const size_t count = batches * calls;
  weightContext = newContext(count, 0);
  copies.clear();
  for (size_t i = 0; i < count; ++i)
    copies.push_back(engine->new_tensor_2d(weightContext, type, int64_t(k), int64_t(n)));
  copySize = engine->backend_buft_get_alloc_size(bufferType, copies[0]);
  const size_t stride = (copySize + 4095) / 4096 * 4096;
  weightBuffer = engine->backend_buft_alloc_buffer(bufferType, count * stride);
  char *base = static_cast<char *>(engine->backend_buffer_get_base(weightBuffer));
  for (size_t i = 0; i < count; ++i)
    engine->backend_tensor_alloc(weightBuffer, copies[i], base + i * stride);
  std::vector<char> plain;
  for (size_t row = 0; row < n; ++row)
    plain.insert(plain.end(), &rows[row % period * rowSize], &rows[row % period * rowSize] + rowSize);
  engine->backend_tensor_set(copies[0], plain.data(), 0, plain.size());
  for (size_t i = 1; i < count; ++i)
    std::copy(base, base + copySize, base + i * stride);
}

// One graph a batch with one product a copy spreads the start-up of a graph over the products.
void Ggml::begin(size_t m, bool hot) {
  releaseGraphs();
  const auto [n, k] = problem->shape;
  const size_t batches = copies.size() / calls, xBytes = (m * k * sizeof(float) + 4095) / 4096 * 4096;
  graphContext = newContext(1 + copies.size(), batches);
  tokenBuffer = engine->backend_buft_alloc_buffer(engine->backend_dev_buffer_type(engine->device),
                                                  xBytes + m * n * sizeof(float) + 4096);
  char *base = static_cast<char *>(engine->backend_buffer_get_base(tokenBuffer));
  Tensor *x = engine->new_tensor_2d(graphContext, typeF32, int64_t(k), int64_t(m));
  engine->backend_tensor_alloc(tokenBuffer, x, base);
  engine->backend_tensor_set(x, problem->x.data(), 0, m * k * sizeof(float));
  graphs.clear();
  for (size_t batch = 0; batch < batches; ++batch) {
    graphs.push_back(engine->new_graph_custom(graphContext, calls + 1, false));
    for (size_t i = 0; i < calls; ++i) {
      lastY = engine->mul_mat(graphContext, copies[hot ? 0 : batch * calls + i], x);
      engine->backend_tensor_alloc(tokenBuffer, lastY, base + xBytes);
      engine->build_forward_expand(graphs.back(), lastY);
    }
  }
  engine->setThreads(engine->backend, int(threads));
}

void Ggml::run(size_t batch) {
  if (usesTiles)
    engine->tiles.restore();
  const int status = engine->backend_graph_compute(engine->backend, graphs[batch]);
  if (usesTiles)
    engine->tiles.save();
  if (status != computeSuccess)
    throw std::runtime_error(name() + ": the graph was not computed");
}

void lut::bench::openGgml(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing) {
  const auto engine = std::make_shared<Engine>(settings);
  const std::vector<BufferType *> bufferTypes = engine->bufferTypes();
  for (const Type &it : types) {
    if (!competes(settings, it.weights))
      continue;
    const int type = engine->typeOf(it.name);
    if (type < 0) {
      missing.push_back(
          {std::string("llama.cpp ") + it.name, "not in ggml " + std::string(engine->version()), {}});
      continue;
    }
    for (BufferType *bufferType : bufferTypes) {
      const std::string kind = engine->backend_buft_name(bufferType);
      const std::string suffix = kind == "CPU" ? "" : kind == "CPU_REPACK" ? " repacked" : " " + kind;
      contenders.push_back(std::make_unique<Ggml>(engine, it.name + suffix, it.weights, type, bufferType));
    }
  }
}
