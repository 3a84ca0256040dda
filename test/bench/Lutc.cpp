// lutc's kernels, from a shared library made of an archive that lutc compiled.
#include "lutc.h"
#include "Contender.h"
#include "Library.h"
#include "Pages.h"
#include "Threads.h"
#include "draw.h"
#include "reference.h"

using namespace lut::bench;

namespace {
struct Runtime {
  explicit Runtime(const Library &file) {
    file.find("lutc_kernel_describe", describe);
    file.find("lutc_use_variant", useVariant);
    file.find("lutc_packed_bytes", packedBytes);
    file.find("lutc_scratch_bytes", scratchBytes);
    file.find("lutc_pack", pack);
    file.find("lutc_run", run);
    file.find("lutc_status_string", statusString);
    file.find("lutc_kernel_variant", variant);
    file.find("bench_library", library);
  }
  decltype(&lutc_kernel_describe) describe;
  decltype(&lutc_use_variant) useVariant;
  decltype(&lutc_packed_bytes) packedBytes;
  decltype(&lutc_scratch_bytes) scratchBytes;
  decltype(&lutc_pack) pack;
  decltype(&lutc_run) run;
  decltype(&lutc_status_string) statusString;
  decltype(&lutc_kernel_variant) variant;
  const lutc_library *library;
};

class Lutc : public Contender {
public:
  Lutc(std::shared_ptr<Runtime> runtime, std::string format, std::string numerics)
      : Contender("lutc", format + " " + numerics, weightsOf(format)), runtime(std::move(runtime)),
        format(std::move(format)), numerics(std::move(numerics)) {}

  std::string bind(const Problem &bound, size_t threadCount) override {
    problem = &bound;
    threads = threadCount;
    kernel = find();
    if (!kernel)
      return "no kernel of this shape in the library";
    info = *runtime->describe(kernel);
    info.n = period;
    lut::reference::Random random(info.k);
    distinct = lut::reference::drawWeights(info, random, true);
    return "";
  }
  size_t copyBytes() const override { return runtime->packedBytes(kernel); }

  void store(size_t batches, size_t callCount) override {
    calls = callCount;
    copyStride = (copyBytes() + 4095) / 4096 * 4096;
    packed.resize(batches * calls * copyStride);
    const lut::reference::DrawnWeights all = repeated();
    const lutc_weights view = all.view();
    require(runtime->pack(kernel, &view, packed.data(), copyBytes()));
    packed.repeat(copyStride);
  }

  void release() override { packed.resize(0); }

  void begin(size_t tokens, bool isHot) override {
    m = tokens, hot = isHot;
    scratch.resize(runtime->scratchBytes(kernel, m));
    y.assign(m * problem->shape.n, 0);
  }

  void run(size_t batch) override {
    const auto [n, k] = problem->shape;
    const lut::example::Threads team(threads);
    for (size_t i = 0; i < calls; ++i)
      require(runtime->run(kernel, m, problem->x.data(), k,
                           packed.data() + (hot ? 0 : batch * calls + i) * copyStride, y.data(), n,
                           scratch.data(), scratch.bytes(), team.get()));
  }

  // Bit for bit, for the sampled tokens.
  std::string check(size_t tokens) override {
    const auto [n, k] = problem->shape;
    const std::vector<size_t> sample = sampleTokens(tokens);
    std::vector<float> x;
    for (size_t token : sample)
      x.insert(x.end(), &problem->x[token * k], &problem->x[token * k] + k);
    const size_t count = sample.size();
    const std::vector<float> expected = lut::reference::product(info, distinct.view(), x.data(), k, count);
    nmse = lut::reference::nmse(expected,
                                lut::reference::floatProduct(info, distinct.view(), x.data(), k, count));
    for (size_t i = 0; i < count; ++i)
      for (size_t row = 0; row < n; ++row)
        if (lut::reference::bitsOf(y[sample[i] * n + row]) !=
            lut::reference::bitsOf(expected[i * period + row % period]))
          return "not the oracle's bits at m = " + std::to_string(tokens) + ", token " +
                 std::to_string(sample[i]) + ", row " + std::to_string(row);
    return "";
  }

private:
  const lutc_kernel *find() const {
    for (size_t i = 0; i < runtime->library->kernel_count; ++i) {
      const lutc_kernel_info *it = runtime->describe(runtime->library->kernels[i]);
      if (it->n == problem->shape.n && it->k == problem->shape.k && it->format == format &&
          it->numerics == numerics)
        return runtime->library->kernels[i];
    }
    return nullptr;
  }

  // The distinct rows, again and again until there are n.
  lut::reference::DrawnWeights repeated() const {
    lut::reference::DrawnWeights all;
    auto repeat = [&](const auto &from, auto &to) {
      const size_t columns = from.size() / period;
      for (size_t row = 0; row < problem->shape.n; ++row) {
        const auto first = from.begin() + row % period * columns;
        to.insert(to.end(), first, first + columns);
      }
    };
    repeat(distinct.codes, all.codes);
    if (info.scales_per_tensor)
      all.scales = distinct.scales;
    else
      repeat(distinct.scales, all.scales);
    repeat(distinct.minimums, all.minimums);
    repeat(distinct.zeros, all.zeros);
    repeat(distinct.multiples, all.multiples);
    repeat(distinct.minimumMultiples, all.minimumMultiples);
    return all;
  }

  void require(lutc_status status) const {
    if (status != LUTC_OK)
      throw std::runtime_error(name() + ": " + runtime->statusString(status));
  }

  const std::shared_ptr<Runtime> runtime;
  const std::string format, numerics;
  const lutc_kernel *kernel = nullptr;
  lutc_kernel_info info = {}; // with n = period
  lut::reference::DrawnWeights distinct;
  size_t threads = 1, calls = 1, copyStride = 0, m = 1;
  bool hot = false;
  Pages packed, scratch;
};
} // namespace

std::string lut::bench::weightsOf(const std::string &format) {
  return format.rfind("w158", 0) == 0 ? "ternary" : format.substr(format.find_first_of("123456789"), 1);
}

std::vector<std::string> lut::bench::classesOf(const std::string &format) {
  return lut::reference::hasTables(format) ? std::vector<std::string>{"a8", "t8"}
                                           : std::vector<std::string>{"a8"};
}

bool lut::bench::competes(const Settings &settings, const std::string &weights) {
  return std::any_of(settings.formats.begin(), settings.formats.end(),
                     [&](const std::string &format) { return weightsOf(format) == weights; });
}

void lut::bench::openLutc(const Settings &settings, Contenders &contenders, std::vector<Missing> &missing) {
  const auto runtime = std::make_shared<Runtime>(Library(settings.library));
  const char *variant = settings.variant.empty() ? nullptr : settings.variant.c_str();
  if (const lutc_status status = runtime->useVariant(runtime->library, variant)) {
    missing.push_back({"lutc " + settings.variant, runtime->statusString(status), {}});
    return;
  }
  for (const std::string &format : settings.formats)
    for (const std::string &numerics : classesOf(format))
      contenders.push_back(std::make_unique<Lutc>(runtime, format, numerics));
}
