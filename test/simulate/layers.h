// The models of the paper's evaluation, layer by layer.
#ifndef LUT_TEST_CODEGEN_LMMA_LAYERS_H
#define LUT_TEST_CODEGEN_LMMA_LAYERS_H

#include "machines.h"

namespace lut::lmma {

struct ModelSizes {
  int64_t layers, hidden, ffn, heads, kvHeads, headDim;
  bool gated; // gate and up in front of down
};

inline constexpr ModelSizes bitnet3b{26, 3200, 8640, 32, 32, 100, true};
inline constexpr ModelSizes opt175b{96, 12288, 49152, 96, 96, 128, false};
inline constexpr ModelSizes bloom176b{70, 14336, 57344, 112, 112, 128, false};
inline constexpr ModelSizes llama70b{80, 8192, 28672, 64, 8, 128, true};

/// `like` has the types of all products. Attention is not fused: the paper's kernels are Welder's of 2023.
inline Workload workload(const ModelSizes &sizes, int64_t layers, int64_t sequences, int64_t tokens,
                         const Gemm &like) {
  Workload work;
  work.layers = layers;
  work.hidden = sizes.hidden;
  work.ffn = sizes.ffn;
  work.attention = {sizes.heads, sizes.kvHeads, sizes.headDim, tokens, sequences, false};
  auto add = [&](const char *name, int64_t n, int64_t k, bool shares) {
    Gemm product = like;
    product.m = sequences * tokens;
    product.n = n;
    product.k = k;
    work.kernels.push_back({name, product, layers, shares});
  };
  int64_t keys = sizes.kvHeads * sizes.headDim;
  add("q", sizes.hidden, sizes.hidden, false);
  add("k", keys, sizes.hidden, true);
  add("v", keys, sizes.hidden, true);
  add("o", sizes.hidden, sizes.hidden, false);
  add("up", sizes.ffn, sizes.hidden, false);
  if (sizes.gated)
    add("gate", sizes.ffn, sizes.hidden, true);
  add("down", sizes.hidden, sizes.ffn, false);
  return work;
}

} // namespace lut::lmma

#endif
