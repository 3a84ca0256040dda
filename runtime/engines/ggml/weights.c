/* weights.c: which weights are taken, in which formats, and their way into them. */
#include "internal.h"
#include "mapped.h"

#include "gguf.h"

#include <pthread.h>
#include <stdlib.h>

/* Ternary blocks: w158 where those of a matrix share a scale, w158r where those of each row do. */
enum { OF_MATRIX, OF_ROWS, OF_BLOCKS, WAYS };

static const lutc_kernel *find_kernel(const char *format) {
  for (size_t i = 0; i < gguf_library.kernel_count; ++i)
    if (strcmp(lutc_kernel_describe(gguf_library.kernels[i])->format, format) == 0)
      return gguf_library.kernels[i];
  return NULL;
}

/* The kernels of a type's formats; how many. */
static int find_kernels(int number, const lutc_kernel *kernels[WAYS]) {
  const bool is_known = number >= 0 && number < 64 && (lutc_ggml.types >> number & 1);
  const lutc_block_type *type = is_known ? lutc_find_block_type((uint32_t)number) : NULL;
  const char *const formats[WAYS] = {"w158", "w158r", type != NULL ? type->format : NULL};
  int count = 0;
  for (int way = type != NULL && type->traits & LUTC_TERNARY ? OF_MATRIX : OF_BLOCKS; type && way < WAYS;
       ++way)
    if ((kernels[count] = find_kernel(formats[way])) != NULL)
      ++count;
  return count;
}

/* Products are few, and live as long as the process: tensors of any model point to them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static lutc_product *products;

static lutc_product *make_product(const lutc_kernel *open, size_t n, size_t k) {
  const size_t bytes = lutc_made_kernel_bytes(open);
  lutc_product *product = calloc(1, sizeof *product);
  void *memory = aligned_alloc(LUTC_ALIGNMENT, bytes);
  const lutc_kernel *kernel;
  if (product == NULL || memory == NULL || lutc_make_kernel(open, n, k, memory, bytes, &kernel) != LUTC_OK) {
    free(product);
    free(memory);
    return NULL;
  }
  *product =
      (lutc_product){open, kernel, n, k, lutc_round_up(lutc_packed_bytes(kernel), LUTC_ALIGNMENT), products};
  return products = product;
}

/* Null: the format does not have the shape, or memory is short. */
static lutc_product *find_product(const lutc_kernel *open, size_t n, size_t k) {
  pthread_mutex_lock(&lock);
  lutc_product *product = products;
  while (product != NULL && (product->open != open || product->n != n || product->k != k))
    product = product->next;
  if (product == NULL)
    product = make_product(open, n, k);
  pthread_mutex_unlock(&lock);
  return product;
}

static size_t matrices_of(const ggml_tensor *tensor) { return (size_t)(tensor->ne[2] * tensor->ne[3]); }

size_t lutc_weight_bytes(const ggml_tensor *tensor) {
  const lutc_kernel *kernels[WAYS];
  const int ways = find_kernels(tensor->type, kernels);
  const size_t k = (size_t)tensor->ne[0], n = (size_t)tensor->ne[1];
  size_t most = 0;
  if (matrices_of(tensor) == 0)
    return 0;
  for (int way = 0; way < ways; ++way) {
    const lutc_product *product = find_product(kernels[way], n, k);
    if (product == NULL || product->matrix_bytes > SIZE_MAX / matrices_of(tensor))
      return 0;
    most = lutc_max(most, product->matrix_bytes);
  }
  return most * matrices_of(tensor);
}

/* Whether `count` blocks that are not zeros have one scale. */
static bool share_scale(const lutc_block_type *type, const uint8_t *blocks, size_t count) {
  uint16_t shared = 0;
  for (; count-- > 0; blocks += type->bytes) {
    uint16_t scale;
    memcpy(&scale, blocks + type->scale_at, sizeof scale);
    if ((scale & 0x7fff) == 0)
      continue;
    if (shared != 0 && scale != shared)
      return false;
    shared = scale;
  }
  return true;
}

static bool all_share(const lutc_block_type *type, const uint8_t *blocks, size_t sets, size_t set) {
  for (size_t i = 0; i < sets; ++i)
    if (!share_scale(type, blocks + i * set * type->bytes, set))
      return false;
  return true;
}

static int choose_way(const lutc_block_type *type, const ggml_tensor *tensor, const uint8_t *blocks) {
  const size_t row = (size_t)tensor->ne[0] / type->elements, rows = (size_t)tensor->ne[1];
  if (!(type->traits & LUTC_TERNARY) || all_share(type, blocks, matrices_of(tensor), row * rows))
    return OF_MATRIX;
  return all_share(type, blocks, rows * matrices_of(tensor), row) ? OF_ROWS : OF_BLOCKS;
}

/* Takes the matrices of a tensor from a file. Null, or why they are not there. */
static const char *find_matrices(const lutc_mapped *file, const ggml_tensor *tensor, const uint8_t *blocks,
                                 lutc_operand_weights *weights) {
  const lutc_block_type *type = lutc_find_block_type((uint32_t)tensor->type);
  const size_t rows = (size_t)tensor->ne[1], row_bytes = (size_t)tensor->ne[0] / type->elements * type->bytes;
  for (size_t i = 0; i < matrices_of(tensor); ++i, blocks += rows * row_bytes) {
    lutc_mapped_matrix found;
    const char *reason = lutc_find_packed(file, tensor, i, weights->product->kernel, &found);
    if (reason != NULL)
      return reason;
    if (found.source == 0 || found.source != lutc_sum_rows(blocks, row_bytes, 0, rows))
      return "it has other weights";
    weights->matrices[i] = found.packed;
  }
  return NULL;
}

/* In any of the type's formats. */
static const char *map_from(const lutc_mapped *file, const ggml_tensor *tensor, const uint8_t *blocks,
                            lutc_operand_weights *weights) {
  const lutc_kernel *kernels[WAYS];
  const int ways = find_kernels(tensor->type, kernels);
  const char *other_format = lutc_status_string(LUTC_WRONG_KERNEL), *reason = other_format;
  for (int way = 0; way < ways && reason == other_format; ++way) {
    weights->product = find_product(kernels[way], (size_t)tensor->ne[1], (size_t)tensor->ne[0]);
    reason = weights->product != NULL ? find_matrices(file, tensor, blocks, weights) : "there is no memory";
  }
  return reason;
}

static bool map_tensor(const ggml_tensor *tensor, const void *blocks, lutc_mapped *const *files,
                       size_t file_count, lutc_operand_weights *weights) {
  const char *reason = NULL;
  for (size_t i = 0; i < file_count; ++i) {
    const char *why = map_from(files[i], tensor, blocks, weights);
    if (why == NULL)
      return true;
    if (reason == NULL || why != lutc_lacking)
      reason = why;
  }
  if (reason != NULL)
    lutc_count_different(tensor, reason);
  return false;
}

static bool pack_tensor(const ggml_tensor *tensor, const void *blocks, lutc_operand_weights *weights) {
  const lutc_kernel *kernels[WAYS];
  const lutc_block_type *type = lutc_find_block_type((uint32_t)tensor->type);
  find_kernels(tensor->type, kernels);
  const lutc_kernel *open = kernels[choose_way(type, tensor, blocks)];
  const lutc_product *product = find_product(open, (size_t)tensor->ne[1], (size_t)tensor->ne[0]);
  if (product == NULL)
    return false;
  const lutc_status status = lutc_pack_blocks(product, type, matrices_of(tensor), blocks, tensor->data);
  if (status != LUTC_OK) {
    lutc_warn("%s stays with ggml's kernels: %s", tensor->name,
              status == LUTC_BUFFER_TOO_SMALL ? "no memory to pack it" : lutc_status_string(status));
    return false;
  }
  weights->product = product;
  for (size_t i = 0; i < matrices_of(tensor); ++i)
    weights->matrices[i] = (const uint8_t *)tensor->data + i * product->matrix_bytes;
  return true;
}

lutc_operand_weights *lutc_take_tensor(const ggml_tensor *tensor, const void *blocks,
                                       lutc_mapped *const *files, size_t file_count) {
  if (lutc_weight_bytes(tensor) == 0)
    return NULL;
  lutc_operand_weights *weights = malloc(sizeof *weights + matrices_of(tensor) * sizeof *weights->matrices);
  if (weights == NULL)
    return NULL;
  weights->traits.functions = lutc_product_functions;
  const bool is_mapped = map_tensor(tensor, blocks, files, file_count, weights);
  if (!is_mapped && !pack_tensor(tensor, blocks, weights)) {
    free(weights);
    return NULL;
  }
  lutc_count_taken(tensor, weights->product, is_mapped);
  return weights;
}
