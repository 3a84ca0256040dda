/* prepared.h: the activations of one token, prepared once for all products that read them. */
#ifndef LUTC_GGML_PREPARED_H
#define LUTC_GGML_PREPARED_H

#include "lutc.h"

/* The prepared activations of x for this thread, by lutc_prepare: those of its last call where x has the same
   address and bytes and the kernels share them (q, k, v; gate, up; experts of a token). Valid until the next
   call; `own` is taken where there is no memory to keep them. Null: x is no such row. */
const void *lutc_prepare_token(const lutc_kernel *kernel, const float *x, void *own, size_t own_bytes);

#endif
