/* library.c: which variant of a library is in use. */
#include "internal.h"

#include <string.h>

static int can_run(const lutc_library *library, size_t variant) {
  const uint32_t needed = library->kernels[0]->variant_features[variant];
  return (lutc_cpu_features() & needed) == needed;
}

/* 1 + index of the best variant this CPU runs; 0: none. */
static uint32_t best_variant(const lutc_library *library) {
  if (library->kernel_count != 0)
    for (size_t i = 0; i < library->variant_count; ++i)
      if (can_run(library, i))
        return (uint32_t)(i + 1);
  return 0;
}

/* 1 + index of the variant called `name`; 0: none. */
static uint32_t find_variant(const lutc_library *library, const char *name) {
  for (size_t i = 0; i < library->variant_count; ++i)
    if (strcmp(library->variants[i], name) == 0)
      return (uint32_t)(i + 1);
  return 0;
}

static uint32_t *chosen_variant(const lutc_library *library) {
  return &((lutc_library_state *)library->state)->chosen;
}

/* The first call chooses. A lutc_use_variant that runs meanwhile on another thread wins. */
static uint32_t current_variant(const lutc_library *library) {
  uint32_t *chosen = chosen_variant(library);
  uint32_t current = __atomic_load_n(chosen, __ATOMIC_RELAXED);
  if (current != 0)
    return current;
  const uint32_t best = best_variant(library);
  if (__atomic_compare_exchange_n(chosen, &current, best, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    return best;
  return current;
}

lutc_status lutc_can_use_variant(const lutc_library *library, const char *variant) {
  if (library == NULL || variant == NULL)
    return LUTC_NULL_POINTER;
  const uint32_t found = find_variant(library, variant);
  if (found == 0)
    return LUTC_UNKNOWN_VARIANT;
  return library->kernel_count == 0 || can_run(library, found - 1) ? LUTC_OK : LUTC_UNSUPPORTED_CPU;
}

lutc_status lutc_use_variant(const lutc_library *library, const char *variant) {
  if (library == NULL)
    return LUTC_NULL_POINTER;
  if (variant != NULL) {
    const lutc_status status = lutc_can_use_variant(library, variant);
    if (status != LUTC_OK)
      return status;
  }
  const uint32_t choice = variant != NULL ? find_variant(library, variant) : best_variant(library);
  __atomic_store_n(chosen_variant(library), choice, __ATOMIC_RELAXED);
  return choice != 0 ? LUTC_OK : LUTC_UNSUPPORTED_CPU;
}

const lutc_variant_code *lutc_kernel_code(const lutc_kernel *kernel) {
  const uint32_t current = current_variant(kernel->library);
  return current != 0 ? kernel->variants[current - 1] : NULL;
}

const lutc_program *lutc_group_program(const lutc_group *group) {
  const uint32_t current = current_variant(group->library);
  return current != 0 ? group->programs[current - 1] : NULL;
}

const lutc_group_info *lutc_group_describe(const lutc_group *group) {
  return group != NULL ? &group->info : NULL;
}

const lutc_kernel_info *lutc_kernel_describe(const lutc_kernel *kernel) {
  return kernel != NULL ? &kernel->info : NULL;
}

const lutc_variant_info *lutc_kernel_variant(const lutc_kernel *kernel) {
  const lutc_variant_code *code = kernel != NULL ? lutc_kernel_code(kernel) : NULL;
  return code != NULL ? &code->info : NULL;
}
