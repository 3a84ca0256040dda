#include "dialects/lmma/Lmma.h"
#include "dialects/lmma/MachineAttr.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Passes.h"
#include "passes/machine/ProgramTile.h"
#include "passes/tile/Program.h"
#include "runtime/lmma/lmma.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_CONVERTTOLMMA
#include "passes/Passes.h.inc"
} // namespace lut

using namespace lut;
using lmma::Element;

namespace {

// Scalars of a program, beside those that a block starts with.
enum : int64_t {
  kBlock = LMMA_BLOCK_COLUMN,
  kWarp = LMMA_WARP,
  kToken = 4,    // the block's first
  kTableToken,   // the first whose tables the warp makes
  kTablePlace,   // of these in the scratchpad
  kCodes,        // byte of the warp's next codes in the stream
  kScales,       // of its scales: of the next group, or of the row
  kAdded,        // the same of zero points or minimums
  kValue,        // k of the next chunk of activations
  kGroupWord,    // byte of the next group's step and sum
  kRow,          // the warp's first output row
  kColumn,       // its byte in a row of f32
  kResultColumn, // and in a row of results
  kGroup,        // counter of groups
  kChunk         // and of chunks
};

enum : int64_t { kPreparedBuffer, kWeightsBuffer, kResultBuffer, kFirstEpilogueBuffer };

/// Something after the sums of a product: an addition or scaling.
struct EpilogueBuffer {
  bool adds;
  lmma::Spread spread;
};

/// One program: a block of tokens by the rows of a tile.
struct ProgramEmitter {
  OpBuilder b;
  Location loc;
  ProgramTile tile;
  SmallVector<EpilogueBuffer> epilogues;
  Element result; // of Y
  const Geometry &g = tile.g;
  int64_t m = tile.tokens, n = tile.rows(), zero = LMMA_ZERO;
  bool grouped = !g.wholeRow();

  lmma::ProgramOp run(const Twine &name);
  void places();
  void group();
  void chunk();
  void tables();
  void scale();
  void finish();
  void affine(int64_t to, int64_t a, int64_t factor, int64_t other, int64_t addend = 0) {
    lmma::AffineOp::create(b, loc, to, a, factor, other, addend);
  }
  void advance(int64_t scalar, int64_t by) { affine(scalar, zero, 0, scalar, by); }
  void load(int64_t to, int64_t buffer, int64_t row, int64_t byte, int64_t offset, int64_t rows,
            int64_t bytes) {
    lmma::LoadOp::create(b, loc, to, buffer, row, 0, byte, offset, rows, bytes);
  }
  void loop(int64_t counter, int64_t count, llvm::function_ref<void()> body);
  int64_t codeBytes() const { return g.span / g.chunkK * g.chunkBytes; } // of a group
};

} // namespace

/// A body that runs once is no loop.
void ProgramEmitter::loop(int64_t counter, int64_t count, llvm::function_ref<void()> body) {
  if (count == 1)
    return body();
  auto op = lmma::LoopOp::create(b, loc, counter, zero, count);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&op.getBody().emplaceBlock());
  body();
}

/// Where the warp's data begins.
void ProgramEmitter::places() {
  int64_t tileBytes = g.shape.tile_bytes, warpBytes = g.chunkBytes / tile.warps();
  affine(kToken, LMMA_BLOCK_ROW, m, zero);
  affine(kTableToken, tile.sharesTables() ? kWarp : zero, tile.tableTokens(), kToken);
  affine(kTablePlace, kWarp, tile.tableBytes(tile.tableTokens()), zero);
  affine(kRow, kBlock, g.tileRows, zero);
  affine(kRow, kWarp, n, kRow);
  affine(kColumn, kRow, 4, zero);
  affine(kResultColumn, kRow, lmma::bytesOf(result), zero);
  affine(kCodes, kBlock, tileBytes, zero);
  if (grouped) { // scales, then zero points or minimums, follow the codes of their group
    affine(kScales, kWarp, tile.scaleBytes() * n, kCodes, codeBytes());
    if (tile.addedBytes())
      affine(kAdded, kWarp, tile.addedBytes() * n, kCodes, codeBytes() + tile.scaleBytes() * g.tileRows);
  }
  affine(kCodes, kWarp, warpBytes, kCodes);
}

/// Tables of the chunk's activations, for all warps where they share them.
void ProgramEmitter::tables() {
  if (!tile.makesTables())
    return load(tile.tables(), kPreparedBuffer, kTableToken, kValue, 0, m, tile.valueBytes());
  Element trits = tile.weights();
  int64_t count = tile.tableTokens(), to = tile.sharesTables() ? tile.ownTables() : tile.tables();
  load(tile.activations(), kPreparedBuffer, kTableToken, kValue, g.shape.few.values, count, g.chunkK);
  lmma::TableOp::create(b, loc, to, tile.activations(), count, g.chunkK, Element::i8, Element::i16,
                        trits == Element::t3);
  if (!tile.sharesTables())
    return;
  lmma::WriteOp::create(b, loc, to, kTablePlace, 0, tile.tableBytes(count));
  lmma::BarrierOp::create(b, loc);
  lmma::ReadOp::create(b, loc, tile.tables(), zero, 0, tile.tableBytes(m));
  lmma::BarrierOp::create(b, loc); // before the next chunk's tables
}

/// Codes come first: their load is on its way while tables are made.
void ProgramEmitter::chunk() {
  load(tile.codes(), kWeightsBuffer, zero, kCodes, 0, 1, lmma::weightBytes(tile.weights(), n, g.chunkK));
  tables();
  lmma::MultiplyOp::create(b, loc, tile.sums(), tile.tables(), tile.codes(), tile.sums(), m, n, g.chunkK,
                           tile.entry(), tile.weights(), Element::i32, Element::i32);
  advance(kCodes, g.chunkBytes);
  advance(kValue, tile.valueBytes());
}

static Element elementOf(ScaleType type) {
  switch (type) {
  case ScaleType::f16:
    return Element::f16;
  case ScaleType::bf16:
    return Element::bf16;
  case ScaleType::f32:
    return Element::f32;
  case ScaleType::e8m0:
    return Element::e8m0;
  case ScaleType::e4m3: // ArraySchedules has none
    return Element::none;
  }
  llvm_unreachable("no type of scales");
}

/// Sums of planes to sums of weights, to f32 results.
void ProgramEmitter::scale() {
  int64_t scaleAt = grouped ? 0 : g.shape.scale_offset, addedAt = grouped ? 0 : g.shape.zero_offset;
  int64_t scaleColumn = grouped ? kScales : kColumn, addedColumn = grouped ? kAdded : kColumn;
  Element scaleType = grouped ? elementOf(g.format.scaleType) : Element::f32;
  auto loadAdded = [&] {
    load(tile.added(), kWeightsBuffer, zero, addedColumn, addedAt, 1, tile.addedBytes() * n);
  };
  if (g.doubled()) {
    load(tile.activationSums(), kPreparedBuffer, kToken, kGroupWord, g.shape.few.sums, m, 4);
    bool own = g.format.zeroPoints;
    if (own)
      loadAdded();
    Element type = !own ? Element::none : grouped ? Element::u8 : Element::i32;
    lmma::CorrectOp::create(b, loc, tile.sums(), tile.activationSums(),
                            own                        ? tile.added()
                            : g.format.hasPlainCodes() ? 0
                                                       : -g.format.row->offset,
                            type, m, n, g.format.row->bits, /*doubled=*/!tile.makesTables());
  }
  load(tile.steps(), kPreparedBuffer, kToken, kGroupWord, g.shape.few.scales, m, 4);
  load(tile.scales(), kWeightsBuffer, zero, scaleColumn, scaleAt, 1, tile.scaleBytes() * n);
  lmma::ScaleOp::create(b, loc, tile.results(), tile.sums(), Element::i32, tile.steps(), Element::f32,
                        tile.scales(), scaleType, m, n, /*halved=*/g.doubled() && !tile.makesTables());
  if (!g.format.minimums)
    return;
  loadAdded();
  lmma::ShiftOp::create(b, loc, tile.results(), tile.activationSums(), tile.steps(), tile.added(), scaleType,
                        m, n);
}

void ProgramEmitter::group() {
  lmma::ClearOp::create(b, loc, tile.sums(), tile.results() - tile.sums());
  loop(kChunk, g.sumLength() / g.chunkK, [&] { chunk(); });
  scale();
  advance(kGroupWord, 4);
  if (!grouped)
    return;
  advance(kCodes, g.spanBytes - codeBytes());
  advance(kScales, g.spanBytes);
  if (tile.addedBytes())
    advance(kAdded, g.spanBytes);
}

/// What follows the sums, and the store.
void ProgramEmitter::finish() {
  int64_t y = tile.results(), free = tile.sums();
  for (auto [index, epilogue] : llvm::enumerate(epilogues)) {
    bool full = epilogue.spread == lmma::Spread::full, one = epilogue.spread == lmma::Spread::one;
    load(free, kFirstEpilogueBuffer + index, full ? kToken : zero, one ? zero : kColumn, 0, full ? m : 1,
         one ? 4 : 4 * n);
    if (epilogue.adds)
      lmma::AddOp::create(b, loc, y, free, epilogue.spread, m, n);
    else
      lmma::TimesOp::create(b, loc, y, free, epilogue.spread, m, n);
  }
  if (result != Element::f32) {
    lmma::ConvertOp::create(b, loc, free, result, y, m, n);
    y = free;
  }
  lmma::StoreOp::create(b, loc, y, kResultBuffer, kToken, 0, kResultColumn, 0, m, lmma::bytesOf(result) * n);
  lmma::ExitOp::create(b, loc);
}

lmma::ProgramOp ProgramEmitter::run(const Twine &name) {
  auto program =
      lmma::ProgramOp::create(b, loc, b.getStringAttr(name), tile.registers(), tile.scratchpadBytes(),
                              tile.warps(), kFirstEpilogueBuffer + epilogues.size(), m, g.tileRows);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&program.getBody().emplaceBlock());
  places();
  lmma::ClearOp::create(b, loc, tile.results(), tile.steps() - tile.results());
  loop(kGroup, g.shape.groups, [&] { group(); });
  finish();
  return program;
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

static Element elementOf(mlir::Type type) {
  return type.isF16()    ? Element::f16
         : type.isBF16() ? Element::bf16
         : type.isF32()  ? Element::f32
                         : Element::i8;
}

namespace {
/// Programs and buffers of one product stage.
struct StageConverter {
  const ProgramStage &stage;
  StageOp op = stage.op;
  MLIRContext *context = op.getContext();
  SmallVector<Attribute> buffers = {};
  SmallVector<EpilogueBuffer> epilogues = {};

  void run(TargetAttr target);
  void add(unsigned slot, int64_t rowBytes, int64_t elementBytes, bool perToken, bool writable = false) {
    buffers.push_back(lmma::BufferAttr::get(context, slot, rowBytes, elementBytes, perToken, writable));
  }
  void addEpilogue(Operation *each);
};
} // namespace

void StageConverter::addEpilogue(Operation *each) {
  bool adds = llvm::TypeSwitch<Operation *, bool>(each)
                  .Case<AddOp>([](auto) { return true; })
                  .Case<ScaleOp>([](auto) { return false; })
                  .DefaultUnreachable("an op that the machine has");
  auto type = cast<RankedTensorType>(each->getOperand(1).getType());
  int64_t size = type.getShape().back();
  lmma::Spread spread = type.getRank() == 2                  ? lmma::Spread::full
                        : size == 1 && stage.geometry.n != 1 ? lmma::Spread::one
                                                             : lmma::Spread::vector;
  epilogues.push_back({adds, spread});
  add(stage.slots[LUTC_STAGE_OPERANDS + epilogues.size() - 1], 4 * size, 4, type.getRank() == 2);
}

void StageConverter::run(TargetAttr target) {
  const Geometry &g = stage.geometry;
  Element result = elementOf(cast<RankedTensorType>(op.getResult().getType()).getElementType());
  add(stage.slots[LUTC_STAGE_X], g.shape.few.bytes, 4, /*perToken=*/true);
  add(stage.slots[LUTC_STAGE_WEIGHTS], g.shape.payload_bytes, 1, /*perToken=*/false);
  add(stage.result, g.n * lmma::bytesOf(result), lmma::bytesOf(result), /*perToken=*/true, /*writable=*/true);
  for (Operation &each : op.getBody().front().without_terminator())
    if (each.hasTrait<FollowsProduct>())
      addEpilogue(&each);
  SmallVector<Attribute> programs;
  for (int64_t tokens : blockTokens(g, lmma::machineOf(target))) {
    OpBuilder b(op->getParentOfType<func::FuncOp>());
    auto made =
        ProgramEmitter{b, op.getLoc(), {g, tokens}, epilogues, result}.run(stage.run + "_m" + Twine(tokens));
    programs.push_back(FlatSymbolRefAttr::get(made));
  }
  op->setAttr(kLmmaProgramsAttrName, ArrayAttr::get(context, programs));
  op->setAttr(kLmmaBuffersAttrName, ArrayAttr::get(context, buffers));
}

namespace {
struct ConvertToLmma : lut::impl::ConvertToLmmaBase<ConvertToLmma> {
  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    if (!target)
      return signalPassFailure();
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (function.getOps<StageOp>().empty())
        continue;
      Program program = getProgram(function, target);
      for (const ProgramStage &stage : program.stages)
        if (stage.geometry.inArray() && !StageOp(stage.op).prepares())
          StageConverter{stage}.run(target);
    }
  }
};
} // namespace
