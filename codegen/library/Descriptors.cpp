#include "codegen/library/Descriptors.h"
#include "codegen/library/Packing.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include <cstring>
#include <map>
#include <type_traits>

using namespace lut;
using llvm::Constant;

int64_t lut::packedBytes(const Geometry &geometry) {
  return sizeof(lutc_packed_header) + geometry.shape.payload_bytes;
}

namespace {

/// Bytes to be, and what the addresses among them are of.
struct Image {
  std::vector<uint8_t> bytes;
  std::vector<std::pair<size_t, Constant *>> addresses; // by ascending offset
  uint64_t alignment = 1;

  Constant *constant(llvm::LLVMContext &context) const;
  /// The addresses of `part`, whose bytes lie at `offset`.
  void addAddresses(const Image &part, size_t offset) {
    for (auto [at, to] : part.addresses)
      addresses.push_back({offset + at, to});
  }
};

/// A struct of runtime/lutc.h or kernel.h to be: its numbers are set as in C, its pointers by what they point
/// to. Sizes and offsets are this machine's, which are those of every 64-bit target.
template <typename Struct> struct Record : Image {
  Record() {
    bytes.resize(sizeof(Struct)); // zeros, also between members
    alignment = alignof(Struct);
  }
  explicit Record(const Struct &numbers) : Record() {
    static_assert(std::has_unique_object_representations_v<Struct>, "what is between members is not known");
    std::memcpy(bytes.data(), &numbers, sizeof(Struct));
  }
  Struct &operator*() { return *reinterpret_cast<Struct *>(bytes.data()); }
  Struct *operator->() { return &**this; }

  template <typename Member> size_t offsetOf(Member Struct::*member) {
    return reinterpret_cast<const uint8_t *>(&(operator->()->*member)) - bytes.data();
  }
  template <typename Member> void point(Member Struct::*member, Constant *to) {
    static_assert(std::is_pointer_v<Member>);
    if (!to->isNullValue())
      addresses.push_back({offsetOf(member), to});
  }
  template <typename Inner> void set(Inner Struct::*member, const Record<Inner> &inner) {
    llvm::copy(inner.bytes, bytes.begin() + offsetOf(member));
    addAddresses(inner, offsetOf(member));
  }
};

/// lutc_kernel, lutc_library and what they point to.
struct DescriptorEmitter {
  const LibraryPlan &plan;
  llvm::Module &module;
  llvm::LLVMContext &context = module.getContext();
  llvm::PointerType *pointer = llvm::PointerType::get(context, 0);
  Constant *null = llvm::ConstantPointerNull::get(pointer);

  llvm::GlobalVariable *declare(const llvm::Twine &name) {
    return new llvm::GlobalVariable(module, pointer, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage,
                                    nullptr, name);
  }
  static void define(llvm::GlobalVariable *variable, const Image &image) {
    variable->replaceInitializer(image.constant(variable->getContext()));
    variable->setAlignment(llvm::Align(image.alignment));
  }
  /// What has no name of its own: equal ones are one.
  Constant *shared(const Image &image) {
    llvm::GlobalVariable *&same = sharedOf[{image.constant(context), image.alignment}];
    if (same)
      return same;
    same = declare("");
    same->setLinkage(llvm::GlobalValue::PrivateLinkage);
    define(same, image);
    return same;
  }
  /// Null where there are no rows.
  template <typename Struct> Constant *table(llvm::ArrayRef<Record<Struct>> rows) {
    if (rows.empty())
      return null;
    Image all;
    all.alignment = alignof(Struct);
    for (const Record<Struct> &row : rows) {
      all.addAddresses(row, all.bytes.size());
      llvm::append_range(all.bytes, row.bytes);
    }
    return shared(all);
  }
  Constant *pointers(llvm::ArrayRef<Constant *> elements) {
    if (elements.empty())
      return null;
    Image all;
    all.alignment = sizeof(void *);
    all.bytes.resize(elements.size() * sizeof(void *));
    for (auto [index, element] : llvm::enumerate(elements))
      all.addresses.push_back({index * sizeof(void *), element});
    return shared(all);
  }
  template <typename Number> Constant *numbers(llvm::ArrayRef<Number> values) {
    Image image;
    image.alignment = alignof(Number);
    auto *first = reinterpret_cast<const uint8_t *>(values.data());
    image.bytes.assign(first, first + values.size() * sizeof(Number));
    return shared(image);
  }
  Constant *string(llvm::StringRef text) {
    Image image;
    image.bytes.assign(text.bytes_begin(), text.bytes_end());
    image.bytes.push_back(0);
    return shared(image);
  }
  Constant *kernelOf(Slot::Kind kind, size_t kernel) {
    return kind == Slot::Kind::weights || kind == Slot::Kind::experts ? kernels[kernel] : null;
  }
  /// Null where there is none.
  Constant *function(const std::string &name) {
    if (name.empty())
      return null;
    auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
    auto callee = module.getOrInsertFunction(name, type);
    auto *declared = llvm::cast<llvm::Function>(callee.getCallee());
    declared->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return declared;
  }

  Constant *book(const lutc_book &book);
  Record<lutc_kernel_info> kernelInfo(size_t kernel);
  Constant *variantCode(const Product &product, size_t target);
  Constant *program(const PlannedProgram &program, bool open);
  Record<lutc_stage> stage(const PlannedStage &stage, bool open);
  Constant *routing(const PlannedProgram &program);
  void defineKernels();
  llvm::SmallVector<llvm::GlobalVariable *> groups();
  llvm::GlobalVariable *state();
  void library();

  llvm::GlobalVariable *libraryGlobal = nullptr;
  Constant *features = nullptr;
  llvm::SmallVector<llvm::GlobalVariable *> kernels = {};
  std::map<std::pair<Constant *, uint64_t>, llvm::GlobalVariable *> sharedOf = {};
};

} // namespace

/// Runs of bytes, and addresses between them.
Constant *Image::constant(llvm::LLVMContext &context) const {
  llvm::SmallVector<Constant *> parts;
  size_t done = 0;
  auto copyUntil = [&](size_t end) {
    if (done < end)
      parts.push_back(llvm::ConstantDataArray::get(context, llvm::ArrayRef(bytes).slice(done, end - done)));
    done = end;
  };
  for (auto [offset, to] : addresses) {
    copyUntil(offset);
    parts.push_back(to);
    done += sizeof(void *);
  }
  copyUntil(bytes.size());
  return llvm::ConstantStruct::getAnon(context, parts, /*Packed=*/true);
}

Constant *DescriptorEmitter::book(const lutc_book &book) {
  Record<lutc_book> record;
  *record = book;
  record->digits = nullptr;
  record.point(&lutc_book::digits, numbers<uint8_t>({book.digits, book.count * book.length}));
  return shared(record);
}

Record<lutc_kernel_info> DescriptorEmitter::kernelInfo(size_t kernel) {
  const KernelSpec &spec = plan.library.kernels[kernel];
  Record<lutc_kernel_info> info;
  fillKernelInfo(*info, spec.n, spec.k, spec.format);
  info.point(&lutc_kernel_info::name, string(spec.name));
  info.point(&lutc_kernel_info::format, string(spec.format.str()));
  info.point(&lutc_kernel_info::numerics, string(stringifyNumerics(plan.product(kernel).numerics)));
  info->book = nullptr;
  info.point(&lutc_kernel_info::values, numbers<float>(codeValues(spec.format)));
  if (const lutc_book *book = spec.format.row->vectors)
    info.point(&lutc_kernel_info::book, this->book(*book));
  return info;
}

Constant *DescriptorEmitter::variantCode(const Product &product, size_t target) {
  const Geometry &g = product.variants[target].geometry;
  Record<lutc_variant_info> info;
  info.point(&lutc_variant_info::variant, string(plan.targets[target]->name));
  info.point(&lutc_variant_info::strategy, string(stringifyStrategy(g.strategy)));
  info->packed_bytes = product.open ? 0 : packedBytes(g);
  Record<lutc_variant_code> code;
  code.set(&lutc_variant_code::info, info);
  code->layout = product.open ? g.contract().layout : layoutOf(g);
  code->layout_id = layoutId(code->layout);
  code.point(&lutc_variant_code::program, program(product.variants[target].program, product.open));
  code.point(&lutc_variant_code::body, shared(Record<lutc_body>(g.contract())));
  static_assert(fewRows == LUTC_FEW_ROWS);
  if (const Product &few = plan.products[product.few];
      product.few && few.variants[target].geometry.schedule != g.schedule)
    code.point(&lutc_variant_code::few, variantCode(few, target));
  return shared(code);
}

/// Slots and shapes of an open kernel are made when its n and k are known.
Constant *DescriptorEmitter::program(const PlannedProgram &planned, bool open) {
  static_assert(uint32_t(ElementType::i8) == LUTC_I8);
  static_assert(uint32_t(Slot::Kind::scratch) == LUTC_SCRATCH && uint32_t(Slot::Kind::rows) == LUTC_ROWS);
  std::vector<Record<lutc_slot>> slots;
  for (const PlannedSlot &from : open ? llvm::ArrayRef<PlannedSlot>() : llvm::ArrayRef(planned.slots)) {
    Record<lutc_slot> &slot = slots.emplace_back();
    slot->kind = uint32_t(from.kind);
    slot->routed = from.routed;
    slot->type = uint32_t(from.type);
    slot->size = from.size;
    slot.point(&lutc_slot::kernel, kernelOf(from.kind, from.kernel));
    slot->fixed = from.fixed;
  }
  std::vector<Record<lutc_stage>> stages;
  for (const PlannedStage &from : planned.stages)
    stages.push_back(stage(from, open));
  Record<lutc_program> program;
  program->token_block = planned.tokenBlock;
  program->scratch_bytes = open ? 0 : planned.scratchBytes;
  program->fixed_bytes = open ? 0 : planned.fixedBytes();
  program->slot_count = slots.size();
  program->stage_count = stages.size();
  program.point(&lutc_program::slots, table<lutc_slot>(slots));
  program.point(&lutc_program::stages, table<lutc_stage>(stages));
  program.point(&lutc_program::routing, routing(planned));
  return shared(program);
}

Record<lutc_stage> DescriptorEmitter::stage(const PlannedStage &from, bool open) {
  Record<lutc_stage> stage;
  stage.point(&lutc_stage::run, function(from.run));
  stage.point(&lutc_stage::source, function(from.source));
  stage.point(&lutc_stage::finish, function(from.finish));
  if (!open)
    stage.point(&lutc_stage::shape, shared(Record<lutc_shape>(from.shape)));
  stage->prepares = from.prepares;
  stage->plain = from.plain;
  stage->phase = uint32_t(from.phase);
  stage->routed = from.routed;
  llvm::copy(from.slots, stage->slots);
  return stage;
}

/// Null where nothing is routed.
Constant *DescriptorEmitter::routing(const PlannedProgram &program) {
  const Routing &from = program.routing;
  if (!from.top)
    return null;
  std::vector<Record<lutc_gather>> gathers;
  for (auto [source, target] : from.gathers)
    gathers.emplace_back(lutc_gather{source, target});
  Record<lutc_routing> routing;
  routing->expert_count = program.experts;
  routing->top = from.top;
  routing->segment_tokens = from.segmentTokens;
  routing->experts = from.experts;
  routing->gates = from.gates;
  routing->combined = from.combined;
  routing->result = from.result;
  routing->residual = from.residual.value_or(LUTC_NO_SLOT);
  routing->gather_count = gathers.size();
  routing.point(&lutc_routing::gathers, table<lutc_gather>(gathers));
  return shared(routing);
}

/// Their programs refer back to them.
void DescriptorEmitter::defineKernels() {
  for (const KernelSpec &kernel : plan.library.kernels)
    kernels.push_back(declare(plan.library.name + "_" + kernel.name + "_kernel"));
  llvm::SmallVector<Constant *> codes(plan.products.size());
  for (size_t index : plan.productOfKernel) {
    if (codes[index])
      continue;
    llvm::SmallVector<Constant *> variants;
    for (size_t target = 0; target < plan.targets.size(); ++target)
      variants.push_back(variantCode(plan.products[index], target));
    codes[index] = pointers(variants);
  }
  for (size_t index = 0; index < kernels.size(); ++index) {
    Record<lutc_kernel> kernel;
    kernel.set(&lutc_kernel::info, kernelInfo(index));
    kernel.point(&lutc_kernel::library, libraryGlobal);
    kernel.point(&lutc_kernel::variant_features, features);
    kernel.point(&lutc_kernel::variants, codes[plan.productOfKernel[index]]);
    define(kernels[index], kernel);
  }
}

/// Every lutc_group.
llvm::SmallVector<llvm::GlobalVariable *> DescriptorEmitter::groups() {
  llvm::SmallVector<llvm::GlobalVariable *> result;
  for (auto [planned, spec] : llvm::zip(plan.groups, plan.library.groups)) {
    llvm::SmallVector<Constant *> programs;
    for (const PlannedProgram &variant : planned.variants)
      programs.push_back(program(variant, /*open=*/false));
    std::vector<Record<lutc_operand_info>> operands;
    for (const GroupOperand &from : planned.operands) {
      Record<lutc_operand_info> &operand = operands.emplace_back();
      operand.point(&lutc_operand_info::name, string(from.name));
      operand->kind = lutc_operand_kind(from.kind);
      operand->type = lutc_type(from.type);
      operand->size = from.size;
      operand.point(&lutc_operand_info::kernel, kernelOf(from.kind, from.kernel));
    }
    Record<lutc_group_info> info;
    info.point(&lutc_group_info::name, string(spec.name));
    info->operand_count = operands.size();
    info.point(&lutc_group_info::operands, table<lutc_operand_info>(operands));
    Record<lutc_group> group;
    group.set(&lutc_group::info, info);
    group.point(&lutc_group::library, libraryGlobal);
    group.point(&lutc_group::programs, pointers(programs));
    define(result.emplace_back(declare(plan.library.name + "_" + spec.name + "_group")), group);
  }
  return result;
}

/// The one part that is written to.
llvm::GlobalVariable *DescriptorEmitter::state() {
  llvm::GlobalVariable *state = declare("");
  define(state, Record<lutc_library_state>());
  state->setLinkage(llvm::GlobalValue::PrivateLinkage);
  state->setConstant(false);
  return state;
}

/// lutc_library and what it points to.
void DescriptorEmitter::library() {
  llvm::SmallVector<Constant *> variantNames;
  llvm::SmallVector<uint32_t> cpuBits;
  for (const TargetRow *row : plan.targets) {
    cpuBits.push_back(row->cpuBits);
    variantNames.push_back(string(row->name));
  }
  features = numbers<uint32_t>(cpuBits);
  libraryGlobal = declare(plan.library.name + "_library");
  defineKernels();
  llvm::SmallVector<Constant *> all(kernels.begin(), kernels.end()), allGroups;
  for (llvm::GlobalVariable *group : groups())
    allGroups.push_back(group);
  Record<lutc_library> library;
  library.point(&lutc_library::name, string(plan.library.name));
  library.point(&lutc_library::version, string(LUTC_VERSION));
  library->hash = libraryHash(plan.library.kernels);
  library->kernel_count = all.size();
  library.point(&lutc_library::kernels, pointers(all));
  library->variant_count = variantNames.size();
  library.point(&lutc_library::variants, pointers(variantNames));
  library->group_count = allGroups.size();
  library.point(&lutc_library::groups, pointers(allGroups));
  library.point(&lutc_library::state, state());
  define(libraryGlobal, library);
}

std::unique_ptr<llvm::Module> lut::createDescriptors(const LibraryPlan &plan, llvm::LLVMContext &context) {
  auto module = std::make_unique<llvm::Module>("lutc", context);
  DescriptorEmitter{plan, *module}.library();
  return module;
}
