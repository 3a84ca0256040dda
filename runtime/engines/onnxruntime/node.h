/* node.h: what the files of the plug-in share. */
#ifndef LUTC_ORT_NODE_H
#define LUTC_ORT_NODE_H

#include "lutc.h"
#include "ort.h"

#include <pthread.h>
#include <stdbool.h>

/* Inputs of MatMulNBits. */
enum { INPUT_A, INPUT_B, INPUT_SCALES, INPUT_ZERO_POINTS, INPUT_G_IDX, INPUT_BIAS, INPUTS };

/* One ONNX Runtime of the process. */
typedef struct lutc_runtime {
  ort_api ort;
  const ort_memory_info *memory; /* where scratch is taken from */
} lutc_runtime;

/* A tensor's elements. */
typedef struct lutc_elements {
  int type;
  size_t count;
  void *data;
} lutc_elements;

/* Inputs B, scales and zero_points; the last without data where there are none. */
typedef struct lutc_inputs {
  lutc_elements codes, scales, zero_points;
} lutc_inputs;

/* Of weights: constant ones are packed when the session is created, others when they are used first. */
typedef enum lutc_state { LUTC_LEFT, LUTC_WAITING, LUTC_TAKEN } lutc_state;

/* A node of a session. */
typedef struct lutc_node {
  const lutc_runtime *runtime;
  int type; /* of A, scales, bias and Y: ORT_FLOAT or ORT_FLOAT16 */
  size_t n, k, bits, block;
  int64_t accuracy, prepacked; /* attributes accuracy_level and weight_prepacked */
  ort_op *builtin;             /* null: the weights are constant, and taken */
  _Atomic lutc_state state;
  void *kernel_memory, *packed; /* from here on of taken weights */
  const lutc_kernel *kernel;
  size_t terms;         /* rows that activations are split to (terms.h) */
  size_t threads;       /* that work is cut for */
  pthread_mutex_t lock; /* of changes of `state` */
  uint64_t checksum;    /* of inputs that are not constant */
} lutc_node;

enum { LUTC_MOST_RANK = 16 };

typedef struct lutc_dimensions {
  int64_t sizes[LUTC_MOST_RANK];
  size_t rank;
} lutc_dimensions;

/* Memory of a call, from the session's arena. */
typedef struct lutc_scratch {
  ort_allocator *allocator;
  void *allocated;
  uint8_t *memory; /* a multiple of LUTC_ALIGNMENT */
} lutc_scratch;

/* engine.c: frees a status; whether there was none. */
bool lutc_is_ok(const ort_api *ort, ort_status *status);
bool lutc_get_elements(const ort_api *ort, const ort_value *value, lutc_elements *elements);
ort_status *lutc_get_dimensions(const ort_api *ort, const ort_value *value, lutc_dimensions *dimensions);
bool lutc_has_input(const ort_api *ort, const ort_kernel_info *info, size_t index);
/* The elements of an input that is the same in all calls. */
bool lutc_get_constant(const ort_api *ort, const ort_kernel_info *info, size_t index,
                       lutc_elements *elements);
/* Is freed in either case. */
ort_status *lutc_take_scratch(const lutc_runtime *runtime, const ort_context *context, size_t bytes,
                              lutc_scratch *scratch);
void lutc_free_scratch(const lutc_runtime *runtime, lutc_scratch *scratch);

/* weights.c: null, or what keeps weights from being taken, whatever they are. */
const char *lutc_refuse_node(const lutc_node *node, const ort_kernel_info *info);
/* Packs weights. Null, or what keeps them from being packed. */
const char *lutc_pack_weights(lutc_node *node, const lutc_inputs *inputs);

/* variable.c: whether the weights of a call are those that were packed; packs them where it is the first. */
bool lutc_has_packed(lutc_node *node, const ort_value *const *inputs, const lutc_parallel *parallel);

/* product.c: one call of the op. */
ort_status *lutc_compute(lutc_node *node, ort_context *context);

/* builtin.c: the built-in op with the attributes of the node, in f32: that of f16 reads memory that it has
   freed where scales are not packed, in ONNX Runtime 1.20 to 1.23. */
ort_status *lutc_create_builtin(lutc_node *node, const ort_kernel_info *info);
ort_status *lutc_compute_builtin(const lutc_node *node, ort_context *context, const ort_value *const *inputs,
                                 ort_value *y);

/* log.c: counts nodes; one line in the session's log when they are used first. Nothing with LUTC_QUIET. */
void lutc_count_packed(const lutc_node *node);
void lutc_count_waiting(int change);
void lutc_count_left(const char *reason);
void lutc_say_counts(const ort_api *ort, const ort_context *context);
/* What keeps the plug-in out of the process, to stderr. */
void lutc_say_left_out(const char *reason);

#endif
