// A compiled library inside this process.
#ifndef LUT_CODEGEN_JIT_H
#define LUT_CODEGEN_JIT_H

#include "runtime/kernel.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace lut {

/// The archive that users link, runtime included, linked into memory.
class LoadedLibrary {
public:
  static llvm::Expected<LoadedLibrary> load(llvm::StringRef archive, llvm::StringRef name);
  LoadedLibrary(LoadedLibrary &&);
  ~LoadedLibrary();

  /// lutc_pack, lutc_run and lutc_kernel_code of the library's own runtime; the last gives what the library
  /// runs on this CPU, null where it has no variant for it.
  decltype(&lutc_pack) pack = nullptr;
  decltype(&lutc_run) run = nullptr;
  const lutc_variant_code *(*code)(const lutc_kernel *) = nullptr;
  llvm::Expected<const lutc_kernel *> kernel(llvm::StringRef kernel) const;

private:
  LoadedLibrary(std::unique_ptr<llvm::orc::LLJIT> jit, llvm::StringRef name);
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::string name;
};

} // namespace lut

#endif
