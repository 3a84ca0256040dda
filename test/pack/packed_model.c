#define _POSIX_C_SOURCE 200809L
#include "packed_model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

lutc_status map_model(const lutc_library *library, const char *path, packed_model *model) {
  struct stat status;
  memset(model, 0, sizeof *model);
  const int descriptor = open(path, O_RDONLY);
  if (descriptor < 0 || fstat(descriptor, &status) != 0)
    return LUTC_NULL_POINTER;
  void *address = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (address == MAP_FAILED)
    return LUTC_NULL_POINTER;
  model->address = address;
  model->bytes = (size_t)status.st_size;
  return lutc_open_file(library, address, model->bytes, &model->file);
}

void unmap_model(packed_model *model) {
  if (model->address != NULL)
    munmap(model->address, model->bytes);
}

lutc_status run_layer(const packed_model *model, const char *name, size_t m, const float *x, float *y) {
  lutc_tensor weights;
  const lutc_status status = lutc_find_tensor(&model->file, name, &weights);
  if (status != LUTC_OK)
    return status;
  const lutc_kernel_info *info = lutc_kernel_describe(weights.kernel);
  const size_t scratch_bytes = lutc_scratch_bytes(weights.kernel, m);
  void *scratch =
      aligned_alloc(LUTC_ALIGNMENT, (scratch_bytes + LUTC_ALIGNMENT - 1) / LUTC_ALIGNMENT * LUTC_ALIGNMENT);
  lutc_status result = LUTC_NULL_POINTER;
  if (scratch != NULL)
    result = lutc_run(weights.kernel, m, x, info->k, weights.data, y, info->n, scratch, scratch_bytes, NULL);
  free(scratch);
  return result;
}
