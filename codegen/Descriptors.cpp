#include "codegen/Descriptors.h"
#include "runtime/kernel.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/Support/xxhash.h"

using namespace lut;
using llvm::Constant;

int64_t lut::packedBytes(const Geometry &geometry) {
  return sizeof(lutc_packed_header) + geometry.payloadBytes;
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
  Constant *function(const std::string &name) {
    auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
    auto callee = module.getOrInsertFunction(name, type);
    auto *declared = llvm::cast<llvm::Function>(callee.getCallee());
    declared->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return declared;
  }

  Constant *kernelInfo(size_t kernel);
  Constant *variantCode(const Product &product, size_t target);
  Constant *layout(const Geometry &g, uint32_t &id);
  void library();
};

} // namespace

/// lutc_kernel_info
Constant *DescriptorEmitter::kernelInfo(size_t kernel) {
  const KernelSpec &spec = plan.library.kernels[kernel];
  const Product &product = plan.product(kernel);
  const Format &format = spec.format;
  return structure({string(spec.name), string(format.str()), string(stringifyNumerics(product.numerics)),
                    size(spec.n), size(spec.k), size(format.group ? format.group : spec.k),
                    size(format.row->codes()), i32(format.perTensor), i32(format.row->scaleF32),
                    i32(format.zeroPoints)});
}

/// lutc_layout; `id` hashes its fields, so that equal layouts have equal ids.
Constant *DescriptorEmitter::layout(const Geometry &g, uint32_t &id) {
  const uint32_t fields[] = {uint32_t(g.layout),   uint32_t(g.vectorBytes), uint32_t(g.rowVectors),
                             uint32_t(g.tileRows), uint32_t(g.planes),      uint32_t(g.format.group),
                             uint32_t(g.kBlock),   uint32_t(g.kPadded)};
  static_assert(sizeof(lutc_layout) == sizeof fields, "lutc_layout has other fields");
  auto *bytes = reinterpret_cast<const uint8_t *>(fields);
  id = uint32_t(llvm::xxh3_64bits(llvm::ArrayRef<uint8_t>(bytes, sizeof fields)));
  llvm::SmallVector<Constant *> constants;
  for (uint32_t field : fields)
    constants.push_back(i32(field));
  return structure(constants);
}

/// lutc_variant_code
Constant *DescriptorEmitter::variantCode(const Product &product, size_t target) {
  const Geometry &g = product.variants[target].geometry;
  const TargetRow &row = *plan.targets[target];
  Constant *info = structure({string(row.name), string(stringifyStrategy(g.strategy)), size(packedBytes(g))});
  uint32_t id = 0;
  Constant *placed = layout(g, id);
  std::string symbol = plan.symbol(product, row);
  return global(structure({info, placed, i32(id), i32(g.schedule.getTokenBlock()), size(g.preparedBytes),
                           function(symbol + "_prepare"), function(symbol + "_compute")}),
                "", /*isPublic=*/false);
}

/// lutc_library, every lutc_kernel, and what they point to.
void DescriptorEmitter::library() {
  llvm::SmallVector<Constant *> features, variantNames, kernels, codes;
  for (const TargetRow *row : plan.targets) {
    features.push_back(i32(row->cpuBits));
    variantNames.push_back(string(row->name));
  }
  Constant *featureArray = global(array(llvm::Type::getInt32Ty(context), features), "", /*isPublic=*/false);
  for (const Product &product : plan.products) {
    llvm::SmallVector<Constant *> variants;
    for (size_t target = 0; target < plan.targets.size(); ++target)
      variants.push_back(variantCode(product, target));
    codes.push_back(pointers(variants));
  }
  auto *libraryType =
      llvm::StructType::get(context, {pointer, pointer, llvm::Type::getInt64Ty(context), pointer,
                                      llvm::Type::getInt64Ty(context), pointer, pointer});
  auto *library =
      new llvm::GlobalVariable(module, libraryType, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage,
                               nullptr, plan.library.name + "_library");
  for (size_t kernel = 0; kernel < plan.library.kernels.size(); ++kernel)
    kernels.push_back(
        global(structure({kernelInfo(kernel), library, featureArray, codes[plan.productOfKernel[kernel]]}),
               plan.library.name + "_" + plan.library.kernels[kernel].name + "_kernel",
               /*isPublic=*/true));
  Constant *state = global(structure({i32(0)}), "", /*isPublic=*/false, /*isConstant=*/false);
  library->setInitializer(llvm::ConstantStruct::get(
      libraryType, {string(plan.library.name), string(LUTC_VERSION), size(kernels.size()), pointers(kernels),
                    size(variantNames.size()), pointers(variantNames), state}));
}

std::unique_ptr<llvm::Module> lut::createDescriptors(const LibraryPlan &plan, llvm::LLVMContext &context) {
  auto module = std::make_unique<llvm::Module>("lutc", context);
  DescriptorEmitter{plan, *module}.library();
  return module;
}
