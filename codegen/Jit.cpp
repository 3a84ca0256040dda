#include "codegen/Jit.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace lut;
using namespace llvm::orc;
using llvm::Error;
using llvm::Expected;

LoadedLibrary::LoadedLibrary(std::unique_ptr<LLJIT> jit, llvm::StringRef name)
    : jit(std::move(jit)), name(name) {}
LoadedLibrary::LoadedLibrary(LoadedLibrary &&) = default;
LoadedLibrary::~LoadedLibrary() = default;

template <typename Function> static Error find(LLJIT &jit, llvm::StringRef symbol, Function &function) {
  auto address = jit.lookup(symbol);
  if (!address)
    return address.takeError();
  function = address->toPtr<Function>();
  return Error::success();
}

Expected<LoadedLibrary> LoadedLibrary::load(llvm::StringRef archive, llvm::StringRef name) {
  auto jit = LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  auto members = StaticLibraryDefinitionGenerator::Create(
      (*jit)->getObjLinkingLayer(), llvm::MemoryBuffer::getMemBufferCopy(archive, name));
  if (!members)
    return members.takeError();
  auto libc = DynamicLibrarySearchGenerator::GetForCurrentProcess((*jit)->getDataLayout().getGlobalPrefix());
  if (!libc)
    return libc.takeError();
  (*jit)->getMainJITDylib().addGenerator(std::move(*members));
  (*jit)->getMainJITDylib().addGenerator(std::move(*libc));
  LoadedLibrary library(std::move(*jit), name);
  if (Error error = find(*library.jit, "lutc_pack", library.pack))
    return std::move(error);
  if (Error error = find(*library.jit, "lutc_run", library.run))
    return std::move(error);
  if (Error error = find(*library.jit, "lutc_kernel_code", library.code))
    return std::move(error);
  return std::move(library);
}

Expected<const lutc_kernel *> LoadedLibrary::kernel(llvm::StringRef kernel) const {
  const lutc_kernel *found = nullptr;
  if (Error error = find(*jit, name + "_" + kernel.str() + "_kernel", found))
    return std::move(error);
  return found;
}
