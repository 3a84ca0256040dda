/* internal.h: what the runtime's files share with each other. */
#ifndef LUTC_INTERNAL_H
#define LUTC_INTERNAL_H

#include "file.h"
#include "scales.h"

#include <string.h>

/* The words of CPUID, and of XCR0 where the CPU has XGETBV, that decide the features. */
typedef struct lutc_cpu_words {
  uint32_t leaf1_ecx, leaf7_ebx, leaf7_ecx, xcr0;
} lutc_cpu_words;

uint32_t lutc_cpu_decode(const lutc_cpu_words *words);

/* The code of the variant in use; null when no variant runs on this CPU. */
const lutc_variant_code *lutc_kernel_code(const lutc_kernel *kernel);

/* Whether n and k are those that lutc_make_kernel gives it. */
static inline int lutc_is_open(const lutc_kernel *kernel) { return kernel->info.n == 0; }

/* The group's program for that variant. */
const lutc_program *lutc_group_program(const lutc_group *group);

/* Checks a header against what the kernel expects. */
lutc_status lutc_check_header(const lutc_kernel_info *info, const lutc_variant_code *code,
                              const void *packed);

/* All that lutc_check_packed checks but the payload. `code` is that of the variant in use. */
lutc_status lutc_check_packed_header(const lutc_kernel *kernel, const void *packed, size_t packed_bytes,
                                     const lutc_variant_code **code);

/* What lutc_check_packed can say of weights for any kernel. */
lutc_status lutc_check_any_packed(const lutc_packed_header *header, size_t packed_bytes);

/* Whether [first, first + count) are among n rows of `row` elements, and `rows` has places for them. */
lutc_status lutc_check_rows(size_t n, size_t row, size_t first, size_t count, const float *rows,
                            size_t stride);

/* 64 bits that differ whenever two buffers of one size differ in a single 8-byte word. */
uint64_t lutc_checksum(const void *data, size_t bytes);

static inline size_t lutc_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t lutc_max(size_t a, size_t b) { return a > b ? a : b; }
static inline size_t lutc_divide_up(size_t a, size_t b) { return a / b + (a % b != 0); }
static inline size_t lutc_round_up(size_t a, size_t b) { return lutc_divide_up(a, b) * b; }

/* The next `bytes` of a memory of which `used` are taken, aligned like it; null where there is none yet. */
static inline void *lutc_take(void *memory, size_t *used, size_t bytes) {
  void *taken = memory != NULL ? (uint8_t *)memory + *used : NULL;
  *used += lutc_round_up(bytes, LUTC_ALIGNMENT);
  return taken;
}

static inline int lutc_is_aligned(const void *pointer, size_t alignment) {
  return (uintptr_t)pointer % alignment == 0;
}

/* Whether `rows` >= 1 rows of `row` elements, `stride` elements apart, end inside the address space. */
static inline int lutc_rows_fit(const void *base, size_t rows, size_t row, size_t stride,
                                size_t element_bytes) {
  const size_t bytes = lutc_min(UINTPTR_MAX - (uintptr_t)base, PTRDIFF_MAX);
  const size_t elements = bytes / element_bytes;
  return stride >= row && row <= elements && (rows == 1 || rows - 1 <= (elements - row) / stride);
}

/* IEEE binary16 to binary32, exactly. */
static inline float lutc_widen(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
  if (exponent == 0)
    return (sign ? -0x1p-24f : 0x1p-24f) * (float)fraction;
  const uint32_t bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
  return lutc_bits_float(bits);
}

/* IEEE binary32 to binary16, to nearest even; NaN as 0x7e00. */
static inline uint16_t lutc_narrow(float value) {
  const uint32_t sign = lutc_float_bits(value) >> 16 & 0x8000,
                 magnitude = lutc_float_bits(value) & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return 0x7e00;
  if (magnitude >= 0x47800000) /* 2^16 */
    return (uint16_t)(sign | 0x7c00);
  if (magnitude < 0x38800000) /* 2^-14; floats from 0.5 on are 2^-24 apart, as subnormals are */
    return (uint16_t)(sign | (lutc_float_bits(lutc_bits_float(magnitude) + 0.5f) - 0x3f000000));
  return (uint16_t)(sign | (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13);
}

#endif
