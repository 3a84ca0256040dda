#include "passes/plan/CostModel.h"
#include "passes/Geometry.h"
#include "passes/plan/ArraySchedules.h"
#include "passes/plan/Schedule.h"
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
  if (format.row->vectors)
    bits = lutc_book_row_bytes(format.row->vectors, uint64_t(format.subgroup)) / 4.0;
  double scale = 8 * (format.scaleBytes() + (format.zeroPoints ? 1 : 0) + format.minimumBytes());
  double kinds = format.minimums ? 2 : 1;
  double multiples =
      format.subgroup && !format.multiplesAreInside() ? kinds * format.multipleBits() / format.subgroup : 0;
  return bits + (format.group ? scale / format.group : 0) + multiples;
}

/// Cycles of the inner loops: what the tokens of a tile share, and what each needs.
struct InnerCycles {
  double shared, perToken;
};

/// Beside a product whose pairs are added: an addition in 16 bits, and for each run another product and one
/// in 32; signed codes give their signs to the activations.
static double pairOperations(const Format &format) {
  if (overflowsPairs(format))
    return 4;
  int64_t most = format.subgroup ? format.subgroup / 4 : 8;
  return 1 + 2.7 / double(std::min(most, heldQuads(format.row->largestValue() - format.row->offset)));
}

static InnerCycles dotCycles(TargetAttr t, const Format &format, int64_t n, int64_t k) {
  Cycles c(t);
  // Per vector of bytes: shift and mask, of which about one waits for a port that products use; the
  // fields of a split code are joined; narrower products cost extra operations.
  bool split = !llvm::isPowerOf2_32(format.row->bits), pairs = t.getDot() == DotKind::pairs;
  double extra = t.getDot() == DotKind::quads ? 0 : pairs ? pairOperations(format) : 10;
  double decode = (!split ? 1.2 : pairs ? 3.3 : 2) * c.simple;
  if (const lutc_book *book =
          format.row->vectors) // a number, a load and an insertion for every vector; signs
    decode = t.getVectorBytes() * (6.0 / double(book->length) + 0.1) * c.simple;
  else if (format.row->book) // one more lookup; without byte permutes, a comparison for every value
    decode += t.getPermuteBytes() ? c.permute : 2 * format.row->codes() * c.simple;
  double vectors = double(n) * k / t.getVectorBytes();
  return {vectors * decode, vectors * (c.dot + extra * c.simple)};
}

/// What the tokens of a block share when codes are unpacked to bytes: decoding and stores, of 32 bytes a
/// cycle. A vector of base 3 takes three shuffles and two lookups for its place among four, with signs, and
/// becomes five.
static double unpackCycles(TargetAttr t, const Format &format, Layout layout, int64_t n, int64_t k) {
  Cycles c(t);
  double vectors = double(n) * k / t.getVectorBytes(), stores = vectors * 4 * c.simple;
  if (layout != Layout::base3)
    return dotCycles(t, format, n, k).shared + stores;
  return vectors / 5 * (3 * c.permute + 2 * c.permute2 + 11 * c.simple) + stores;
}

/// Lookups added in 8 bits before a widening step.
static int64_t runOf(Layout layout, TablesType tables) {
  return tables.getDigits() == 1 ? 1 : layout == Layout::base3 ? 7 : 4; // digits are below 18 and 16
}

/// Simple operations to add one lookup in layouts column and base3: in 8 bits, then three to widen a run and
/// one to bias it; 16-bit sums that do not fit the registers are loaded and stored again.
static double widenOperations(TargetAttr t, const Format &format, Layout layout, TablesType tables) {
  double run = runOf(layout, tables), operations = run == 1 ? 3 : 1 + 4 / run;
  int64_t planes = factsOf(layout).trits ? 1 : format.row->bits, rows = t.getRegisters() >= 32 ? 2 : 1;
  bool spills =
      planes * tables.getDigits() * rows * 2 /*tokens*/ * 2 /*even, odd*/ > t.getRegisters() * 3 / 4;
  return operations + (spills ? 4 / run : 0);
}

static InnerCycles lookupCycles(TargetAttr t, const Format &format, Layout layout, TablesType tables,
                                int64_t n, int64_t k) {
  Cycles c(t);
  double lookups =
      double(n) * k / tables.getUnit() / t.getVectorBytes() * (factsOf(layout).trits ? 1 : format.row->bits);
  double index = lookups * 2 * c.simple, perDigit;
  // Permute and product take 1.3 cycles on Zen 4, where they share a port, and no less on Intel.
  if (layout == Layout::quad)
    return {index, lookups * tables.getDigits() * 1.3 * c.permute};
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

//===----------------------------------------------------------------------===//
// A schedule
//===----------------------------------------------------------------------===//

namespace {
/// What one schedule costs beside its inner loops.
struct Pricing {
  TargetAttr t;
  Format format;
  TablesType tables;
  ScheduleAttr schedule;
  InnerCycles inner;
  int64_t n, k;
  Cycles c = Cycles(t);
  // Of prepared activations and sums: those of layout book are layout dot's.
  Layout layout = schedule.getLayout() == Layout::book ? Layout::dot : schedule.getLayout();
  bool bytePerRow = factsOf(layout).hasBytePerRow();
  int64_t laneRows = t.getVectorBytes() / 4;
  double sums = double(n) / laneRows; // vectors of i32 for one token
  double groups = double(format.groups(k));
  double kBlock = schedule.getKBlock() ? std::min(schedule.getKBlock(), k) : k,
         kBlocks = std::ceil(k / kBlock);

  /// Prepared bytes of one token for one k: an int8 value, or its share of tables.
  double preparedPerK() const {
    return layout == Layout::dot ? 1 : double(tables.getEntryBytes()) * tables.getDigits() / tables.getUnit();
  }
  double stepSums(int64_t rowVectors) const { return rowVectors * (bytePerRow ? 4 : 1); }

  /// A group ends with a conversion, two multiplications, an addition and the load of a scale per vector of
  /// sums; so does a row. Sums that wait for the next k block are loaded and stored. A subgroup ends with a
  /// product, which takes two issues, and an addition. Multiples become bytes for all tokens, four vectors of
  /// sums at a time, in 3 operations from 4 bits and 6 from 6.
  double flush(int64_t tokens) const {
    double kinds = format.minimums ? 2 : 1;
    double scale = kinds / tokens, own = format.zeroPoints ? 6 : format.minimums ? 7 : 4;
    double widen = format.multipleBits() == 8 ? 0 : format.multipleBits() == 6 ? 6 : 3;
    double multiples = double(format.subgroups(k)) * kinds * (3 + (1 + widen / 4) / tokens);
    double carried = kBlocks > 1 ? kBlocks * 3 : 0;
    return sums * (groups * (own + scale) + multiples + carried * 2) * c.simple;
  }
  /// The last additions of a step depend on each other; only the next step's loads overlap them. Sums of
  /// pairs end before their group does.
  double drain(int64_t rowVectors, int64_t tokens) const {
    bool pairs = layout == Layout::dot && t.getDot() == DotKind::pairs;
    double steps = sums / stepSums(rowVectors), ends = format.group && !pairs ? groups : kBlocks;
    return steps * ends * 12 / tokens;
  }
  /// A sum that only itself continues takes a product's latency, about 4 issues, for each of its products.
  double latency(int64_t rowVectors, int64_t tokens) const {
    if (layout != Layout::quad)
      return 0;
    double issue = 1.3 * c.permute, inFlight = double(rowVectors) * tokens;
    return inner.perToken * std::max(0.0, 4 * c.dot / (issue * inFlight) - 1);
  }
  /// Registers that do not fit are stored and loaded again at the end of every group; beside products that is
  /// free.
  double spills(int64_t rowVectors, int64_t tokens) const {
    if (layout == Layout::dot)
      return 0;
    // A sum has its f32 result beside it, or 16-bit sums of even and odd bytes and the 8-bit sum of a run of
    // several lookups.
    double wordSums = schedule.getRun() > 1 ? 3 : 2;
    double perSum = bytePerRow ? wordSums * tables.getDigits() : format.group ? 2 : 1;
    double planes = bytePerRow && !format.row->trits ? format.row->bits : 1;
    double live = perSum * planes * rowVectors * tokens + rowVectors + tokens + 4;
    double extra = std::max(0.0, live - t.getRegisters());
    double ends = bytePerRow ? k / tables.getUnit() / 7 : groups;
    return extra * 3 * 2 * c.simple * (sums / stepSums(rowVectors)) * ends / tokens;
  }

  /// Quantizing a token, and building its tables: measured 0.5 cycles for each k and 0.16 for each byte of a
  /// table.
  double prepare(bool hasTables) const {
    double tableBytes = hasTables ? preparedPerK() : 0;
    return k * (0.5 + 0.16 * tableBytes) * 64 / t.getVectorBytes();
  }

  double alone() const {
    int64_t rows = schedule.getRowVectors();
    return prepare(layout != Layout::dot) + inner.shared + inner.perToken + flush(1) + drain(rows, 1) +
           latency(rows, 1) + spills(rows, 1);
  }
  /// Every tile reads the prepared activations again: from L1 where they fit beside the stream that passes
  /// through it, tables in a quarter of it, 512 bytes of int8 values; else they delay the stream as if they
  /// were part of it.
  double memory(double bytes) const {
    double tiles = sums / stepSums(schedule.getRowVectors());
    double room = layout == Layout::dot ? 512 : t.getL1Bytes() / 4.0;
    double again = preparedPerK() * kBlock > room ? tiles * preparedPerK() * k : 0;
    return (bytes + again) * 100 / t.getStreamBytesPer_100Cycles();
  }
  int64_t batchRows() const {
    bool parts = schedule.getTokens() > 1 && schedule.getBatchRowVectors();
    return parts ? schedule.getBatchRowVectors() : schedule.getRowVectors();
  }
  /// What a token of a batch reads that is not in L1. A core's L2 and its share of L3 are taken as 32 and 256
  /// times L1.
  double traffic(double bytes) const {
    // Tables come from L2, 32 bytes a cycle, for every step of rows; about a third is not hidden. With rows
    // inside they may fill L1, else they share it with the weights of a tile. The weights are one stream and
    // cost nothing.
    bool inner = schedule.getRowsInner();
    double block = schedule.getTokenBlock(), l1 = t.getL1Bytes(), l2 = 32 * l1, l3 = 8 * l2;
    double resident = preparedPerK() * kBlock * (inner ? schedule.getTokens() : block);
    double prepared = preparedPerK() * k;
    double near = resident > (inner ? l1 : l1 / 2) ? sums / stepSums(batchRows()) * prepared / 32 / 3 : 0;
    // Activations and carried sums of a token block that do not fit L2 go through L3, 10 bytes a cycle;
    // weights that do not fit L3 come from memory once for every token block.
    double carried = kBlocks > 1 ? 4.0 * n : 0;
    double far =
        (prepared * block > l2 ? 2 * prepared : 0) + (carried * block >= l2 / 2 ? 2 * carried * kBlocks : 0);
    double streamed = bytes > l3 ? bytes * 100 / t.getStreamBytesPer_100Cycles() / block : 0;
    return near + far / 10 + streamed;
  }
  /// Measured on Zen 4, as a share of the inner loop: tables in L1 beside weights; tables of one plane are
  /// fastest for one row vector at a time, of several planes for all of a tile (not explained).
  double fitted() const {
    double share = schedule.getRowsInner() ? 0 : 0.01;
    if (layout == Layout::quad)
      share +=
          format.row->bits == 1 ? 0.2 * (batchRows() > 1) : 0.1 * (batchRows() < 4) + 0.1 * (batchRows() < 2);
    return share * inner.perToken;
  }
  double batch(double bytes) const {
    int64_t tokens = schedule.getTokens(), rows = batchRows();
    // Every product loads its activations or table, shared by the rows of a step.
    double loads = (layout == Layout::dot ? 0.25 : 0.5) * inner.perToken / rows * 2 * c.simple;
    return prepare(layout != Layout::dot) + inner.shared / tokens + inner.perToken + flush(tokens) +
           drain(rows, tokens) + latency(rows, tokens) + spills(rows, tokens) +
           std::max(0.0, loads - 0.5 * inner.perToken) + traffic(bytes) + fitted();
  }
  /// Of a token whose block multiplies unpacked codes, but for its share of the unpacking.
  double unpackedBatch() const {
    UnpackedStep step(layout, t.getDot(), schedule.getRowVectors(), t.getRegisters());
    double products = dotCycles(t, format, n, k).perToken;
    return prepare(/*hasTables=*/false) + products + flush(step.tokens) +
           sums / double(step.rowVectors) * kBlocks * 12 / double(step.tokens);
  }
};

/// A CPU without byte permutes, older than any engine's users have: its code is to be small, and codes are
/// unpacked for one token as for many.
bool isPlain(TargetAttr t) { return !t.getPermuteBytes(); }

/// The schedules worth considering for one product.
struct Grid {
  TargetAttr target;
  Format format;
  Layout layout;
  TablesType tables;
  llvm::SmallVector<ScheduleAttr> schedules;

  /// One i32 sum for each row vector and token, as many as leave room for weights and results. More than four
  /// tokens need more pointers than there are registers for: never faster. Layouts with a byte for each row
  /// keep 16-bit sums, for every plane and digit.
  bool fits(int64_t rows, int64_t tokens) const {
    int64_t sums = rows * tokens, registers = target.getRegisters();
    if (isPlain(target) && (rows > 2 || tokens > 1))
      return false;
    if (layout == Layout::book)
      return sums * 4 <= registers && tokens == 1;
    if (layout == Layout::dot && !llvm::isPowerOf2_32(format.row->bits)) // split codes take more registers
      return sums * (target.getDot() == DotKind::quads ? 8 : 4) <= registers && rows <= 2;
    if (layout == Layout::dot && target.getDot() == DotKind::pairs) // more were slower in 32 registers, too
      return sums <= 8;
    if (layout == Layout::dot || layout == Layout::quad)
      return sums * 2 <= registers;
    // Four row vectors took a fifth longer than two with cold weights, for reasons not known.
    int64_t planes = tables.getTrits() ? 1 : format.row->bits;
    return planes * tables.getDigits() * sums <=
               std::max<int64_t>(registers / 2, planes * tables.getDigits()) &&
           rows <= 2 &&
           (tokens <= 2 || !(tables.getTrits() || tables.getDigits() == 2)); // four: a fifth longer
  }
  llvm::SmallVector<int64_t> kBlocks() const {
    if (layout == Layout::base3)
      return {28 * tables.getUnit(), 56 * tables.getUnit()};
    llvm::SmallVector<int64_t> blocks = {0};
    for (int64_t block : {512, 1024}) // 2048 was a fifth slower than either on Zen 4
      if (target.getPermuteBytes() && block % std::max<int64_t>(32, format.group) == 0)
        blocks.push_back(block);
    return blocks;
  }
  void add(int64_t rows, int64_t tokens, int64_t tokenBlock, int64_t kBlock, bool rowsInner,
           int64_t batchRows) {
    bool lookup = layout != Layout::dot && layout != Layout::book;
    int64_t run = factsOf(layout).hasBytePerRow() ? runOf(layout, tables) : 0;
    ScheduleFields fields{
        lookup ? Strategy::lookup : Strategy::dot, layout, rows, tokens, tokenBlock, kBlock};
    fields.run = run;
    fields.widen = run ? 256 : 0;
    fields.prefetch = target.getPrefetchBytes();
    fields.rowsInner = rowsInner;
    fields.batchRowVectors = batchRows == rows ? 0 : batchRows;
    schedules.push_back(fields.get(target.getContext()));
  }
  void fill() {
    for (int64_t rows : {4, 2, 1})
      for (int64_t tokens : {4, 2, 1})
        for (int64_t kBlock : kBlocks())
          for (bool rowsInner : {false, true})
            for (int64_t tokenBlock : {8, 32})
              for (int64_t batchRows : {4, 2, 1})
                if (batchRows <= rows && fits(rows, 1) && (tokens > 1 || batchRows == rows) &&
                    fits(batchRows, tokens) && !(rowsInner && !kBlock))
                  add(rows, tokens, tokenBlock, kBlock, rowsInner, batchRows);
  }
};
} // namespace

static bool quadIsLegal(TargetAttr t, const Format &format, TablesType tables) {
  return !tables.getTrits() && t.getPermuteBytes() >= 64 && t.getDot() == DotKind::quads &&
         largestMultiplier(format, tables) <= 255;
}

/// Tokens of a block whose codes are unpacked, and of any other that is as good.
static constexpr int64_t unpackedBlock = 128, plainBlock = 32;

namespace {
/// A product on a target, whatever its schedule.
struct Work {
  TargetAttr t;
  Format format;
  TablesType tables;
  int64_t n, k;

  InnerCycles inner(Layout layout) const {
    return layout == Layout::dot || layout == Layout::book ? dotCycles(t, format, n, k)
                                                           : lookupCycles(t, format, layout, tables, n, k);
  }
  double unpack(Layout layout) const { return unpackCycles(t, format, layout, n, k); }
  Pricing price(ScheduleAttr s) const { return {t, format, tables, s, inner(s.getLayout()), n, k}; }

  Cost cost(ScheduleAttr s) const {
    double bytes = double(n) * k * storedBits(format, s.getLayout()) / 8;
    ScheduleFields few = ScheduleFields::of(s);
    if (few.unpackTokens)
      few.tokenBlock = plainBlock;
    Pricing p = price(few.get(s.getContext()));
    double batch = p.batch(bytes);
    Cost result{p.alone(), p.memory(bytes), batch, batch};
    if (s.getUnpackTokens())
      result.batchCycles = p.unpackedBatch() + unpack(s.getLayout()) / unpackedBlock;
    if (s.getUnpackTokens() == 1)
      result.computeCycles = p.unpackedBatch() + unpack(s.getLayout());
    return result;
  }
};
} // namespace

static bool areBytes(TargetAttr t, const Format &format) {
  return format.hasByteCodes() && t.getDot() != DotKind::none;
}

/// The candidate, but that it unpacks codes for blocks of tokens that pay for it. Nothing where they would
/// not fit the cache, or are bytes already that a target multiplies as they are.
static std::optional<Candidate> unpacking(const Candidate &candidate, const Work &work) {
  ScheduleAttr s = candidate.schedule;
  Pricing price = work.price(s);
  int64_t kBlock = s.getKBlock() ? std::min(s.getKBlock(), work.k) : work.k;
  int64_t tileRows = s.getRowVectors() * work.t.getVectorBytes() / (price.bytePerRow ? 1 : 4);
  bool legal = work.tables.getDigits() == 2 && (price.layout == Layout::dot || price.layout == Layout::base3);
  if (!legal || areBytes(work.t, work.format) || s.getRowsInner() || s.getTokenBlock() != plainBlock ||
      kBlock * tileRows > 2 * work.t.getL1Bytes())
    return std::nullopt;
  double unpack = work.unpack(s.getLayout());
  double gain = std::max(candidate.cost.batchCycles - price.unpackedBatch(), unpack / unpackedBlock);
  ScheduleFields fields = ScheduleFields::of(s);
  fields.tokenBlock = unpackedBlock;
  // What is stored and loaded again delays products by more than its issue slots, on Zen 5 by twice as much.
  fields.unpackTokens =
      isPlain(work.t) || work.format.row->vectors
          ? 1
          : std::min<int64_t>(unpackedBlock, llvm::divideCeil(int64_t(2 * unpack / gain), 4) * 4);
  ScheduleAttr unpacks = fields.get(s.getContext());
  return Candidate{unpacks, work.cost(unpacks), work.n};
}

llvm::SmallVector<Candidate> lut::sorted(llvm::ArrayRef<Candidate> all,
                                         llvm::function_ref<double(const Cost &)> cycles) {
  llvm::SmallVector<std::pair<double, size_t>> order;
  for (auto [index, candidate] : llvm::enumerate(all))
    order.push_back({cycles(candidate.cost), index});
  llvm::sort(order);
  llvm::SmallVector<Candidate> result;
  for (auto [ignored, index] : order)
    result.push_back(all[index]);
  return result;
}

namespace {
struct CpuSchedules : ScheduleModel {
  static llvm::SmallVector<Candidate> candidatesFor(int64_t n, LookupGemmOp gemm, TargetAttr t);
  llvm::SmallVector<Candidate> candidates(LookupGemmOp gemm, TargetAttr t) const override;
  Cost costOf(const Candidate &candidate, LookupGemmOp gemm, TargetAttr t) const override {
    WeightsType w = gemm.getW().getType();
    Format format = w.getFormat().getFormat();
    return Work{t, format, gemm.getLeft().getType(), w.getN(), w.getK()}.cost(candidate.schedule);
  }
  llvm::StringRef offer() const override {
    return "multiplies such weights in class a8; write numerics a8 or auto";
  }
};
} // namespace

llvm::SmallVector<Candidate> CpuSchedules::candidates(LookupGemmOp gemm, TargetAttr t) const {
  auto many = candidatesFor(typicalDimension, gemm, t);
  WeightsType w = gemm.getW().getType();
  if (w.getN() >= fewRows || !w.getFormat().getFormat().hasTables())
    return many;
  auto few = candidatesFor(fewTypicalRows, gemm, t);
  return few.front().schedule.getStrategy() == many.front().schedule.getStrategy() ? many : few;
}

llvm::SmallVector<Candidate> CpuSchedules::candidatesFor(int64_t n, LookupGemmOp gemm, TargetAttr t) {
  TablesType tables = gemm.getLeft().getType();
  Format format = gemm.getW().getType().getFormat().getFormat();
  Work work{t, format, tables, n, typicalDimension};
  llvm::SmallVector<Candidate> result;
  auto add = [&](Layout layout) {
    Grid grid{t, format, layout, tables, {}};
    grid.fill();
    llvm::SmallVector<Candidate> made;
    for (ScheduleAttr schedule : grid.schedules)
      made.push_back({schedule, work.cost(schedule), n});
    if (layout != Layout::book && (layout != Layout::dot || !isPlain(t)))
      result.append(made);
    // Of equal ones that unpack, the best for fewer tokens comes first.
    for (const Candidate &candidate : sorted(made, [](const Cost &cost) { return cost.batchCycles; }))
      if (auto unpacks = unpacking(candidate, work))
        result.push_back(*unpacks);
  };
  if (tables.getDigits() == 2) // class a8: its int8 activations are there
    add(format.row->vectors ? Layout::book : Layout::dot);
  if (format.hasTables())
    add(tables.getTrits() ? Layout::base3 : quadIsLegal(t, format, tables) ? Layout::quad : Layout::column);
  return sorted(result, [](const Cost &cost) { return cost.total(); });
}

const ScheduleModel &lut::scheduleModelOf(TargetAttr target) {
  static const CpuSchedules cpu;
  return target.hasArray() ? arraySchedules() : cpu;
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
