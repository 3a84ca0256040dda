#include "passes/CostModel.h"
#include "passes/Geometry.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace lut;

namespace {
/// Cycles per instruction of each kind, from the target's tenths.
struct Cycles {
  double dot, permute, permute2, simple;
  explicit Cycles(TargetAttr t)
      : dot(t.getDotCycles10() / 10.0), permute(t.getPermuteCycles10() / 10.0),
        permute2(t.getPermute2Cycles10() / 10.0), simple(t.getSimpleCycles10() / 10.0) {}
};
} // namespace

std::string Cost::describe() const {
  return llvm::formatv(
      "{0:F0} cycles of compute and {1:F0} of weight traffic for a token alone, {2:F0} of compute in "
      "a batch",
      computeCycles, memoryCycles, batchCycles);
}

std::string Candidate::reason() const {
  return llvm::formatv("{0} in layout {1}: {2}", stringifyStrategy(schedule.getStrategy()),
                       stringifyLayout(schedule.getLayout()), cost.describe());
}

/// Bits of the stream per weight: codes, then scales and zero points.
static double storedBits(const Format &format, Layout layout) {
  double bits = layout == Layout::base3 ? 8.0 / 5 : format.row->bits;
  return bits + (format.group ? (format.zeroPoints ? 24.0 : 16.0) / format.group : 0);
}

/// A group ends with a conversion, two multiplications, an addition and the load of a scale per vector of
/// sums.
static double flushCycles(TargetAttr t, const Format &format, int64_t n, int64_t k) {
  double sums = double(n) / (t.getVectorBytes() / 4);
  return sums * format.groups(k) * (format.zeroPoints ? 8 : 5) * Cycles(t).simple;
}

/// Cycles of the inner loops: what the tokens of a tile share, and what each needs.
struct InnerCycles {
  double shared, perToken;
};

static InnerCycles dotCycles(TargetAttr t, const Format &format, int64_t n, int64_t k) {
  Cycles c(t);
  // Per vector of bytes: shift, mask and dot; codes of several parts join them; narrower products cost extra
  // operations.
  double extra = t.getDot() == DotKind::quads ? 0 : t.getDot() == DotKind::pairs ? 2 : 10;
  double decode = llvm::isPowerOf2_32(format.row->bits) ? 2 : 4;
  double vectors = double(n) * k / t.getVectorBytes();
  return {vectors * decode * c.simple, vectors * (c.dot + extra * c.simple)};
}

/// Lookups added in 8 bits before a widening step.
static int64_t runOf(Layout layout, TablesType tables) {
  return tables.getDigits() == 1 ? 1 : layout == Layout::base3 ? 7 : 4; // digits are below 18 and 16
}

/// Simple operations to add one lookup in layouts column and base3: in 8 bits, then three to widen a run and
/// one to bias it; 16-bit sums that do not fit the registers are loaded and stored again.
static double widenOperations(TargetAttr t, const Format &format, Layout layout, TablesType tables) {
  double run = runOf(layout, tables), operations = run == 1 ? 3 : 1 + 4 / run;
  int64_t planes = layout == Layout::base3 ? 1 : format.row->bits, rows = t.getRegisters() >= 32 ? 2 : 1;
  bool spills =
      planes * tables.getDigits() * rows * 2 /*tokens*/ * 2 /*even, odd*/ > t.getRegisters() * 3 / 4;
  return operations + (spills ? 4 / run : 0);
}

static InnerCycles lookupCycles(TargetAttr t, const Format &format, Layout layout, TablesType tables,
                                int64_t n, int64_t k) {
  Cycles c(t);
  double lookups = double(n) * k / tables.getUnit() / t.getVectorBytes() *
                   (layout == Layout::base3 ? 1 : format.row->bits);
  double index = lookups * 2 * c.simple, perDigit;
  if (layout == Layout::quad)
    return {index, lookups * tables.getDigits() * (c.permute + c.dot)};
  double reach = std::max(t.getPermuteBytes(), t.getPermute2Bytes());
  if (!reach)
    perDigit = 3.0 * t.getVectorBytes(); // scalar loads: extract, load, insert
  else if (tables.getEntryBytes() <= t.getPermuteBytes())
    perDigit = c.permute;
  else if (tables.getEntryBytes() <= reach)
    perDigit = c.permute2;
  else
    perDigit = tables.getEntryBytes() / 16.0 * (c.permute + 3 * c.simple);
  double sign = tables.getMirrored() ? 1 : 0; // found once, applied to every digit
  double widen = widenOperations(t, format, layout, tables);
  return {index + lookups * sign * c.simple,
          lookups * tables.getDigits() * (perDigit + (sign + widen) * c.simple)};
}

namespace {
/// The schedules worth considering for one product.
struct Grid {
  TargetAttr target;
  Format format;
  Layout layout;
  TablesType tables;
  llvm::SmallVector<ScheduleAttr> schedules;

  /// One i32 sum for each row vector and token, as many as leave room for weights and results. Layouts with a
  /// byte for each row keep 16-bit sums: four registers of i32 for a row vector, for every plane and digit.
  bool fits(int64_t rows, int64_t tokens) const {
    int64_t sums = rows * tokens, registers = target.getRegisters();
    if (layout == Layout::dot || layout == Layout::quad)
      return sums * (target.getDot() == DotKind::quads ? 2 : 4) <= registers;
    return sums <= 8;
  }
  llvm::SmallVector<int64_t> kBlocks() const {
    if (layout == Layout::base3)
      return {28 * tables.getUnit(), 56 * tables.getUnit()};
    llvm::SmallVector<int64_t> blocks = {0};
    for (int64_t block : {512, 1024, 2048})
      if (block < tables.getK() && block % (tables.getGroup() < tables.getK() ? tables.getGroup() : 32) == 0)
        blocks.push_back(block);
    return blocks;
  }
  void add(int64_t rows, int64_t tokens, int64_t tokenBlock, int64_t kBlock) {
    bool lookup = layout != Layout::dot;
    int64_t run = layout == Layout::base3 || layout == Layout::column ? runOf(layout, tables) : 0;
    schedules.push_back(ScheduleAttr::get(target.getContext(), lookup ? Strategy::lookup : Strategy::dot,
                                          layout, rows, tokens, tokenBlock, kBlock, run, run ? 256 : 0,
                                          target.getPrefetchBytes()));
  }
  void fill() {
    for (int64_t rows : {1, 2, 4, 8})
      for (int64_t tokens : {1, 2, 3, 4, 6, 8})
        for (int64_t kBlock : kBlocks())
          for (int64_t tokenBlock : {12, 24, 32})
            if (fits(rows, tokens) && tokenBlock % tokens == 0)
              add(rows, tokens, tokenBlock, kBlock);
  }
};
} // namespace

static bool quadIsLegal(TargetAttr t, const Format &format, TablesType tables) {
  return !tables.getTrits() && t.getPermuteBytes() >= 64 && t.getDot() == DotKind::quads &&
         largestMultiplier(format, tables) <= 255;
}

llvm::SmallVector<Candidate> lut::candidates(LookupGemmOp gemm, TargetAttr t) {
  WeightsType w = gemm.getW().getType();
  TablesType tables = gemm.getLeft().getType();
  Format format = w.getFormat().getFormat();
  int64_t n = w.getN(), k = w.getK();
  llvm::SmallVector<Candidate> result;
  auto add = [&](Layout layout, InnerCycles inner) {
    Grid grid{t, format, layout, tables, {}};
    grid.fill();
    double bytes = double(n) * k * storedBits(format, layout) / 8, flush = flushCycles(t, format, n, k);
    for (ScheduleAttr schedule : grid.schedules) {
      Cost cost{inner.shared + inner.perToken + flush, bytes * 100 / t.getStreamBytesPer_100Cycles(),
                inner.shared / schedule.getTokens() + inner.perToken + flush};
      result.push_back({schedule, cost});
    }
  };
  if (tables.getDigits() == 2) // class a8: its int8 activations are there
    add(Layout::dot, dotCycles(t, format, n, k));
  Layout lookup = tables.getTrits()                ? Layout::base3
                  : quadIsLegal(t, format, tables) ? Layout::quad
                                                   : Layout::column;
  add(lookup, lookupCycles(t, format, lookup, tables, n, k));
  llvm::stable_sort(result, [](const Candidate &a, const Candidate &b) { return a.cost.total() < b.cost.total(); });
  return result;
}

const Candidate *lut::pick(llvm::ArrayRef<Candidate> all, std::optional<Strategy> strategy) {
  for (const Candidate &candidate : all)
    if (!strategy || candidate.schedule.getStrategy() == *strategy)
      return &candidate;
  return nullptr;
}

double lut::expectedNmse(const Format &format, int64_t k, Numerics numerics) {
  double group = format.group ? std::min(format.group, k) : k;
  // The largest of u samples of mean `mean` and deviation `deviation` is about mean + deviation * sqrt(2 ln
  // u); rounding to `largest / 127` adds the variance of a uniform step, (step^2) / 12.
  auto relative = [](double mean, double deviation, double u, double variance) {
    double largest = mean + deviation * std::sqrt(2 * std::log(std::max(u, 2.0)));
    return (largest / 127) * (largest / 127) / 12 / variance;
  };
  if (numerics == Numerics::a8)
    return relative(0, 1, group, 1);
  // A table entry sums g terms; sum |x| has mean 0.798 g and variance 0.363 g. Ternary weights are zero in
  // one of three.
  double g = format.row->unit;
  return relative(0.798 * g, std::sqrt(0.363 * g), group / g, format.row->trits ? g * 2 / 3 : g);
}
