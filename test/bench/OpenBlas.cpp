// OpenBLAS: the product with float weights.
#include "Contender.h"
#include "Library.h"
#include "Pages.h"
#include <cstdlib>

using namespace lut::bench;

namespace {
constexpr int rowMajor = 101, noTranspose = 111, transpose = 112;

struct Engine {
  explicit Engine(const Library &library) {
    library.find("cblas_sgemm", sgemm);
    library.find("openblas_set_num_threads", setThreads);
  }
  void (*sgemm)(int order, int transposeA, int transposeB, int m, int n, int k, float alpha, const float *a,
                int lda, const float *b, int ldb, float beta, float *c, int ldc);
  void (*setThreads)(int);
};

class Sgemm : public Contender {
public:
  explicit Sgemm(std::shared_ptr<Engine> engine)
      : Contender("openblas", "float", "float"), engine(std::move(engine)) {}

  std::string bind(const Problem &bound, size_t threadCount) override {
    problem = &bound;
    threads = threadCount;
    return "";
  }
  size_t copyBytes() const override { return problem->shape.n * problem->shape.k * sizeof(float); }

  void store(size_t batches, size_t callCount) override {
    calls = callCount;
    const size_t k = problem->shape.k;
    copies.resize(batches * calls * copyBytes());
    for (size_t row = 0; row < problem->shape.n; ++row)
      std::memcpy(copies.data() + row * k * sizeof(float), problem->row(row), k * sizeof(float));
    copies.repeat(copyBytes());
  }
  void release() override { copies.resize(0); }

  void begin(size_t tokens, bool isHot) override {
    m = tokens, hot = isHot;
    y.assign(m * problem->shape.n, 0);
  }

  void run(size_t batch) override {
    const int n = int(problem->shape.n), k = int(problem->shape.k);
    engine->setThreads(int(threads));
    for (size_t i = 0; i < calls; ++i) {
      const char *copy = copies.data() + (hot ? 0 : batch * calls + i) * copyBytes();
      engine->sgemm(rowMajor, noTranspose, transpose, int(m), n, k, 1, problem->x.data(), k,
                    reinterpret_cast<const float *>(copy), k, 0, y.data(), n);
    }
  }

private:
  std::vector<float> dequantized() const override { return problem->rows; }
  double bound() const override { return 1e-9; }

  const std::shared_ptr<Engine> engine;
  size_t threads = 1, calls = 1, m = 1;
  bool hot = false;
  Pages copies;
};
} // namespace

void lut::bench::openOpenBlas(const Settings &settings, Contenders &contenders, std::vector<Missing> &) {
  const std::string &variant = settings.variant;
  if (!variant.empty()) // read when the library is loaded
    setenv("OPENBLAS_CORETYPE",
           variant == "avx2"     ? "Haswell"
           : variant == "x86_64" ? "Nehalem"
                                 : "SkylakeX",
           1);
  setenv("OPENBLAS_THREAD_TIMEOUT", "20", 0); // its threads spin 2^20 cycles before they sleep
  const auto engine = std::make_shared<Engine>(Library("libopenblas.so.0"));
  contenders.push_back(std::make_unique<Sgemm>(engine));
}
