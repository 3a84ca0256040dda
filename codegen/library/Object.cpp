#include "codegen/library/Object.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Triple.h"

using namespace lut;

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> lut::createTargetMachine(const TargetRow &target) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const llvm::Target *backEnd = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backEnd)
    return llvm::createStringError(error);
  return std::unique_ptr<llvm::TargetMachine>(
      backEnd->createTargetMachine(triple, "x86-64", target.features, llvm::TargetOptions(),
                                   llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
}

llvm::Expected<std::unique_ptr<llvm::Module>>
lut::translate(mlir::ModuleOp module, llvm::LLVMContext &context, llvm::TargetMachine &machine) {
  mlir::registerBuiltinDialectTranslation(*module.getContext());
  mlir::registerLLVMDialectTranslation(*module.getContext());
  std::unique_ptr<llvm::Module> result = mlir::translateModuleToLLVMIR(module, context);
  if (!result)
    return llvm::createStringError("the lowered IR does not translate to LLVM IR");
  result->setDataLayout(machine.createDataLayout());
  result->setTargetTriple(machine.getTargetTriple());
  result->setModuleIdentifier("lutc");
  result->setSourceFileName("lutc");
  for (llvm::Function &function : *result) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    function.setVisibility(llvm::GlobalValue::HiddenVisibility);
    function.setDoesNotThrow();
  }
  return std::move(result);
}

/// As addPassesToEmitFile, which has no way to leave a pass out: the machine combiner, which makes the trees.
llvm::Error lut::emit(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type,
                      Bytes &out, bool keepsChains) {
  llvm::raw_svector_ostream stream(out);
  llvm::legacy::PassManager passes;
  llvm::TargetPassConfig *config = machine.createPassConfig(passes);
  auto *functions = new llvm::MachineModuleInfoWrapperPass(&machine);
  if (keepsChains)
    config->disablePass(&llvm::MachineCombinerID);
  passes.add(config);
  passes.add(functions);
  bool failed = config->addISelPasses();
  config->addMachinePasses();
  config->setInitialized();
  if (failed || machine.addAsmPrinter(passes, stream, nullptr, type, functions->getMMI().getContext()))
    return llvm::createStringError("the target cannot emit this kind of file");
  passes.add(llvm::createFreeMachineFunctionPass());
  passes.run(module);
  return llvm::Error::success();
}
