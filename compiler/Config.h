// Reads what the user asks for: a checkpoint, a Hugging Face config.json, or lutc's own list of kernels.
#ifndef LUT_COMPILER_CONFIG_H
#define LUT_COMPILER_CONFIG_H

#include "codegen/LibrarySpec.h"
#include "llvm/Support/SourceMgr.h"

namespace lut {

// A projection that is compiled only when asked for: --include=lm_head=w4g128.
struct Inclusion {
  std::string role;             // lm_head or router
  std::optional<Format> format; // absent: as the config says
};

// What the command line adds to the config. It fills gaps; a contradiction is an error.
struct ConfigOptions {
  std::string name;               // of the library; empty: the config's, or one made from the file's name
  std::optional<Format> weights;  // format of weights that the config leaves open
  std::string numerics, strategy; // empty: the config's, or auto
  std::vector<Inclusion> include;
  const Inclusion *inclusionOf(llvm::StringRef role) const; // null: not asked for
  std::vector<std::string> variants;                        // empty: the config's
  std::vector<std::string> knownVariants; // names that variants may have; empty: not checked
};

std::optional<LibrarySpec> readConfig(llvm::StringRef path, const ConfigOptions &options,
                                      llvm::SourceMgr &sources);

// C identifiers name libraries and kernels.
bool isIdentifier(llvm::StringRef name);

inline constexpr int64_t maxDimension = int64_t(1) << 24; // of n and k

} // namespace lut

#endif
