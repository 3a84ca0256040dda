// Every kernel of a generated library, in every variant this CPU runs, against the oracle: the same bits for
// random weights, tokens, strides, token and thread counts, in buffers between guard pages. LUTC_SEED
// reproduces a run.
#include "checks.h"
#include "draw.h"
#include "guarded.h"
#include "threads.h"
#include <set>

using namespace lut;
using namespace lut::reference;

namespace {

constexpr size_t mostTokens = 130;
constexpr double productBudget = 2e7; // m * n * k of one case: bounds the time of the oracle

// One call and what the oracle says of it.
struct Call {
  size_t m, ldx, ldy;
  std::vector<Token> kinds;
  std::vector<float> x;        // [m][ldx], NaN in the gaps
  std::vector<float> expected; // [m][n]
};

struct Problem {
  const lutc_kernel *kernel = nullptr;
  DrawnWeights weights;
  std::vector<Call> calls;
};

// 1, what lies around every variant's token block, and some others.
std::set<size_t> tokenCounts(const lutc_kernel &kernel, Random &random) {
  const double product = double(kernel.info.n) * double(kernel.info.k);
  const size_t most = std::min(mostTokens, std::max(size_t(2), size_t(productBudget / product)));
  std::set<size_t> counts = {1, draw(random, 1, most), draw(random, 1, most), draw(random, 1, most)};
  for (size_t variant = 0; variant < library.variant_count; ++variant)
    for (size_t m : {0, 1, 2})
      counts.insert(kernel.variants[variant]->program->token_block + m - 1);
  counts.erase(0);
  counts.erase(counts.upper_bound(most), counts.end());
  return counts;
}

Call drawCall(const Problem &problem, size_t m, Random &random) {
  const lutc_kernel_info &info = problem.kernel->info;
  Call call;
  call.m = m;
  call.ldx = info.k + (oneIn(random, 2) ? 0 : draw(random, 1, 20));
  call.ldy = info.n + (oneIn(random, 2) ? 0 : draw(random, 1, 20));
  call.x.assign((m - 1) * call.ldx + info.k, std::numeric_limits<float>::quiet_NaN());
  for (size_t token = 0; token < m; ++token) {
    call.kinds.push_back(drawKind(random));
    drawToken(call.kinds.back(), call.x.data() + token * call.ldx, info.k, random);
  }
  call.expected = product(info, problem.weights.view(), call.x.data(), call.ldx, m);
  return call;
}

// The same for all variants of a kernel, which are tested one after the other.
const Problem &problemOf(const lutc_kernel *kernel) {
  static Problem problem;
  if (problem.kernel == kernel)
    return problem;
  static uint64_t index = 0;
  Random random(baseSeed() * 1000003 + index++);
  problem = Problem();
  problem.kernel = kernel;
  problem.weights = drawWeights(kernel->info, random);
  for (size_t m : tokenCounts(*kernel, random))
    problem.calls.push_back(drawCall(problem, m, random));
  return problem;
}

void expectSameBits(const Call &call, size_t n, const float *y) {
  size_t wrong = 0;
  std::string first;
  for (size_t token = 0; token < call.m; ++token)
    for (size_t row = 0; row < n; ++row) {
      const float got = y[token * call.ldy + row], expected = call.expected[token * n + row];
      if (sameBits(got, expected) || wrong++ != 0)
        continue;
      char text[160];
      std::snprintf(text, sizeof text, "y[%zu][%zu] = %.9g (0x%08x), oracle %.9g (0x%08x), a %s token", token,
                    row, double(got), bitsOf(got), double(expected), bitsOf(expected),
                    nameOf(call.kinds[token]));
      first = text;
    }
  EXPECT_EQ(wrong, 0u) << first << "; " << wrong << " of " << call.m * n << " differ";
  for (size_t token = 0; token + 1 < call.m; ++token)
    for (size_t row = n; row < call.ldy; ++row)
      ASSERT_EQ(y[token * call.ldy + row], canary) << "gap of y after token " << token;
}

struct Kernel : KernelTest {
  // Packs behind or before a guard page; read-only from then on.
  static void pack(const lutc_kernel *kernel, const DrawnWeights &weights, Guarded &packed) {
    const lutc_weights view = weights.view();
    ASSERT_EQ(lutc_pack(kernel, &view, packed.as<void>(), lutc_packed_bytes(kernel)), LUTC_OK);
    ASSERT_TRUE(packed.surroundingsAreIntact());
    ASSERT_EQ(lutc_check_packed(kernel, packed.as<void>(), lutc_packed_bytes(kernel)), LUTC_OK);
    packed.freeze();
  }

  static void run(const lutc_kernel *kernel, const Call &call, const void *packed, Place place,
                  const lutc_parallel *parallel) {
    const size_t n = kernel->info.n, yElements = (call.m - 1) * call.ldy + n;
    const size_t scratchBytes = lutc_scratch_bytes(kernel, call.m);
    Guarded x(call.x.size() * sizeof(float), sizeof(float), place);
    Guarded y(yElements * sizeof(float), sizeof(float), place);
    Guarded scratch(scratchBytes, LUTC_ALIGNMENT, place);
    std::copy(call.x.begin(), call.x.end(), x.as<float>());
    std::fill_n(y.as<float>(), yElements, canary);
    x.freeze();
    ASSERT_EQ(lutc_run(kernel, call.m, x.as<float>(), call.ldx, packed, y.as<float>(), call.ldy,
                       scratch.as<void>(), scratchBytes, parallel),
              LUTC_OK);
    expectSameBits(call, n, y.as<float>());
    EXPECT_TRUE(y.surroundingsAreIntact()) << "written outside y";
    EXPECT_TRUE(scratch.surroundingsAreIntact()) << "written outside the scratch";
    runPrepared(kernel, call, x.as<float>(), packed, place, parallel);
  }

  // The same in two calls.
  static void runPrepared(const lutc_kernel *kernel, const Call &call, const float *x, const void *packed,
                          Place place, const lutc_parallel *parallel) {
    const size_t n = kernel->info.n, yElements = (call.m - 1) * call.ldy + n;
    const size_t scratchBytes = lutc_scratch_bytes(kernel, call.m);
    const size_t preparedBytes = lutc_prepared_bytes(kernel, call.m);
    Guarded y(yElements * sizeof(float), sizeof(float), place);
    Guarded scratch(scratchBytes, LUTC_ALIGNMENT, place);
    Guarded prepared(preparedBytes, LUTC_ALIGNMENT, place);
    std::fill_n(y.as<float>(), yElements, canary);
    ASSERT_EQ(lutc_prepare(kernel, call.m, x, call.ldx, packed, prepared.as<void>(), preparedBytes, parallel),
              LUTC_OK);
    EXPECT_TRUE(prepared.surroundingsAreIntact()) << "written outside prepared activations";
    prepared.freeze();
    ASSERT_EQ(lutc_run_prepared(kernel, call.m, prepared.as<void>(), preparedBytes, packed, y.as<float>(),
                                call.ldy, scratch.as<void>(), scratchBytes, parallel),
              LUTC_OK);
    expectSameBits(call, n, y.as<float>());
    EXPECT_TRUE(y.surroundingsAreIntact()) << "written outside y";
    EXPECT_TRUE(scratch.surroundingsAreIntact()) << "written outside the scratch";
  }
};

TEST_P(Kernel, EqualsTheOracle) {
  const lutc_kernel *kernel = GetParam().kernel;
  const Problem &problem = problemOf(kernel);
  Random random(baseSeed());
  Guarded atEnd(lutc_packed_bytes(kernel), LUTC_ALIGNMENT, Place::End);
  Guarded atBegin(lutc_packed_bytes(kernel), LUTC_ALIGNMENT, Place::Begin);
  pack(kernel, problem.weights, atEnd);
  pack(kernel, problem.weights, atBegin);
  for (const Call &call : problem.calls)
    for (Place place : {Place::End, Place::Begin}) {
      size_t threads = draw(random, 1, 4);
      const lutc_parallel onThreads = threadParallel(threads), backwards = backwardParallel(threads);
      const bool backward = oneIn(random, 4);
      current = GetParam().describe() + ", seed " + std::to_string(baseSeed()) +
                ", m = " + std::to_string(call.m) + ", ldx = " + std::to_string(call.ldx) +
                ", ldy = " + std::to_string(call.ldy) + ", threads = " + std::to_string(threads) +
                (backward ? ", tasks backwards" : "") +
                (place == Place::End ? ", buffers end at a guard page" : ", buffers begin at a guard page");
      SCOPED_TRACE(current);
      run(kernel, call, (place == Place::End ? atEnd : atBegin).as<void>(), place,
          threads == 1 ? nullptr
          : backward   ? &backwards
                       : &onThreads);
      if (HasFailure())
        return;
    }
}

LUT_INSTANTIATE_KERNELS(Kernel);

} // namespace

int main(int argc, char **argv) { return runOracleTests(argc, argv); }
