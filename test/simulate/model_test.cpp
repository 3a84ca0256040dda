// Whole models: Table 1's times, Table 4, and what goes past the paper.
#include "layers.h"

using namespace lut::lmma;

namespace {

/// Operands of `type` on both sides, for multiply-accumulate units.
Gemm dense(Number type) {
  Gemm like = gemm(0, 0, 0, bits(type), type);
  like.sums = isFloat(type) ? Number::f32 : Number::i32;
  return like;
}

Gemm ternary(const Machine &machine, Number activations) {
  Gemm like = gemm(0, 0, 0, 2, activations);
  like.sums = machine.sumType();
  like.weights.trits = machine.array.weights.trits;
  return like;
}

WorkResult run(const Machine &machine, const Workload &work, Mode mode,
               Precompute precompute = Precompute::fused, bool shareTables = true) {
  WorkOptions options;
  options.mode = mode;
  options.precompute = precompute;
  options.shareTables = shareTables;
  return llvm::cantFail(simulate(machine, costs(), work, options));
}

/// BitNet b1.58 3B, one sequence of 2048 tokens and 1024 of one token, in ms.
struct Times {
  double prefill, decode;
};
Times bitnet(const Machine &machine, const Gemm &like, Mode mode, Precompute precompute) {
  auto ms = [&](int64_t sequences, int64_t tokens) {
    Workload work = workload(bitnet3b, bitnet3b.layers, sequences, tokens, like);
    return run(machine, work, mode, precompute).seconds() * 1e3;
  };
  return {ms(1, 2048), ms(1024, 1)};
}

//===----------------------------------------------------------------------===//
// Table 1
//===----------------------------------------------------------------------===//

struct Table1Row {
  const char *machine;
  Number activations;
  double prefill, decode; // ms
};
const Table1Row table1[] = {
    {"a100-fp16-tc", Number::f16, 106.71, 41.15}, {"a100-int8-tc", Number::i8, 67.06, 21.70},
    {"a100-lut-4x", Number::i8, 42.49, 11.41},    {"a100-lut-8x", Number::i8, 38.02, 7.47},
    {"h100-fp8-tc", Number::f8, 38.20, 12.30},    {"h100-lut-4x", Number::f8, 28.70, 9.90},
    {"h100-lut-8x", Number::f8, 23.48, 5.97}};

Times timesOf(const Table1Row &row) {
  Machine any = machine(row.machine);
  Gemm like = any.isLut() ? ternary(any, row.activations) : dense(row.activations);
  return bitnet(any, like, Mode::paper, Precompute::fused);
}

// No number of the model is fitted to any of these.
TEST(Table1, Times) {
  for (const Table1Row &row : table1) {
    Times ours = timesOf(row);
    expectWithin(20, ours.prefill, row.prefill, std::string("Table 1, ms of BS1 SEQ2048: ") + row.machine);
    expectWithin(20, ours.decode, row.decode, std::string("Table 1, ms of BS1024 SEQ1: ") + row.machine);
  }
}

// The paper's 5.51 compares BitNet with a float model; the same model on INT8 tensor cores is the fair one.
TEST(Table1, SameModelSpeedup) {
  Times float16 = timesOf(table1[0]), int8 = timesOf(table1[1]), lut4 = timesOf(table1[2]),
        lut8 = timesOf(table1[3]);
  expectWithin(20, float16.decode / lut8.decode, 41.15 / 7.47, "8X over FP16 and a float model, decode");
  expectWithin(20, int8.decode / lut8.decode, 21.70 / 7.47, "8X over INT8, same model, decode");
  expectWithin(20, int8.prefill / lut8.prefill, 67.06 / 38.02, "8X over INT8, same model, prefill");
  expectWithin(20, int8.decode / lut4.decode, 21.70 / 11.41, "4X over INT8, same model, decode");
  expectWithin(20, int8.prefill / lut4.prefill, 67.06 / 42.49, "4X over INT8, same model, prefill");
}

//===----------------------------------------------------------------------===//
// Table 4
//===----------------------------------------------------------------------===//

struct Table4Row {
  const char *name;
  ModelSizes model;
  int64_t sequences, tokens;
  double welder, separate, fused; // ms of one layer
};
const Table4Row table4[] = {{"OPT-175B", opt175b, 1, 2048, 32.38, 38.77, 33.63},
                            {"BLOOM-176B", bloom176b, 1, 4096, 107.11, 129.85, 108.38},
                            {"LLAMA2-70B", llama70b, 1, 4096, 34.68, 37.60, 35.65},
                            {"OPT-175B", opt175b, 1024, 1, 14.99, 17.43, 15.50},
                            {"BLOOM-176B", bloom176b, 1024, 1, 20.99, 26.05, 21.31},
                            {"LLAMA2-70B", llama70b, 1024, 1, 11.45, 15.21, 11.75}};

/// Percent of the layer's time that f16 tables of its activations take.
double tablesOf(const Workload &work, double layerSeconds, Precompute precompute, bool share) {
  Machine lut = machine("a100-lut-4x");
  lut.array.entry = Number::f16;
  double cycles = 0;
  for (const WorkKernel &kernel : work.kernels)
    if (!share || !kernel.sharesTables)
      cycles += precomputeCycles(lut, kernel.gemm.m, kernel.gemm.k, Number::f16, Mode::full, precompute);
  return cycles / (lut.clock * 1e9) / layerSeconds * 100;
}

TEST(Table4, SixLayers) {
  double total = 0;
  for (const Table4Row &row : table4) {
    SCOPED_TRACE(row.name);
    Workload work = workload(row.model, 1, row.sequences, row.tokens, dense(Number::f16));
    double seconds = run(machine("a100-fp16-tc"), work, Mode::full).seconds();
    expectWithin(35, seconds * 1e3, row.welder, std::string("Table 4, ms without tables: ") + row.name);
    total += difference(seconds * 1e3, row.welder) / std::size(table4);
    // The paper's separate kernels take 13 to 69 ps an activation, five times apart and far from the 3 ps
    // that memory allows; the model gives what memory allows.
    double separate = tablesOf(work, seconds, Precompute::separate, false);
    double fused = tablesOf(work, seconds, Precompute::fused, true);
    std::printf("  tables of %s: separate %.2f %% (paper %.2f), fused %.2f %% (paper %.2f)\n", row.name,
                separate, difference(row.separate, row.welder), fused, difference(row.fused, row.welder));
    EXPECT_GT(separate, 1);
    EXPECT_LT(separate, difference(row.separate, row.welder));
    EXPECT_LT(fused, separate / 2);
    EXPECT_LT(fused, difference(row.fused, row.welder));
  }
  EXPECT_LT(std::abs(total), 15);
}

//===----------------------------------------------------------------------===//
// Past the paper
//===----------------------------------------------------------------------===//

void printRow(const char *what, const Machine &machine, Times times) {
  std::printf("  %s, %dx registers: prefill %.2f ms, decode %.2f ms, %.3f mm2 and %.3f mm2 of registers\n",
              what, int(machine.registerMultiple), times.prefill, times.decode, tensorArea(costs(), machine),
              extraRegisterArea(costs(), machine));
}

// Three trits to a lookup: 1.5 times the weights of a cycle, 5 bits for 3 of them.
TEST(Past, TernaryTables) {
  Machine planes = machine("a100-sum24-4x"), trits = machine("a100-trit-4x");
  EXPECT_NEAR(trits.peak(1) / planes.peak(2), 1.5, 1e-9);
  EXPECT_LT(tensorArea(costs(), trits) / tensorArea(costs(), planes), 1.27);
  Times two = bitnet(planes, ternary(planes, Number::i8), Mode::full, Precompute::array);
  Times three = bitnet(trits, ternary(trits, Number::i8), Mode::full, Precompute::array);
  printRow("planes, tables at the arrays", planes, two);
  printRow("trits, tables at the arrays", trits, three);
  EXPECT_GT(two.decode / three.decode, 1.2);
  EXPECT_GT(two.prefill / three.prefill, 1.1);
}

// The machine of the paper with doubled registers and the paper's omissions, against machines with registers
// as built and all traffic.
TEST(Past, PaperSpeedWithRegistersAsBuilt) {
  Machine doubled = machine("a100-lut-4x");
  Times theirs = bitnet(doubled, ternary(doubled, Number::i8), Mode::paper, Precompute::fused);
  printRow("paper's machine and traffic", doubled, theirs);
  for (auto [name, slower] : {std::pair("a100-sum24-4x", 1.02), std::pair("a100-trit-4x", 0.95)}) {
    Machine once = machine(name);
    EXPECT_EQ(once.registerMultiple, 1);
    Times ours = bitnet(once, ternary(once, Number::i8), Mode::full, Precompute::array);
    printRow(name, once, ours);
    EXPECT_LT(ours.decode, theirs.decode * slower);
    EXPECT_LT(ours.prefill, theirs.prefill * slower);
    EXPECT_LT(ours.decode, 11.41); // Table 1
    EXPECT_LT(ours.prefill, 42.49);
    double area = tensorArea(costs(), once) + tableAdderArea(costs(), once);
    EXPECT_LT(area, tensorArea(costs(), doubled) + extraRegisterArea(costs(), doubled));
  }
}

// The log's product: registers as built take smaller tiles and more time, unless sums take three bytes, which
// hold them exactly.
TEST(Past, RegistersAsBuilt) {
  Machine doubled = machine("a100-lut-2x"), once = doubled;
  once.registerMultiple = 1;
  Gemm logged = gemm(2048, 27648, 5120, 1), packed = logged;
  packed.sums = Number::i24;
  EXPECT_TRUE(sumsFit(packed, once.array));
  auto cycles = [&](const Machine &machine, const Gemm &gemm) {
    return llvm::cantFail(bestTile(machine, gemm, Mode::paper)).estimate.cycles;
  };
  double two = cycles(doubled, logged), one = cycles(once, logged), three = cycles(once, packed);
  std::printf("  log's product, cycles: 2x registers %.0f, 1x %.0f, 1x with 24-bit sums %.0f\n", two, one,
              three);
  EXPECT_GT(one / two, 1.05);
  EXPECT_LE(three / two, 1.005);
  expectWithin(3, three, 804234, "log, cycles: 1x registers, 24-bit sums");
}

TEST(Past, SumsThatOverflowAreRefused) {
  Machine lut = machine("a100-sum24-4x");
  Gemm product = gemm(16, 64, 88000, 2);
  product.sums = Number::i24;
  EXPECT_TRUE(sumsFit(product, lut.array)); // 127 * 22000 * 3 < 2^23
  product.k = 88100;
  EXPECT_FALSE(sumsFit(product, lut.array));
  llvm::Expected<TileChoice> refused = bestTile(lut, product, Mode::full);
  ASSERT_FALSE(bool(refused));
  EXPECT_EQ(llvm::toString(refused.takeError()),
            "sums of 88100 weights in i24 could overflow on a100-sum24-4x; write wider sums");
}

// Adders in front of the arrays: no table is ever in memory, and making them costs no time.
TEST(Past, TablesAtTheArrays) {
  Machine lut = machine("a100-lut-4x");
  std::printf("  adders for tables: %.2f %% of the arrays\n",
              tableAdderArea(costs(), lut) / tensorArea(costs(), lut) * 100);
  EXPECT_LT(tableAdderArea(costs(), lut) / tensorArea(costs(), lut), 0.025);
  double worst = 1;
  for (int64_t m : {1, 64, 1024, 2048})
    for (auto [n, k] : {std::pair<int64_t, int64_t>(3200, 3200), {8640, 3200}, {3200, 8640}, {27648, 5120}}) {
      Gemm product = gemm(m, n, k, 2);
      TileChoice full = llvm::cantFail(bestTile(lut, product, Mode::full, Precompute::array));
      // The artifact's traffic but for its results: tables that cost nothing.
      product.outputBytes = 8;
      double paper = llvm::cantFail(estimate(lut, product, full.tile, Mode::paper, Precompute::array)).cycles;
      worst = std::max(worst, full.estimate.cycles / paper);
      EXPECT_LE(full.estimate.cycles / paper, 1.025) << m << " x " << n << " x " << k;
      EXPECT_EQ(full.estimate.memoryRead, double(m) * k + n * k / 4.0) << m << " x " << n << " x " << k;
    }
  std::printf("  tables at the arrays: at most %.2f %% more time\n", (worst - 1) * 100);
}

// q, k and v take one table, gate and up another.
TEST(Past, SharedTables) {
  for (const Table4Row &row : table4) {
    Workload work = workload(row.model, 1, row.sequences, row.tokens, dense(Number::f16));
    double shared = tablesOf(work, 1, Precompute::separate, true);
    double alone = tablesOf(work, 1, Precompute::separate, false);
    std::printf("  %s: separate tables take %.2f times as long without sharing\n", row.name, alone / shared);
    EXPECT_GT(alone / shared, 1.2) << row.name;
  }
}

} // namespace
