#include "compiler/config/ConfigOptions.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lut {

const Inclusion *ConfigOptions::inclusionOf(StringRef role) const {
  auto asked = find_if(include, [&](const Inclusion &inclusion) { return inclusion.role == role; });
  return asked == include.end() ? nullptr : &*asked;
}

} // namespace lut
