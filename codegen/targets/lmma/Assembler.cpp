#include "codegen/targets/lmma/Assembler.h"
#include "mlir/IR/Builders.h"
#include "runtime/lmma/lmma.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cstring>

using namespace mlir;
using namespace lut;
using namespace lut::lmma;

static_assert(sizeof(lmma_instruction) == 32 && sizeof(lmma_header) == 64);

//===----------------------------------------------------------------------===//
// One instruction
//===----------------------------------------------------------------------===//

namespace {

/// Op to instruction. What does not fit its field is reported.
struct Encoder {
  Operation *op;
  lmma_instruction instruction = {};
  bool fits = true;

  int64_t number(StringRef name) { return cast<IntegerAttr>(*op->getInherentAttr(name)).getInt(); }
  void scalar(unsigned field, StringRef name) { place(instruction.scalar[field], name); }
  void reg(unsigned field, StringRef name) { place(instruction.reg[field], name); }
  void imm(unsigned field, StringRef name) { instruction.imm[field] = int32_t(number(name)); }
  void element(unsigned field, StringRef name) {
    instruction.type[field] = uint8_t(cast<ElementAttr>(*op->getInherentAttr(name)).getValue());
  }
  void spread(unsigned field, StringRef name) {
    instruction.imm[field] = int32_t(cast<SpreadAttr>(*op->getInherentAttr(name)).getValue());
  }
  void flag(unsigned field, StringRef name, Element set) {
    instruction.type[field] = op->getInherentAttr(name).value_or(Attribute()) ? uint8_t(set) : 0;
  }
  void one(unsigned field, StringRef name) {
    instruction.imm[field] = bool(op->getInherentAttr(name).value_or(Attribute()));
  }
  template <typename Field> void place(Field &field, StringRef name) {
    int64_t value = number(name);
    field = Field(value);
    if (field == value)
      return;
    fits = false;
    op->emitOpError() << name << " = " << value << " is above " << std::numeric_limits<Field>::max();
  }
};

/// Instruction to attributes of the op.
struct Decoder {
  Builder b;
  const lmma_instruction &instruction;
  NamedAttrList attributes = {};

  void set(StringRef name, int64_t value) { attributes.set(name, b.getI32IntegerAttr(int32_t(value))); }
  void scalar(unsigned field, StringRef name) { set(name, instruction.scalar[field]); }
  void reg(unsigned field, StringRef name) { set(name, instruction.reg[field]); }
  void imm(unsigned field, StringRef name) { set(name, instruction.imm[field]); }
  void element(unsigned field, StringRef name) {
    attributes.set(name, ElementAttr::get(b.getContext(), Element(instruction.type[field])));
  }
  void spread(unsigned field, StringRef name) {
    attributes.set(name, SpreadAttr::get(b.getContext(), Spread(instruction.imm[field])));
  }
  void flag(unsigned field, StringRef name, Element set) {
    if (instruction.type[field] == uint8_t(set))
      attributes.set(name, b.getUnitAttr());
  }
  void one(unsigned field, StringRef name) {
    if (instruction.imm[field])
      attributes.set(name, b.getUnitAttr());
  }
};
} // namespace

/// Fields of the block of a buffer.
template <typename Visitor> static void visitPlace(Visitor &v) {
  v.scalar(0, "row_scalar");
  v.scalar(1, "byte_scalar");
  v.reg(1, "buffer");
  v.imm(0, "row");
  v.imm(1, "byte");
  v.imm(2, "rows");
  v.imm(3, "bytes");
}

/// Where each opcode keeps the attributes of its op, as runtime/lmma/lmma.h defines it.
template <typename Visitor> static void visitFields(unsigned opcode, Visitor &v) {
  switch (opcode) {
  case LMMA_LOOP:
    v.scalar(0, "counter"), v.scalar(1, "count_scalar"), v.imm(0, "count");
    break;
  case LMMA_AFFINE:
    v.scalar(0, "result"), v.scalar(1, "a"), v.scalar(2, "b"), v.imm(0, "factor"), v.imm(1, "addend");
    break;
  case LMMA_LOAD:
    v.reg(0, "result"), visitPlace(v);
    break;
  case LMMA_STORE:
    v.reg(0, "source"), visitPlace(v);
    break;
  case LMMA_FETCH:
    v.scalar(2, "address"), visitPlace(v);
    break;
  case LMMA_READ:
    v.reg(0, "result"), v.scalar(0, "address_scalar"), v.imm(0, "address"), v.imm(1, "bytes");
    break;
  case LMMA_WRITE:
    v.reg(0, "source"), v.scalar(0, "address_scalar"), v.imm(0, "address"), v.imm(1, "bytes");
    break;
  case LMMA_CLEAR:
    v.reg(0, "result"), v.imm(0, "count");
    break;
  case LMMA_TABLE:
    v.reg(0, "result"), v.reg(1, "activations"), v.imm(0, "m"), v.imm(1, "k");
    v.element(0, "from"), v.element(1, "to"), v.flag(2, "trits", Element::t3);
    break;
  case LMMA_MULTIPLY:
    v.reg(0, "result"), v.reg(1, "tables"), v.reg(2, "weights"), v.reg(3, "accumulator");
    v.imm(0, "m"), v.imm(1, "n"), v.imm(2, "k");
    v.element(0, "a"), v.element(1, "w"), v.element(2, "acc"), v.element(3, "out");
    break;
  case LMMA_SCALE:
    v.reg(0, "result"), v.reg(1, "sums"), v.reg(2, "steps"), v.reg(3, "scales"), v.imm(0, "m"), v.imm(1, "n");
    v.element(0, "sum_type"), v.element(1, "scale_type"), v.element(2, "step_type");
    v.one(2, "halved");
    break;
  case LMMA_SHIFT:
    v.reg(0, "result"), v.reg(1, "sums"), v.reg(2, "steps"), v.reg(3, "minimums"), v.imm(0, "m"),
        v.imm(1, "n");
    v.element(0, "minimum_type");
    break;
  case LMMA_ADD:
  case LMMA_TIMES:
    v.reg(0, "result"), v.reg(1, "other"), v.imm(0, "m"), v.imm(1, "n"), v.spread(2, "spread");
    break;
  case LMMA_CONVERT:
    v.reg(0, "result"), v.reg(1, "source"), v.imm(0, "m"), v.imm(1, "n"), v.element(0, "to");
    break;
  default:
    break;
  }
}

/// A zero point is a number where there is one for all rows, else a register.
template <typename Visitor> static void visitCorrect(bool isNumber, Visitor &v) {
  v.reg(0, "result"), v.reg(1, "sums"), v.imm(0, "m"), v.imm(1, "n"), v.imm(2, "bits");
  v.element(0, "zero_type"), v.flag(1, "doubled", Element::i32);
  isNumber ? v.imm(3, "zero") : v.reg(2, "zero");
}

static lmma_opcode opcodeOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, lmma_opcode>(op)
      .Case<ExitOp>([](auto) { return LMMA_EXIT; })
      .Case<BarrierOp>([](auto) { return LMMA_BARRIER; })
      .Case<LoopOp>([](auto) { return LMMA_LOOP; })
      .Case<AffineOp>([](auto) { return LMMA_AFFINE; })
      .Case<LoadOp>([](auto) { return LMMA_LOAD; })
      .Case<StoreOp>([](auto) { return LMMA_STORE; })
      .Case<FetchOp>([](auto) { return LMMA_FETCH; })
      .Case<ReadOp>([](auto) { return LMMA_READ; })
      .Case<WriteOp>([](auto) { return LMMA_WRITE; })
      .Case<ClearOp>([](auto) { return LMMA_CLEAR; })
      .Case<TableOp>([](auto) { return LMMA_TABLE; })
      .Case<MultiplyOp>([](auto) { return LMMA_MULTIPLY; })
      .Case<CorrectOp>([](auto) { return LMMA_CORRECT; })
      .Case<ScaleOp>([](auto) { return LMMA_SCALE; })
      .Case<AddOp>([](auto) { return LMMA_ADD; })
      .Case<TimesOp>([](auto) { return LMMA_TIMES; })
      .Case<ConvertOp>([](auto) { return LMMA_CONVERT; })
      .Case<ShiftOp>([](auto) { return LMMA_SHIFT; })
      .Default([](auto) { return LMMA_OPCODES; });
}

static StringRef nameOf(unsigned opcode) {
  static const StringRef names[] = {ExitOp::getOperationName(),     BarrierOp::getOperationName(),
                                    LoopOp::getOperationName(),     "",
                                    AffineOp::getOperationName(),   LoadOp::getOperationName(),
                                    StoreOp::getOperationName(),    FetchOp::getOperationName(),
                                    ReadOp::getOperationName(),     WriteOp::getOperationName(),
                                    ClearOp::getOperationName(),    TableOp::getOperationName(),
                                    MultiplyOp::getOperationName(), CorrectOp::getOperationName(),
                                    ScaleOp::getOperationName(),    AddOp::getOperationName(),
                                    TimesOp::getOperationName(),    ConvertOp::getOperationName(),
                                    ShiftOp::getOperationName()};
  static_assert(std::size(names) == LMMA_OPCODES);
  return names[opcode];
}

//===----------------------------------------------------------------------===//
// Assembling
//===----------------------------------------------------------------------===//

namespace {
struct ProgramEncoder {
  std::vector<lmma_instruction> instructions = {};
  std::vector<Operation *> ops = {}; // of each instruction
  LogicalResult block(Block &block);
  LogicalResult add(Operation *op);
};
} // namespace

LogicalResult ProgramEncoder::add(Operation *op) {
  Encoder encoder{op};
  encoder.instruction.opcode = uint8_t(opcodeOf(op));
  if (encoder.instruction.opcode == LMMA_OPCODES)
    return op->emitOpError() << "is no instruction";
  if (auto correct = dyn_cast<CorrectOp>(op))
    visitCorrect(correct.getZeroType() == Element::none, encoder);
  else
    visitFields(encoder.instruction.opcode, encoder);
  instructions.push_back(encoder.instruction);
  ops.push_back(op);
  return success(encoder.fits);
}

LogicalResult ProgramEncoder::block(Block &block) {
  for (Operation &op : block) {
    if (failed(add(&op)))
      return failure();
    auto loop = dyn_cast<LoopOp>(op);
    if (!loop)
      continue;
    if (failed(this->block(loop.getBody().front())))
      return failure();
    lmma_instruction end = {};
    end.opcode = LMMA_END;
    instructions.push_back(end);
    ops.push_back(&op);
  }
  return success();
}

FailureOr<std::string> lut::lmma::assemble(ProgramOp program) {
  ProgramEncoder encoder;
  if (failed(encoder.block(program.getBody().front())))
    return failure();
  lmma_header header = {};
  std::memcpy(header.magic, "LMMAPROG", 8);
  header.version = LMMA_VERSION;
  header.instructions = uint32_t(encoder.instructions.size());
  header.registers = program.getRegisters();
  header.scratchpad = program.getScratchpad();
  header.warps = program.getWarps();
  header.buffers = program.getBuffers();
  header.tile_m = program.getTileM();
  header.tile_n = program.getTileN();
  std::string bytes(reinterpret_cast<const char *>(&header), sizeof header);
  bytes.append(reinterpret_cast<const char *>(encoder.instructions.data()),
               encoder.instructions.size() * sizeof(lmma_instruction));
  header.checksum = lmma_checksum(bytes.data(), bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  lmma_fault fault = {};
  if (lmma_status status = lmma_check(bytes.data(), bytes.size(), &fault)) {
    Operation *op = fault.instruction < encoder.ops.size() ? encoder.ops[fault.instruction] : program;
    return op->emitOpError() << lmma_status_string(status);
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// Disassembling
//===----------------------------------------------------------------------===//

static void decode(OpBuilder &b, const lmma_instruction &instruction) {
  Decoder decoder{b, instruction};
  if (instruction.opcode == LMMA_CORRECT)
    visitCorrect(instruction.type[0] == LMMA_NONE, decoder);
  else
    visitFields(instruction.opcode, decoder);
  OperationState state(b.getUnknownLoc(), nameOf(instruction.opcode));
  state.addAttributes(decoder.attributes);
  if (instruction.opcode == LMMA_LOOP)
    state.addRegion()->emplaceBlock();
  Operation *op = b.create(state);
  if (instruction.opcode == LMMA_LOOP)
    b.setInsertionPointToEnd(&op->getRegion(0).front());
}

llvm::Expected<OwningOpRef<ModuleOp>> lut::lmma::disassemble(MLIRContext &context, StringRef bytes,
                                                             StringRef name) {
  lmma_fault fault = {};
  if (lmma_status status = lmma_check(bytes.data(), bytes.size(), &fault))
    return llvm::createStringError("instruction " + llvm::Twine(fault.instruction) + ": " +
                                   lmma_status_string(status));
  context.loadDialect<LmmaDialect>();
  lmma_header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  OpBuilder b(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getUnknownLoc());
  b.setInsertionPointToEnd(module->getBody());
  auto program = ProgramOp::create(b, b.getUnknownLoc(), name, header.registers, header.scratchpad,
                                   header.warps, header.buffers, header.tile_m, header.tile_n);
  b.setInsertionPointToEnd(&program.getBody().emplaceBlock());
  for (uint32_t i = 0; i < header.instructions; ++i) {
    lmma_instruction instruction;
    std::memcpy(&instruction, bytes.data() + sizeof header + i * sizeof instruction, sizeof instruction);
    if (instruction.opcode == LMMA_END)
      b.setInsertionPointAfter(b.getInsertionBlock()->getParentOp());
    else
      decode(b, instruction);
  }
  return std::move(module);
}
