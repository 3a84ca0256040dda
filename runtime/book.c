/* book.c: vectors of a code book to the bits of a chunk of layout BOOK, and back. */
#include "book.h"
#include "packer.h"

/* The place of a row in a chunk. */
typedef struct row_place {
  uint8_t *low;          /* of vectors 0 .. 3; of 4 .. 7 `vector_bytes` behind */
  uint8_t *signs, *rest; /* null: there are none */
  size_t vector_bytes;
} row_place;

static row_place place_of(const lutc_book *book, const lutc_layout *layout, uint8_t *chunk, size_t row) {
  const size_t rows = layout->vector_bytes / 4, lane = row % rows, planes = lutc_book_vectors(book) / 4;
  const size_t signs = lutc_book_has_signs(book) ? 4 * rows : 0;
  uint8_t *vector = chunk + row / rows * layout->bits * rows, *behind = vector + planes * 4 * rows;
  const uint32_t rest_bytes = layout->bits - (uint32_t)(4 * planes) - (signs ? 4 : 0);
  const row_place place = {vector + 4 * lane, signs ? behind + 4 * lane : NULL,
                           rest_bytes ? behind + signs + rest_bytes * lane : NULL, layout->vector_bytes};
  return place;
}

static uint32_t number_key(const lutc_book *book, const uint8_t *digits) {
  uint32_t key = 0;
  for (size_t i = book->length; i-- > 0;)
    key = key * (uint32_t)book->levels + digits[i];
  return key;
}

void lutc_index_book(const lutc_book *book, uint16_t *numbers) {
  memset(numbers, 0, LUTC_BOOK_KEYS * sizeof *numbers);
  for (size_t i = 0; i < book->count; ++i)
    numbers[number_key(book, book->digits + i * book->length)] = (uint16_t)(i + 1);
}

/* The first vector that begins with `count` digits; -1: there is none. */
static int first_vector(const lutc_book *book, const uint8_t *digits, size_t count) {
  for (size_t i = 0; i < book->count; ++i)
    if (memcmp(book->digits + i * book->length, digits, count) == 0)
      return (int)i;
  return -1;
}

/* The digits of `count` codes; bit i is set where code i has a minus, or a shift. */
static uint32_t split_codes(const lutc_book *book, const uint8_t *codes, size_t count, uint8_t *digits) {
  const uint8_t levels = (uint8_t)book->levels;
  const int has_signs = lutc_book_has_signs(book);
  uint32_t marks = 0;
  for (size_t i = 0; i < count; ++i) {
    const int is_marked = has_signs ? codes[i] < levels : codes[i] & 1;
    digits[i] = (uint8_t)(!has_signs ? codes[i] / 2 : is_marked ? levels - 1 - codes[i] : codes[i] - levels);
    marks |= (uint32_t)is_marked << i;
  }
  return marks;
}

/* Bit k in byte k % 4, at k / 4. */
static uint32_t spread_signs(uint32_t marks) {
  uint32_t signs = 0;
  for (unsigned k = 0; k < 32; ++k)
    signs |= (marks >> k & 1) << (8 * (k % 4) + k / 4);
  return signs;
}

static int parity(uint32_t byte) {
  byte ^= byte >> 4;
  byte ^= byte >> 2;
  return (int)((byte ^ byte >> 1) & 1);
}

/* Whether marks of `count` codes are as the book has them; marks of codes past them follow. */
static int complete_marks(const lutc_book *book, size_t count, uint32_t *marks) {
  if (book->signs == LUTC_SIGNS_EVEN) {
    for (size_t k = 0; k < count; k += 8)
      if (parity(*marks >> k & 255)) {
        if (count - k >= 8)
          return 0;
        *marks |= UINT32_C(1) << (k + 7);
      }
    return 1;
  }
  const size_t shared = book->signs == LUTC_SHIFT_OF_8 ? 8 : book->signs == LUTC_SHIFT_OF_32 ? 32 : 1;
  for (size_t k = 0; k < count; ++k)
    if ((*marks >> k & 1) != (*marks >> k / shared * shared & 1))
      return 0;
  return 1;
}

/* The rest of a row's chunk, but for the multiple; signs are in `marks`. */
static int pack_numbers(const lutc_packer *p, const uint8_t *digits, size_t count, row_place place,
                        uint32_t *rest) {
  const lutc_book *book = p->info->book;
  const size_t length = book->length, high_bits = lutc_book_high_bits(book);
  for (size_t v = 0; v * length < count; ++v) {
    const size_t left = count - v * length;
    const int number = left >= length ? p->numbers[number_key(book, digits + v * length)] - 1
                                      : first_vector(book, digits + v * length, left);
    if (number < 0)
      return 0;
    place.low[v / 4 * place.vector_bytes + v % 4] = (uint8_t)number;
    *rest |= (uint32_t)number >> 8 << v * high_bits;
  }
  return 1;
}

static int pack_row(const lutc_packer *p, size_t row, size_t k, row_place place) {
  const lutc_book *book = p->info->book;
  const size_t count = lutc_min(p->info->k - k, 32), shift_at = lutc_book_shift_at(book);
  uint8_t digits[32];
  uint32_t rest = 0, marks = split_codes(book, p->weights->codes + row * p->stride + k, count, digits);
  if (!complete_marks(book, count, &marks) || !pack_numbers(p, digits, count, place, &rest))
    return 0;
  for (uint32_t i = 0; i < lutc_book_shifts(book); ++i)
    rest |= (marks >> 8 * i & 1) << (shift_at + i);
  if (lutc_book_multiple_bits(book, p->info->subgroup)) {
    const size_t subgroups = lutc_divide_up(p->info->k, p->info->subgroup);
    const int multiple = p->weights->scale_multiples[row * subgroups + k / 32];
    rest |= (uint32_t)(multiple / 2) << lutc_book_multiple_at(book);
  }
  uint32_t signs = spread_signs(marks);
  if (book->signs == LUTC_SIGNS_EVEN) {
    signs &= UINT32_C(0x55ffffff);
    for (uint32_t i = 0; i < 4; ++i)
      signs |= (rest >> i & 1) << lutc_book_spare_bit(i);
  }
  if (place.signs != NULL)
    memcpy(place.signs, &signs, sizeof signs);
  for (uint32_t i = 0; place.rest != NULL && i < lutc_book_rest_bytes(book, p->info->subgroup); ++i)
    place.rest[i] = (uint8_t)(rest >> 8 * i);
  return 1;
}

int lutc_pack_book(lutc_packer *p, size_t first_row, size_t k) {
  uint8_t *chunk = p->out;
  int is_good = 1;
  memset(chunk, 0, code_bytes(p));
  p->out += code_bytes(p);
  if (k >= p->info->k)
    return 1;
  for (size_t row = 0; row < p->layout->tile_rows && first_row + row < p->info->n; ++row)
    is_good &= pack_row(p, first_row + row, k, place_of(p->info->book, p->layout, chunk, row));
  return is_good;
}

int lutc_unpack_book(const lutc_packer *p, const uint8_t *chunk, size_t row, uint8_t codes[32]) {
  const lutc_book *book = p->info->book;
  const row_place place = place_of(book, p->layout, (uint8_t *)(uintptr_t)chunk, row);
  const uint32_t high_bits = lutc_book_high_bits(book), shift_at = lutc_book_shift_at(book);
  uint32_t rest = 0, signs = 0, levels = (uint32_t)book->levels;
  if (place.signs != NULL)
    memcpy(&signs, place.signs, sizeof signs);
  for (uint32_t i = 0; place.rest != NULL && i < lutc_book_rest_bytes(book, p->info->subgroup); ++i)
    rest |= (uint32_t)place.rest[i] << 8 * i;
  for (uint32_t i = 0; book->signs == LUTC_SIGNS_EVEN && i < 4; ++i)
    rest |= (signs >> lutc_book_spare_bit(i) & 1) << i;
  for (uint32_t i = 0; i < 32; ++i) {
    const uint32_t v = i / (uint32_t)book->length;
    const uint32_t high = rest >> v * high_bits & ((UINT32_C(1) << high_bits) - 1);
    const uint32_t number = place.low[v / 4 * place.vector_bytes + v % 4] | high << 8;
    const uint32_t digit = book->digits[number * book->length + i % book->length];
    uint32_t mark = signs >> (8 * (i % 4) + i / 4) & 1;
    if (book->signs == LUTC_SIGNS_EVEN && i % 8 == 7) {
      mark = 0;
      for (uint32_t j = i - 7; j < i; ++j)
        mark ^= codes[j] < levels;
    }
    if (lutc_book_shifts(book))
      codes[i] =
          (uint8_t)(2 * digit + (rest >> (shift_at + (book->signs == LUTC_SHIFT_OF_8 ? i / 8 : 0)) & 1));
    else
      codes[i] = (uint8_t)(mark ? levels - 1 - digit : levels + digit);
  }
  const uint32_t multiple_bits = lutc_book_multiple_bits(book, p->info->subgroup);
  return (int)(2 * (rest >> lutc_book_multiple_at(book) & ((UINT32_C(1) << multiple_bits) - 1)) + 1);
}
