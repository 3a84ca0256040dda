/* kblocks.h: what blocks.c and kblocks.c share: the functions of types.def. */
#ifndef LUTC_KBLOCKS_H
#define LUTC_KBLOCKS_H

#include "blocks.h"

lutc_unpack_codes lutc_codes_q1_0, lutc_codes_q2_0, lutc_codes_q4_0, lutc_codes_q4_1, lutc_codes_q5_0,
    lutc_codes_q5_1, lutc_codes_q8_0, lutc_codes_mxfp4, lutc_codes_tq1_0, lutc_codes_tq2_0, lutc_codes_nvfp4;
lutc_unpack_codes lutc_codes_q2_k, lutc_codes_q3_k, lutc_codes_q4_k, lutc_codes_q5_k, lutc_codes_q6_k,
    lutc_codes_iq4_xs, lutc_codes_iq2_xxs, lutc_codes_iq2_xs, lutc_codes_iq2_s, lutc_codes_iq3_xxs,
    lutc_codes_iq3_s, lutc_codes_iq1_s, lutc_codes_iq1_m;
lutc_unpack_multiples lutc_multiples_q2_k, lutc_multiples_q3_k, lutc_multiples_q4_k, lutc_multiples_q5_k,
    lutc_multiples_q6_k, lutc_multiples_iq4_xs, lutc_multiples_iq2_xxs, lutc_multiples_iq2_xs,
    lutc_multiples_iq2_s, lutc_multiples_iq3_xxs, lutc_multiples_iq3_s, lutc_multiples_iq1_s,
    lutc_multiples_iq1_m;

/* 256 codes of two bits. Each half of 128 elements takes 32 bytes: elements 32 s + l at bits 2 s of byte l.
 */
static inline void lutc_unpack_pairs(const uint8_t *restrict bytes, uint8_t *restrict codes) {
  for (int half = 0; half < 2; ++half)
    for (int s = 0; s < 4; ++s)
      for (int l = 0; l < 32; ++l)
        codes[128 * half + 32 * s + l] = bytes[32 * half + l] >> 2 * s & 3;
}

#endif
