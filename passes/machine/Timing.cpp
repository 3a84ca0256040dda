#include "passes/machine/Timing.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

using namespace llvm;

namespace lut::lmma {

static constexpr int64_t lanes = 32;        // threads of a warp
static constexpr int64_t registerBytes = 4; // of a thread
/// Registers of a thread for addresses, loop counters and scales (assumed; the log's kernel has about as
/// many besides its sums and operands).
static constexpr int64_t otherRegisters = 32;
static constexpr int64_t fragmentK = 32; // k of the operands that a warp holds at a time

std::string Tile::str() const {
  std::string sizes = formatv("{0}x{1}x{2}/{3}x{4}", m, n, k, warpM, warpN);
  return isStaged() ? sizes + "/" + std::to_string(stages) : sizes;
}

bool sumsFit(const Gemm &gemm, const Array &array) {
  if (isFloat(gemm.sums) || isFloat(array.entry))
    return isFloat(gemm.sums);
  double planes = gemm.weights.trits ? 1 : std::exp2(gemm.weights.planes) - 1;
  double largest = (std::exp2(bits(array.entry) - 1) - 1) * divideCeil(gemm.k, array.k) * planes;
  return largest < std::exp2(bits(gemm.sums) - 1);
}

StringRef name(Bound bound) {
  constexpr StringLiteral names[] = {"tensor", "scratchpad", "tables", "port", "cache", "memory", "latency"};
  return names[size_t(bound)];
}

namespace {

/// Bytes of one element of X and W on their way.
struct Bytes {
  double loadX, loadW;         // from memory to the scratchpad
  double fragmentX, fragmentW; // from the scratchpad to registers
};

/// One product on one machine with one tile; everything of README.md's section on time.
class Model {
public:
  Model(const Machine &machine, const Gemm &gemm, const Tile &tile, Mode mode, Precompute precompute);

  Error checkCapacity();
  Estimate run();

private:
  bool readsTables() const {
    return machine.isLut() && mode == Mode::full && precompute != Precompute::array;
  }
  int64_t arraySteps() const; // of a warp for one step of k: lookups of whole arrays
  double tensorCycles() const;
  double tableCycles() const; // in front of the arrays, or on the core's adders
  double fragmentCycles() const;
  void countTraffic();
  void countRegisters();
  double countTables() const;
  double rereadMemory() const;
  double stageBytes() const;
  double weightBytes() const { return gemm.weightBytes ? gemm.weightBytes : gemm.n * bytes.loadW * gemm.k; }
  double tokenBytes() const { return gemm.k * bytes.loadX + gemm.tokenBytes; }
  double waitCycles(double step) const;

  const Machine &machine;
  const Gemm &gemm;
  const Tile &tile;
  Mode mode;
  Precompute precompute;
  Bytes bytes{};
  int64_t rows, columns, steps; // of the grid; of a block along k
  double resultBytes;
  Estimate out;
};

} // namespace

Model::Model(const Machine &machine, const Gemm &gemm, const Tile &tile, Mode mode, Precompute precompute)
    : machine(machine), gemm(gemm), tile(tile), mode(mode), precompute(precompute),
      rows(divideCeil(gemm.m, tile.m)), columns(divideCeil(gemm.n, tile.n)),
      steps(divideCeil(gemm.k, tile.k)) {
  double activation = bits(gemm.activations) / 8.0, weight = gemm.weights.bitsPerWeight() / 8;
  bytes = {activation, weight, activation, weight};
  // Weights become the units' operands on their way into the scratchpad.
  if (!machine.isLut())
    bytes.fragmentX = bytes.fragmentW = bits(machine.mac.operand) / 8.0;
  if (readsTables())
    bytes.fragmentX = machine.array.tableBytes();
  if (readsTables() && precompute != Precompute::block)
    bytes.loadX = bytes.fragmentX;
  double share =
      machine.isLut() && mode == Mode::paper ? gemm.weights.bitsPerWeight() / bits(gemm.activations) : 1;
  resultBytes = share * gemm.outputBytes;
}

//===----------------------------------------------------------------------===//
// Capacity
//===----------------------------------------------------------------------===//

/// Of the scratchpad.
double Model::stageBytes() const {
  if (!tile.isStaged())
    return 0;
  bool loadsOperands = machine.isLut();
  double x = loadsOperands ? bytes.loadX : bytes.fragmentX, w = loadsOperands ? bytes.loadW : bytes.fragmentW;
  return (tile.m * x + tile.n * w) * tile.k;
}

Error Model::checkCapacity() {
  auto refuse = [&](const Twine &reason) {
    return createStringError("tile " + Twine(tile.str()) + " does not fit " + machine.name + ": " + reason);
  };
  // Those of programs have been proven to fit (CheckAccumulators).
  if (machine.isLut() && tile.isStaged() && !sumsFit(gemm, machine.array))
    return createStringError("sums of " + Twine(gemm.k) + " weights in " + name(gemm.sums) +
                             " could overflow on " + machine.name + "; write wider sums");
  double sums = tile.warpM * tile.warpN * bits(gemm.sums) / 8.0;
  double operands = (tile.warpM * bytes.fragmentX + tile.warpN * bytes.fragmentW) * fragmentK;
  out.registersPerThread = tile.registers
                               ? tile.registers
                               : std::ceil((sums + operands) / (lanes * registerBytes)) + otherRegisters;
  int64_t limit = machine.registersPerThread * machine.registerMultiple;
  if (out.registersPerThread > limit)
    return refuse("a thread needs " + Twine(out.registersPerThread) + " registers, " +
                  Twine(int64_t(sums / lanes / registerBytes)) + " of them for sums, and has " +
                  Twine(limit));
  int64_t blockRegisters = out.registersPerThread * tile.warps() * lanes * registerBytes;
  if (blockRegisters > machine.registerFile())
    return refuse("a block needs " + Twine(blockRegisters) + " bytes of registers, the core has " +
                  Twine(machine.registerFile()));
  bool inScratchpad = precompute == Precompute::block && readsTables() && tile.sharesTables;
  double tables = inScratchpad ? tile.m * tile.k * bytes.fragmentX : 0;
  out.scratchpadBytes = std::ceil(tile.stages * stageBytes() + tables);
  if (out.scratchpadBytes > machine.scratchpadBytes)
    return refuse("a block needs " + Twine(out.scratchpadBytes) + " bytes of scratchpad, the core has " +
                  Twine(machine.scratchpadBytes));
  out.residentBlocks =
      std::min({machine.registerFile() / blockRegisters,
                machine.scratchpadBytes / std::max<int64_t>(1, out.scratchpadBytes), machine.maxBlocks});
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Cycles of a block for one step of k
//===----------------------------------------------------------------------===//

int64_t Model::arraySteps() const {
  const Array &array = machine.array;
  return divideCeil(tile.warpM, array.m) * divideCeil(tile.warpN, array.n) * divideCeil(tile.k, array.k);
}

double Model::tensorCycles() const {
  double warpsOfSlot = divideCeil(tile.warps(), machine.slots);
  if (!machine.isLut())
    return warpsOfSlot * tile.warpM * tile.warpN * tile.k / machine.mac.rate;
  int64_t groups = divideCeil(tile.k, machine.array.k);
  int64_t perGroup = divideCeil(arraySteps() / groups, machine.arrays);
  return warpsOfSlot * perGroup * groups * gemm.weights.passes();
}

double Model::tableCycles() const {
  if (!machine.isLut() || mode == Mode::paper)
    return 0;
  double tablesOfRow = divideCeil(tile.k, machine.array.k);
  if (precompute == Precompute::block)
    return (tile.sharesTables ? 1 : tile.warps()) * tile.m * tablesOfRow *
           tableAdders(machine.array).additions / machine.adders;
  if (precompute == Precompute::array)
    return divideCeil(tile.warps(), machine.slots) * tablesOfRow * tile.warpM / machine.array.m;
  return 0;
}

double Model::fragmentCycles() const {
  double x = tile.sharesTables ? tile.warpM * bytes.fragmentX : 0;
  double w = tile.isStaged() ? tile.warpN * bytes.fragmentW : 0;
  double warp = (x + w) * tile.k;
  return tile.warps() * warp / machine.scratchpadBandwidth;
}

//===----------------------------------------------------------------------===//
// Traffic
//===----------------------------------------------------------------------===//

/// Bytes of both operands from memory. One that fits half the cache stays there, and the other passes once;
/// else each wave of blocks reads its rectangle of rows and columns, of the best shape.
double Model::rereadMemory() const {
  double x = gemm.m * tokenBytes(), w = weightBytes();
  if (std::min(x, w) <= machine.cacheBytes / 2.0)
    return x + w;
  int64_t together = machine.cores * out.residentBlocks;
  double least = INFINITY;
  for (int64_t height = 1; height <= std::min(rows, together); ++height) {
    int64_t width = std::min(columns, std::max<int64_t>(1, together / height));
    least = std::min(least, x * divideCeil(columns, width) + w * divideCeil(rows, height));
  }
  return least;
}

void Model::countTraffic() {
  double ofToken =
      gemm.k * bytes.loadX * (tile.sharesTables ? 1 : tile.warps()) + gemm.tokenBytes * tile.warps();
  out.cacheRead = columns * gemm.m * ofToken + rows * weightBytes();
  out.memoryRead = rereadMemory();
  out.cacheWritten = out.memoryWritten = resultBytes * gemm.m * gemm.n;
  out.scratchpadWritten = out.blocks * steps * stageBytes();
  out.scratchpadRead = out.blocks * steps * fragmentCycles() * machine.scratchpadBandwidth;
  if (precompute == Precompute::block && readsTables() && tile.sharesTables)
    out.scratchpadWritten += double(out.blocks) * steps * tile.m * tile.k * bytes.fragmentX;
}

/// Operands read, sums read and written once a step. An array keeps its tables while it goes along n.
void Model::countRegisters() {
  double warpSteps = double(out.blocks) * tile.warps() * steps;
  double sums = 2.0 * tile.warpM * tile.warpN * bits(gemm.sums) / 8;
  double operands;
  if (machine.isLut()) {
    Array array = machine.array;
    array.weights = gemm.weights;
    double tableLoads = double(arraySteps()) / divideCeil(tile.warpN, array.n);
    operands = (tableLoads * array.tableBits() + double(arraySteps()) * array.weightBits()) / 8;
  } else {
    operands = (1.0 / 16 + 1.0 / 8) * tile.warpM * tile.warpN * tile.k * bytes.fragmentX; // m16 n8
  }
  out.registersRead = warpSteps * (operands + sums);
}

double Model::countTables() const {
  if (!machine.isLut())
    return 0;
  double once = double(gemm.m) * divideCeil(gemm.k, machine.array.k);
  if (mode == Mode::paper || precompute == Precompute::separate || precompute == Precompute::fused)
    return once;
  bool each = precompute == Precompute::array || !tile.sharesTables;
  int64_t acrossWarps = each ? tile.n / tile.warpN : 1;
  return once * columns * acrossWarps;
}

/// Where loads go to registers, a warp waits for those of a step before it goes on; other blocks of the core
/// run meanwhile.
double Model::waitCycles(double step) const {
  if (tile.isStaged())
    return 0;
  int64_t together = std::min<int64_t>(out.residentBlocks, divideCeil(out.blocks, machine.cores));
  return std::max(0.0, (machine.latency + step) / together - step);
}

Estimate Model::run() {
  out.blocks = rows * columns;
  int64_t ofCore = divideCeil(out.blocks, machine.cores);
  int64_t waves = divideCeil(out.blocks, machine.cores * out.residentBlocks);
  countTraffic();
  countRegisters();

  double tensor = tensorCycles(), tables = tableCycles(), fragments = fragmentCycles();
  double step =
      precompute == Precompute::block ? tensor + tables + fragments : std::max(tensor, tables) + fragments;
  double wait = waitCycles(step);
  double store = std::min(tile.m, gemm.m) * tile.n * resultBytes / machine.portBandwidth;
  double block = out.cacheRead / out.blocks;
  double flight = out.residentBlocks * std::max<int64_t>(1, tile.stages - 1) * block / steps;
  double port = std::min(machine.portBandwidth, flight / machine.latency);
  double fill = machine.latency + out.residentBlocks * block / steps / machine.portBandwidth;

  Bound core = wait > step                             ? Bound::latency
               : tables > tensor && tables > fragments ? Bound::tables
               : tensor >= fragments                   ? Bound::tensor
                                                       : Bound::scratchpad;
  std::pair<double, Bound> times[] = {
      {ofCore * (steps * (step + wait) + store) + waves * fill, core},
      {ofCore * block / port + fill, Bound::port},
      {(out.cacheRead + out.cacheWritten) / machine.cacheBandwidth + fill, Bound::cache},
      {(out.memoryRead + out.memoryWritten) / machine.memoryBytesPerCycle() + fill, Bound::memory}};
  auto slowest = *std::max_element(std::begin(times), std::end(times));
  out.cycles = slowest.first + machine.launch;
  out.memoryCycles = times[3].first + machine.launch;
  out.coreCycles = std::max({times[0].first, times[1].first, times[2].first}) + machine.launch;
  out.bound = machine.launch + fill > out.cycles / 2 ? Bound::latency : slowest.second;
  out.tables = countTables();
  out.tensorCycles = out.blocks * steps * tensor / machine.cores;
  double operations = 2.0 * gemm.m * gemm.n * gemm.k;
  out.idealCycles = operations / (machine.peak(gemm.weights.passes()) * 1e3) * machine.clock;
  return out;
}

Expected<Estimate> estimate(const Machine &machine, const Gemm &gemm, const Tile &tile, Mode mode,
                            Precompute precompute) {
  Model model(machine, gemm, tile, mode, precompute);
  if (Error refused = model.checkCapacity())
    return refused;
  return model.run();
}

double precomputeCycles(const Machine &machine, int64_t m, int64_t k, Number activations, Mode mode,
                        Precompute precompute) {
  if (!machine.isLut() || mode == Mode::paper || precompute == Precompute::block ||
      precompute == Precompute::array)
    return 0;
  double count = double(m) * k, activation = bits(activations) / 8.0, table = machine.array.tableBytes();
  // The kernel before waits for memory anyway, so that its additions cost nothing.
  if (precompute == Precompute::fused)
    return count * std::max(0.0, table - activation) / machine.memoryBytesPerCycle();
  double additions = count / machine.array.k * tableAdders(machine.array).additions;
  return machine.launch + std::max(count * (activation + table) / machine.memoryBytesPerCycle(),
                                   additions / (machine.adders * machine.cores));
}

} // namespace lut::lmma
