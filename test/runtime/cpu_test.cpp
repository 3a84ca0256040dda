// CPU features, from made-up CPUID words and from this CPU.
extern "C" {
#include "internal.h"
}
#include <gtest/gtest.h>

namespace {

constexpr uint32_t osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29, avx2 = 1u << 5;
constexpr uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31, vbmi = 1u << 1 | 1u << 8 | 1u << 11;
constexpr uint32_t level1 = LUTC_CPU_AVX2, level2 = level1 | LUTC_CPU_AVX512BW,
                   level3 = level2 | LUTC_CPU_AVX512VBMI;

lutc_cpu_words fullCpu() { return {osxsave | avx | f16c, avx2 | avx512, vbmi, 0xe7}; }

uint32_t without(uint32_t lutc_cpu_words::*word, uint32_t bits) {
  lutc_cpu_words words = fullCpu();
  words.*word &= ~bits;
  return lutc_cpu_decode(&words);
}

TEST(Cpu, DecodesLevels) {
  EXPECT_EQ(without(&lutc_cpu_words::xcr0, 0), level3);
  for (uint32_t bit : {osxsave, avx, f16c})
    EXPECT_EQ(without(&lutc_cpu_words::leaf1_ecx, bit), 0u) << bit;
  EXPECT_EQ(without(&lutc_cpu_words::leaf7_ebx, avx2), 0u);
  for (uint32_t bit : {1u << 16, 1u << 17, 1u << 30, 1u << 31})
    EXPECT_EQ(without(&lutc_cpu_words::leaf7_ebx, bit), level1) << bit;
  for (uint32_t bit : {1u << 1, 1u << 8, 1u << 11})
    EXPECT_EQ(without(&lutc_cpu_words::leaf7_ecx, bit), level2) << bit;
}

TEST(Cpu, NeedsTheOperatingSystem) {
  for (uint32_t bit : {0x02u, 0x04u}) // xmm, ymm
    EXPECT_EQ(without(&lutc_cpu_words::xcr0, bit), 0u) << bit;
  for (uint32_t bit : {0x20u, 0x40u, 0x80u}) // masks, low and high zmm
    EXPECT_EQ(without(&lutc_cpu_words::xcr0, bit), level1) << bit;
}

TEST(Cpu, AgreesWithTheCompiler) {
  const uint32_t features = lutc_cpu_features();
  EXPECT_EQ(lutc_cpu_features(), features);
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool one = __builtin_cpu_supports("avx2");
  const bool two = one && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  const bool three = two && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni") &&
                     __builtin_cpu_supports("gfni");
  EXPECT_EQ(features, three ? level3 : two ? level2 : one ? level1 : 0u);
#else
  EXPECT_EQ(features, 0u);
#endif
}

} // namespace
