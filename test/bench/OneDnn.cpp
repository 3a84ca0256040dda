// oneDNN's matmul with int8 weights (one scale a row, activations quantized here and counted) and float
// weights.
#include "Contender.h"
#include <stdexcept>

using namespace lut::bench;

#ifdef LUT_BENCH_ONEDNN
#include "Pages.h"
#include <algorithm>
#include <cmath>
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.hpp>

using dnnl::memory;

// Loops that must be no slower than the peer's own code.
#define LUT_FAST __attribute__((target_clones("avx512f", "avx2", "default")))

// int8 codes of x and their step: x ~ step * code.
LUT_FAST static float quantize(const float *x, size_t k, int8_t *codes) {
  const int32_t *bits = reinterpret_cast<const int32_t *>(x);
  int32_t largest = 1;
  for (size_t i = 0; i < k; ++i)
    largest = std::max(largest, bits[i] & 0x7fffffff); // ordered like the magnitudes
  float magnitude;
  std::memcpy(&magnitude, &largest, sizeof magnitude);
  const float inverse = 127 / magnitude, rounder = 0x1.8p23f; // its last bit is worth 1
  for (size_t i = 0; i < k; ++i)
    codes[i] = int8_t(int32_t((x[i] * inverse + rounder) - rounder));
  return magnitude / 127;
}

LUT_FAST static void scale(const int32_t *sums, size_t n, float step, const float *scales, float *y) {
  for (size_t i = 0; i < n; ++i)
    y[i] = float(sums[i]) * (step * scales[i]);
}

namespace {
class MatMul : public Contender {
public:
  explicit MatMul(bool isInt8)
      : Contender("onednn", isInt8 ? "s8" : "float", isInt8 ? "8" : "float"), isInt8(isInt8) {}

  std::string bind(const Problem &bound, size_t threadCount) override;
  size_t copyBytes() const override {
    return problem->shape.n * (problem->shape.k * (isInt8 ? 1 : 4) + (isInt8 ? 4 : 0));
  }
  void store(size_t batches, size_t callCount) override {
    count = batches * callCount, calls = callCount;
    stored = {};
  }
  void release() override {
    copies.resize(0);
    stored = {};
  }
  void begin(size_t m, bool hot) override;
  void run(size_t batch) override;

private:
  std::vector<float> dequantized() const override { return values; }
  double bound() const override { return isInt8 ? Contender::bound() : 1e-9; }
  dnnl::matmul::primitive_desc describe(size_t m) const;
  void storeAs(const memory::desc &layout);

  const bool isInt8;
  size_t threads = 1, count = 1, calls = 1, m = 1;
  bool hot = false;
  std::vector<int8_t> codes; // [period][k]
  std::vector<float> values; // the same as floats
  std::vector<float> scales; // [n]
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  memory::desc stored; // the library's choice of a layout
  Pages copies;
  dnnl::matmul product;
  std::vector<int8_t> x8;
  std::vector<int32_t> sums;
  std::vector<float> steps;
  memory x, w, out;
};
} // namespace

std::string MatMul::bind(const Problem &bound, size_t threadCount) {
  problem = &bound;
  threads = threadCount;
  const auto [n, k] = problem->shape;
  values = problem->rows;
  if (!isInt8)
    return "";
  codes.resize(period * k);
  scales.resize(n);
  for (size_t row = 0; row < n; ++row)
    scales[row] = quantize(problem->row(row), k, &codes[row % period * k]);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = scales[i / k] * float(codes[i]);
  return "";
}

dnnl::matmul::primitive_desc MatMul::describe(size_t m) const {
  using Type = memory::data_type;
  using Tag = memory::format_tag;
  const memory::dim n = memory::dim(problem->shape.n), k = memory::dim(problem->shape.k);
  const Type type = isInt8 ? Type::s8 : Type::f32;
  const memory::desc xs({memory::dim(m), k}, type, Tag::ab), ws({k, n}, type, Tag::any),
      ys({memory::dim(m), n}, isInt8 ? Type::s32 : Type::f32, Tag::ab);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, xs, ws, ys};
#else
  return {dnnl::matmul::desc(xs, ws, ys), engine};
#endif
}

void MatMul::storeAs(const memory::desc &layout) {
  stored = layout;
  const auto [n, k] = problem->shape;
  const size_t size = isInt8 ? 1 : sizeof(float), stride = (layout.get_size() + 4095) / 4096 * 4096;
  copies.resize(count * stride);
  Pages plain;
  plain.resize(n * k * size);
  for (size_t row = 0; row < n; ++row)
    std::memcpy(plain.data() + row * k * size,
                isInt8 ? static_cast<const void *>(&codes[row % period * k]) : problem->row(row), k * size);
  const memory::desc transposed({memory::dim(k), memory::dim(n)},
                                isInt8 ? memory::data_type::s8 : memory::data_type::f32,
                                memory::format_tag::ba);
  memory from(transposed, engine, plain.data()), to(layout, engine, copies.data());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  copies.repeat(stride);
}

void MatMul::begin(size_t tokens, bool isHot) {
  m = tokens, hot = isHot;
  if (const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads")))
    set(int(threads));
  const auto [n, k] = problem->shape;
  const dnnl::matmul::primitive_desc description = describe(m);
  product = dnnl::matmul(description);
  if (!(description.weights_desc() == stored))
    storeAs(description.weights_desc());
  y.assign(m * n, 0);
  x8.resize(m * k), sums.resize(m * n), steps.resize(m);
  void *floats = const_cast<float *>(problem->x.data());
  x = memory(description.src_desc(), engine, isInt8 ? x8.data() : floats);
  w = memory(stored, engine, copies.data());
  out = memory(description.dst_desc(), engine, isInt8 ? static_cast<void *>(sums.data()) : y.data());
}

void MatMul::run(size_t batch) {
  const auto [n, k] = problem->shape;
  const size_t stride = (stored.get_size() + 4095) / 4096 * 4096;
  for (size_t i = 0; i < calls; ++i) {
    for (size_t token = 0; isInt8 && token < m; ++token)
      steps[token] = quantize(problem->x.data() + token * k, k, &x8[token * k]);
    w.set_data_handle(copies.data() + (hot ? 0 : batch * calls + i) * stride);
    product.execute(stream, {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, out}});
    stream.wait();
    for (size_t token = 0; isInt8 && token < m; ++token)
      scale(&sums[token * n], n, steps[token], scales.data(), &y[token * n]);
  }
}

void lut::bench::openOneDnn(const Settings &settings, Contenders &contenders, std::vector<Missing> &) {
  const std::string &variant = settings.variant;
  if (!variant.empty())
    dnnl::set_max_cpu_isa(variant == "avx2"         ? dnnl::cpu_isa::avx2
                          : variant == "avx512bw"   ? dnnl::cpu_isa::avx512_core
                          : variant == "avx512vbmi" ? dnnl::cpu_isa::avx512_core_vnni
                                                    : dnnl::cpu_isa::sse41);
  for (bool isInt8 : {true, false})
    contenders.push_back(std::make_unique<MatMul>(isInt8));
}

#else

void lut::bench::openOneDnn(const Settings &, Contenders &, std::vector<Missing> &) {
  throw std::runtime_error("oneapi/dnnl/dnnl.hpp was not found when the benchmark was built");
}

#endif
