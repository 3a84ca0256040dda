/* book.h: where the bits of vectors of a code book lie in a chunk of layout BOOK (kernel.h). Not for users.
 */
#ifndef LUTC_BOOK_H
#define LUTC_BOOK_H

#include "lutc.h"

static inline int lutc_book_has_signs(const lutc_book *book) {
  return book->signs == LUTC_SIGNS_EACH || book->signs == LUTC_SIGNS_EVEN;
}

/* Of 32 of k. */
static inline uint32_t lutc_book_vectors(const lutc_book *book) { return (uint32_t)(32 / book->length); }

/* Bits of a vector's number above eight. */
static inline uint32_t lutc_book_high_bits(const lutc_book *book) {
  uint32_t bits = 0;
  while (book->count >> (8 + bits) > 1)
    ++bits;
  return bits;
}

static inline uint32_t lutc_book_shifts(const lutc_book *book) {
  return book->signs == LUTC_SHIFT_OF_8 ? 4 : book->signs == LUTC_SHIFT_OF_32 ? 1 : 0;
}

/* Of the multiple of 32 weights where it lies beside their codes; 0: it does not. */
static inline uint32_t lutc_book_multiple_bits(const lutc_book *book, uint64_t subgroup) {
  if (subgroup != 32)
    return 0;
  return book->signs == LUTC_SIGNS_EVEN ? 4 : book->signs == LUTC_SHIFT_OF_32 ? 3 : 0;
}

/* The bits of a row's rest: the high bits of its vectors' numbers in turn, shifts, the multiple. */
static inline uint32_t lutc_book_shift_at(const lutc_book *book) {
  return lutc_book_high_bits(book) * lutc_book_vectors(book);
}
static inline uint32_t lutc_book_multiple_at(const lutc_book *book) {
  return lutc_book_shift_at(book) + lutc_book_shifts(book);
}

/* Bytes of the rest: 0 where it is the four bits that even signs leave. */
static inline uint32_t lutc_book_rest_bytes(const lutc_book *book, uint64_t subgroup) {
  const uint32_t bits = lutc_book_multiple_at(book) + lutc_book_multiple_bits(book, subgroup);
  return book->signs == LUTC_SIGNS_EVEN ? 0 : (bits + 7) / 8;
}

/* Of a row in a chunk. */
static inline uint32_t lutc_book_row_bytes(const lutc_book *book, uint64_t subgroup) {
  return lutc_book_vectors(book) + (lutc_book_has_signs(book) ? 4 : 0) + lutc_book_rest_bytes(book, subgroup);
}

/* In the four bytes of even signs, where bit i of the rest lies. */
static inline uint32_t lutc_book_spare_bit(uint32_t i) { return 25 + 2 * i; }

#endif
