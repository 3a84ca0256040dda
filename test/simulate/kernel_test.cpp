// One product: peaks, the artifact's log, capacity, precision.
#include "machines.h"

using namespace lut::lmma;

namespace {

TEST(Peak, Table1) {
  for (auto [name, peak] :
       {std::pair("a100-fp16-tc", 312.0), std::pair("a100-int8-tc", 624.0), std::pair("a100-lut-4x", 1248.0),
        std::pair("a100-lut-8x", 2496.0), std::pair("h100-fp8-tc", 1525.0), std::pair("h100-lut-4x", 1525.0),
        std::pair("h100-lut-8x", 3049.0)}) {
    expectWithin(0.2, machine(name).peak(2), peak, std::string("Table 1, peak: ") + name);
  }
}

const Gemm logged = gemm(2048, 27648, 5120, 1); // W_INT1 A_INT8
const Tile loggedTile{64, 512, 64, 32, 256, 2};

TEST(Log, PaperMode) {
  Machine lut = machine("a100-lut-2x");
  llvm::Expected<Estimate> estimate = lut::lmma::estimate(lut, logged, loggedTile, Mode::paper);
  ASSERT_TRUE(bool(estimate)) << llvm::toString(estimate.takeError());
  EXPECT_EQ(estimate->blocks, 1728);
  EXPECT_EQ(estimate->residentBlocks, 2);
  EXPECT_EQ(estimate->cacheRead, 35389440 * 32.0);  // 1132.46 MB of 32-byte sectors
  EXPECT_EQ(estimate->cacheWritten, 442368 * 32.0); // 14.16 MB
  EXPECT_NEAR(estimate->idealCycles, 655360, 1e-6);
  EXPECT_NEAR(estimate->tensorCycles, 655360, 1e-6);
  expectWithin(3, estimate->cycles, 804234, "log, cycles");
  // Sectors that missed L2; ours has each operand once.
  expectWithin(13, estimate->memoryRead, 1008564 * 32.0, "log, bytes from memory");
}

// Fetching tables doubles what activations take; all results are written.
TEST(Log, FullMode) {
  Machine lut = machine("a100-lut-2x");
  Estimate paper = llvm::cantFail(estimate(lut, logged, loggedTile, Mode::paper));
  Estimate full = llvm::cantFail(estimate(lut, logged, loggedTile, Mode::full));
  EXPECT_EQ(full.cacheRead, paper.cacheRead * 1.5);
  EXPECT_EQ(full.cacheWritten, 2.0 * 2048 * 27648);
  EXPECT_GT(full.cycles, paper.cycles * 1.05);
}

TEST(Capacity, RegistersRefuseATile) {
  Machine once = machine("a100-lut-2x");
  once.registerMultiple = 1;
  llvm::Expected<Estimate> refused = estimate(once, logged, loggedTile, Mode::paper);
  ASSERT_FALSE(bool(refused));
  EXPECT_EQ(llvm::toString(refused.takeError()),
            "tile 64x512x64/32x256/2 does not fit a100-lut-2x: a thread needs 304 registers, 256 of them for "
            "sums, and has 255");
}

// The paper's tile for this product: as large as doubled registers allow with 16-bit sums, and not with 32.
TEST(Capacity, PaperTileNeedsDoubledRegisters) {
  Machine lut = machine("a100-lut-2x");
  const Tile tile{128, 512, 32, 64, 256, 2};
  Gemm halves = logged;
  halves.sums = Number::f16;
  EXPECT_TRUE(bool(estimate(lut, halves, tile, Mode::paper)));
  llvm::Expected<Estimate> words = estimate(lut, logged, tile, Mode::paper);
  EXPECT_FALSE(bool(words));
  llvm::consumeError(words.takeError());
  lut.registerMultiple = 1;
  llvm::Expected<Estimate> once = estimate(lut, halves, tile, Mode::paper);
  EXPECT_FALSE(bool(once));
  llvm::consumeError(once.takeError());
}

TEST(Capacity, ScratchpadRefusesATile) {
  llvm::Expected<Estimate> refused =
      estimate(machine("a100-lut-4x"), logged, {64, 1024, 512, 32, 128, 4}, Mode::full);
  ASSERT_FALSE(bool(refused));
  EXPECT_NE(llvm::toString(refused.takeError()).find("bytes of scratchpad, the core has 167936"),
            std::string::npos);
}

TEST(Tiles, BestIsAtLeastAsGoodAsTheLogs) {
  Machine lut = machine("a100-lut-2x");
  TileChoice best = llvm::cantFail(bestTile(lut, logged, Mode::paper));
  EXPECT_LE(best.estimate.cycles, llvm::cantFail(estimate(lut, logged, loggedTile, Mode::paper)).cycles);
  EXPECT_GT(best.tile.warpN, best.tile.warpM); // elongated
}

TEST(Tiles, AnyShapeHasOne) {
  for (const char *name : {"a100-fp16-tc", "a100-lut-1x", "a100-lut-8x", "a100-trit-4x", "h100-lut-8x"})
    for (int64_t m : {1, 3, 17, 130})
      for (auto [n, k] : {std::pair<int64_t, int64_t>(1, 1), {31, 33}, {8640, 3200}}) {
        Machine any = machine(name);
        Gemm product = gemm(m, n, k, 2);
        product.sums = any.sumType();
        product.weights.trits = any.isLut() && any.array.weights.trits;
        llvm::Expected<TileChoice> best = bestTile(any, product, Mode::full);
        ASSERT_TRUE(bool(best)) << name << ": " << llvm::toString(best.takeError());
        EXPECT_GE(best->estimate.cycles, best->estimate.idealCycles);
      }
}

// Time of the arrays grows with the planes, and the whole product's never faster.
TEST(Precision, OneToFourPlanes) {
  Machine lut = machine("a100-lut-4x");
  double before = 0;
  for (int64_t planes = 1; planes <= 4; ++planes) {
    TileChoice best = llvm::cantFail(bestTile(lut, gemm(2048, 27648, 5120, planes), Mode::paper));
    EXPECT_NEAR(best.estimate.idealCycles, 327680.0 * planes, 1e-6);
    std::printf("  W_INT%d A_INT8 on a100-lut-4x: peak %.0f TOPS, %.3f ms, %.1f %% of peak\n", int(planes),
                lut.peak(planes), best.estimate.seconds(lut) * 1e3, best.estimate.utilisation() * 100);
    EXPECT_GT(best.estimate.utilisation(), 0.6);
    EXPECT_LT(best.estimate.utilisation(), 1);
    EXPECT_GT(best.estimate.cycles, before);
    before = best.estimate.cycles;
  }
}

double teraops(const Gemm &product, double seconds) {
  return 2.0 * product.m * product.n * product.k / seconds / 1e12;
}

// The product of Figs. 15 and 19 on W_INT1 A_FP16. An array in place of an FP16 tensor core has twice its
// peak; Fig. 15 calls it slightly faster.
TEST(Precision, OneBitWeightsAgainstTensorCores) {
  Machine mac = machine("a100-fp16-tc"), once = machine("a100-lut-1x"), twice = machine("a100-lut-2x");
  once.array.entry = twice.array.entry = Number::f16;
  Gemm wide = gemm(2048, 27648, 5120, 16, Number::f16), narrow = gemm(2048, 27648, 5120, 1, Number::f16);
  wide.sums = Number::f32;
  double dense = llvm::cantFail(bestTile(mac, wide, Mode::full)).estimate.seconds(mac);
  double one = llvm::cantFail(bestTile(once, narrow, Mode::full)).estimate.seconds(once);
  double two = llvm::cantFail(bestTile(twice, narrow, Mode::paper)).estimate.seconds(twice);
  std::printf("  W_INT1 A_FP16, one array of 512 against an FP16 tensor core: %.2f times as fast\n",
              dense / one);
  EXPECT_GT(dense / one, 1.5);
  EXPECT_LT(dense / one, 3);
  expectWithin(16, teraops(narrow, two), 1104, "Fig. 19 (secondary), TFLOPS: 4x peak, double registers");
  expectWithin(30, teraops(wide, dense), 288.9, "Fig. 19 (secondary), TFLOPS: CUTLASS FP16");
}

} // namespace
