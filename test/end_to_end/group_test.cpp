// Every group of a generated library, in every variant this CPU runs, against the composition of its parts in
// test/reference: the same bits for random weights, tokens, strides, token and thread counts, between guard
// pages.
#include "checks.h"
#include "draw.h"
#include "elementwise.h"
#include "group_steps.h"
#include "guarded.h"
#include "threads.h"
#include <memory>

using namespace lut;
using namespace lut::reference;

namespace {

// A group in one of its variants.
struct GroupVariant {
  size_t group, variant;
  const lutc_group &get() const { return *library.groups[group]; }
  const lutc_program &program() const { return *get().programs[variant]; }
  std::string name() const { return std::string(get().info.name) + "_" + library.variants[variant]; }
};

std::vector<GroupVariant> groupVariants() {
  std::vector<GroupVariant> result;
  for (size_t group = 0; group < library.group_count; ++group)
    for (size_t variant = 0; variant < library.variant_count; ++variant)
      result.push_back({group, variant});
  return result;
}

void PrintTo(const GroupVariant &g, std::ostream *out) { *out << g.name(); }

// What the caller gives and gets, in order.
struct Operand {
  lutc_slot slot;
  size_t stride = 0;
  std::vector<float> data;           // rows with NaN in the gaps; of a result: what the oracle says
  std::vector<int32_t> routes;       // [m][stride]
  std::vector<DrawnWeights> weights; // of each expert; one where there are none
};

using Rows = std::vector<std::vector<float>>; // a token each

// Walks through the steps as the group's operands do.
class Composition {
public:
  Composition(std::vector<Operand> &operands, size_t m, size_t top) : operands(operands), m(m), top(top) {
    values.push_back(rows(next()));
  }

  void apply(const Step &step) {
    if (step.verb == "products") {
      if (top && !routes)
        route();
      return products(step.count);
    }
    if (routes && step.text == "residual")
      combine();
    if (step.verb == "norm") {
      const float *weight = next().data.data(), *bias = step.text == "layer" ? next().data.data() : nullptr;
      for (std::vector<float> &x : values[0])
        bias ? layerNorm(x, weight, bias, step.epsilon) : rmsNorm(x, weight, step.epsilon);
    } else if (step.verb == "rotate") {
      for (std::vector<float> &x : values[0])
        rotate(x, step.count);
    } else if (step.verb == "activate") {
      each(values[0], [&](float &x, size_t token, size_t i) {
        x = activation(step.text, x);
        if (values.size() == 2)
          x = x * values[1][token][i];
      });
      values.resize(1);
    } else if (step.verb == "convert") {
      return; // results are compared in the type that they have
    } else if (step.text == "residual") {
      const Rows other = rows(next());
      each(values[0], [&](float &x, size_t token, size_t i) { x = x + other[token][i]; });
    } else {
      for (Rows &value : values) {
        const std::vector<float> &other = next().data;
        each(value, [&](float &x, size_t, size_t i) {
          const float y = other[other.size() == 1 ? 0 : i];
          x = step.verb == "add" ? x + y : x * y;
        });
      }
    }
  }

  void finish() {
    if (routes)
      combine();
    for (const Rows &value : values) {
      std::vector<float> &expected = next().data;
      expected.clear();
      for (const std::vector<float> &row : value)
        expected.insert(expected.end(), row.begin(), row.end());
    }
  }

private:
  // From here on a row stands for a token and one of its experts.
  void route() {
    routes = &next();
    gates = rows(next());
    Rows pairs;
    for (size_t token = 0; token < m; ++token)
      for (size_t j = 0; j < top; ++j) {
        pairs.push_back(values[0][token]);
        expertOf.push_back(size_t(routes->routes[token * routes->stride + j]));
      }
    values[0] = pairs;
  }
  void combine() {
    Rows sums;
    for (size_t token = 0; token < m; ++token) {
      std::vector<float> sum = values[0][token * top];
      for (float &value : sum)
        value = gates[token][0] * value;
      for (size_t j = 1; j < top; ++j)
        for (size_t i = 0; i < sum.size(); ++i)
          sum[i] = sum[i] + gates[token][j] * values[0][token * top + j][i];
      sums.push_back(sum);
    }
    values[0] = sums;
    routes = nullptr;
    top = 0;
  }

  Operand &next() { return operands[position++]; }
  Rows rows(const Operand &operand) const {
    Rows result;
    for (size_t token = 0; token < m; ++token) {
      const float *row = operand.data.data() + token * operand.stride;
      result.emplace_back(row, row + operand.slot.size);
    }
    return result;
  }
  template <typename Body> void each(Rows &value, Body body) {
    for (size_t token = 0; token < value.size(); ++token)
      for (size_t i = 0; i < value[token].size(); ++i)
        body(value[token][i], token, i);
  }
  void products(size_t count) {
    const Rows x = values[0];
    values.clear();
    for (size_t i = 0; i < count; ++i) {
      const Operand &w = next();
      Rows &value = values.emplace_back(x.size());
      for (size_t e = 0; e < w.weights.size(); ++e)
        multiply(w.slot.kernel->info, w.weights[e].view(), x, w.weights.size() == 1 ? SIZE_MAX : e, value);
    }
  }
  // The rows of one expert, or all.
  void multiply(const lutc_kernel_info &info, const lutc_weights &weights, const Rows &x, size_t expert,
                Rows &value) {
    const auto takes = [&](size_t row) { return expert == SIZE_MAX || expertOf[row] == expert; };
    std::vector<float> rows;
    for (size_t row = 0; row < x.size(); ++row)
      if (takes(row))
        rows.insert(rows.end(), x[row].begin(), x[row].end());
    const std::vector<float> y = product(info, weights, rows.data(), info.k, rows.size() / info.k);
    size_t from = 0;
    for (size_t row = 0; row < x.size(); ++row)
      if (takes(row)) {
        value[row].assign(y.begin() + from, y.begin() + from + info.n);
        from += info.n;
      }
  }

  std::vector<Operand> &operands;
  size_t m, top, position = 0;
  const Operand *routes = nullptr;
  Rows gates;
  std::vector<size_t> expertOf; // of each row, once they are pairs
  std::vector<Rows> values;
};

std::vector<float> drawVector(size_t size, Random &random) {
  std::normal_distribution<float> normal(1.0f, 0.3f);
  std::vector<float> vector(size);
  for (float &value : vector)
    value = normal(random);
  return vector;
}

Operand drawOperand(const lutc_slot &slot, size_t m, const lutc_routing *routing, Random &random) {
  Operand operand;
  operand.slot = slot;
  const size_t experts = slot.kind == LUTC_WEIGHTS   ? 1
                         : slot.kind == LUTC_EXPERTS ? routing->expert_count
                                                     : 0;
  for (size_t e = 0; e < experts; ++e)
    operand.weights.push_back(drawWeights(slot.kernel->info, random, /*plain=*/!oneIn(random, 3)));
  if (slot.kind == LUTC_ROUTES) { // experts may repeat; one may get all tokens
    operand.stride = slot.size + draw(random, 0, 3);
    const size_t most = oneIn(random, 3) ? 0 : routing->expert_count - 1;
    for (size_t i = 0; i < m * operand.stride; ++i)
      operand.routes.push_back(
          int32_t(i % operand.stride < slot.size ? draw(random, 0, most) : size_t(INT32_MAX)));
  }
  if (slot.kind == LUTC_VECTOR)
    operand.data = drawVector(slot.size, random);
  if (slot.kind == LUTC_ROWS || slot.kind == LUTC_RESULT)
    operand.stride = slot.size + (oneIn(random, 2) ? 0 : draw(random, 1, 20));
  if (slot.kind == LUTC_ROWS) {
    operand.data.assign((m - 1) * operand.stride + slot.size, std::numeric_limits<float>::quiet_NaN());
    for (size_t token = 0; token < m; ++token)
      drawToken(drawKind(random), operand.data.data() + token * operand.stride, slot.size, random);
  }
  return operand;
}

// An operand in memory that ends or begins at a guard page.
class Placed {
public:
  Placed(const Operand &operand, size_t m, Place at) {
    for (const DrawnWeights &weights : operand.weights)
      pack(operand, weights, at);
    if (operand.slot.kind == LUTC_EXPERTS) {
      for (const auto &each : parts)
        pointers.push_back(each->as<void>());
      data = pointers.data();
    } else if (operand.slot.kind == LUTC_WEIGHTS) {
      data = parts[0]->as<void>();
    } else if (operand.slot.kind == LUTC_RESULT) {
      const size_t elements = (m - 1) * operand.stride + operand.slot.size;
      if (operand.slot.type == LUTC_F32)
        std::fill_n(hold<float>(elements, at), elements, canary);
      else if (operand.slot.type == LUTC_I8)
        std::fill_n(hold<int8_t>(elements, at), elements, int8_t(-128)); // no result
      else
        std::fill_n(hold<uint16_t>(elements, at), elements, uint16_t(0x7fff)); // a NaN that no result is
    } else if (operand.slot.kind == LUTC_ROUTES) {
      std::copy(operand.routes.begin(), operand.routes.end(), hold<int32_t>(operand.routes.size(), at));
    } else {
      std::copy(operand.data.begin(), operand.data.end(), hold<float>(operand.data.size(), at));
      parts[0]->freeze();
    }
  }
  Placed(const Placed &) = delete;

  float *rows() { return parts[0]->as<float>(); }
  template <typename T> const T *as() { return parts[0]->as<T>(); }
  bool surroundingsAreIntact() const { return parts[0]->surroundingsAreIntact(); }
  const void *data = nullptr;

private:
  template <typename T> T *hold(size_t elements, Place at) {
    parts.push_back(std::make_unique<Guarded>(elements * sizeof(T), sizeof(T), at));
    data = parts[0]->as<void>();
    return parts[0]->as<T>();
  }
  void pack(const Operand &operand, const DrawnWeights &weights, Place at) {
    const size_t bytes = lutc_packed_bytes(operand.slot.kernel);
    parts.push_back(std::make_unique<Guarded>(bytes, LUTC_ALIGNMENT, at));
    const lutc_weights view = weights.view();
    EXPECT_EQ(lutc_pack(operand.slot.kernel, &view, parts.back()->as<void>(), bytes), LUTC_OK);
    parts.back()->freeze();
  }

  std::vector<std::unique_ptr<Guarded>> parts;
  std::vector<const void *> pointers; // of experts
};

template <typename T, typename Same>
void expectRows(const Operand &operand, size_t m, const T *y, T gap, T (*convert)(float), Same same) {
  const size_t n = operand.slot.size;
  for (size_t token = 0; token < m; ++token) {
    for (size_t i = 0; i < n; ++i) {
      const T got = y[token * operand.stride + i], expected = convert(operand.data[token * n + i]);
      ASSERT_TRUE(same(got, expected)) << "token " << token << ", element " << i << ": " << +got
                                       << ", oracle " << +expected << " of " << operand.data[token * n + i];
    }
    for (size_t i = n; token + 1 < m && i < operand.stride; ++i)
      ASSERT_EQ(y[token * operand.stride + i], gap) << "gap after token " << token;
  }
}

void expectResult(const Operand &operand, size_t m, Placed &placed) {
  const auto equal = [](auto a, auto b) { return a == b; };
  // A NaN's sign and payload are nobody's promise.
  const auto equalHalf = [](uint16_t a, uint16_t b) {
    return a == b || ((a | 0x8000) == 0xfe00 && (b | 0x8000) == 0xfe00);
  };
  switch (operand.slot.type) {
  case LUTC_F16:
    return expectRows<uint16_t>(operand, m, placed.as<uint16_t>(), 0x7fff, toHalf, equalHalf);
  case LUTC_BF16:
    return expectRows<uint16_t>(operand, m, placed.as<uint16_t>(), 0x7fff, toBrain, equal);
  case LUTC_I8:
    return expectRows<int8_t>(operand, m, placed.as<int8_t>(), -128, toByte, equal);
  default:
    return expectRows<float>(operand, m, placed.as<float>(), canary, [](float x) { return x; }, sameBits);
  }
}

struct GroupTest : testing::TestWithParam<GroupVariant> {
  void SetUp() override {
    const char *variant = library.variants[GetParam().variant];
    const lutc_status status = lutc_use_variant(&library, variant);
    if (status == LUTC_UNSUPPORTED_CPU)
      GTEST_SKIP() << "variant " << variant << " not run: " << lutc_status_string(status);
    ASSERT_EQ(status, LUTC_OK);
  }

  void check(size_t m, Random &random) {
    const lutc_group &group = GetParam().get();
    const lutc_program &program = GetParam().program();
    std::vector<Operand> operands;
    for (size_t i = 0; i < program.slot_count; ++i)
      if (program.slots[i].kind != LUTC_SCRATCH)
        operands.push_back(drawOperand(program.slots[i], m, program.routing, random));
    Composition composition(operands, m, groupSteps[GetParam().group].top);
    ASSERT_STREQ(groupSteps[GetParam().group].name, group.info.name);
    for (const Step &step : groupSteps[GetParam().group].steps)
      composition.apply(step);
    composition.finish();
    size_t threads = draw(random, 1, 4);
    const lutc_parallel parallel = threadParallel(threads);
    current = GetParam().name() + ", m = " + std::to_string(m) + ", threads = " + std::to_string(threads) +
              ", seed " + std::to_string(baseSeed());
    SCOPED_TRACE(current);
    run(operands, m, oneIn(random, 2) ? Place::End : Place::Begin, threads == 1 ? nullptr : &parallel);
    runInPlace(operands, m);
  }

  // A result in the place of a residual of its size.
  void runInPlace(std::vector<Operand> operands, size_t m) {
    const lutc_group_info &info = *lutc_group_describe(&GetParam().get());
    const auto isResidual = [&](size_t i) {
      return std::string(info.operands[i].name).rfind("residual", 0) == 0 &&
             info.operands[i].size == operands.back().slot.size && operands.back().slot.type == LUTC_F32;
    };
    size_t residual = 0;
    while (residual < info.operand_count && !isResidual(residual))
      ++residual;
    if (residual == info.operand_count)
      return;
    operands.back().stride = operands[residual].stride;
    run(operands, m, Place::End, nullptr, residual);
  }

  void run(const std::vector<Operand> &operands, size_t m, Place at, const lutc_parallel *parallel,
           size_t residual = 0) {
    const lutc_group *group = &GetParam().get();
    std::vector<std::unique_ptr<Placed>> memory;
    std::vector<lutc_operand> given;
    for (const Operand &operand : operands) {
      memory.push_back(std::make_unique<Placed>(operand, m, at));
      given.push_back({memory.back()->data, operand.stride});
    }
    if (residual != 0) {
      const std::vector<float> &rows = operands[residual].data;
      std::copy(rows.begin(), rows.end(), memory.back()->rows());
      for (size_t token = 0; token + 1 < m; ++token)
        std::fill_n(memory.back()->rows() + token * operands[residual].stride + operands[residual].slot.size,
                    operands[residual].stride - operands[residual].slot.size, canary);
      given[residual] = given.back();
    }
    const size_t bytes = lutc_group_scratch_bytes(group, m);
    Guarded scratch(bytes, LUTC_ALIGNMENT, at);
    ASSERT_EQ(lutc_run_group(group, m, given.data(), scratch.as<void>(), bytes, parallel), LUTC_OK);
    EXPECT_TRUE(scratch.surroundingsAreIntact()) << "written outside the scratch";
    for (size_t i = 0; i < operands.size(); ++i)
      if (operands[i].slot.kind == LUTC_RESULT) {
        expectResult(operands[i], m, *memory[i]);
        EXPECT_TRUE(memory[i]->surroundingsAreIntact()) << "written outside a result";
      }
  }
};

TEST_P(GroupTest, EqualsTheCompositionOfItsParts) {
  Random random(baseSeed() * 1000003 + GetParam().group);
  const size_t block = GetParam().program().token_block;
  for (size_t m : {size_t(1), size_t(2), size_t(3), block + 1, draw(random, 1, 40)}) {
    check(m, random);
    if (HasFailure())
      return;
  }
}

TEST_P(GroupTest, RefusesMisuse) {
  const lutc_group *group = &GetParam().get();
  const lutc_program &program = GetParam().program();
  Random random(2);
  std::vector<std::unique_ptr<Placed>> memory;
  std::vector<lutc_operand> good;
  for (size_t i = 0; i < program.slot_count; ++i) {
    if (program.slots[i].kind == LUTC_SCRATCH)
      continue;
    const Operand operand = drawOperand(program.slots[i], 1, program.routing, random);
    memory.push_back(std::make_unique<Placed>(operand, 1, Place::Begin));
    good.push_back({memory.back()->data, operand.stride});
  }
  const size_t bytes = lutc_group_scratch_bytes(group, 1);
  Guarded scratch(bytes, LUTC_ALIGNMENT, Place::Begin);
  const auto run = [&](const std::vector<lutc_operand> &operands, size_t size) {
    return lutc_run_group(group, 1, operands.data(), scratch.as<void>(), size, nullptr);
  };
  EXPECT_EQ(run(good, bytes), LUTC_OK);
  EXPECT_EQ(run(good, bytes - 1), LUTC_BUFFER_TOO_SMALL);
  EXPECT_EQ(lutc_run_group(nullptr, 1, good.data(), scratch.as<void>(), bytes, nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_run_group(group, 1, nullptr, scratch.as<void>(), bytes, nullptr), LUTC_NULL_POINTER);
  EXPECT_EQ(lutc_run_group(group, 0, good.data(), nullptr, 0, nullptr), LUTC_OK);
  for (size_t i = 0, slot = 0; i < good.size(); ++i, ++slot) {
    while (program.slots[slot].kind == LUTC_SCRATCH)
      ++slot;
    std::vector<lutc_operand> bad = good;
    bad[i].data = nullptr;
    EXPECT_EQ(run(bad, bytes), LUTC_NULL_POINTER) << "operand " << i;
    if (program.slots[slot].type != LUTC_I8) {
      bad[i] = {static_cast<const char *>(good[i].data) + 1, good[i].stride};
      EXPECT_EQ(run(bad, bytes), LUTC_MISALIGNED) << "operand " << i;
    }
    bad[i] = {good[i].data, program.slots[slot].size - 1};
    const bool rows = good[i].stride != 0;
    EXPECT_EQ(run(bad, bytes), rows ? LUTC_BAD_STRIDE : LUTC_OK) << "operand " << i;
    if (program.slots[slot].kind == LUTC_ROUTES) {
      for (int32_t wrong : {int32_t(-1), int32_t(program.routing->expert_count), INT32_MAX}) {
        std::vector<int32_t> routes(program.slots[slot].size, 0);
        routes.back() = wrong;
        bad[i] = {routes.data(), routes.size()};
        EXPECT_EQ(run(bad, bytes), LUTC_BAD_ROUTE) << wrong;
      }
    }
    if (program.slots[slot].kind == LUTC_EXPERTS) {
      std::vector<const void *> none(program.routing->expert_count, nullptr);
      bad[i] = {none.data(), 0};
      EXPECT_EQ(run(bad, bytes), LUTC_NULL_POINTER) << "operand " << i;
    }
    if (program.slots[slot].kind == LUTC_WEIGHTS) {
      alignas(64) static const char zeros[64] = {};
      bad[i] = {zeros, 0};
      EXPECT_EQ(run(bad, bytes), LUTC_NOT_PACKED) << "operand " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Library, GroupTest, testing::ValuesIn(groupVariants()),
                         [](const auto &info) { return info.param.name(); });

} // namespace

int main(int argc, char **argv) { return runOracleTests(argc, argv); }
