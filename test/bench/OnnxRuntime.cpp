// ONNX Runtime's MatMulNBits, from the shared library of npm's onnxruntime-node.
#include "Contender.h"
#include "OnnxApi.h"
#include "OnnxModel.h"
#include <algorithm>
#include <cmath>

using namespace lut::bench;
using namespace lut::bench::onnx;

namespace {
struct Type {
  const char *name, *weights;
  int bits;
  size_t block;
  bool table; // its lookup path
};
constexpr Type types[] = {{"2 bits g128", "2", 2, 128, false},
                          {"2 bits g128 lookup", "2", 2, 128, true},
                          {"4 bits g128", "4", 4, 128, false},
                          {"4 bits g32", "4", 4, 32, false},
                          {"8 bits g128", "8", 8, 128, false}};

struct Engine : Api {
  explicit Engine(const ApiBase &base) : Api(base.getApi(apiVersion)) {
    require(createEnv(logErrors, "bench", &environment));
    require(createCpuMemoryInfo(arenaAllocator, defaultMemory, &memory));
  }
  Environment *environment = nullptr;
  MemoryInfo *memory = nullptr;
};

class MatMulNBits : public Contender {
public:
  MatMulNBits(std::shared_ptr<Engine> engine, const Type &type)
      : Contender("onnxruntime", type.name, type.weights), engine(std::move(engine)), type(type) {}
  ~MatMulNBits() override { release(); }

  std::string bind(const Problem &bound, size_t threadCount) override;
  size_t copyBytes() const override { return problem->shape.n * blocks * (blockBytes() + sizeof(float)); }
  void store(size_t batches, size_t calls) override;
  void release() override;
  void begin(size_t m, bool hot) override;
  void run(size_t batch) override;

private:
  std::vector<float> dequantized() const override { return values; }
  size_t blockBytes() const { return type.block * size_t(type.bits) / 8; }
  void quantize(size_t row, size_t block);
  Session *newSession(size_t products) const;
  void runSession(Session *session, size_t products);
  void releaseTensors();

  const std::shared_ptr<Engine> engine;
  const Type &type;
  size_t threads = 1, blocks = 0, calls = 1;
  bool hot = false;
  std::string codes;                 // [period][blocks][blockBytes]
  std::vector<float> scales, values; // [period][blocks], [period][k]
  std::vector<Session *> sessions;   // one a batch
  Session *single = nullptr;         // one product, for hot weights
  Value *x = nullptr, *output = nullptr, *otherOutput = nullptr;
  std::vector<float> otherY; // of all products but the first
};
} // namespace

// Symmetric: the zero point is 2^(bits-1), and the greatest magnitude becomes the lowest code.
void MatMulNBits::quantize(size_t row, size_t block) {
  const size_t k = problem->shape.k, begin = block * type.block, end = std::min(begin + type.block, k);
  const float *w = problem->row(row);
  float largest = 0;
  for (size_t i = begin; i < end; ++i)
    if (std::fabs(w[i]) > std::fabs(largest))
      largest = w[i];
  const int zero = 1 << (type.bits - 1);
  const float scale = -largest / float(zero);
  scales[row * blocks + block] = scale;
  char *bytes = &codes[(row * blocks + block) * blockBytes()];
  for (size_t i = begin; i < end; ++i) {
    const int code = std::clamp(int(std::lround(w[i] / scale)) + zero, 0, 2 * zero - 1);
    const size_t bit = (i - begin) * size_t(type.bits);
    bytes[bit / 8] = char(bytes[bit / 8] | code << bit % 8);
    values[row * k + i] = scale * float(code - zero);
  }
}

std::string MatMulNBits::bind(const Problem &bound, size_t threadCount) {
  problem = &bound;
  threads = threadCount;
  const auto [n, k] = problem->shape;
  blocks = (k + type.block - 1) / type.block;
  if (type.table && (n % 128 || k % type.block))
    return "its lookup path takes only multiples of 128";
  codes.assign(period * blocks * blockBytes(), 0);
  scales.assign(period * blocks, 0);
  values.assign(period * k, 0);
  for (size_t row = 0; row < period; ++row)
    for (size_t block = 0; block < blocks; ++block)
      quantize(row, block);
  return "";
}

// The runtime stores equal weights of a session once, which would warm them: so each product starts with
// another row. The first one's Y is compared.
Session *MatMulNBits::newSession(size_t products) const {
  const auto [n, k] = problem->shape;
  constexpr int int8Activations = 4;
  OnnxModel model(n, k, type.bits, type.block, int8Activations);
  for (size_t i = 0; i < products; ++i) {
    std::string allCodes, allScales;
    for (size_t row = 0; row < n; ++row) {
      const size_t from = (row + i) % period * blocks;
      allCodes.append(codes, from * blockBytes(), blocks * blockBytes());
      allScales.append(reinterpret_cast<const char *>(&scales[from]), blocks * sizeof(float));
    }
    model.addProduct(i, allCodes, allScales);
  }
  const std::string bytes = model.serialize();
  SessionOptions *options = nullptr;
  engine->require(engine->createSessionOptions(&options));
  engine->require(engine->setThreads(options, int(threads)));
  engine->require(engine->setOptimizationLevel(options, noOptimization));
  engine->require(engine->addConfigEntry(options, "session.force_spinning_stop", "1"));
  engine->require(engine->addConfigEntry(options, "mlas.use_lut_gemm", type.table ? "1" : "0"));
  Session *session = nullptr;
  engine->require(
      engine->createSessionFromArray(engine->environment, bytes.data(), bytes.size(), options, &session));
  engine->releaseSessionOptions(options);
  return session;
}

void MatMulNBits::store(size_t batches, size_t callCount) {
  release();
  calls = callCount;
  for (size_t batch = 0; batch < batches; ++batch)
    sessions.push_back(newSession(calls));
  single = newSession(1);
}

void MatMulNBits::releaseTensors() {
  if (x)
    for (Value *value : {x, output, otherOutput})
      engine->releaseValue(value);
  x = output = otherOutput = nullptr;
}

void MatMulNBits::release() {
  releaseTensors();
  for (Session *session : sessions)
    engine->releaseSession(session);
  sessions.clear();
  if (single)
    engine->releaseSession(single);
  single = nullptr;
}

void MatMulNBits::begin(size_t m, bool isHot) {
  releaseTensors();
  hot = isHot;
  const auto [n, k] = problem->shape;
  const auto tensor = [&](float *data, size_t columns) {
    const int64_t shape[] = {int64_t(m), int64_t(columns)};
    Value *value = nullptr;
    engine->require(engine->createTensor(engine->memory, data, m * columns * sizeof(float), shape, 2,
                                         elementFloat, &value));
    return value;
  };
  y.assign(m * n, 0);
  x = tensor(const_cast<float *>(problem->x.data()), k);
  output = tensor(y.data(), n);
  otherY.resize(m * n);
  otherOutput = tensor(otherY.data(), n);
}

void MatMulNBits::runSession(Session *session, size_t products) {
  const char *inputName = "X";
  std::vector<std::string> names;
  std::vector<const char *> outputNames;
  for (size_t i = 0; i < products; ++i)
    names.push_back("Y" + std::to_string(i));
  for (const std::string &name : names)
    outputNames.push_back(name.c_str());
  std::vector<Value *> outputs(products, otherOutput);
  outputs[0] = output;
  const Value *input = x;
  engine->require(
      engine->run(session, nullptr, &inputName, &input, 1, outputNames.data(), products, outputs.data()));
}

void MatMulNBits::run(size_t batch) {
  if (!hot)
    runSession(sessions[batch], calls);
  else
    for (size_t i = 0; i < calls; ++i)
      runSession(single, 1);
}

void lut::bench::openOnnxRuntime(const Settings &settings, Contenders &contenders, std::vector<Missing> &) {
  if (!settings.variant.empty())
    throw std::runtime_error("cannot be held to an instruction set");
  const Library library(settings.npm +
                        "/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1");
  const ApiBase *(*base)();
  library.find("OrtGetApiBase", base);
  const auto engine = std::make_shared<Engine>(*base());
  for (const Type &type : types)
    contenders.push_back(std::make_unique<MatMulNBits>(engine, type));
}
