// Linear layers of models that this compiler serves, n x k.
#ifndef LUT_BENCH_SHAPES_H
#define LUT_BENCH_SHAPES_H

#include "Contender.h"

namespace lut::bench {

struct ModelShape {
  const char *model;
  Shape shape;
};

constexpr ModelShape modelShapes[] = {
    {"Llama-2-7B", {4096, 4096}},   {"Llama-2-7B", {11008, 4096}},  {"Llama-2-7B", {4096, 11008}},
    {"BitNet-2B-4T", {2560, 2560}}, {"BitNet-2B-4T", {640, 2560}},  {"BitNet-2B-4T", {6912, 2560}},
    {"BitNet-2B-4T", {2560, 6912}}, {"bitnet-3B", {3200, 3200}},    {"bitnet-3B", {8640, 3200}},
    {"bitnet-3B", {3200, 8640}},    {"Llama-3-8B", {1024, 4096}},   {"Llama-3-8B", {14336, 4096}},
    {"Llama-3-8B", {4096, 14336}},  {"Qwen3-0.6B", {2048, 1024}},   {"Qwen3-0.6B", {1024, 1024}},
    {"Qwen3-0.6B", {1024, 2048}},   {"Qwen3-0.6B", {3072, 1024}},   {"Qwen3-0.6B", {1024, 3072}},
    {"Qwen3-4B", {4096, 2560}},     {"Qwen3-4B", {1024, 2560}},     {"Qwen3-4B", {2560, 4096}},
    {"Qwen3-4B", {9728, 2560}},     {"Qwen3-4B", {2560, 9728}},     {"Qwen3-8B", {12288, 4096}},
    {"Qwen3-8B", {4096, 12288}},    {"Qwen2.5-0.5B", {896, 896}},   {"Qwen2.5-0.5B", {128, 896}},
    {"Qwen2.5-0.5B", {4864, 896}},  {"Qwen2.5-0.5B", {896, 4864}},  {"Falcon3-1B", {2048, 2048}},
    {"Falcon3-1B", {8192, 2048}},   {"Falcon3-1B", {2048, 8192}},   {"Falcon3-10B", {3072, 3072}},
    {"Falcon3-10B", {1024, 3072}},  {"Falcon3-10B", {23040, 3072}}, {"Falcon3-10B", {3072, 23040}},
    {"Phi-3-mini", {9216, 3072}},   {"Phi-3-mini", {16384, 3072}},  {"Phi-3-mini", {3072, 8192}},
    {"Gemma-3-1B", {1024, 1152}},   {"Gemma-3-1B", {256, 1152}},    {"Gemma-3-1B", {1152, 1024}},
    {"Gemma-3-1B", {6912, 1152}},   {"Gemma-3-1B", {1152, 6912}}};

} // namespace lut::bench

#endif
