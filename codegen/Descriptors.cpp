#include "codegen/Descriptors.h"
#include "codegen/Packing.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include <map>

using namespace lut;
using llvm::Constant;

int64_t lut::packedBytes(const Geometry &geometry) {
  return sizeof(lutc_packed_header) + geometry.shape.payload_bytes;
}

namespace {

/// Emits constants whose fields mirror runtime/kernel.h in order and type; LLVM lays structs out as C does.
struct DescriptorEmitter {
  const LibraryPlan &plan;
  llvm::Module &module;
  llvm::LLVMContext &context = module.getContext();
  llvm::PointerType *pointer = llvm::PointerType::get(context, 0);

  Constant *i32(uint32_t value) { return llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), value); }
  Constant *size(uint64_t value) { return llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), value); }
  Constant *structure(llvm::ArrayRef<Constant *> fields) {
    return llvm::ConstantStruct::getAnon(context, fields);
  }
  Constant *array(llvm::Type *element, llvm::ArrayRef<Constant *> elements) {
    return llvm::ConstantArray::get(llvm::ArrayType::get(element, elements.size()), elements);
  }

  /// An array of structures of one type.
  Constant *table(llvm::ArrayRef<Constant *> rows) {
    return global(array(rows.front()->getType(), rows), "", /*isPublic=*/false);
  }
  Constant *kernelOf(Slot::Kind kind, size_t kernel) {
    return kind == Slot::Kind::weights || kind == Slot::Kind::experts
               ? static_cast<Constant *>(kernels[kernel])
               : llvm::ConstantPointerNull::get(pointer);
  }

  llvm::GlobalVariable *global(Constant *value, const llvm::Twine &name, bool isPublic,
                               bool isConstant = true) {
    auto linkage = isPublic ? llvm::GlobalValue::ExternalLinkage : llvm::GlobalValue::PrivateLinkage;
    return new llvm::GlobalVariable(module, value->getType(), isConstant, linkage, value, name);
  }
  Constant *string(llvm::StringRef text) {
    return global(llvm::ConstantDataArray::getString(context, text), "", /*isPublic=*/false);
  }
  Constant *pointers(llvm::ArrayRef<Constant *> elements) {
    return global(array(pointer, elements), "", /*isPublic=*/false);
  }
  /// A structure of numbers of one width; equal ones are shared.
  template <typename Number, typename Structure> Constant *numbers(const Structure &structure) {
    static_assert(sizeof(Structure) % sizeof(Number) == 0);
    auto *first = reinterpret_cast<const Number *>(&structure);
    auto *constant = llvm::ConstantDataArray::get(
        context, llvm::ArrayRef<Number>(first, sizeof(Structure) / sizeof(Number)));
    Constant *&shared = numbersOf[constant];
    if (!shared)
      shared = global(constant, "", /*isPublic=*/false);
    return shared;
  }
  /// Null where there is none.
  Constant *function(const std::string &name) {
    if (name.empty())
      return llvm::ConstantPointerNull::get(pointer);
    auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
    auto callee = module.getOrInsertFunction(name, type);
    auto *declared = llvm::cast<llvm::Function>(callee.getCallee());
    declared->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return declared;
  }

  Constant *values(const Format &format);
  Constant *kernelInfo(size_t kernel);
  Constant *variantCode(const Product &product, size_t target);
  Constant *layout(const lutc_layout &layout);
  Constant *program(const PlannedProgram &program);
  Constant *stage(const PlannedStage &stage);
  Constant *routing(const PlannedProgram &program);
  void declareKernels();
  void defineKernels();
  llvm::SmallVector<Constant *> groups();
  void library();

  llvm::GlobalVariable *libraryGlobal = nullptr;
  Constant *features = nullptr;
  llvm::SmallVector<llvm::GlobalVariable *> kernels = {};
  std::map<std::vector<float>, Constant *> valuesOf = {};
  std::map<Constant *, Constant *> numbersOf = {};
};

} // namespace

/// Formats with the same values share them.
Constant *DescriptorEmitter::values(const Format &format) {
  const std::vector<float> values = codeValues(format);
  Constant *&shared = valuesOf[values];
  if (!shared)
    shared = global(llvm::ConstantDataArray::get(context, llvm::ArrayRef(values)), "", /*isPublic=*/false);
  return shared;
}

/// lutc_kernel_info
Constant *DescriptorEmitter::kernelInfo(size_t kernel) {
  const KernelSpec &spec = plan.library.kernels[kernel];
  const Product &product = plan.product(kernel);
  const lutc_kernel_info info = lut::kernelInfo(spec.n, spec.k, spec.format);
  return structure({string(spec.name), string(spec.format.str()), string(stringifyNumerics(product.numerics)),
                    size(info.n), size(info.k), size(info.group), size(info.subgroup), size(info.codes),
                    i32(info.scale_type), i32(info.scales_per_tensor), i32(info.has_zero_points),
                    i32(info.has_minimums), i32(info.has_columns), values(spec.format)});
}

/// lutc_layout
Constant *DescriptorEmitter::layout(const lutc_layout &layout) {
  llvm::SmallVector<Constant *> constants;
  for (size_t i = 0; i < std::size(layoutFields); ++i)
    constants.push_back(i32(reinterpret_cast<const uint32_t *>(&layout)[i]));
  return structure(constants);
}

/// lutc_variant_code
Constant *DescriptorEmitter::variantCode(const Product &product, size_t target) {
  const Geometry &g = product.variants[target].geometry;
  const TargetRow &row = *plan.targets[target];
  Constant *info = structure(
      {string(row.name), string(stringifyStrategy(g.strategy)), size(product.open ? 0 : packedBytes(g))});
  const lutc_layout placed = product.open ? g.contract().layout : layoutOf(g);
  return global(structure({info, layout(placed), i32(layoutId(placed)),
                           program(product.variants[target].program), numbers<uint32_t>(g.contract())}),
                "", /*isPublic=*/false);
}

/// lutc_program
Constant *DescriptorEmitter::program(const PlannedProgram &program) {
  llvm::SmallVector<Constant *> slots, stages;
  static_assert(uint32_t(ElementType::i8) == LUTC_I8);
  static_assert(uint32_t(Slot::Kind::scratch) == LUTC_SCRATCH && uint32_t(Slot::Kind::rows) == LUTC_ROWS);
  for (const PlannedSlot &slot : program.slots)
    slots.push_back(structure({i32(uint32_t(slot.kind)), i32(slot.routed), i32(uint32_t(slot.type)),
                               size(slot.size), kernelOf(slot.kind, slot.kernel), size(slot.fixed)}));
  for (const PlannedStage &stage : program.stages)
    stages.push_back(this->stage(stage));
  return global(
      structure({size(program.tokenBlock), size(program.scratchBytes), size(program.fixedBytes()),
                 size(slots.size()), size(stages.size()), table(slots), table(stages), routing(program)}),
      "", /*isPublic=*/false);
}

/// lutc_stage
Constant *DescriptorEmitter::stage(const PlannedStage &stage) {
  uint8_t slots[LUTC_STAGE_SLOTS] = {};
  llvm::copy(stage.slots, slots);
  return structure({function(stage.run), function(stage.source), function(stage.finish),
                    numbers<uint64_t>(stage.shape), i32(stage.prepares), i32(stage.plain),
                    i32(uint32_t(stage.phase)), i32(stage.routed),
                    llvm::ConstantDataArray::get(context, llvm::ArrayRef<uint8_t>(slots))});
}

/// lutc_routing; null where nothing is routed.
Constant *DescriptorEmitter::routing(const PlannedProgram &program) {
  const Routing &r = program.routing;
  if (!r.top)
    return llvm::ConstantPointerNull::get(pointer);
  llvm::SmallVector<Constant *> gathers;
  for (auto [from, to] : r.gathers)
    gathers.push_back(structure({i32(from), i32(to)}));
  return global(structure({size(program.experts), size(r.top), size(r.segmentTokens), i32(r.experts),
                           i32(r.gates), i32(r.combined), i32(r.result),
                           i32(r.residual.value_or(LUTC_NO_SLOT)), i32(gathers.size()), table(gathers)}),
                "", /*isPublic=*/false);
}

/// Every lutc_kernel, whose programs refer back to it.
void DescriptorEmitter::declareKernels() {
  for (size_t kernel = 0; kernel < plan.library.kernels.size(); ++kernel) {
    auto *type = llvm::StructType::get(context, {kernelInfo(kernel)->getType(), pointer, pointer, pointer});
    kernels.push_back(new llvm::GlobalVariable(
        module, type, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage, nullptr,
        plan.library.name + "_" + plan.library.kernels[kernel].name + "_kernel"));
  }
}

void DescriptorEmitter::defineKernels() {
  llvm::SmallVector<Constant *> codes;
  for (const Product &product : plan.products) {
    llvm::SmallVector<Constant *> variants;
    for (size_t target = 0; target < plan.targets.size(); ++target)
      variants.push_back(variantCode(product, target));
    codes.push_back(pointers(variants));
  }
  for (auto [kernel, global] : llvm::enumerate(kernels))
    global->setInitializer(
        structure({kernelInfo(kernel), libraryGlobal, features, codes[plan.productOfKernel[kernel]]}));
}

/// Every lutc_group.
llvm::SmallVector<Constant *> DescriptorEmitter::groups() {
  llvm::SmallVector<Constant *> result;
  for (auto [group, spec] : llvm::zip(plan.groups, plan.library.groups)) {
    llvm::SmallVector<Constant *> programs;
    for (const PlannedProgram &variant : group.variants)
      programs.push_back(program(variant));
    llvm::SmallVector<Constant *> operands;
    for (const GroupOperand &operand : group.operands)
      operands.push_back(
          structure({string(operand.name), i32(uint32_t(operand.kind)), i32(uint32_t(operand.type)),
                     size(operand.size), kernelOf(operand.kind, operand.kernel)}));
    Constant *info = structure({string(spec.name), size(operands.size()), table(operands)});
    result.push_back(global(structure({info, libraryGlobal, pointers(programs)}),
                            plan.library.name + "_" + spec.name + "_group", /*isPublic=*/true));
  }
  return result;
}

/// lutc_library and what it points to.
void DescriptorEmitter::library() {
  llvm::SmallVector<Constant *> featureBits, variantNames;
  for (const TargetRow *row : plan.targets) {
    featureBits.push_back(i32(row->cpuBits));
    variantNames.push_back(string(row->name));
  }
  features = global(array(llvm::Type::getInt32Ty(context), featureBits), "", /*isPublic=*/false);
  llvm::Type *i64 = llvm::Type::getInt64Ty(context);
  auto *type = llvm::StructType::get(
      context, {pointer, pointer, i64, i64, pointer, i64, pointer, i64, pointer, pointer});
  libraryGlobal =
      new llvm::GlobalVariable(module, type, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage, nullptr,
                               plan.library.name + "_library");
  declareKernels();
  defineKernels();
  llvm::SmallVector<Constant *> all(kernels.begin(), kernels.end()), allGroups = groups();
  Constant *state = global(structure({i32(0)}), "", /*isPublic=*/false, /*isConstant=*/false);
  libraryGlobal->setInitializer(llvm::ConstantStruct::get(
      type, {string(plan.library.name), string(LUTC_VERSION), size(libraryHash(plan.library.kernels)),
             size(all.size()), pointers(all), size(variantNames.size()), pointers(variantNames),
             size(allGroups.size()), pointers(allGroups), state}));
}

std::unique_ptr<llvm::Module> lut::createDescriptors(const LibraryPlan &plan, llvm::LLVMContext &context) {
  auto module = std::make_unique<llvm::Module>("lutc", context);
  DescriptorEmitter{plan, *module}.library();
  return module;
}
