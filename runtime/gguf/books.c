/* books.c: the books of books.def, as digits. */
#include "books.h"

#include <threads.h>

enum { LUTC_LARGEST_BOOK = 2048 * 8 };

typedef struct book_row {
  lutc_book book;
  const char *vectors;
} book_row;

static const book_row rows[LUTC_BOOKS] = {
#define LUTC_BOOK_ROW(name, length, levels, count, signs, vectors)                                           \
  {{length, levels, count, signs, NULL}, vectors},
#include "books.def"
};

static once_flag are_made = ONCE_FLAG_INIT;
static lutc_book books[LUTC_BOOKS];
static uint8_t digits[LUTC_BOOKS][LUTC_LARGEST_BOOK];

/* The next number after `number`. */
static unsigned next_number(const char **text, unsigned number) {
  for (; **text == '0'; ++*text)
    number += 61;
  const char c = *(*text)++;
  return number + (unsigned)(c <= '9' ? c - '0' : c <= 'Z' ? c - 'A' + 10 : c - 'a' + 36);
}

static void make_books(void) {
  for (size_t b = 0; b < LUTC_BOOKS; ++b) {
    const char *text = rows[b].vectors;
    uint8_t *digit = digits[b];
    unsigned number = (unsigned)-1;
    books[b] = rows[b].book;
    books[b].digits = digit;
    for (size_t i = 0; i < books[b].count; ++i) {
      number = next_number(&text, number);
      unsigned rest = number;
      for (size_t place = 0; place < books[b].length; ++place, rest /= (unsigned)books[b].levels)
        *digit++ = (uint8_t)(rest % books[b].levels);
    }
  }
}

const lutc_book *lutc_find_book(lutc_book_name name) {
  call_once(&are_made, make_books);
  return &books[name];
}
