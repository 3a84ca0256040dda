/* kblocks.h: codes and multiples of blocks of 256 with scales on two levels, for the table of blocks.c. */
#ifndef LUTC_KBLOCKS_H
#define LUTC_KBLOCKS_H

#include "blocks.h"

lutc_unpack_codes lutc_codes_of_pairs, lutc_codes_q2_k, lutc_codes_q3_k, lutc_codes_q4_k, lutc_codes_q5_k,
    lutc_codes_q6_k;
lutc_unpack_multiples lutc_multiples_q2_k, lutc_multiples_q3_k, lutc_multiples_q4_k /* and Q5_K */,
    lutc_multiples_q6_k;

#endif
