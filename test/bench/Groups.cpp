// lutc_bench_groups: groups beside what their user would write with single kernels, in one run, one contender
// after the other; scripts/bench --groups builds and runs it. Prints Markdown.
#include "Memory.h"
#include "kernel.h"
#include "layers.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <sys/mman.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Aligned memory on huge pages where the system grants them.
class Memory {
public:
  explicit Memory(size_t size)
      : bytes((size >> 21 << 21) + (2 << 20)), start(std::aligned_alloc(2 << 20, bytes)) {
    madvise(start, bytes, MADV_HUGEPAGE);
    std::fill_n(static_cast<char *>(start), bytes, 0);
  }
  ~Memory() { std::free(start); }
  Memory(const Memory &) = delete;
  template <typename T> T *as(size_t offset = 0) const {
    return reinterpret_cast<T *>(static_cast<char *>(start) + offset);
  }

private:
  size_t bytes;
  void *start;
};

void check(lutc_status status) {
  if (status == LUTC_OK)
    return;
  std::fprintf(stderr, "bench: %s\n", lutc_status_string(status));
  std::exit(1);
}

// Packed weights of a kernel: `count` times, with random codes.
class Packed {
public:
  Packed(const lutc_kernel *kernel, size_t count)
      : stride((lutc_packed_bytes(kernel) + 63) / 64 * 64), memory(stride * count), count(count) {
    const lutc_kernel_info &info = *lutc_kernel_describe(kernel);
    std::mt19937 random(1);
    std::vector<uint8_t> codes(info.n * info.k);
    for (uint8_t &code : codes)
      code = uint8_t(random() % info.codes);
    const std::vector<uint16_t> halves(info.n * (info.k / info.group + 1), 0x2000);
    const std::vector<float> floats(info.n, 0.01f);
    const void *scales =
        info.scale_type == LUTC_F32 ? static_cast<const void *>(floats.data()) : halves.data();
    const lutc_weights weights = {codes.data(), 0, scales, nullptr, nullptr, nullptr, nullptr, nullptr};
    check(lutc_pack(kernel, &weights, memory.as<void>(), lutc_packed_bytes(kernel)));
    for (size_t i = 1; i < count; ++i)
      std::copy_n(memory.as<char>(), stride, memory.as<char>(i * stride));
  }
  const void *at(size_t copy) const { return memory.as<void>(copy % count * stride); }

private:
  size_t stride;
  Memory memory;
  size_t count;
};

std::vector<float> drawRows(size_t elements) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> rows(elements);
  for (float &value : rows)
    value = normal(random);
  return rows;
}

struct Kernels {
  // Copies that are larger together than three last-level caches, so that each is cold when its turn comes.
  const Packed &packed(const lutc_kernel *kernel) {
    std::unique_ptr<Packed> &entry = all[kernel];
    const size_t cold = 3 * lut::example::lastLevelCache() / lutc_packed_bytes(kernel) + 1;
    if (!entry)
      entry = std::make_unique<Packed>(kernel, std::clamp<size_t>(cold, 3, 48));
    return *entry;
  }
  std::map<const lutc_kernel *, std::unique_ptr<Packed>> all;
} kernels;

// A call that can be timed: of a group, or of kernels and loops that do the same.
struct Contender {
  std::string name;
  std::function<void(size_t pass)> run;
  std::vector<double> times = {};

  double least() const { return *std::min_element(times.begin(), times.end()); }
  double median() const {
    std::vector<double> sorted = times;
    std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
    return sorted[sorted.size() / 2];
  }
};

double secondsOfCell = 2;

// Rounds of all contenders in turn, each with copies of the weights that the one before it has not read.
void measure(std::vector<Contender> &contenders) {
  const Clock::time_point start = Clock::now();
  for (size_t pass = 0; pass < 5 || secondsSince(start) < secondsOfCell; ++pass)
    for (size_t i = 0; i < contenders.size(); ++i) {
      const Clock::time_point begin = Clock::now();
      contenders[i].run(pass * contenders.size() + i);
      if (pass != 0)
        contenders[i].times.push_back(secondsSince(begin));
    }
}

// Index of the variant in use.
size_t currentVariant() {
  const std::string name = lutc_kernel_variant(layers_library.kernels[0])->variant;
  size_t variant = 0;
  while (layers_library.variants[variant] != name)
    ++variant;
  return variant;
}

// One group with its operands, for m tokens.
class Group {
public:
  Group(const lutc_group *group, size_t m)
      : group(group), info(*lutc_group_describe(group)), m(m), scratch(lutc_group_scratch_bytes(group, m)) {
    for (size_t i = 0; i < info.operand_count; ++i) {
      const lutc_operand_info &operand = info.operands[i];
      const bool rows = operand.kind == LUTC_ROWS || operand.kind == LUTC_RESULT;
      buffers.push_back(rows ? drawRows(m * operand.size)
                             : drawRows(operand.kind == LUTC_VECTOR ? operand.size : 0));
      operands.push_back({buffers.back().data(), rows ? operand.size : 0});
    }
  }
  void run(size_t pass) {
    place(pass);
    check(lutc_run_group(group, m, operands.data(), scratch.as<void>(), lutc_group_scratch_bytes(group, m),
                         nullptr));
  }
  // The stages that prepare activations, alone, as often as a call runs them.
  void prepare(size_t) {
    const lutc_program &program = *group->programs[currentVariant()];
    const size_t block = std::min(m, program.token_block);
    std::vector<lutc_operand> slots;
    size_t given = 0, used = 0;
    for (size_t i = 0; i < program.slot_count; ++i)
      if (program.slots[i].kind == LUTC_SCRATCH) {
        slots.push_back({scratch.as<void>(used), program.slots[i].size / sizeof(float)});
        used += block * program.slots[i].size;
      } else {
        slots.push_back(operands[given++]);
      }
    for (size_t token = 0; token < m; token += block)
      for (size_t i = 0; i < program.stage_count; ++i)
        if (program.stages[i].prepares)
          program.stages[i].run(slots.data(), &program.stages[i], block, 0, std::min(block, m - token));
  }
  const lutc_group_info &describe() const { return info; }
  const float *x() const { return buffers[0].data(); }

private:
  void place(size_t pass) {
    for (size_t i = 0; i < info.operand_count; ++i)
      if (info.operands[i].kind == LUTC_WEIGHTS)
        operands[i].data = kernels.packed(info.operands[i].kernel).at(pass);
  }
  const lutc_group *group;
  const lutc_group_info &info;
  size_t m;
  Memory scratch;
  std::vector<std::vector<float>> buffers;
  std::vector<lutc_operand> operands;
};

// One kernel called alone, for m tokens.
class Single {
public:
  Single(const lutc_kernel *kernel, size_t m)
      : kernel(kernel), info(*lutc_kernel_describe(kernel)), m(m), x(drawRows(m * info.k)), y(m * info.n),
        scratch(lutc_scratch_bytes(kernel, m)) {}
  void run(size_t pass) { multiply(x.data(), kernels.packed(kernel).at(pass)); }
  void multiply(const float *from, const void *packed) {
    check(lutc_run(kernel, m, from, info.k, packed, y.data(), info.n, scratch.as<void>(),
                   lutc_scratch_bytes(kernel, m), nullptr));
  }
  // m prepared anew for each block, as lutc_run does.
  void prepare(size_t) {
    const lutc_program &program = *kernel->variants[currentVariant()]->program;
    const size_t block = std::min(m, program.token_block);
    const lutc_operand slots[] = {{x.data(), info.k}, {}, {scratch.as<void>(), 0}, {}};
    for (size_t token = 0; token < m; token += block)
      program.stages[0].run(slots, &program.stages[0], block, 0, std::min(block, m - token));
  }

  const lutc_kernel *kernel;
  const lutc_kernel_info &info;
  size_t m;
  std::vector<float> x, y;
  Memory scratch;
};

const lutc_group *groupOf(const std::string &name) {
  for (size_t i = 0; i < layers_library.group_count; ++i)
    if (name == lutc_group_describe(layers_library.groups[i])->name)
      return layers_library.groups[i];
  std::abort();
}

std::vector<std::unique_ptr<Single>> singlesOf(const std::vector<Group *> &groups, size_t m) {
  std::vector<std::unique_ptr<Single>> singles;
  for (const Group *group : groups)
    for (size_t i = 0; i < group->describe().operand_count; ++i)
      if (const lutc_kernel *kernel = group->describe().operands[i].kernel)
        singles.push_back(std::make_unique<Single>(kernel, m));
  return singles;
}

// What a user writes between kernels: from x to out.
void rmsNorm(const float *x, const float *weight, float *out, size_t m, size_t size) {
  for (size_t token = 0; token < m; ++token, x += size, out += size) {
    float sums[16] = {}, sum = 0;
    for (size_t i = 0; i + 16 <= size; i += 16)
      for (size_t lane = 0; lane < 16; ++lane)
        sums[lane] += x[i + lane] * x[i + lane];
    for (float each : sums)
      sum += each;
    const float factor = 1 / std::sqrt(sum / size + 1e-5f);
    for (size_t i = 0; i < size; ++i)
      out[i] = x[i] * factor * weight[i];
  }
}

void silu(const float *gate, const float *up, float *out, size_t elements) {
  for (size_t i = 0; i < elements; ++i)
    out[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
}

void printRow(const char *what, size_t m, const Contender &fused, const Contender &separate) {
  std::printf("| %s | %zu | %.1f (%.1f) | %.1f (%.1f) | %.2f (%.2f) |\n", what, m, separate.least() * 1e6,
              separate.median() * 1e6, fused.least() * 1e6, fused.median() * 1e6,
              separate.least() / fused.least(), separate.median() / fused.median());
}

// (a) The share of preparing activations in a layer.
void preparation(const char *model, const std::vector<std::string> &names, size_t m) {
  std::vector<std::unique_ptr<Group>> groups;
  std::vector<Group *> pointers;
  for (const std::string &name : names) {
    groups.push_back(std::make_unique<Group>(groupOf(name), m));
    pointers.push_back(groups.back().get());
  }
  const auto singles = singlesOf(pointers, m);
  const auto all = [](auto &each, auto member) {
    return [&each, member](size_t pass) {
      for (auto &one : each)
        (one.get()->*member)(pass);
    };
  };
  std::vector<Contender> contenders = {{"groups", all(groups, &Group::run)},
                                       {"preparing", all(groups, &Group::prepare)},
                                       {"kernels", all(singles, &Single::run)},
                                       {"preparing", all(singles, &Single::prepare)}};
  measure(contenders);
  std::printf("| %s | %zu | %.1f of %.1f us, %.2f %% | %.1f of %.1f us, %.2f %% |\n", model, m,
              contenders[3].median() * 1e6, contenders[2].median() * 1e6,
              100 * contenders[3].median() / contenders[2].median(), contenders[1].median() * 1e6,
              contenders[0].median() * 1e6, 100 * contenders[1].median() / contenders[0].median());
  std::fflush(stdout);
}

// (b) Products of one activation.
void shared(const char *what, const std::string &name, size_t m) {
  Group group(groupOf(name), m);
  const auto singles = singlesOf({&group}, m);
  std::vector<Contender> contenders = {{"group", [&](size_t pass) { group.run(pass); }},
                                       {"kernels", [&](size_t pass) {
                                          for (const auto &single : singles)
                                            single->run(pass);
                                        }}};
  measure(contenders);
  printRow(what, m, contenders[0], contenders[1]);
  std::fflush(stdout);
}

// (c) A norm before them.
void normed(const char *what, const std::string &name, size_t m) {
  Group group(groupOf(name), m);
  const auto singles = singlesOf({&group}, m);
  const size_t k = singles[0]->info.k;
  const std::vector<float> weight = drawRows(k);
  std::vector<float> rows(m * k);
  std::vector<Contender> contenders = {{"group", [&](size_t pass) { group.run(pass); }},
                                       {"kernels", [&](size_t pass) {
                                          rmsNorm(group.x(), weight.data(), rows.data(), m, k);
                                          for (const auto &single : singles)
                                            single->multiply(rows.data(),
                                                             kernels.packed(single->kernel).at(pass));
                                        }}};
  measure(contenders);
  printRow(what, m, contenders[0], contenders[1]);
  std::fflush(stdout);
}

// (d) Experts, against a loop over the experts in use that gathers their tokens.
void experts(size_t m) {
  constexpr size_t count = 128, top = 8, hidden = LAYERS_EXPERT_DOWN_N, ffn = LAYERS_EXPERT_GATE_N;
  const Packed gate(&layers_expert_gate_kernel, count), up(&layers_expert_up_kernel, count),
      down(&layers_expert_down_kernel, count);
  const std::vector<float> x = drawRows(m * hidden), gates(m * top, 0.125f);
  std::vector<float> y(m * hidden), sum(m * hidden);
  std::vector<int32_t> routes(m * top);
  std::vector<const void *> all[3];
  for (size_t e = 0; e < count; ++e) {
    all[0].push_back(gate.at(e));
    all[1].push_back(up.at(e));
    all[2].push_back(down.at(e));
  }
  const Memory scratch(lutc_group_scratch_bytes(&layers_experts_group, m));
  const auto draw = [&](size_t pass) { // distinct experts, others in every pass
    std::mt19937 random{unsigned(pass)};
    std::vector<int32_t> ids(count);
    for (size_t e = 0; e < count; ++e)
      ids[e] = int32_t(e);
    for (size_t token = 0; token < m; ++token) {
      std::shuffle(ids.begin(), ids.end(), random);
      std::copy_n(ids.begin(), top, &routes[token * top]);
    }
  };
  Single gateKernel(&layers_expert_gate_kernel, m), upKernel(&layers_expert_up_kernel, m),
      downKernel(&layers_expert_down_kernel, m);
  std::vector<float> rows(m * hidden), between(m * ffn);
  const auto loop = [&] {
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (size_t e = 0; e < count; ++e) {
      std::vector<size_t> tokens;
      for (size_t i = 0; i < routes.size(); ++i)
        if (routes[i] == int32_t(e))
          tokens.push_back(i / top);
      if (tokens.empty())
        continue;
      for (size_t i = 0; i < tokens.size(); ++i)
        std::copy_n(&x[tokens[i] * hidden], hidden, &rows[i * hidden]);
      gateKernel.m = upKernel.m = downKernel.m = tokens.size();
      gateKernel.multiply(rows.data(), gate.at(e));
      upKernel.multiply(rows.data(), up.at(e));
      silu(gateKernel.y.data(), upKernel.y.data(), between.data(), tokens.size() * ffn);
      downKernel.multiply(between.data(), down.at(e));
      for (size_t i = 0; i < tokens.size(); ++i)
        for (size_t j = 0; j < hidden; ++j)
          sum[tokens[i] * hidden + j] += 0.125f * downKernel.y[i * hidden + j];
    }
  };
  std::vector<Contender> contenders = {
      {"group",
       [&](size_t) {
         check(layers_experts(m, x.data(), hidden, routes.data(), top, gates.data(), top, all[0].data(),
                              all[1].data(), all[2].data(), y.data(), hidden, scratch.as<void>(),
                              lutc_group_scratch_bytes(&layers_experts_group, m), nullptr));
       }},
      {"loop", [&](size_t) { loop(); }}};
  const Clock::time_point start = Clock::now();
  for (size_t pass = 0; pass < 5 || secondsSince(start) < secondsOfCell; ++pass)
    for (size_t i = 0; i < 2; ++i) {
      draw(2 * pass + i); // neither finds the experts of the other in the cache
      const Clock::time_point begin = Clock::now();
      contenders[i].run(pass);
      if (pass != 0)
        contenders[i].times.push_back(secondsSince(begin));
    }
  printRow("128 experts, 8 of each token", m, contenders[0], contenders[1]);
  std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv) {
  if (argc > 1)
    secondsOfCell = std::atof(argv[1]);
  std::printf(
      "# Groups beside single kernels\n\n1 thread, cold weights, contenders in turn; least time, median in "
      "parentheses.\n\n## Preparing activations: share of a layer's products\n\nIn groups that includes "
      "norms and "
      "activation functions; single kernels quantize only.\n\n| layer | m | single kernels | groups |\n"
      "| --- | --- | --- | --- |\n");
  for (size_t m : {1, 512}) {
    preparation("BitNet-2B w158", {"bitnet_in", "bitnet_out", "bitnet_ffn"}, m);
    preparation("Llama-3-8B w2g128", {"llama_in", "llama_out", "llama_ffn"}, m);
  }
  const char *table =
      "\n| | m | single kernels, us | group, us | times faster |\n| --- | --- | --- | --- | --- |\n";
  std::printf("\n## Products of one activation\n%s", table);
  for (size_t m : {1, 8, 128}) {
    shared("BitNet-2B q, k, v", "bitnet_qkv", m);
    shared("BitNet-2B gate, up", "bitnet_gate_up", m);
    shared("Llama-3-8B q, k, v", "llama_qkv", m);
    shared("Llama-3-8B gate, up", "llama_gate_up", m);
  }
  std::printf("\n## RMSNorm, then q, k, v\n%s", table);
  for (size_t m : {1, 8, 128}) {
    normed("BitNet-2B", "bitnet_in", m);
    normed("Llama-3-8B", "llama_in", m);
  }
  std::printf("\n## Experts of Qwen3-30B-A3B, w4g32, against a loop over the experts in use\n%s", table);
  for (size_t m : {1, 8, 64})
    experts(m);
}
