#include "passes/Geometry.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace lut;

static ModuleOp moduleOf(Operation *op) {
  return isa<ModuleOp>(op) ? cast<ModuleOp>(op) : op->getParentOfType<ModuleOp>();
}

TargetAttr lut::findTarget(Operation *op) { return moduleOf(op)->getAttrOfType<TargetAttr>(kTargetAttrName); }

TargetAttr lut::getTarget(Operation *op) {
  TargetAttr target = findTarget(op);
  if (!target)
    moduleOf(op).emitError() << "the module has no attribute " << kTargetAttrName
                             << " = #lut.target<...>: passes need the target's facts";
  return target;
}

int64_t Body::tableOffset(int64_t u, int64_t digit) const {
  int64_t side = tablesPerVector(), entryBytes = tables.getEntryBytes();
  return ((u / side) * digits() + digit) * side * entryBytes + (u % side) * entryBytes;
}

llvm::SmallVector<Body::Field> Body::fieldsOf(int64_t quad) const {
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

std::string Body::prepareName() const {
  std::string name = stringifyNumerics(numerics).str();
  if (format.group)
    name += "_g" + std::to_string(format.group);
  if (format.subgroup)
    name += (subgroupSumBytes() == 2 ? "p" : "k") + std::to_string(format.subgroup);
  if (digits()) {
    name += llvm::formatv("_t{0}x{1}x{2}", unit, digits(), tables.getEntryBytes());
    name += tablesPerVector() == 1 ? "" : "q"; // four tables side by side
    name += schedule.getRun() == 1 ? "b" : ""; // entries of single lookups have a bias
    name += reorders() ? "o" : "";             // or integers in the order of unpacked codes
  }
  return name;
}

int64_t Body::sumFactor() const {
  const FormatRow &row = *format.row;
  if (row.trits && strategy == Strategy::lookup)
    return 0;
  if (strategy == Strategy::dot)
    return (format.hasPlainCodes() ? 0 : row.offset) - (signedCodes() ? row.offset : 0);
  if (format.hasPlainCodes())
    return (1 << row.bits) - 1;
  return row.step == 2 ? 0 : 2 * row.offset - 1 + (1 << row.bits);
}

int64_t Body::largestCode() const {
  int64_t largest = signedCodes() ? 128 : format.row->largestValue() - format.row->offset;
  if (!unpacked || tables) // codes of base 3 are no others
    return largest;
  if (dot != DotKind::pairs)
    return 255;
  return *llvm::find_if(ArrayRef<int64_t>{15, 31, 63, 128}, [&](int64_t most) { return most >= largest; });
}

/// Adds `what` and the value, where it is not 0.
static void addNumber(std::string &name, StringRef what, int64_t value) {
  if (value)
    name += (what + Twine(value)).str();
}

/// The format's name as far as code depends on it.
static std::string codeName(const Body &body) {
  Format stored = body.format;
  stored.permuted = false;
  stored.perTensor = stored.row->trits; // the plain name
  std::string name = stored.str(), group = "g" + std::to_string(stored.group);
  if (body.hasOpenGroup())
    name.replace(name.find(group), group.size(), "g");
  return name;
}

std::string Body::unpackName() const {
  int64_t vectors = unpackedBody(*this).stepVectors;
  bool doubles = format.row->step == 2 && !format.hasPlainCodes();
  return llvm::formatv("{0}{1}_{2}_{3}x{4}", format.row->name, doubles ? "x2" : "", stringifyLayout(layout),
                       rowVectors, vectors);
}

std::string Body::unpackMultiplesName() const {
  std::string name = unpackName();
  addNumber(name, format.minimums ? "m" : "k", format.subgroup);
  addNumber(name, "u", unpackK); // multiples lie behind codes
  return name;
}

std::string Body::unpackedName() const {
  std::string rest = codeName(*this);
  rest.erase(0, format.row->name.size());
  if (format.row->vectors)
    rest = "k" + std::to_string(format.subgroup);
  std::string name = llvm::formatv("{0}_{1}{2}_{3}x{4}x{5}", stringifyNumerics(numerics), largestCode(), rest,
                                   rowVectors, stepVectors, stepTokens);
  addNumber(name, "d", format.row->divisor - 1);
  name += signedCodes() ? "s" : "";
  name += sumFactor() ? "f" : ""; // has a factor
  name += tables ? "o" : "";      // and integers in another order
  addNumber(name, "k", constantKBlock());
  addNumber(name, "u", unpackK);
  addNumber(name, "t", schedule.getTokenBlock());
  return name;
}

std::string Body::productName() const {
  std::string name = llvm::formatv("{0}_{1}_{2}_{3}x{4}", stringifyNumerics(numerics), codeName(*this),
                                   stringifyLayout(layout), rowVectors, stepTokens);
  auto add = [&](StringRef what, int64_t value) { addNumber(name, what, value); };
  add("b", stepTokens > 1 ? schedule.getBatchRowVectors() : 0);
  add("i", schedule.getRowsInner());
  add("r", schedule.getRun());
  add("w", schedule.getWiden());
  add("p", schedule.getPrefetch());
  add("k", constantKBlock());
  add("u", schedule.getUnpackTokens() ? unpackK : 0);
  add("t", schedule.getUnpackTokens() ? schedule.getTokenBlock() : 0); // room for sums
  return name;
}

bool Geometry::sharesPrepared(const Geometry &other) const {
  auto key = [](const Geometry &g) {
    return std::make_tuple(g.prepareName(), g.shape.k_padded, g.shape.many.bytes,
                           g.reorders() ? g.schedule.getUnpackTokens() : 0);
  };
  return key(*this) == key(other);
}

static void setTile(Body &g, TargetAttr target) {
  g.vectorBytes = target.getVectorBytes();
  g.laneRows = g.vectorBytes / 4;
  g.permutes = target.getPermuteBytes() > 0;
  g.dot = target.getDot();
  g.registers = target.getRegisters();
  // Blocks whose codes are unpacked leave smaller ones.
  int64_t unpacks = g.schedule.getUnpackTokens();
  g.stepTokens = unpacks ? std::min<int64_t>(g.schedule.getTokens(), llvm::bit_floor(uint64_t(unpacks - 1)))
                         : g.schedule.getTokens();
  g.rowVectors = g.stepVectors = g.schedule.getRowVectors();
  g.tileRows = g.rowVectors * g.laneRows * factsOf(g.layout).quarterRows;
  g.independentSums = g.dot == DotKind::quads ? 8 : 1;
}

/// k is padded so that a group, a chunk, two chunks of a row and a vector of activations never end inside a
/// row.
static void setReduction(Body &g) {
  g.unit = g.tables ? g.tables.getUnit() : g.format.row->unit;
  g.chunkK = factsOf(g.layout).chunkK;
  g.span = g.wholeRow() ? 0 : roundUp(g.format.group, g.chunkK);
  g.padding = g.layout == Layout::base3 ? g.schedule.getKBlock()
              : g.span                  ? g.span
              : g.inArray()             ? g.chunkK
                                        : 64;
}

static void setStream(Body &g) {
  const LayoutFacts &layout = factsOf(g.layout);
  g.planes = layout.trits ? 1
             : g.layout == Layout::book
                 ? int64_t(lutc_book_row_bytes(g.format.row->vectors, uint64_t(g.format.subgroup)))
                 : g.format.row->bits;
  g.chunkBytes = g.planes * g.rowVectors * g.laneRows * layout.chunkQuarters;
  g.codeStride = g.chunkBytes;
  if (g.span)
    g.spanBytes = g.span / g.chunkK * g.chunkBytes + g.spanMultipleBytes() +
                  g.spanGroups() * g.tileRows * g.rowScaleBytes();
  // Integers: int8, or sixteen bits from which tables of trits are rounded.
  g.valueBytes = g.numerics == Numerics::a8 ? 1 : g.format.row->trits ? 2 : 0;
}

/// Unpacked codes of a tile stay within twice the L1 cache, those of base 3 are of blocks that tables want
/// shorter.
static void setUnpacking(Body &g, TargetAttr target) {
  if (!g.schedule.getUnpackTokens())
    return;
  int64_t kBlock = g.schedule.getKBlock(), room = 2 * target.getL1Bytes() / g.tileRows;
  if (g.layout == Layout::base3) {
    g.unpackK = g.unpackAtATime = kBlock * std::max<int64_t>(1, 420 / kBlock);
  } else {
    g.unpackK = std::max(kBlock, room / g.padding * g.padding);
    g.unpackAtATime = kBlock ? kBlock : g.unpackK;
  }
}

lutc_body Body::contract() const {
  auto u32 = [](int64_t value) { return uint32_t(value); };
  return {{u32(int64_t(layout)), u32(vectorBytes), u32(rowVectors), u32(tileRows), u32(planes),
           u32(format.group), u32(schedule.getKBlock()), u32(padding)},
          u32(chunkK),
          u32(chunkBytes),
          u32(span),
          u32(rowScaleBytes()),
          u32(format.subgroup),
          u32(spanMultipleBytes()),
          format.zeroPoints,
          layout == Layout::base3,
          format.permuted,
          u32(unit),
          u32(tables ? digits() * tables.getEntryBytes() : 0),
          u32(valueBytes),
          int32_t((schedule.getUnpackTokens() ? unpackedBody(*this) : *this).sumFactor()),
          reorders(),
          u32(llvm::xxh3_64bits(prepareName())),
          u32(longestRow(*this)),
          u32(schedule.getTokenBlock()),
          u32(schedule.getUnpackTokens()),
          u32(unpackAtATime)};
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
  setUnpacking(g, target);
  lutc_body body = g.contract();
  lutc_shape_of(&body, g.n, g.k, &g.shape);
  return g;
}

/// A byte of base 3 becomes five, four row vectors of one.
Body lut::unpackedBody(Body g) {
  UnpackedStep step(g.layout, g.dot, g.rowVectors, g.registers);
  g.unpacked = true;
  g.stepVectors = step.rowVectors;
  g.stepTokens = step.tokens;
  if (g.layout == Layout::base3) {
    g.strategy = Strategy::dot;
    g.rowVectors *= 4;
    g.chunkK *= 4;
  }
  g.layout = Layout::dot;
  g.planes = g.chunkQuads();
  g.codeStride = g.chunkK * g.stepRows();
  return g;
}
