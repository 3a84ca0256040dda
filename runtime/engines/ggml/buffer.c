/* buffer.c: the buffer type. Buffers are the CPU's, with functions of our own in place of some of its. */
#include "internal.h"
#include "mapped.h"

#include <pthread.h>
#include <stdlib.h>

/* Places in ggml_backend_buffer: functions first, then its type, context and size. Versions differ in the
   number of functions; the one in front of `clear` and `reset`, the last two, copies tensors. */
enum { FREE = 0, SET_TENSOR = 4, GET_TENSOR = 5, COPY_TENSOR_FROM_TYPE = 3, LEAST_TYPE = 9, MOST_TYPE = 15 };

/* What belongs to a buffer of the type. */
typedef struct buffer_parts {
  struct buffer_parts *next;
  ggml_buffer *buffer;
  void (*free_buffer)(ggml_buffer *); /* the CPU's */
  lutc_operand_weights *weights;
  size_t file_count;
  lutc_mapped *files[LUTC_MOST_MAPPED];
} buffer_parts;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static buffer_parts *all_parts;

/* Takes it out of the list if `is_last`. */
static buffer_parts *find_parts(const ggml_buffer *buffer, bool is_last) {
  pthread_mutex_lock(&lock);
  buffer_parts **link = &all_parts, *parts;
  while (*link != NULL && (*link)->buffer != buffer)
    link = &(*link)->next;
  parts = *link;
  if (is_last && parts != NULL)
    *link = parts->next;
  pthread_mutex_unlock(&lock);
  return parts;
}

bool lutc_has_buffers(void) { return all_parts != NULL; }

static void free_buffer(ggml_buffer *buffer) {
  buffer_parts *parts = find_parts(buffer, true);
  if (parts == NULL)
    return;
  while (parts->weights != NULL) {
    lutc_operand_weights *weights = parts->weights;
    parts->weights = weights->next;
    free(weights);
  }
  for (size_t i = 0; i < parts->file_count; ++i)
    lutc_close_mapped(parts->files[i]);
  parts->free_buffer(buffer);
  free(parts);
}

static const char *get_name(ggml_buffer_type *type) {
  (void)type;
  return "LUTC";
}

static void set_tensor(ggml_buffer *buffer, ggml_tensor *tensor, const void *data, size_t offset,
                       size_t bytes) {
  buffer_parts *parts = find_parts(buffer, false);
  lutc_operand_weights *weights = NULL;
  if (parts != NULL && offset == 0 && bytes == lutc_ggml.nbytes(tensor) && tensor->view_src == NULL)
    weights = lutc_take_tensor(tensor, data, parts->files, parts->file_count);
  if (weights != NULL) {
    weights->next = parts->weights;
    parts->weights = weights;
  } else {
    memcpy((char *)tensor->data + offset, data, bytes);
  }
  tensor->extra = weights;
}

/* Nobody reads weights back but programs that write models, which have no use for packed ones. */
static void get_tensor(ggml_buffer *buffer, const ggml_tensor *tensor, void *data, size_t offset,
                       size_t bytes) {
  (void)buffer;
  if (tensor->extra == NULL) {
    memcpy(data, (const char *)tensor->data + offset, bytes);
    return;
  }
  lutc_warn("%s is packed, and reads as zeros; run the program with LUTC_OFF=1", tensor->name);
  memset(data, 0, bytes);
}

/* Where the type stands in a buffer of the CPU; 0: not where a known version has it. */
static size_t type_place(ggml_buffer *buffer, ggml_buffer_type *cpu_type) {
  void **words = (void **)buffer;
  for (size_t i = LEAST_TYPE; i <= MOST_TYPE; ++i)
    if (words[i] == cpu_type)
      return words[i + 1] == lutc_ggml.backend_buffer_get_base(buffer) &&
                     (size_t)words[i + 2] == lutc_ggml.backend_buffer_get_size(buffer)
                 ? i
                 : 0;
  return 0;
}

static ggml_buffer *alloc_buffer(ggml_buffer_type *type, size_t bytes) {
  ggml_buffer_type *cpu_type = lutc_ggml.backend_cpu_buffer_type();
  ggml_buffer *buffer = lutc_ggml.backend_buft_alloc_buffer(cpu_type, bytes);
  const size_t place = buffer != NULL ? type_place(buffer, cpu_type) : 0;
  buffer_parts *parts = calloc(1, sizeof *parts);
  if (place == 0 || parts == NULL) {
    if (buffer != NULL)
      lutc_ggml.backend_buffer_free(buffer);
    free(parts);
    return NULL;
  }
  void **words = (void **)buffer;
  void (*release)(ggml_buffer *) = free_buffer;
  parts->buffer = buffer;
  memcpy(&parts->free_buffer, &words[FREE], sizeof parts->free_buffer);
  memcpy(&words[FREE], &release, sizeof release);
  parts->file_count = lutc_ggml.is_tried ? lutc_open_mapped(parts->files) : 0;
  pthread_mutex_lock(&lock);
  parts->next = all_parts;
  all_parts = parts;
  pthread_mutex_unlock(&lock);
  void (*set)(ggml_buffer *, ggml_tensor *, const void *, size_t, size_t) = set_tensor;
  void (*get)(ggml_buffer *, const ggml_tensor *, void *, size_t, size_t) = get_tensor;
  memcpy(&words[SET_TENSOR], &set, sizeof set);
  memcpy(&words[GET_TENSOR], &get, sizeof get);
  for (size_t i = GET_TENSOR + 1; i <= place - COPY_TENSOR_FROM_TYPE; ++i)
    words[i] = NULL; /* optional: copies go through the two above */
  words[place] = type;
  return buffer;
}

static size_t get_alignment(ggml_buffer_type *type) {
  (void)type;
  return LUTC_ALIGNMENT;
}

/* Where weights are not packed, they take their own size. */
static size_t get_alloc_size(ggml_buffer_type *type, const ggml_tensor *tensor) {
  (void)type;
  const size_t stored = lutc_ggml.nbytes(tensor), packed = lutc_weight_bytes(tensor);
  return packed > stored ? packed : stored;
}

/* What is taken while a model is loaded is taken whatever the number of tokens and sequences will be. */
static bool supports_op(ggml_extra_type *type, ggml_device *device, const ggml_tensor *op) {
  (void)type, (void)device;
  const ggml_tensor *w = op->src[0], *x = op->src[1];
  if ((op->op != lutc_ggml.mul_mat_op && op->op != lutc_ggml.mul_mat_id_op) || !lutc_owns(w))
    return false;
  if (lutc_weight_bytes(w) == 0) {
    lutc_count_left(w->type);
    return false;
  }
  const bool is_host =
      x->buffer == NULL || lutc_ggml.backend_buft_is_host(lutc_ggml.backend_buffer_get_type(x->buffer));
  return w->view_src == NULL && x->type == GGML_F32 && op->type == GGML_F32 && is_host;
}

static ggml_traits *get_tensor_traits(ggml_extra_type *type, const ggml_tensor *op) {
  (void)type;
  if (op->op != lutc_ggml.mul_mat_op && op->op != lutc_ggml.mul_mat_id_op)
    return NULL;
  return lutc_owns(op->src[0]) ? op->src[0]->extra : NULL;
}

static const struct {
  ggml_class_head head;
  ggml_extra_functions functions;
} extra_class = {{0, NULL}, {NULL, NULL, supports_op, get_tensor_traits}};

static ggml_extra_type extra_type = {&extra_class.functions};

ggml_buffer_type lutc_buffer_type = {get_name,       alloc_buffer, get_alignment, NULL,
                                     get_alloc_size, NULL,         NULL,          &extra_type};
