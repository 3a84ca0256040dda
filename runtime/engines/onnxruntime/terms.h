/* terms.h: activations as sums of what int8 kernels take, and their results.

   A kernel of class a8 multiplies a token x whose blocks are rounded to 127 steps of their largest element.
   What the rounding leaves of x is a token of its own, whose steps are 254 times finer, and so on: with 2
   terms the product knows each element to 2^-16 of its block's largest, with 3 to 2^-24, as f32 knows the
   largest. */
#ifndef LUTC_ORT_TERMS_H
#define LUTC_ORT_TERMS_H

#include <stdbool.h>
#include <stddef.h>

/* A token, of f16 or f32, to rows [terms][k]: x, what is left of x, what is left of that. */
void lutc_split_token(const void *x, bool is_half, size_t k, size_t block, size_t terms, float *rows);

/* The sum of rows [terms][n] and a bias (of the type of y; may be null) to y, rounded once where it is f16. y
   may be the first row. */
void lutc_join_token(const float *rows, size_t terms, size_t n, const void *bias, bool is_half, void *y);

/* f16 to f32, exactly, and back, rounded to nearest even. */
void lutc_widen_all(const void *halves, size_t count, float *to);
void lutc_narrow_all(const float *x, size_t count, void *halves);

#endif
