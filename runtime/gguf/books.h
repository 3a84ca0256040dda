/* books.h: the code books of vectors that GGUF has (lutc_book in lutc.h). */
#ifndef LUTC_BOOKS_H
#define LUTC_BOOKS_H

#include "lutc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lutc_book_name {
#define LUTC_BOOK_ROW(name, ...) LUTC_BOOK_##name,
#include "books.def"
  LUTC_BOOKS
} lutc_book_name;

/* Lives as long as the process. */
const lutc_book *lutc_find_book(lutc_book_name name);

#ifdef __cplusplus
}
#endif
#endif
