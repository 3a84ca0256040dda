/* machine.h: what the machine's files share with each other. */
#ifndef LMMA_MACHINE_H
#define LMMA_MACHINE_H

#include "internal.h"
#include "lmma.h"

/* Bytes of the fragments that start at reg[0..3], 0 where there is none; shapes and types are legal. reg[0]
   is the one that is written, except by store and write. */
void lmma_fragments(const lmma_instruction *i, uint64_t bytes[4]);

/* Bytes of an element; of weights, which have less than one, 0. */
static inline size_t lmma_type_bytes(uint8_t type) {
  switch (type) {
  case LMMA_U8:
  case LMMA_I8:
  case LMMA_F8:
  case LMMA_E8M0:
    return 1;
  case LMMA_I16:
  case LMMA_F16:
  case LMMA_BF16:
    return 2;
  case LMMA_I32:
  case LMMA_F32:
    return 4;
  default:
    return 0;
  }
}

/* Consecutive k of one table, its entries, and the bit planes that look into it. */
static inline size_t lmma_group(uint8_t type) { return type == LMMA_T3 ? 3 : 4; }
static inline size_t lmma_entries(uint8_t type) { return type == LMMA_T3 ? 16 : 8; }
static inline size_t lmma_planes(uint8_t type) {
  switch (type) {
  case LMMA_T3:
    return 1;
  case LMMA_I5:
    return 5;
  case LMMA_I6:
    return 6;
  case LMMA_I8:
    return 8;
  default:
    return type;
  }
}

/* The instructions on their fragments, which start at the addresses `reg`. */
void lmma_table(const lmma_instruction *i, uint8_t *const reg[4]);
void lmma_multiply(const lmma_instruction *i, uint8_t *const reg[4], int rtl_compatible);
void lmma_correct(const lmma_instruction *i, uint8_t *const reg[4]);
void lmma_scale(const lmma_instruction *i, uint8_t *const reg[4]);
void lmma_shift(const lmma_instruction *i, uint8_t *const reg[4]);
void lmma_combine(const lmma_instruction *i, uint8_t *const reg[4]); /* add and times */
void lmma_convert(const lmma_instruction *i, uint8_t *const reg[4]);

#endif
