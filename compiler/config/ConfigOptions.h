// What the command line says of a library.
#ifndef LUT_COMPILER_CONFIG_CONFIGOPTIONS_H
#define LUT_COMPILER_CONFIG_CONFIGOPTIONS_H

#include "dialects/lut/Format.h"
#include <optional>
#include <string>
#include <vector>

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

} // namespace lut

#endif
