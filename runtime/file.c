/* file.c: packed models, read where they are mapped. Opening checks the header, the table and the names, so
   that everything after it may trust them. */
#include "internal.h"

#include <string.h>

size_t lutc_type_bytes(lutc_type type) {
  static const uint8_t bytes[] = {[LUTC_F32] = 4,     [LUTC_F16] = 2,     [LUTC_BF16] = 2,   [LUTC_I8] = 1,
                                  [LUTC_U8] = 1,      [LUTC_I16] = 2,     [LUTC_U16] = 2,    [LUTC_I32] = 4,
                                  [LUTC_U32] = 4,     [LUTC_I64] = 8,     [LUTC_U64] = 8,    [LUTC_F64] = 8,
                                  [LUTC_F8_E4M3] = 1, [LUTC_F8_E5M2] = 1, [LUTC_F8_E8M0] = 1};
  return (size_t)type < sizeof bytes ? bytes[type] : 0;
}

static const lutc_file_record *table_of(const lutc_file *file) {
  return (const lutc_file_record *)(const void *)(file->data + sizeof(lutc_file_header));
}

const lutc_file_record *lutc_record_at(const lutc_file *file, size_t index) { return &table_of(file)[index]; }

static const char *names_of(const lutc_file *file) {
  return (const char *)(table_of(file) + file->tensor_count);
}

/* Bytes of the elements; SIZE_MAX where the shape is none. */
static size_t shape_bytes(const lutc_file_record *record) {
  size_t bytes = lutc_type_bytes((lutc_type)record->type);
  if (bytes == 0 || record->rank > LUTC_MAX_RANK)
    return SIZE_MAX;
  for (uint32_t i = 0; i < record->rank; ++i) {
    if (record->shape[i] != 0 && bytes > (SIZE_MAX - 1) / record->shape[i])
      return SIZE_MAX;
    bytes *= record->shape[i];
  }
  return bytes;
}

/* Packed weights have their header at least; how many bytes they have is the kernel's to say. */
static int is_record(const lutc_file_record *record) {
  switch (record->role) {
  case LUTC_PACKED:
    return record->rank == 2 && record->bytes >= sizeof(lutc_packed_header);
  case LUTC_PLAIN:
    return shape_bytes(record) == record->bytes;
  default:
    return 0;
  }
}

/* All but the name and what is shared is as in an earlier record that has bytes of its own. */
static int is_shared(const lutc_file *file, size_t index) {
  const lutc_file_record *record = &table_of(file)[index];
  if (record->shared > index)
    return 0;
  lutc_file_record other = table_of(file)[record->shared - 1];
  if (other.shared != 0)
    return 0;
  other.name = record->name;
  other.shared = record->shared;
  return memcmp(&other, record, sizeof other) == 0;
}

/* Every name ends inside the names, and so do the tensors inside the file, one after the other. */
static int is_table(const lutc_file *file, uint64_t names_bytes) {
  const char *names = names_of(file);
  uint64_t end = lutc_round_up((size_t)((const uint8_t *)names - file->data) + names_bytes, LUTC_FILE_PAGE);
  if (file->tensor_count != 0 && (names_bytes == 0 || names[names_bytes - 1] != '\0'))
    return 0;
  for (size_t i = 0; i < file->tensor_count; ++i) {
    const lutc_file_record *record = &table_of(file)[i];
    if (record->name >= names_bytes || (i != 0 && strcmp(names + record[-1].name, names + record->name) >= 0))
      return 0;
    if (record->shared != 0) {
      if (!is_shared(file, i))
        return 0;
      continue;
    }
    if (record->offset % LUTC_ALIGNMENT != 0 || record->offset < end || record->offset > file->bytes ||
        record->bytes > file->bytes - record->offset || !is_record(record))
      return 0;
    end = record->offset + record->bytes;
  }
  return 1;
}

/* From the general to the particular, so that the status says what is really wrong with a foreign file. */
static lutc_status check_file_header(const void *data, size_t bytes) {
  const lutc_file_header *header = data;
  if (bytes < sizeof header->magic || memcmp(header->magic, LUTC_FILE_MAGIC, sizeof header->magic) != 0)
    return LUTC_NOT_PACKED;
  if (bytes < sizeof *header)
    return LUTC_TRUNCATED;
  if (header->version != LUTC_FILE_VERSION)
    return LUTC_WRONG_VERSION;
  if (header->header_checksum != lutc_checksum(header, offsetof(lutc_file_header, header_checksum)))
    return LUTC_CORRUPT;
  return bytes < header->file_bytes ? LUTC_TRUNCATED : LUTC_OK;
}

lutc_status lutc_read_file(const void *data, size_t bytes, lutc_file *file) {
  if (data == NULL || file == NULL)
    return LUTC_NULL_POINTER;
  memset(file, 0, sizeof *file);
  if (!lutc_is_aligned(data, LUTC_ALIGNMENT))
    return LUTC_MISALIGNED;
  const lutc_status status = check_file_header(data, bytes);
  if (status != LUTC_OK)
    return status;
  const lutc_file_header *header = data;
  const lutc_file read = {NULL, data, header->file_bytes, header->tensor_count};
  const size_t table_bytes = read.tensor_count * sizeof(lutc_file_record);
  if (read.bytes < sizeof *header || read.bytes - sizeof *header < table_bytes ||
      read.bytes - sizeof *header - table_bytes < header->names_bytes)
    return LUTC_CORRUPT;
  if (header->table_checksum != lutc_checksum(header + 1, table_bytes + header->names_bytes) ||
      !is_table(&read, header->names_bytes))
    return LUTC_CORRUPT;
  *file = read;
  return LUTC_OK;
}

/* Whether packed weights are what their kernel takes in the variant in use. */
static lutc_status check_kernel(const lutc_library *library, const lutc_file_record *record) {
  if (record->kernel >= library->kernel_count)
    return LUTC_CORRUPT;
  const lutc_kernel *kernel = library->kernels[record->kernel];
  const lutc_variant_code *code = lutc_kernel_code(kernel);
  if (code == NULL)
    return LUTC_UNSUPPORTED_CPU;
  if (record->layout_id != code->layout_id)
    return LUTC_WRONG_LAYOUT;
  return record->bytes == code->info.packed_bytes && record->shape[0] == kernel->info.n &&
                 record->shape[1] == kernel->info.k
             ? LUTC_OK
             : LUTC_CORRUPT;
}

lutc_status lutc_open_file(const lutc_library *library, const void *data, size_t bytes, lutc_file *file) {
  lutc_file read;
  if (library == NULL || file == NULL)
    return LUTC_NULL_POINTER;
  memset(file, 0, sizeof *file);
  lutc_status status = lutc_read_file(data, bytes, &read);
  const uint64_t hash = status == LUTC_OK ? ((const lutc_file_header *)data)->library_hash : 0;
  if (hash != 0 && hash != library->hash)
    status = LUTC_WRONG_LIBRARY;
  for (size_t i = 0; status == LUTC_OK && hash != 0 && i < read.tensor_count; ++i)
    if (lutc_record_at(&read, i)->role == LUTC_PACKED)
      status = check_kernel(library, lutc_record_at(&read, i));
  if (status != LUTC_OK)
    return status;
  *file = read;
  file->library = hash != 0 ? library : NULL;
  return LUTC_OK;
}

lutc_status lutc_tensor_at(const lutc_file *file, size_t index, lutc_tensor *tensor) {
  if (file == NULL || tensor == NULL)
    return LUTC_NULL_POINTER;
  memset(tensor, 0, sizeof *tensor);
  if (index >= file->tensor_count)
    return LUTC_UNKNOWN_TENSOR;
  const lutc_file_record *record = &table_of(file)[index];
  tensor->name = names_of(file) + record->name;
  tensor->role = (lutc_role)record->role;
  tensor->type = (lutc_type)record->type;
  tensor->rank = record->rank;
  for (size_t i = 0; i < record->rank; ++i)
    tensor->shape[i] = record->shape[i];
  tensor->data = file->data + record->offset;
  tensor->bytes = record->bytes;
  tensor->checksum = record->checksum;
  if (record->role == LUTC_PACKED && file->library != NULL)
    tensor->kernel = file->library->kernels[record->kernel];
  return LUTC_OK;
}

size_t lutc_find_index(const lutc_file *file, const char *name) {
  size_t begin = 0, end = file->tensor_count;
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    const int order = strcmp(name, names_of(file) + table_of(file)[middle].name);
    if (order == 0)
      return middle;
    if (order < 0)
      end = middle;
    else
      begin = middle + 1;
  }
  return SIZE_MAX;
}

lutc_status lutc_find_tensor(const lutc_file *file, const char *name, lutc_tensor *tensor) {
  if (file == NULL || name == NULL || tensor == NULL)
    return LUTC_NULL_POINTER;
  return lutc_tensor_at(file, lutc_find_index(file, name), tensor);
}

lutc_status lutc_check_tensor(const lutc_tensor *tensor) {
  if (tensor == NULL || tensor->data == NULL)
    return LUTC_NULL_POINTER;
  if (tensor->role == LUTC_PACKED) {
    const lutc_packed_header *header = tensor->data;
    const lutc_status status = tensor->kernel != NULL
                                   ? lutc_check_packed(tensor->kernel, header, tensor->bytes)
                                   : lutc_check_any_packed(header, tensor->bytes);
    return status == LUTC_OK && header->header_checksum != tensor->checksum ? LUTC_CORRUPT : status;
  }
  return lutc_checksum(tensor->data, tensor->bytes) == tensor->checksum ? LUTC_OK : LUTC_CORRUPT;
}

lutc_status lutc_check_file(const lutc_file *file) {
  if (file == NULL)
    return LUTC_NULL_POINTER;
  lutc_status status = LUTC_OK;
  for (size_t i = 0; i < file->tensor_count && status == LUTC_OK; ++i) {
    lutc_tensor tensor;
    status = lutc_tensor_at(file, i, &tensor);
    if (status == LUTC_OK)
      status = lutc_check_tensor(&tensor);
  }
  return status;
}
