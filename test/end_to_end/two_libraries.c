/* Two generated libraries in one program. FIRST and SECOND name the libraries, FIRST_KERNEL and SECOND_KERNEL
   a kernel of each, FIRST_HEADER and SECOND_HEADER their headers. With scale 1 and the only activation 127, Y
   is exact. */
#include FIRST_HEADER
#include SECOND_HEADER
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_(a, b, c, d) a##b##c##d
#define JOIN(a, b, c, d) JOIN_(a, b, c, d)

typedef lutc_status pack_function(const lutc_weights *, void *, size_t);
typedef lutc_status kernel_function(size_t, const float *, size_t, const void *, float *, size_t, void *,
                                    size_t, const lutc_parallel *);

static void *aligned(size_t bytes) {
  void *memory = aligned_alloc(LUTC_ALIGNMENT, (bytes / LUTC_ALIGNMENT + 1) * LUTC_ALIGNMENT);
  if (memory == NULL)
    exit(2);
  memset(memory, 0, bytes);
  return memory;
}

/* All codes are the largest; zero points are 0. The integer that the largest code stands for. */
static float largest_weight(const lutc_kernel_info *info) {
  if (info->has_zero_points)
    return (float)(info->codes - 1);
  return info->codes <= 3 ? 1.0f : (float)(info->codes / 2 - 1);
}

/* Counts the wrong elements of Y for a token that is 127 at its last k and 0 elsewhere. */
static size_t wrong_elements(const lutc_kernel *kernel, pack_function *pack, kernel_function *run) {
  const lutc_kernel_info *info = lutc_kernel_describe(kernel);
  const size_t groups = (info->k + info->group - 1) / info->group;
  const size_t packed_bytes = lutc_packed_bytes(kernel), scratch_bytes = lutc_scratch_bytes(kernel, 1);
  uint8_t *codes = aligned(info->n * info->k), *zeros = aligned(info->n * groups);
  float *scales = aligned(info->n * groups * sizeof(float)), *x = aligned(info->k * sizeof(float));
  float *y = aligned(info->n * sizeof(float));
  void *packed = aligned(packed_bytes), *scratch = aligned(scratch_bytes);
  const lutc_weights weights = {.codes = codes, .scales = scales, .zero_points = zeros};
  size_t wrong = 0;

  memset(codes, (int)info->codes - 1, info->n * info->k);
  for (size_t i = 0; i < info->n * groups; ++i)
    if (info->scale_type == LUTC_F32)
      scales[i] = 1.0f;
    else
      ((uint16_t *)(void *)scales)[i] = 0x3c00;
  x[info->k - 1] = 127.0f;
  if (pack(&weights, packed, packed_bytes) != LUTC_OK ||
      run(1, x, info->k, packed, y, info->n, scratch, scratch_bytes, NULL) != LUTC_OK)
    wrong = info->n;
  for (size_t row = 0; row < info->n && wrong != info->n; ++row)
    wrong += y[row] != 127.0f * largest_weight(info);
  printf("%s %s %zu x %zu: %zu wrong\n", info->name, info->format, info->n, info->k, wrong);
  free(codes), free(zeros), free(scales), free(x), free(y), free(packed), free(scratch);
  return wrong;
}

int main(void) {
  const size_t first = wrong_elements(&JOIN(FIRST, _, FIRST_KERNEL, _kernel),
                                      JOIN(FIRST, _, FIRST_KERNEL, _pack), JOIN(FIRST, _, FIRST_KERNEL, ));
  const size_t second =
      wrong_elements(&JOIN(SECOND, _, SECOND_KERNEL, _kernel), JOIN(SECOND, _, SECOND_KERNEL, _pack),
                     JOIN(SECOND, _, SECOND_KERNEL, ));
  return first + second != 0;
}
