/* file.h: the contract between `lutc pack` and the runtime: the packed model file, and the packer without a
   library. Not for users. */
#ifndef LUTC_FILE_H
#define LUTC_FILE_H

#include "kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A packed model, little-endian: header, table of tensors, names, then the tensors' bytes. They start at a
   multiple of LUTC_FILE_PAGE, lie in the table's order and are each aligned to LUTC_ALIGNMENT; the gaps are
   zero. The table is sorted by name, bytewise. A tensor may have the bytes of one before it: the same place
   and contents under another name. */
typedef struct lutc_file_header {
  uint8_t magic[8]; /* "LUTCFILE" */
  uint32_t version; /* LUTC_FILE_VERSION */
  uint32_t tensor_count;
  uint64_t library_hash; /* lutc_library.hash; 0: of no library, for kernels made at run time */
  char variant[16];      /* that it was packed for, zero-padded; layout ids decide */
  uint64_t names_bytes;  /* names lie after the table, each followed by a zero byte */
  uint64_t file_bytes;
  uint64_t table_checksum;  /* of the table and the names */
  uint64_t header_checksum; /* of the bytes before this field */
} lutc_file_header;

#define LUTC_FILE_MAGIC "LUTCFILE"
#define LUTC_FILE_VERSION 3u
#define LUTC_FILE_PAGE 4096

typedef struct lutc_file_record {
  uint64_t name;   /* offset in the names */
  uint64_t offset; /* in the file */
  uint64_t bytes;
  uint64_t checksum; /* lutc_checksum of the bytes; of packed weights: their header_checksum */
  uint32_t role;     /* lutc_role */
  uint32_t type;     /* lutc_type */
  uint32_t kernel;   /* packed weights: index in lutc_library.kernels; else 0 */
  uint32_t layout_id;
  uint32_t shared; /* 1 + index of the record before it that has the same bytes; 0: they are its own */
  uint32_t rank;
  uint64_t shape[LUTC_MAX_RANK]; /* 0 from `rank` on */
  uint64_t source; /* packed weights: lutc_sum_rows of the n rows of blocks that they are, in GGUF; 0: they
                      are made of something else */
} lutc_file_record;

/* As lutc_open_file, for any library: its tensors have no kernels, and their layouts are not compared. */
lutc_status lutc_read_file(const void *data, size_t bytes, lutc_file *file);
/* Where a name stands in the table; SIZE_MAX: nowhere. */
size_t lutc_find_index(const lutc_file *file, const char *name);
/* What the file says of a tensor. */
const lutc_file_record *lutc_record_at(const lutc_file *file, size_t index);

/* lutc_checksum of bytes that come in parts. Every part but the last is a multiple of 32 bytes. */
typedef struct lutc_sum {
  uint64_t lane[4], bytes;
} lutc_sum;

void lutc_sum_begin(lutc_sum *sum);
void lutc_sum_add(lutc_sum *sum, const void *data, size_t bytes);
uint64_t lutc_sum_end(lutc_sum *sum, const void *data, size_t bytes); /* with the last part */

/* A checksum of rows [first, first + count) of a matrix, of which `rows` holds these. Those of parts add up
   to that of all, modulo 2^64; a single changed row always changes it. */
uint64_t lutc_sum_rows(const void *rows, size_t row_bytes, size_t first, size_t count);

/* Bytes of packed weights without their header. */
size_t lutc_payload_bytes(const lutc_kernel_info *info, const lutc_layout *layout);
/* Packs weights into a payload of lutc_payload_bytes, aligned to LUTC_ALIGNMENT. On an error at most its
   columns are touched. */
lutc_status lutc_pack_payload(const lutc_kernel_info *info, const lutc_layout *layout,
                              const lutc_weights *weights, void *payload, size_t payload_bytes);
/* lutc_unpack_rows of a payload; the range is one, and rows have their places. */
lutc_status lutc_unpack_payload(const lutc_kernel_info *info, const lutc_layout *layout, const void *payload,
                                size_t first, size_t count, float *rows, size_t stride);
/* The header in front of a payload. */
void lutc_make_header(const lutc_kernel_info *info, uint32_t layout_id, size_t payload_bytes,
                      uint64_t payload_checksum, lutc_packed_header *header);

/* A band is rows [first_row, first_row + rows) of a matrix, whole tiles or up to its end, packed as a matrix
   of its own. Its payload belongs, piece by piece, into that of the whole matrix. */
typedef struct lutc_piece {
  size_t from, to, bytes; /* offsets in the payloads of the band and of the matrix */
} lutc_piece;

/* Piece number `index`; 0: there are no more. */
int lutc_band_piece(const lutc_kernel_info *info, const lutc_layout *layout, size_t first_row, size_t rows,
                    size_t index, lutc_piece *piece);

#ifdef __cplusplus
}
#endif
#endif
