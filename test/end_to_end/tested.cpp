// The library under test, by the macros LIBRARY_HEADER ("tiny.h") and LIBRARY (tiny_library).
#include LIBRARY_HEADER

namespace lut {
extern const lutc_library &library;
const lutc_library &library = LIBRARY;
} // namespace lut
