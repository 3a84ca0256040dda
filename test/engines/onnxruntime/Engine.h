// An ONNX Runtime, and sessions with and without the plug-in.
#ifndef LUT_TEST_ENGINES_ONNXRUNTIME_ENGINE_H
#define LUT_TEST_ENGINES_ONNXRUNTIME_ENGINE_H

#include "../../bench/OnnxApi.h"
#include "Model.h"
#include <memory>
#include <mutex>

namespace lut::onnx {

using bench::onnx::Api;

class Engine : public Api {
public:
  static Engine &instance() {
    static Engine engine;
    return engine;
  }
  static inline std::string library, plugin;

  // What the plug-in has said since the last call.
  std::string said() {
    const std::lock_guard<std::mutex> guard(lock);
    std::string lines;
    lines.swap(log);
    return lines;
  }

  // Before some version after 1.23 the built-in op of f16 reads freed memory.
  bool hasGoodHalves() const { return minor >= 30; }

  bench::onnx::Environment *environment = nullptr;
  bench::onnx::MemoryInfo *memory = nullptr;

private:
  Engine() : Api(load()) {
    constexpr int information = 1;
    require(createLoggingEnv(&Engine::keep, this, information, "test", &environment));
    require(createCpuMemoryInfo(bench::onnx::arenaAllocator, bench::onnx::defaultMemory, &memory));
  }

  static void *const *load() {
    const bench::onnx::ApiBase *(*base)();
    bench::Library(library).find("OrtGetApiBase", base);
    minor = std::atoi(base()->getVersion() + std::string("1.").size());
    return base()->getApi(bench::onnx::apiVersion);
  }

  static void keep(void *argument, int, const char *, const char *, const char *, const char *message) {
    auto *engine = static_cast<Engine *>(argument);
    const std::lock_guard<std::mutex> guard(engine->lock);
    if (std::string(message).rfind("lutc", 0) == 0)
      engine->log += message;
  }

  static inline int minor = 0; // of the version
  std::mutex lock;             // of the log
  std::string log;
};

struct Results {
  std::vector<float> y;
  std::vector<int64_t> shape;
};

// Throws std::runtime_error with what ONNX Runtime says.
class Session {
public:
  Session(const Model &model, bool isOurs, int threads = 1, int registrations = 1) : node(model.node) {
    bench::onnx::SessionOptions *options = nullptr;
    engine.require(engine.createSessionOptions(&options));
    engine.require(engine.setThreads(options, threads));
    engine.require(engine.addConfigEntry(options, "session.intra_op.allow_spinning", "0"));
    const std::string bytes = model.serialize();
    bench::onnx::Status *status = nullptr;
    for (int i = 0; isOurs && i < registrations && !status; ++i)
      status = engine.registerCustomOps(options, Engine::plugin.c_str());
    if (!status)
      status =
          engine.createSessionFromArray(engine.environment, bytes.data(), bytes.size(), options, &session);
    engine.releaseSessionOptions(options);
    engine.require(status);
    for (const Input &input : model.variables())
      variables.push_back(input);
  }
  ~Session() {
    if (session)
      engine.releaseSession(session);
  }
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  // A of shape [m][k], or [shape...][k].
  Results run(const std::vector<float> &x, std::vector<int64_t> shape = {}) const {
    if (shape.empty())
      shape = {int64_t(x.size() / node.k)};
    shape.push_back(int64_t(node.k));
    return runShape(x, shape);
  }

  Results runShape(const std::vector<float> &x, const std::vector<int64_t> &shape) const {
    std::vector<Input> inputs = {{"A", bytesOf(x, node.type), shape, node.type}};
    inputs.insert(inputs.end(), variables.begin(), variables.end());
    std::vector<const char *> names;
    std::vector<bench::onnx::Value *> values;
    for (Input &input : inputs) {
      names.push_back(input.name.c_str());
      values.push_back(nullptr);
      engine.require(engine.createTensor(engine.memory, input.bytes.data(), input.bytes.size(),
                                         input.shape.data(), input.shape.size(), input.type, &values.back()));
    }
    const char *outputName = "Y";
    bench::onnx::Value *output = nullptr;
    bench::onnx::Status *status =
        engine.run(session, nullptr, names.data(), values.data(), values.size(), &outputName, 1, &output);
    for (bench::onnx::Value *value : values)
      engine.releaseValue(value);
    engine.require(status);
    const Results results = read(output);
    engine.releaseValue(output);
    return results;
  }

  std::vector<Input> variables; // but A

private:
  Results read(bench::onnx::Value *value) const {
    Results results;
    bench::onnx::ShapeInfo *info = nullptr;
    size_t rank = 0, count = 1;
    void *data = nullptr;
    engine.require(engine.getShape(value, &info));
    engine.require(engine.getRank(info, &rank));
    results.shape.resize(rank);
    engine.require(engine.getDimensions(info, results.shape.data(), rank));
    engine.releaseShape(info);
    for (int64_t size : results.shape)
      count *= size_t(size);
    engine.require(engine.getData(value, &data));
    results.y = floatsOf(data, count, node.type);
    return results;
  }

  Engine &engine = Engine::instance();
  const Node node;
  bench::onnx::Session *session = nullptr;
};

} // namespace lut::onnx

#endif
