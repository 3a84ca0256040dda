/* header.c: the header of packed weights and its checksums. */
#include "internal.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "packed weights are little-endian, and so is every CPU that lutc generates code for"
#endif

_Static_assert(sizeof(lutc_packed_header) == LUTC_ALIGNMENT, "the payload is aligned like the header");

static const uint8_t magic[8] = {'L', 'U', 'T', 'C', 'P', 'A', 'C', 'K'};

/* One bijective step in `word` and in `sum`: a single changed word always changes the result. */
static uint64_t mix(uint64_t sum, uint64_t word) {
  sum ^= word;
  sum = sum << 29 | sum >> 35;
  return sum * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t load64(const uint8_t *data) {
  uint64_t word;
  memcpy(&word, data, sizeof word);
  return word;
}

/* Four independent lanes keep the multiplier busy, so that memory is the limit. */
void lutc_sum_begin(lutc_sum *sum) {
  const lutc_sum begin = {{1, 2, 3, 4}, 0};
  *sum = begin;
}

void lutc_sum_add(lutc_sum *sum, const void *data, size_t bytes) {
  const uint8_t *next = data, *end = next + bytes;
  sum->bytes += bytes;
  for (; end - next >= 32; next += 32)
    for (int i = 0; i < 4; ++i)
      sum->lane[i] = mix(sum->lane[i], load64(next + 8 * i));
}

uint64_t lutc_sum_end(lutc_sum *sum, const void *data, size_t bytes) {
  const uint8_t *next = (const uint8_t *)data + bytes / 32 * 32, *end = next + bytes % 32;
  lutc_sum_add(sum, data, bytes);
  uint64_t all = sum->bytes;
  for (int i = 0; i < 4; ++i)
    all = mix(all, sum->lane[i]);
  for (; end - next >= 8; next += 8)
    all = mix(all, load64(next));
  uint8_t rest[8] = {0};
  if (next != end)
    memcpy(rest, next, (size_t)(end - next));
  all = mix(all, load64(rest));
  return all ^ all >> 32;
}

uint64_t lutc_checksum(const void *data, size_t bytes) {
  lutc_sum sum;
  lutc_sum_begin(&sum);
  return lutc_sum_end(&sum, data, bytes);
}

uint64_t lutc_sum_rows(const void *rows, size_t row_bytes, size_t first, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i)
    sum += lutc_checksum((const uint8_t *)rows + i * row_bytes, row_bytes) * (2 * (first + i) + 1);
  return sum;
}

uint32_t lutc_layout_id(const lutc_layout *layout) { return (uint32_t)lutc_checksum(layout, sizeof *layout); }

enum { FORMAT_BYTES = sizeof((lutc_packed_header){0}).format };

static void store_format(const char *format, char field[FORMAT_BYTES]) {
  memset(field, 0, FORMAT_BYTES);
  for (int i = 0; i < FORMAT_BYTES && format[i] != '\0'; ++i)
    field[i] = format[i];
}

void lutc_make_header(const lutc_kernel_info *info, uint32_t layout_id, size_t payload_bytes,
                      uint64_t payload_checksum, lutc_packed_header *header) {
  memcpy(header->magic, magic, sizeof magic);
  header->version = LUTC_PACKED_VERSION;
  header->layout_id = layout_id;
  header->n = (uint32_t)info->n;
  header->k = (uint32_t)info->k;
  store_format(info->format, header->format);
  header->payload_bytes = payload_bytes;
  header->payload_checksum = payload_checksum;
  header->header_checksum = lutc_checksum(header, offsetof(lutc_packed_header, header_checksum));
}

static lutc_status check_any_header(const lutc_packed_header *header) {
  if (memcmp(header->magic, magic, sizeof magic) != 0)
    return LUTC_NOT_PACKED;
  if (header->version != LUTC_PACKED_VERSION)
    return LUTC_WRONG_VERSION;
  const uint64_t checksum = lutc_checksum(header, offsetof(lutc_packed_header, header_checksum));
  return header->header_checksum == checksum ? LUTC_OK : LUTC_CORRUPT;
}

static lutc_status check_payload(const lutc_packed_header *header) {
  const uint64_t checksum = lutc_checksum(header + 1, header->payload_bytes);
  return checksum == header->payload_checksum ? LUTC_OK : LUTC_CORRUPT;
}

lutc_status lutc_check_any_packed(const lutc_packed_header *header, size_t packed_bytes) {
  const lutc_status status = packed_bytes < sizeof *header ? LUTC_BUFFER_TOO_SMALL : check_any_header(header);
  if (status != LUTC_OK)
    return status;
  return header->payload_bytes == packed_bytes - sizeof *header ? check_payload(header) : LUTC_CORRUPT;
}

/* From the general to the particular, so that the status says what is really wrong with a foreign buffer. */
lutc_status lutc_check_header(const lutc_kernel_info *info, const lutc_variant_code *code,
                              const void *packed) {
  const lutc_packed_header *header = packed;
  char format[FORMAT_BYTES];
  store_format(info->format, format);
  const lutc_status status = check_any_header(header);
  if (status != LUTC_OK)
    return status;
  if (header->n != info->n || header->k != info->k || memcmp(header->format, format, sizeof format) != 0)
    return LUTC_WRONG_KERNEL;
  if (header->layout_id != code->layout_id)
    return LUTC_WRONG_LAYOUT;
  return header->payload_bytes == code->info.packed_bytes - sizeof *header ? LUTC_OK : LUTC_CORRUPT;
}

lutc_status lutc_check_packed_header(const lutc_kernel *kernel, const void *packed, size_t packed_bytes,
                                     const lutc_variant_code **code) {
  if (kernel == NULL || packed == NULL)
    return LUTC_NULL_POINTER;
  if (!lutc_is_aligned(packed, LUTC_ALIGNMENT))
    return LUTC_MISALIGNED;
  if (packed_bytes < sizeof(lutc_packed_header))
    return LUTC_BUFFER_TOO_SMALL;
  if (lutc_is_open(kernel))
    return LUTC_BAD_SHAPE;
  *code = lutc_kernel_code(kernel);
  if (*code == NULL)
    return LUTC_UNSUPPORTED_CPU;
  const lutc_status status = lutc_check_header(&kernel->info, *code, packed);
  if (status != LUTC_OK)
    return status;
  return packed_bytes < (*code)->info.packed_bytes ? LUTC_BUFFER_TOO_SMALL : LUTC_OK;
}

lutc_status lutc_check_packed(const lutc_kernel *kernel, const void *packed, size_t packed_bytes) {
  const lutc_variant_code *code;
  const lutc_status status = lutc_check_packed_header(kernel, packed, packed_bytes, &code);
  return status == LUTC_OK ? check_payload(packed) : status;
}
