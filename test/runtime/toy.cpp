#include "toy.h"
#include <cstring>

namespace lut::toy {
namespace {

void prepare(const float *x, size_t ldx, size_t m, void *prepared) {
  for (size_t token = 0; token < m; ++token)
    std::memcpy(static_cast<char *>(prepared) + token * preparedBytes, x + token * ldx, sizeof(float));
}

void compute(const void *prepared, size_t m, const void *, float *y, size_t ldy, size_t tileBegin,
             size_t tileEnd) {
  for (size_t token = 0; token < m; ++token)
    for (size_t row = tileBegin * tileRows; row < tileEnd * tileRows && row < n; ++row) {
      float first;
      std::memcpy(&first, static_cast<const char *>(prepared) + token * preparedBytes, sizeof first);
      y[token * ldy + row] = expected(first, row);
    }
}

lutc_variant_code makeCode(const char *name, uint32_t layoutId) {
  lutc_variant_code code = {};
  code.info = {name, "toy", packedBytes};
  code.layout = {LUTC_LAYOUT_DOT, 64, 1, tileRows, 2, 32, 96, 96};
  code.layout_id = layoutId;
  code.token_block = tokenBlock;
  code.prepared_bytes = preparedBytes;
  code.prepare = prepare;
  code.compute = compute;
  return code;
}

} // namespace

Library::Library(uint32_t needed) : features{1u << 30, needed, needed} {
  codes[0] = makeCode("first", 1);
  codes[1] = makeCode("second", 2);
  library = {"toy", "0", 2, kernels, 3, names, &state};
  kernel = {{"big", "w2g32z", "a8", n, k, 32, 4, 0, 0, 1}, &library, features, variants};
  smallKernel = kernel;
  smallKernel.info.k = k - 1;
}

} // namespace lut::toy
