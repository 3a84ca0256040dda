#include "codegen/targets/Lower.h"
#include "codegen/targets/lmma/Assembler.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "runtime/lmma/stage.h"

using namespace mlir;

namespace lut {
#define GEN_PASS_DEF_ENCODEPROGRAMS
#include "codegen/targets/Passes.h.inc"
} // namespace lut

using namespace lut;

namespace {
/// Emits the constants that a launch hands to the runtime.
struct LaunchEncoder {
  lmma::LaunchOp op;
  OpBuilder b{op};
  Location loc = op.getLoc();
  ModuleOp module = op->getParentOfType<ModuleOp>();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());

  LLVM::GlobalOp bytes(StringRef name, StringRef value);
  LLVM::GlobalOp constant(StringRef name, Type type, llvm::function_ref<Value()> value);
  Value insert(Value aggregate, Value element, int64_t at) {
    return LLVM::InsertValueOp::create(b, loc, aggregate, element, at);
  }
  LLVM::GlobalOp buffers(StringRef name);
  LLVM::GlobalOp stage(StringRef name);
  void run();
};
} // namespace

/// Of the alignment that the runtime's structures need.
LLVM::GlobalOp LaunchEncoder::bytes(StringRef name, StringRef value) {
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), value.size());
  return LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                                b.getStringAttr(value), /*alignment=*/8);
}

LLVM::GlobalOp LaunchEncoder::constant(StringRef name, Type type, llvm::function_ref<Value()> value) {
  auto global =
      LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, name, Attribute());
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&global.getInitializer());
  LLVM::ReturnOp::create(b, loc, value());
  return global;
}

LLVM::GlobalOp LaunchEncoder::buffers(StringRef name) {
  std::string encoded;
  for (auto buffer : op.getBuffers().getAsRange<lmma::BufferAttr>()) {
    lutc_lmma_buffer fields = {uint32_t(buffer.getSlot()), buffer.getPerToken(), buffer.getWritable(),
                               uint32_t(buffer.getElementBytes()), uint64_t(buffer.getRowBytes())};
    encoded.append(reinterpret_cast<const char *>(&fields), sizeof fields);
  }
  return bytes(name, encoded);
}

/// lutc_lmma_stage
LLVM::GlobalOp LaunchEncoder::stage(StringRef name) {
  auto i64 = b.getI64Type();
  LLVM::GlobalOp bufferTable = buffers((name + "_buffers").str());
  auto programsType = LLVM::LLVMArrayType::get(pointer, op.getPrograms().size());
  auto address = [&](StringRef symbol) {
    return LLVM::AddressOfOp::create(b, loc, pointer, symbol).getResult();
  };
  LLVM::GlobalOp programs = constant((name + "_programs").str(), programsType, [&] {
    Value all = LLVM::UndefOp::create(b, loc, programsType);
    for (auto [index, symbol] : llvm::enumerate(op.getPrograms().getAsRange<FlatSymbolRefAttr>()))
      all = insert(all, address(symbol.getValue()), index);
    return all;
  });
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), {i64, i64, pointer, pointer});
  return constant((name + "_stage").str(), type, [&] {
    Value all = LLVM::UndefOp::create(b, loc, type);
    all = insert(all, LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(op.getPrograms().size())), 0);
    all = insert(all, LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(op.getBuffers().size())), 1);
    return insert(insert(all, address(programs.getSymName()), 2), address(bufferTable.getSymName()), 3);
  });
}

void LaunchEncoder::run() {
  static constexpr llvm::StringLiteral runStage = "lutc_lmma_run_stage";
  auto i32 = b.getI32Type(), i64 = b.getI64Type();
  b.setInsertionPointToEnd(module.getBody());
  auto function = op->getParentOfType<FunctionOpInterface>();
  LLVM::GlobalOp constants = stage(cast<SymbolOpInterface>(*function).getName());
  if (!module.lookupSymbol(runStage))
    LLVM::LLVMFuncOp::create(b, loc, runStage,
                             LLVM::LLVMFunctionType::get(i32, {pointer, pointer, i64, i64, i64}));
  b.setInsertionPoint(op);
  Value address = LLVM::AddressOfOp::create(b, loc, pointer, constants.getSymName());
  auto call = LLVM::CallOp::create(b, loc, TypeRange{i32}, runStage,
                                   ValueRange{address, op.getStage(), op.getM(), op.getBegin(), op.getEnd()});
  op.replaceAllUsesWith(call.getResult());
  op.erase();
}

static LogicalResult encode(lmma::ProgramOp program) {
  FailureOr<std::string> bytes = lmma::assemble(program);
  if (failed(bytes))
    return failure();
  OpBuilder b(program);
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes->size());
  StringRef name = program.getSymName();
  LLVM::GlobalOp::create(b, program.getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                         b.getStringAttr(*bytes), /*alignment=*/8);
  program.erase();
  return success();
}

namespace {
struct EncodePrograms : lut::impl::EncodeProgramsBase<EncodePrograms> {
  void runOnOperation() override {
    SmallVector<lmma::LaunchOp> launches;
    getOperation().walk([&](lmma::LaunchOp op) { launches.push_back(op); });
    for (lmma::LaunchOp op : launches)
      LaunchEncoder{op}.run();
    for (auto program : llvm::make_early_inc_range(getOperation().getOps<lmma::ProgramOp>()))
      if (failed(encode(program)))
        return signalPassFailure();
  }
};
} // namespace
