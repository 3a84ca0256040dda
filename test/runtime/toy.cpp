#include "toy.h"
#include <cstring>

namespace lut::toy {
namespace {

enum { X, W, Prepared, Y };

float *rowOf(const lutc_operand &operand, size_t token) {
  return static_cast<float *>(const_cast<void *>(operand.data)) + token * operand.stride;
}

lutc_status prepare(const lutc_operand *operands, const lutc_stage *, size_t, size_t begin, size_t end) {
  for (size_t token = begin; token < end; ++token)
    *rowOf(operands[Prepared], token) = *rowOf(operands[X], token);
  return LUTC_OK;
}

lutc_status compute(const lutc_operand *operands, const lutc_stage *, size_t m, size_t begin, size_t end) {
  for (size_t token = 0; token < m; ++token)
    for (size_t row = begin * tileRows; row < end * tileRows && row < n; ++row)
      rowOf(operands[Y], token)[row] = expected(*rowOf(operands[Prepared], token), row);
  return LUTC_OK;
}

const float codeValues[] = {0, 1, 2, 3};
const lutc_stage stages[] = {makeStage(prepare, true, 0, 0), makeStage(compute, false, 1, 0)};

lutc_variant_code makeCode(const char *name, uint32_t layoutId, const lutc_program *program) {
  lutc_variant_code code = {};
  code.info = {name, "toy", packedBytes};
  code.layout = {LUTC_LAYOUT_DOT, 64, 1, tileRows, 2, 32, 96, 96};
  code.layout_id = layoutId;
  code.program = program;
  return code;
}

} // namespace

lutc_stage makeStage(lutc_stage_function *run, bool prepares, uint32_t phase, uint32_t routed) {
  static const lutc_shape shape = [] {
    lutc_shape shape = {};
    shape.tiles = shape.panel = (n + tileRows - 1) / tileRows;
    return shape;
  }();
  return {run, nullptr, nullptr, &shape, prepares, 1, phase, routed, {}};
}

Library::Library(uint32_t needed) : features{1u << 30, needed, needed} {
  for (size_t i = 0; i < 2; ++i) {
    const lutc_kernel *of = i == 0 ? &kernel : &smallKernel;
    slots[i][X] = {LUTC_ROWS, 0, LUTC_F32, k - i, nullptr, 0};
    slots[i][W] = {LUTC_WEIGHTS, 0, LUTC_F32, n, of, 0};
    slots[i][Prepared] = {LUTC_SCRATCH, 0, LUTC_F32, preparedBytes, nullptr, 0};
    slots[i][Y] = {LUTC_RESULT, 0, LUTC_F32, n, nullptr, 0};
    programs[i] = {tokenBlock, preparedBytes, 0, 4, 2, slots[i], stages, nullptr};
    codes[i][0] = makeCode("first", 1, &programs[i]);
    codes[i][1] = makeCode("second", 2, &programs[i]);
  }
  library = {"toy", "0", 0, 2, kernels, 3, names, 0, nullptr, &state};
  kernel = {{"big", "w2g32z", "a8", n, k, 32, 0, 0, 4, LUTC_F16, 0, 1, 0, 0, codeValues, nullptr},
            &library,
            features,
            variants[0]};
  smallKernel = kernel;
  smallKernel.info.k = k - 1;
  smallKernel.variants = variants[1];
}

} // namespace lut::toy
