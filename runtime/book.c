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

static const uint64_t ones = UINT64_C(0x0101010101010101);

/* Four digits as a number, in bytes of a word: 3^4 fits a byte, 8^4 does not. */
static uint32_t four_digits(const lutc_book *book, uint32_t digits) {
  if (book->levels == 3)
    return digits * 0x0103091bu >> 24;
  return (digits & 7) | (digits >> 5 & 7 << 3) | (digits >> 10 & 7 << 6) | (digits >> 15 & 7 << 9);
}

/* The digits of a vector as a number, those of a vector of four in the lower half. */
static uint32_t number_key(const lutc_book *book, uint64_t digits) {
  const uint32_t low = four_digits(book, (uint32_t)digits);
  return book->length == 4 ? low : low + 81 * four_digits(book, (uint32_t)(digits >> 32));
}

void lutc_index_book(const lutc_book *book, uint16_t *numbers) {
  memset(numbers, 0, LUTC_BOOK_KEYS * sizeof *numbers);
  for (size_t i = 0; i < book->count; ++i) {
    uint64_t digits = 0;
    memcpy(&digits, book->digits + i * book->length, book->length);
    numbers[number_key(book, digits)] = (uint16_t)(i + 1);
  }
}

/* The digits of eight codes, and in bytes of 0 or 1 their minuses or shifts. */
static uint64_t split_codes(const lutc_book *book, uint64_t codes, uint64_t *marks) {
  if (!lutc_book_has_signs(book)) {
    *marks = codes & ones;
    return codes >> 1 & 0x7f * ones;
  }
  const uint64_t apart = (codes | 0x80 * ones) - book->levels * ones; /* bit 7: not below the levels */
  *marks = ~apart >> 7 & ones;
  return (apart ^ 0x80 * ones) ^ *marks * 255;
}

/* Whether eight marks are as the book has them; `first` are those of the first eight. */
static int marks_are_good(const lutc_book *book, uint64_t marks, uint64_t first) {
  switch (book->signs) {
  case LUTC_SIGNS_EVEN:
    return (marks * ones >> 56 & 1) == 0;
  case LUTC_SHIFT_OF_8:
    return marks == 0 || marks == ones;
  case LUTC_SHIFT_OF_32:
    return marks == first && (marks == 0 || marks == ones);
  default:
    return 1;
  }
}

/* Vector v with the first `left` digits of `codes`, the first of the book; marks that codes do not have
   follow those before. 0: there is none. */
static int complete_vector(const lutc_book *book, uint8_t *codes, size_t v, size_t left) {
  const int has_signs = lutc_book_has_signs(book);
  const size_t at = v * book->length, unit = book->signs == LUTC_SHIFT_OF_8 ? at / 8 * 8 : 0;
  uint64_t marks, word;
  uint8_t digits[8];
  memcpy(&word, codes + at / 8 * 8, sizeof word);
  word = split_codes(book, word, &marks);
  memcpy(digits, &word, sizeof digits);
  for (size_t i = 0; i < book->count; ++i) {
    const uint8_t *vector = book->digits + i * book->length;
    if (memcmp(vector, digits + at % 8, left) != 0)
      continue;
    for (size_t place = left; place < book->length; ++place)
      codes[at + place] =
          (uint8_t)(has_signs ? book->levels + vector[place]
                              : 2u * vector[place] + (at + left > unit ? codes[unit] & 1u : 0u));
    return 1;
  }
  return 0;
}

/* 32 codes of which `count` are known as vectors of the book. */
static int complete_codes(const lutc_book *book, uint8_t *codes, size_t count) {
  for (size_t v = count / book->length; v < lutc_book_vectors(book); ++v)
    if (!complete_vector(book, codes, v, count > v * book->length ? count - v * book->length : 0))
      return 0;
  if (book->signs == LUTC_SIGNS_EVEN && count % 8 != 0) {
    uint64_t marks;
    split_codes(book, lutc_load64(codes + count / 8 * 8), &marks);
    uint8_t *last = codes + count / 8 * 8 + 7;
    if (marks * ones >> 56 & 1)
      *last = (uint8_t)(2 * book->levels - 1 - *last);
  }
  return 1;
}

/* The numbers of the vectors of eight codes: their lower bits to `place`, higher ones to the rest. */
static int pack_numbers(const lutc_packer *p, uint64_t digits, size_t eight, row_place place,
                        uint32_t *rest) {
  const lutc_book *book = p->info->book;
  const size_t vectors = 8 / book->length, high_bits = lutc_book_high_bits(book);
  for (size_t i = 0; i < vectors; ++i, digits >>= 32) {
    const size_t v = eight * vectors + i;
    const uint32_t number = p->numbers[number_key(book, digits)] - 1u;
    if (number >= book->count)
      return 0;
    place.low[v / 4 * place.vector_bytes + v % 4] = (uint8_t)number;
    *rest |= number >> 8 << v * high_bits;
  }
  return 1;
}

static int pack_codes(const lutc_packer *p, const uint8_t *codes, row_place place, uint32_t *signs,
                      uint32_t *rest) {
  const lutc_book *book = p->info->book;
  const size_t shift_at = lutc_book_shift_at(book), shifts = lutc_book_shifts(book);
  uint64_t marks, first;
  split_codes(book, lutc_load64(codes), &first);
  for (size_t eight = 0; eight < 4; ++eight) {
    const uint64_t digits = split_codes(book, lutc_load64(codes + 8 * eight), &marks);
    if (!marks_are_good(book, marks, first) || !pack_numbers(p, digits, eight, place, rest))
      return 0;
    *signs |= (uint32_t)marks << 2 * eight | (uint32_t)(marks >> 32) << (2 * eight + 1);
    if (eight < shifts)
      *rest |= (uint32_t)(marks & 1) << (shift_at + eight);
  }
  return 1;
}

static int pack_row(const lutc_packer *p, size_t row, size_t k, row_place place) {
  const lutc_book *book = p->info->book;
  const uint8_t *codes = p->weights->codes + row * p->stride + k;
  uint8_t completed[32] = {0};
  uint32_t rest = 0, signs = 0;
  if (p->info->k - k < 32) {
    memcpy(completed, codes, p->info->k - k);
    if (!complete_codes(book, completed, p->info->k - k))
      return 0;
    codes = completed;
  }
  if (!pack_codes(p, codes, place, &signs, &rest))
    return 0;
  if (lutc_book_multiple_bits(book, p->info->subgroup)) {
    const size_t subgroups = lutc_divide_up(p->info->k, p->info->subgroup);
    const int multiple = p->weights->scale_multiples[row * subgroups + k / 32];
    rest |= (uint32_t)(multiple / 2) << lutc_book_multiple_at(book);
  }
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
