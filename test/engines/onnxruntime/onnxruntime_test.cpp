// onnxruntime_test <plug-in> <directory with node_modules>: the plug-in in an ONNX Runtime.
//
// At accuracy level 4 results in f32 have the bits of class a8. At other levels they are compared with double
// precision. NMSE bounds: an int8 term rounds to 1/127 of a block's largest element, of normal x at most 3.9
// standard deviations (256 elements): (3.9 / 127)^2 / 12 = 8e-5 of the product's energy; each further term
// has steps 254 times finer: 1.2e-9, then less than sums in f32 lose, for which the built-in op's NMSE is the
// measure. Rounding Y to f16 adds at most 2^-24 / 3 = 2e-8 on average, 2^-22 at most.
#include "Engine.h"
#include <atomic>
#include <filesystem>
#include <gtest/gtest.h>
#include <thread>

using namespace lut::onnx;

namespace {

std::atomic<bool> memoryFails;

constexpr double termBound = 1e-4, twoTermBound = 2e-9, floatBound = 1e-12, halfBound = 0x1p-22;

double boundOf(const Node &node) {
  const double bound = node.level == 4                      ? termBound
                       : node.level == 2 || node.level == 3 ? twoTermBound
                                                            : floatBound;
  return node.type == f16 ? bound + halfBound : bound;
}

std::string said() { return Engine::instance().said(); }

bool isTaken(const std::string &line) {
  const char *variant = std::getenv("LUTC_VARIANT");
  return line.find("lutc: multiplies 1 MatMulNBits") == 0 && line.find("left") == std::string::npos &&
         (!variant || line.find(std::string("variant ") + variant) != std::string::npos);
}

std::string leftWith(const std::string &reason) {
  return "lutc: multiplies 0 MatMulNBits; left to ONNX Runtime's own: 1 with " + reason;
}

// What ONNX Runtime says against something; empty: nothing.
template <typename F> std::string errorOf(const F &run) {
  try {
    run();
  } catch (const std::runtime_error &error) {
    return *error.what() ? error.what() : "an error";
  }
  return "";
}

std::string nameOf(const Node &node) {
  return "n " + std::to_string(node.n) + " k " + std::to_string(node.k) + " w" + std::to_string(node.bits) +
         "g" + std::to_string(node.block) + " type " + std::to_string(node.type) + " zeros " +
         std::to_string(int(node.zeros)) + " level " + std::to_string(node.level) +
         (node.hasBias ? " bias" : "");
}

// A taken node's results, by the oracle and the built-in op where it has such nodes.
void check(const Node &node, uint32_t seed, const std::vector<int64_t> &shape, int threads) {
  SCOPED_TRACE(nameOf(node) + ", " + std::to_string(threads) + " threads, seed " + std::to_string(seed));
  Model model(node, seed);
  size_t m = 1;
  for (int64_t size : shape)
    m *= size_t(size);
  const std::vector<float> x = model.activations(m);
  said();
  std::vector<int64_t> withK = shape, withN = shape;
  withK.push_back(int64_t(node.k));
  withN.push_back(int64_t(node.n));
  const Results ours = Session(model, true, threads).runShape(x, withK);
  EXPECT_TRUE(isTaken(said()));
  EXPECT_EQ(ours.shape, withN);
  if (node.level == 4 && node.type == f32)
    EXPECT_EQ(ours.y, model.integerProduct(x));
  const std::vector<double> exact = model.product(x);
  const double error = lut::reference::nmse(ours.y, exact);
  EXPECT_LT(error, boundOf(node));

  Results stock;
  if ((node.type == f16 && !Engine::instance().hasGoodHalves()) ||
      !errorOf([&] { stock = Session(model, false, threads).runShape(x, withK); }).empty())
    return;
  EXPECT_EQ(stock.shape, withN);
  const double stockError = lut::reference::nmse(stock.y, exact);
  EXPECT_LT(stockError, termBound + halfBound) << "of the built-in op: the test's model is not what it says";
  if (node.level < 2)
    EXPECT_LT(error, 4 * stockError + 2e-13) << "the built-in op's: " << stockError;
}

TEST(Products, OfEveryFormat) {
  uint32_t seed = 1;
  for (int bits : {2, 4, 8})
    for (size_t block : {16, 32, 64, 128, 256})
      for (Zeros zeros : {Zeros::none, Zeros::packed, Zeros::middle, Zeros::whole, Zeros::fractions}) {
        Node node;
        node.bits = bits, node.block = block, node.zeros = zeros, node.level = 4;
        node.n = 37, node.k = 2 * block + 50;
        node.areScalesF16 = seed % 2 == 0;
        check(node, seed++, {3}, 1);
      }
}

TEST(Products, OfRandomNodes) {
  std::mt19937 random(5);
  const auto draw = [&](uint32_t count) { return uint32_t(random()) % count; };
  for (uint32_t seed = 100; seed < 220; ++seed) {
    Node node;
    node.bits = 2 << draw(3);
    node.block = size_t(16) << draw(5);
    node.n = 1 + draw(draw(4) == 0 ? 700 : 90);
    node.k = 1 + draw(600);
    node.level = int(draw(5));
    node.type = draw(3) == 0 ? f16 : f32;
    node.zeros = Zeros(draw(5));
    node.hasBias = draw(2);
    node.areScalesF16 = draw(3) == 0;
    if (node.hasBias && draw(4) == 0)
      node.variables = {5};
    const int64_t m = 1 + draw(draw(5) == 0 ? 200 : 6);
    const std::vector<int64_t> shapes[] = {{m}, {}, {2, m}, {1, 3, 2}, {m, 1}};
    check(node, seed, shapes[draw(5)], int(1 + draw(3)));
  }
}

// Rows of tens of thousands are cut to pieces of MOST_ROWS.
TEST(Products, OfManyTokens) {
  for (Type type : {f32, f16})
    for (int level : {0, 2, 4}) {
      Node node;
      node.n = 33, node.k = 96, node.level = level, node.type = type, node.hasBias = true;
      check(node, 9, {900}, 2);
    }
}

TEST(Products, HaveTheSameBitsForAllThreads) {
  for (int level : {0, 4}) {
    Node node;
    node.n = 500, node.k = 700, node.level = level, node.zeros = Zeros::packed;
    Model model(node, 3);
    for (size_t m : {1, 7, 70}) {
      const std::vector<float> x = model.activations(m);
      const std::vector<float> one = Session(model, true, 1).run(x).y;
      EXPECT_EQ(Session(model, true, 2).run(x).y, one);
      EXPECT_EQ(Session(model, true, 5).run(x).y, one);
    }
  }
}

// Elements far below the largest of their block are kept as f32 would.
TEST(Products, WithOutliers) {
  Node node;
  node.n = 50, node.k = 512;
  Model model(node, 8);
  std::vector<float> x = model.activations(4);
  for (size_t i = 0; i < x.size(); i += 97)
    x[i] *= 1000;
  const std::vector<double> exact = model.product(x);
  EXPECT_LT(lut::reference::nmse(Session(model, true).run(x).y, exact), floatBound);
}

TEST(Products, OfTokensThatAreNotFinite) {
  for (int level : {0, 4}) {
    Node node;
    node.level = level;
    Model model(node, 4);
    std::vector<float> x = model.activations(3);
    const Session session(model, true);
    const std::vector<float> before = session.run(x).y;
    x[node.k + 5] = std::numeric_limits<float>::infinity();
    const std::vector<float> y = session.run(x).y;
    for (size_t i = 0; i < y.size(); ++i)
      if (i / node.n == 1)
        EXPECT_TRUE(std::isnan(y[i]));
      else
        EXPECT_EQ(y[i], before[i]);
  }
}

TEST(Products, OfNoTokens) {
  Model model(Node(), 4);
  const Results results = Session(model, true).runShape({}, {2, 0, 128});
  EXPECT_EQ(results.shape, (std::vector<int64_t>{2, 0, 64}));
}

TEST(Calls, AtTheSameTime) {
  for (int level : {0, 4}) {
    Node node;
    node.n = 300, node.k = 512, node.level = level;
    Model model(node, 2);
    const Session session(model, true, 2);
    std::vector<std::vector<float>> x, y;
    for (size_t i = 0; i < 4; ++i) {
      x.push_back(model.activations(i + 1));
      y.push_back(session.run(x[i]).y);
    }
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (size_t i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        for (int time = 0; time < 50; ++time)
          wrong += session.run(x[i]).y != y[i];
      });
    for (std::thread &thread : threads)
      thread.join();
    EXPECT_EQ(wrong, 0);
  }
}

TEST(Calls, OfSeveralSessions) {
  Node node;
  node.level = 4;
  Model first(node, 1), second(node, 2);
  const std::vector<float> x = first.activations(5);
  auto a = std::make_unique<Session>(first, true), b = std::make_unique<Session>(second, true);
  EXPECT_EQ(a->run(x).y, first.integerProduct(x));
  EXPECT_EQ(b->run(x).y, second.integerProduct(x));
  a.reset();
  EXPECT_EQ(b->run(x).y, second.integerProduct(x));
  const Session stock(first, false);
  EXPECT_NE(stock.run(x).y, first.integerProduct(x)) << "a session without the library has its op";
}

TEST(Calls, WithWrongShapes) {
  for (bool isLeft : {false, true}) {
    Node node;
    node.hasGroups = isLeft;
    node.hasBias = true;
    node.variables = {5};
    Model model(node, 1);
    const Session session(model, true);
    EXPECT_NE(errorOf([&] { session.runShape(std::vector<float>(2 * 127), {2, 127}); }).find("K"),
              std::string::npos);
    EXPECT_NE(errorOf([&] { session.runShape(std::vector<float>(1), {}); }), "");
  }
}

void checkLeft(const Node &node, const std::string &reason) {
  SCOPED_TRACE(nameOf(node) + ": " + reason);
  Model model(node, 6);
  const std::vector<float> x = model.activations(3);
  said();
  const std::vector<float> ours = Session(model, true, 2).run(x).y;
  EXPECT_EQ(said(), leftWith(reason));
  if (node.type == f32 || Engine::instance().hasGoodHalves())
    EXPECT_EQ(ours, Session(model, false, 2).run(x).y);
  EXPECT_LT(lut::reference::nmse(ours, model.product(x)), floatBound + (node.type == f16 ? halfBound : 0));
}

TEST(Left, ToTheBuiltInOp) {
  for (Type type : {f32, f16})
    for (bool hasBias : {false, true}) {
      Node node;
      node.type = type, node.hasBias = hasBias;
      node.hasGroups = true;
      checkLeft(node, "g_idx");
      node.zeros = Zeros::fractions;
      checkLeft(node, "g_idx");
    }
}

// Weights that may change are taken until they do. The built-in op is no measure: with variable scales or
// zero points it gives wrong results at level 4.
TEST(Variable, WeightsThatChange) {
  for (Type type : {f32, f16})
    for (int input : {1, 2, 3}) {
      Node node;
      node.zeros = Zeros::packed, node.variables = {input}, node.type = type, node.level = 4;
      SCOPED_TRACE(input);
      Model model(node, 6), other(node, 7);
      const std::vector<float> x = model.activations(3);
      Session session(model, true, 2);
      said();
      const std::vector<float> first = session.run(x).y;
      EXPECT_TRUE(isTaken(said()));
      if (type == f32)
        EXPECT_EQ(first, model.integerProduct(x));
      EXPECT_LT(lut::reference::nmse(first, model.product(x)), boundOf(node));
      EXPECT_EQ(session.run(x).y, first);
      const std::vector<double> exact = model.product(x);
      session.variables = other.variables();
      model.take(other, input);
      const double bound = floatBound + (type == f16 ? halfBound : 0);
      EXPECT_LT(lut::reference::nmse(session.run(x).y, model.product(x)), bound);
      EXPECT_EQ(said(), leftWith("weights that change"));
      session.variables = Model(node, 6).variables();
      EXPECT_LT(lut::reference::nmse(session.run(x).y, exact), bound);
      EXPECT_EQ(said(), "") << "it is left for good";
    }
}

// One byte of many, each of which is looked at.
TEST(Variable, WeightsThatChangeInOnePlace) {
  Node node;
  node.n = 100, node.k = 300, node.variables = {1}, node.level = 4;
  Model model(node, 6);
  const std::vector<float> x = model.activations(1);
  for (size_t at : {size_t(0), size_t(4567), node.n * node.blocks() * 16 - 1}) {
    Session session(model, true);
    const std::vector<float> first = session.run(x).y;
    said();
    char &byte = session.variables[0].bytes[at];
    byte = char(byte ^ 1);
    session.run(x);
    EXPECT_EQ(said(), leftWith("weights that change")) << at;
  }
}

TEST(Variable, WeightsOfTheOuterGraph) {
  Node node;
  node.isInBranch = true, node.level = 4, node.zeros = Zeros::packed, node.hasBias = true;
  Model model(node, 6);
  const std::vector<float> x = model.activations(3);
  said();
  const Session session(model, true, 2);
  EXPECT_EQ(session.run(x).y, model.integerProduct(x));
  const std::string line = said();
  EXPECT_EQ(line.find("lutc: multiplies "), size_t(0)) << line;
  EXPECT_EQ(line.find("left"), std::string::npos) << line;
  EXPECT_EQ(session.run(x).y, model.integerProduct(x));
  EXPECT_LT(lut::reference::nmse(Session(model, false).run(x).y, model.product(x)), termBound);
}

TEST(Variable, WeightsInCallsAtTheSameTime) {
  Node node;
  node.n = 200, node.k = 300, node.level = 4, node.variables = {1, 2};
  Model model(node, 2);
  const std::vector<float> x = model.activations(2), y = model.integerProduct(x);
  for (int time = 0; time < 5; ++time) {
    const Session session(model, true, 2);
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int call = 0; call < 5; ++call)
          wrong += session.run(x).y != y;
      });
    for (std::thread &thread : threads)
      thread.join();
    EXPECT_EQ(wrong, 0);
  }
}

TEST(Left, WithScalesThatAreNotFinite) {
  Model model(Node(), 6);
  model.scales[3] = std::numeric_limits<float>::infinity();
  const std::vector<float> x = model.activations(2);
  said();
  const std::vector<float> ours = Session(model, true).run(x).y;
  EXPECT_EQ(said(), leftWith("scales or zero points that are not finite"));
  ASSERT_EQ(ours.size(), 2 * model.node.n);
  EXPECT_FALSE(std::isfinite(ours[0])) << "block 3 is of row 0";
  EXPECT_TRUE(std::isfinite(ours[1]));
}

// What the built-in op refuses, or has no kernel for, is refused with its words.
TEST(Left, AndRefused) {
  Node node;
  node.bits = 8, node.zeros = Zeros::fractions, node.hasGroups = true;
  Model model(node, 6);
  const std::vector<float> x = model.activations(2);
  const std::string stock = errorOf([&] { Session(model, false).run(x); });
  ASSERT_NE(stock, "");
  EXPECT_NE(errorOf([&] { Session(model, true).run(x); }), "");
}

TEST(Left, WithoutMemory) {
  Node node;
  Model model(node, 6);
  const std::vector<float> x = model.activations(2);
  said();
  memoryFails = true;
  std::unique_ptr<Session> session;
  const std::string error = errorOf([&] { session = std::make_unique<Session>(model, true); });
  memoryFails = false;
  ASSERT_EQ(error, "");
  const std::vector<float> y = session->run(x).y;
  EXPECT_EQ(said(), leftWith("no memory"));
  EXPECT_LT(lut::reference::nmse(y, model.product(x)), floatBound);
}

TEST(Registration, Twice) {
  Model model(Node(), 1);
  const std::vector<float> x = model.activations(2);
  std::vector<float> y;
  const std::string error = errorOf([&] { y = Session(model, true, 1, 2).run(x).y; });
  if (error.empty())
    EXPECT_LT(lut::reference::nmse(y, model.product(x)), floatBound);
  else
    EXPECT_EQ(error, "Domain already set in registry");
}

TEST(Registration, OffAndQuiet) {
  Node node;
  node.level = 4;
  Model model(node, 1);
  const std::vector<float> x = model.activations(2);
  said();
  setenv("LUTC_QUIET", "1", 1);
  EXPECT_EQ(Session(model, true).run(x).y, model.integerProduct(x));
  EXPECT_EQ(said(), "");
  unsetenv("LUTC_QUIET");
  setenv("LUTC_OFF", "1", 1);
  EXPECT_EQ(Session(model, true).run(x).y, Session(model, false).run(x).y);
  EXPECT_EQ(said(), "");
  unsetenv("LUTC_OFF");
}

// One without the version of the API.
TEST(Registration, InAnOldOnnxRuntime) {
  void *plugin = dlopen(Engine::plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_TRUE(plugin) << dlerror();
  using Base = lut::bench::onnx::ApiBase;
  auto *registerOps = reinterpret_cast<void *(*)(void *, const Base *)>(dlsym(plugin, "RegisterCustomOps"));
  ASSERT_TRUE(registerOps);
  const Base old = {[](uint32_t) -> void *const * { return nullptr; }, [] { return "1.19.2"; }};
  testing::internal::CaptureStderr();
  EXPECT_EQ(registerOps(nullptr, &old), nullptr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "lutc: left out: ONNX Runtime is older than 1.20\n");
}

// Of several names of the library in npm's package, of any version.
std::string findLibrary(const std::string &directory) {
  const std::filesystem::path package =
      std::filesystem::path(directory) / "node_modules/onnxruntime-node/bin";
  if (std::filesystem::exists(package))
    for (const auto &entry : std::filesystem::recursive_directory_iterator(package))
      if (entry.path().string().find("linux/x64/libonnxruntime.so.1") != std::string::npos)
        return entry.path();
  return "";
}

} // namespace

// What the plug-in allocates weights with; ONNX Runtime calls it, too.
extern "C" void *aligned_alloc(size_t alignment, size_t bytes) {
  void *memory = nullptr;
  Dl_info caller;
  if (memoryFails && dladdr(__builtin_return_address(0), &caller) && caller.dli_fname == Engine::plugin)
    return nullptr;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
}

// Whether the CPU has the instructions of the variant that is asked for.
static bool hasVariant() {
  const std::string variant = std::getenv("LUTC_VARIANT") ? std::getenv("LUTC_VARIANT") : "";
  if (variant == "avx2")
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");
  return variant != "avx512bw" || (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"));
}

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 3) {
    std::fprintf(stderr, "usage: onnxruntime_test <plug-in> <directory with node_modules>\n");
    return 2;
  }
  Engine::plugin = argv[1];
  Engine::library = findLibrary(argv[2]);
  if (Engine::library.empty()) {
    std::puts("not run: ONNX Runtime could not be installed");
    return 77;
  }
  if (!hasVariant()) {
    std::printf("not run: this CPU lacks %s\n", std::getenv("LUTC_VARIANT"));
    return 77;
  }
  return RUN_ALL_TESTS();
}
