/* A packed model as an engine uses it: mapped, searched by name, run. C11. */
#ifndef LUT_TEST_PACK_PACKED_MODEL_H
#define LUT_TEST_PACK_PACKED_MODEL_H

#include "lutc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct packed_model {
  void *address;
  size_t bytes;
  lutc_file file;
} packed_model;

/* Maps a file and opens it. Whatever the status, unmap_model follows. */
lutc_status map_model(const lutc_library *library, const char *path, packed_model *model);
void unmap_model(packed_model *model);

/* Y[m,n] = X[m,k] * W^T for the weights called `name`, with x in the checkpoint's order. */
lutc_status run_layer(const packed_model *model, const char *name, size_t m, const float *x, float *y);

#ifdef __cplusplus
}
#endif
#endif
