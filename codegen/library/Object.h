// From scheduled IR to an object file for one target.
#ifndef LUT_CODEGEN_LIBRARY_OBJECT_H
#define LUT_CODEGEN_LIBRARY_OBJECT_H

#include "codegen/targets/Targets.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

namespace lut {

using Bytes = llvm::SmallVector<char, 0>;

/// A code generator for the target; position-independent, x86-64 Linux.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const TargetRow &target);

/// LLVM IR of a module in the LLVM dialect. Functions are hidden: only the library's data is public.
llvm::Expected<std::unique_ptr<llvm::Module>> translate(mlir::ModuleOp module, llvm::LLVMContext &context,
                                                        llvm::TargetMachine &machine);

/// With `keepsChains`, chains of additions do not become trees.
llvm::Error emit(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type, Bytes &out,
                 bool keepsChains = false);

} // namespace lut

#endif
