#include "passes/Geometry.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace lut;

static ModuleOp moduleOf(Operation *op) {
  return isa<ModuleOp>(op) ? cast<ModuleOp>(op) : op->getParentOfType<ModuleOp>();
}

static TargetAttr findTarget(ModuleOp module) { return module->getAttrOfType<TargetAttr>(kTargetAttrName); }

TargetAttr lut::getTarget(Operation *op) {
  ModuleOp module = moduleOf(op);
  TargetAttr target = findTarget(module);
  if (!target)
    module.emitError() << "the module has no attribute " << kTargetAttrName
                       << " = #lut.target<...>: passes need the target's facts";
  return target;
}

bool lut::targetsArray(Operation *op) {
  TargetAttr target = findTarget(moduleOf(op));
  return target && target.hasArray();
}

int64_t Geometry::tableOffset(int64_t u, int64_t digit) const {
  int64_t side = tablesPerVector(), entryBytes = tables.getEntryBytes();
  return ((u / side) * digits() + digit) * side * entryBytes + (u % side) * entryBytes;
}

llvm::SmallVector<Geometry::Field> Geometry::fieldsOf(int64_t quad) const {
  int64_t whole = 8 / planes, rest = 8 % planes, split = quad - (8 - rest);
  if (split < 0)
    return {{quad / whole, quad % whole * planes, planes, 0}};
  int64_t low = planes - rest;
  llvm::SmallVector<Field> fields = {{split, 8 - rest, rest, low}};
  for (int64_t weight = 0; weight < low;) {
    int64_t bit = rest * rest + split * low + weight; // of the bits that whole codes leave
    int64_t width = std::min(low - weight, rest - bit % rest);
    fields.push_back({bit / rest, 8 - rest + bit % rest, width, weight});
    weight += width;
  }
  return fields;
}

bool Geometry::sharesPrepared(const Geometry &other) const {
  auto key = [](const Geometry &g) {
    // Entries of single lookups are stored with a bias; quad puts four tables side by side.
    return std::make_tuple(g.numerics, g.tables, g.tablesPerVector(), g.schedule.getRun() == 1, g.kPadded,
                           g.group, g.groups, g.format.subgroup, g.valueBytes,
                           g.layout == Layout::base3 ? g.schedule.getUnpackTokens() : 0);
  };
  return key(*this) == key(other);
}

static void setTile(Geometry &g, TargetAttr target) {
  g.vectorBytes = target.getVectorBytes();
  g.laneRows = g.vectorBytes / 4;
  g.permutes = target.getPermuteBytes() > 0;
  g.dot = target.getDot();
  g.registers = target.getRegisters();
  g.stepTokens = g.schedule.getTokens();
  g.rowVectors = g.stepVectors = g.schedule.getRowVectors();
  bool bytePerRow = g.layout == Layout::column || g.layout == Layout::base3;
  g.tileRows = g.rowVectors * (g.inArray() ? target.getArrayN() : bytePerRow ? g.vectorBytes : g.laneRows);
  g.tiles = (g.n + g.tileRows - 1) / g.tileRows;
  g.independentSums = g.dot == DotKind::quads ? 8 : 1;
}

static void setReduction(Geometry &g) {
  g.unit = g.tables ? g.tables.getUnit() : g.format.row->unit;
  g.groups = g.wholeRow() ? 1 : g.format.groups(g.k);
  g.chunkK = g.layout == Layout::base3    ? g.unit
             : g.layout == Layout::column ? 8
             : g.layout == Layout::trits  ? 24
                                          : 32;
  // Bit layouts are padded to 32 so that a chunk, a vector of activations and a run never end inside a token.
  int64_t kBlock = g.schedule.getKBlock();
  g.kPadded = roundUp(g.k, g.layout == Layout::base3 ? kBlock : g.layout == Layout::trits ? g.chunkK : 32);
  g.kBlock = kBlock ? std::min(kBlock, g.kPadded) : g.kPadded;
  g.kBlocks = (g.kPadded + g.kBlock - 1) / g.kBlock;
  g.group = g.wholeRow() ? g.k : g.groups == 1 && g.format.group >= g.chunkK ? g.kPadded : g.format.group;
  g.span = g.wholeRow() ? g.k : roundUp(g.group, g.chunkK);
}

int64_t Geometry::tileBytesOf(int64_t kLength) const {
  int64_t scaleBytes = wholeRow() ? 0 : tileRows * rowScaleBytes();
  return kLength / chunkK * chunkStride + (kLength + group - 1) / group * scaleBytes;
}

static void setStream(Geometry &g) {
  g.planes = g.layout == Layout::base3 || g.layout == Layout::trits ? 1 : g.format.row->bits;
  g.chunkBytes = g.planes * g.rowVectors * g.vectorBytes;
  if (g.inArray()) // a nibble for each row and unit, for trits with a fifth bit
    g.chunkBytes = g.chunkBytes * (g.chunkK / g.unit) * (g.layout == Layout::trits ? 5 : 4) / 4;
  g.chunkStride = g.chunkBytes;
  if (g.format.subgroup)
    g.chunkStride += g.chunkK / g.format.subgroup * g.rowMultiples() * g.tileRows;
  g.codeStride = g.chunkStride;
  g.spanBytes = g.tileBytesOf(g.span);
  g.blockBytes = g.tileBytesOf(g.kBlock) * g.tiles;
  g.streamBytes =
      g.blockBytes * (g.kBlocks - 1) + g.tileBytesOf(g.kPadded - (g.kBlocks - 1) * g.kBlock) * g.tiles;
  int64_t column = g.wholeRow() ? g.rowsPadded() * 4 : 0;
  g.scaleOffset = g.streamBytes;
  g.zeroOffset = g.scaleOffset + column;
  g.negativesOffset = g.zeroOffset + (g.format.zeroPoints ? column : 0);
  g.columnsOffset = g.negativesOffset + (g.layout == Layout::base3 ? column : 0);
  g.payloadBytes = g.columnsOffset + (g.format.permuted ? g.kPadded * 4 : 0);
}

/// Behind the first `before` bytes.
static void placePrepared(Geometry &g, int64_t before) {
  g.valueOffset = roundUp(before, 64);
  // Integers: int8, or sixteen bits from which tables of trits are rounded.
  g.valueBytes = g.numerics == Numerics::a8 ? 1 : g.format.row->trits ? 2 : 0;
  g.scalesOffset = g.valueOffset + roundUp(g.kPadded * g.valueBytes, 64);
  g.sumsOffset = g.scalesOffset + roundUp(g.preparedGroups() * 4, 64);
  g.preparedBytes = g.sumsOffset + roundUp(g.preparedSums() * 4, 64);
  if (g.preparedBytes % 4096 == 0)
    g.preparedBytes += 64; // tokens at equal offsets would share one set of the L1 cache
}

static void setPrepared(Geometry &g) {
  int64_t units = g.tables ? g.kPadded / g.unit : 0;
  g.tableBytes = g.tables ? units * g.digits() * g.tables.getEntryBytes() : 0;
  placePrepared(g, g.tableBytes);
}

Geometry lut::getGeometry(Operation *op, TargetAttr target) {
  Geometry g;
  WeightsType w;
  if (auto lookup = dyn_cast<LookupGemmOp>(op)) {
    g.tables = lookup.getLeft().getType();
    g.numerics = g.tables.getDigits() == 1 ? Numerics::t8 : Numerics::a8;
    g.schedule = *lookup.getSchedule();
    w = lookup.getW().getType();
  } else {
    auto dot = cast<DotGemmOp>(op);
    g.schedule = *dot.getSchedule();
    w = dot.getW().getType();
  }
  g.n = w.getN();
  g.k = w.getK();
  g.format = w.getFormat().getFormat();
  g.strategy = g.schedule.getStrategy();
  g.layout = g.schedule.getLayout();
  setTile(g, target);
  setReduction(g);
  setStream(g);
  setPrepared(g);
  return g;
}

/// A byte of base 3 becomes five, four row vectors of one; its activations come twice, in their own order and
/// in that of the codes.
Geometry lut::unpackedGeometry(Geometry g) {
  UnpackedStep step(g.layout, g.rowVectors, g.registers);
  g.unpacked = true;
  g.stepVectors = step.rowVectors;
  g.stepTokens = step.tokens;
  if (g.layout == Layout::base3) {
    g.strategy = Strategy::dot;
    g.layout = Layout::dot;
    g.rowVectors *= 4;
    g.chunkK *= 4;
    g.chunkStride *= 4;
    g.tableBytes = 0;
    placePrepared(g, g.kPadded + 32);
    g.unpackBlocks = std::min(g.kBlocks, std::max<int64_t>(1, 420 / g.kBlock)); // tables want shorter blocks
  }
  g.planes = g.chunkQuads();
  g.codeStride = g.chunkK * g.stepRows();
  return g;
}
