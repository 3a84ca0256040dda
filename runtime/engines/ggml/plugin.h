/* plugin.h: what the files of the plug-in share. */
#ifndef LUTC_GGML_PLUGIN_H
#define LUTC_GGML_PLUGIN_H

#include "blocks.h"
#include "ggml.h"
#include "lutc.h"

/* The engine that has loaded the plug-in. */
typedef struct lutc_engine {
#define LUTC_GGML_POINTER(result, name, arguments) result(*name) arguments;
  LUTC_GGML_FUNCTIONS(LUTC_GGML_POINTER)
#undef LUTC_GGML_POINTER
  void (*log)(int level, const char *format, ...); /* null: stderr */
  void (*barrier)(ggml_threadpool *);
  ggml_registry *cpu;
  ggml_type_vector *extra_types;
  int mul_mat_op, mul_mat_id_op; /* numbers */
  uint64_t types;                /* bit t: type t is here what blocks.h says */
  bool is_tried;                 /* the trial product went well */
} lutc_engine;

extern lutc_engine lutc_ggml;

/* engine.c: finds the libraries of ggml that `caller` belongs to or uses. Null, or why not. */
const char *lutc_find_engine(const void *caller);
/* check.c: compares the structs of ggml.h with tensors that ggml makes. Null, or what does not fit. */
const char *lutc_check_structs(void);
/* Runs a small product on the CPU back end with the plug-in's buffers. Null, or what went wrong. */
const char *lutc_run_trial(void);

typedef struct lutc_mapped lutc_mapped; /* mapped.h */

/* log.c: one line, through ggml's log; not with LUTC_QUIET. */
void lutc_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void lutc_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Counts weights that were packed or found in a file, differ from a file's, or were left to ggml; says so
   when they are used first. */
void lutc_count_different(const ggml_tensor *weights, const char *reason);
void lutc_count_left(int type);
void lutc_say_counts(void);

/* Weights of one format and shape. */
typedef struct lutc_product {
  const lutc_kernel *open, *kernel;
  size_t n, k;
  size_t matrix_bytes; /* of packed weights, up to the next expert's */
  struct lutc_product *next;
} lutc_product;

void lutc_count_taken(const ggml_tensor *weights, const lutc_product *product, bool is_mapped);

/* tensor->extra of packed weights, an object of ggml's class tensor_traits. Without it the tensor holds
   blocks of GGUF as they were given, and ggml multiplies them. */
typedef struct lutc_operand_weights {
  ggml_traits traits;
  const lutc_product *product;
  struct lutc_operand_weights *next; /* of the same buffer */
  const uint8_t *matrices[];         /* packed */
} lutc_operand_weights;

/* weights.c: bytes for the weights of a tensor in any of its type's formats; 0: they are not taken. */
size_t lutc_weight_bytes(const ggml_tensor *tensor);
/* Finds the weights of a tensor in a file, or packs its blocks of GGUF into tensor->data, on all cores; the
   result is the caller's to free. Null where that cannot be done (a scale is not finite, memory is short). */
lutc_operand_weights *lutc_take_tensor(const ggml_tensor *tensor, const void *blocks,
                                       lutc_mapped *const *files, size_t file_count);

/* pack.c */
lutc_status lutc_pack_blocks(const lutc_product *product, const lutc_block_type *type, size_t matrices,
                             const uint8_t *blocks, uint8_t *packed);

/* product.c */
extern const ggml_traits_functions *const lutc_product_functions;

/* buffer.c */
extern ggml_buffer_type lutc_buffer_type;
bool lutc_has_buffers(void);
/* Whether tensors of it are packed weights of the plug-in. */
static inline bool lutc_owns(const ggml_tensor *tensor) {
  return tensor->buffer != NULL && lutc_ggml.backend_buffer_get_type(tensor->buffer) == &lutc_buffer_type;
}

#endif
