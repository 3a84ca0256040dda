/* cpu.c: which of the features that variants need this CPU has, and its operating system saves. */
#include "internal.h"

#include <stdatomic.h>

static int has(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

uint32_t lutc_cpu_decode(const lutc_cpu_words *words) {
  enum { AVX = 1 << 28, F16C = 1 << 29, OSXSAVE = 1 << 27, AVX2 = 1 << 5 };
  const uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
  const uint32_t vbmi = 1u << 1 | 1u << 8 | 1u << 11;                /* VBMI, GFNI, VNNI */
  const uint32_t ymm_state = 0x06, zmm_state = 0xe6; /* XCR0: xmm and ymm; with masks and both zmm halves */

  if (!has(words->leaf1_ecx, OSXSAVE | AVX | F16C) || !has(words->leaf7_ebx, AVX2) ||
      !has(words->xcr0, ymm_state))
    return 0;
  if (!has(words->leaf7_ebx, avx512) || !has(words->xcr0, zmm_state))
    return LUTC_CPU_AVX2;
  if (!has(words->leaf7_ecx, vbmi))
    return LUTC_CPU_AVX2 | LUTC_CPU_AVX512BW;
  return LUTC_CPU_AVX2 | LUTC_CPU_AVX512BW | LUTC_CPU_AVX512VBMI;
}

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

static uint32_t detect(void) {
  lutc_cpu_words words = {0, 0, 0, 0};
  uint32_t eax, ebx, ecx, edx;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
    words.leaf1_ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
    words.leaf7_ebx = ebx;
    words.leaf7_ecx = ecx;
  }
  if (has(words.leaf1_ecx, 1u << 27)) { /* OSXSAVE: without it XGETBV is an illegal instruction */
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    words.xcr0 = eax;
  }
  return lutc_cpu_decode(&words);
}
#else
static uint32_t detect(void) { return 0; }
#endif

/* CPUID traps into the hypervisor of a virtual machine, which costs more than a small kernel: ask once. */
uint32_t lutc_cpu_features(void) {
  static _Atomic uint32_t cache;
  const uint32_t known = 1u << 31;
  uint32_t features = atomic_load_explicit(&cache, memory_order_relaxed);
  if (!(features & known)) {
    features = detect() | known;
    atomic_store_explicit(&cache, features, memory_order_relaxed);
  }
  return features & ~known;
}
