// Area and energy: Table 2, and what its constants predict of the other tables and figures.
#include "compiler/simulate/Search.h"
#include "machines.h"

using namespace lut::lmma;

namespace {

Array array(int64_t planes, Number entry) { return {2, 64, 4, entry, {planes, false}}; }

Design designOf(bool reinterpreted, bool remapped, bool tablesOutside) {
  Design design;
  design.reinterpreted = reinterpreted;
  design.remapped = remapped;
  design.tablesOutside = tablesOutside;
  return design;
}

struct Row {
  const char *name;
  Design design;
  double area, milliwatts; // Table 2
};

// The four rows that the costs of registers, multiplexers, adders and inverters are fitted on.
TEST(Area, Table2) {
  const Row rows[] = {{"UNPU", designOf(false, true, false), 17271.71, 23.39},
                      {"+ weight reinterpretation", designOf(true, false, false), 13116.60, 17.98},
                      {"+ negation-circuit elimination", designOf(true, true, false), 12780.05, 17.37},
                      {"+ kernel fusion", designOf(true, true, true), 11991.29, 16.22}};
  for (const Row &row : rows) {
    Cost cost = arrayCost(costs(), array(2, Number::i8), row.design);
    expectWithin(0.1, cost.area, row.area, std::string("Table 2, um2: ") + row.name);
    // pJ of a cycle: mW at 1 GHz
    expectWithin(0.1, cost.energy / 1e3, row.milliwatts, std::string("Table 2, mW: ") + row.name);
  }
}

double density(const Machine &machine) {
  return machine.peak(machine.array.weights.passes()) / (tensorArea(costs(), machine) * machine.cores);
}

// Predicted: Table 1's A100 rows come from another synthesis than Table 2.
TEST(Area, Table1IntegerRows) {
  for (auto [name, area, perArea, perWatt] :
       {std::tuple("a100-lut-4x", 0.187, 61.84, 33.32), std::tuple("a100-lut-8x", 0.373, 61.95, 33.65)}) {
    Machine lut = machine(name);
    expectWithin(3, tensorArea(costs(), lut), area, std::string("Table 1, mm2: ") + name);
    expectWithin(3, density(lut), perArea, std::string("Table 1, TOPS/mm2: ") + name);
    expectWithin(6.5, peakEfficiency(costs(), lut, 2), perWatt, std::string("Table 1, TOPS/W: ") + name);
  }
}

// The shifter is fitted on the mean of the two areas, which are 7 % apart, and on the efficiency.
TEST(Area, Table1FloatRows) {
  for (auto [name, area, perArea] :
       {std::tuple("h100-lut-4x", 0.488, 23.69), std::tuple("h100-lut-8x", 0.909, 25.40)}) {
    Machine lut = machine(name);
    expectWithin(4, tensorArea(costs(), lut), area, std::string("Table 1, mm2: ") + name);
    expectWithin(4, density(lut), perArea, std::string("Table 1, TFLOPS/mm2: ") + name);
  }
  expectWithin(0.5, peakEfficiency(costs(), machine("h100-lut-8x"), 2), 17.32,
               "Table 1, TFLOPS/W: h100-lut-8x");
}

TEST(Area, Table3EfficiencyOfOneBitWeights) {
  Machine one = machine("a100-lut-4x");
  one.array.weights.planes = 1;
  expectWithin(3, peakEfficiency(costs(), one, 1), 63.78, "Table 3, TOPS/W: W_INT1 A_INT8");
}

// Section 4.3: 14.3 % of the FP16 tensor core's area.
TEST(Area, OneBitWeightsWithFloatTables) {
  double core = machine("a100-fp16-tc").mac.area * 1e6 / 4;
  expectWithin(4, arrayCost(costs(), array(1, Number::f16)).area / core, 0.143,
               "Section 4.3, share of FP16 tensor core: W_INT1 A_FP16");
}

// Fig. 12, a dot product of 4: FLOPs of a cycle at 1 GHz over area. A table serves 4 of them (Fig. 13).
TEST(Area, DotProductUnits) {
  Design lookup;
  lookup.sumsAndDecode = false;
  lookup.readersOfTable = 4;
  double lut = 8e3 / arrayCost(costs(), {1, 1, 4, Number::f16, {1, false}}, lookup).area;
  expectWithin(8, lut, 61.55, "Fig. 12, TFLOPS/mm2: LUT W_INT1 A_FP16");
  double mac = 8e3 / macDot(costs(), Number::f16, 4).area;
  expectWithin(15, mac, 3.39, "Fig. 12, TFLOPS/mm2: MAC FP16");
}

// Fig. 13: denser than multiplying up to 6 bits.
TEST(Area, DenserThanMultiplyingUpToSixBits) {
  Design shared;
  shared.readersOfTable = 4;
  double mac = 8e3 / macDot(costs(), Number::f16, 4).area;
  for (int64_t planes = 1; planes <= 8; ++planes) {
    double lut = 8e3 / planes / arrayCost(costs(), {1, 1, 4, Number::f16, {planes, false}}, shared).area;
    EXPECT_EQ(lut > mac, planes <= 6) << planes << " bits: " << lut << " against " << mac;
  }
}

SearchSpace space(Number entry, int64_t planes) {
  SearchSpace all;
  all.machine = machine("a100-lut-4x");
  all.entry = entry;
  all.gemm = gemm(2048, 27648, 5120, planes, entry);
  return all;
}

// Section 4.2: of all arrays of 512, M2 N64 K4. With 8-bit tables and more planes, tables and weights
// balance at M4 N32, which the paper does not report.
TEST(Search, FindsTheElongatedArray) {
  Array best = densestArray(costs(), space(Number::f16, 1));
  EXPECT_EQ(std::tuple(best.m, best.n, best.k), std::tuple(2, 64, 4));
  for (Number entry : {Number::i8, Number::f8, Number::f16})
    for (int64_t planes : {1, 2, 4}) {
      Array any = densestArray(costs(), space(entry, planes));
      EXPECT_EQ(any.k, 4) << name(entry).str() << " " << planes;
      EXPECT_GE(any.n, 4 * any.m) << name(entry).str() << " " << planes;
    }
}

// Fig. 11: K = 4 for integers; for floats K = 4 and 5 are the best two.
TEST(Search, LengthOfALookup) {
  auto perWeight = [&](Number entry, int64_t k) {
    return arrayCost(costs(), {2, 64, k, entry, {1, false}}).area / k;
  };
  for (int64_t k : {1, 2, 3, 5, 6, 7, 8})
    EXPECT_GT(perWeight(Number::i8, k), perWeight(Number::i8, 4)) << k;
  for (int64_t k : {1, 2, 3, 6, 7, 8})
    EXPECT_GT(perWeight(Number::f16, k), std::max(perWeight(Number::f16, 4), perWeight(Number::f16, 5))) << k;
}

TEST(Search, NothingBeatsTheFront) {
  SearchSpace all = space(Number::f16, 1);
  all.mode = Mode::paper;
  std::vector<Candidate> designs = search(costs(), all);
  size_t front = 0, elongated = 0;
  for (const Candidate &a : designs) {
    bool beaten = false;
    for (const Candidate &b : designs)
      beaten |= b.area < a.area && b.joules < a.joules && b.seconds < a.seconds;
    EXPECT_FALSE(a.onFront && beaten);
    front += a.onFront;
    elongated += a.onFront && a.array.m == 2 && a.array.n == 64 && a.array.k == 4;
  }
  EXPECT_GE(elongated, 3u);
  EXPECT_LT(front, designs.size() / 4);
}

} // namespace
