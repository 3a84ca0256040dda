/* bands.h: weights of an engine into packed weights, a band of rows at a time, on all cores: loaders of
   models call from one thread. */
#ifndef LUTC_BANDS_H
#define LUTC_BANDS_H

#include "lutc.h"

/* Rows [first, first + rows) of a matrix, to be filled as lutc_weights says, with codes `stride` apart.
   Scales, zero points, minimums and multiples are bytes of 0 before; the codes are not. */
typedef struct lutc_band {
  size_t matrix, first, rows, stride;
  uint8_t *codes, *scales, *minimums, *zero_points;
  int8_t *scale_multiples, *minimum_multiples;
} lutc_band;

typedef void lutc_read_band(const void *context, lutc_band *band);

/* Packs `matrices` matrices, whose packed weights lie `matrix_bytes` apart. They have headers without a
   checksum: they stay in memory. LUTC_BUFFER_TOO_SMALL: there is no memory. */
lutc_status lutc_pack_bands(const lutc_kernel *kernel, size_t matrices, lutc_read_band *read,
                            const void *context, uint8_t *packed, size_t matrix_bytes);

/* That this process may run on. */
size_t lutc_cores(void);

#endif
