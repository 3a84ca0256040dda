/* ort.h: what the plug-in knows of ONNX Runtime's C API: the functions it calls and the struct of a custom
   op. The API is a table of functions that only grows: each has the same place in every version. */
#ifndef LUTC_ORT_H
#define LUTC_ORT_H

#include <stddef.h>
#include <stdint.h>

enum { ORT_VERSION = 20 }; /* of the API: since then the built-in op has a bias and f16 */

/* Types of elements, characteristics of inputs, codes of statuses, types of attributes and of allocators,
   levels of the log. */
enum { ORT_UNDEFINED = 0, ORT_FLOAT = 1, ORT_UINT8 = 2, ORT_INT32 = 6, ORT_FLOAT16 = 10 };
enum { ORT_REQUIRED = 0, ORT_OPTIONAL = 1 };
enum { ORT_FAIL = 1, ORT_INVALID_ARGUMENT = 2 };
enum { ORT_INT = 1 };
enum { ORT_ARENA = 1, ORT_DEFAULT_MEMORY = 0 };
enum { ORT_INFO = 1, ORT_WARNING = 2 };

/* Objects that only the runtime looks into. */
typedef struct ort_status ort_status;
typedef struct ort_session_options ort_session_options;
typedef struct ort_domain ort_domain;
typedef struct ort_kernel_info ort_kernel_info;
typedef struct ort_context ort_context; /* of a call of a kernel */
typedef struct ort_value ort_value;
typedef struct ort_shape ort_shape; /* and type of elements */
typedef struct ort_memory_info ort_memory_info;
typedef struct ort_allocator ort_allocator;
typedef struct ort_attribute ort_attribute;
typedef struct ort_op ort_op;
typedef struct ort_logger ort_logger;

typedef struct ort_api_base {
  void *const *(*get_api)(uint32_t version);
  const char *(*get_version)(void);
} ort_api_base;

/* OrtCustomOp as of ORT_VERSION. */
typedef struct ort_custom_op {
  uint32_t version;
  void *(*create_kernel_1)(const struct ort_custom_op *, void *const *api, const ort_kernel_info *);
  const char *(*get_name)(const struct ort_custom_op *);
  const char *(*get_execution_provider)(const struct ort_custom_op *); /* null: the CPU's */
  int (*get_input_type)(const struct ort_custom_op *, size_t index);
  size_t (*get_input_count)(const struct ort_custom_op *);
  int (*get_output_type)(const struct ort_custom_op *, size_t index);
  size_t (*get_output_count)(const struct ort_custom_op *);
  void (*compute_1)(void *kernel, ort_context *);
  void (*destroy_kernel)(void *kernel);
  int (*get_input_characteristic)(const struct ort_custom_op *, size_t index);
  int (*get_output_characteristic)(const struct ort_custom_op *, size_t index);
  int (*get_input_memory)(const struct ort_custom_op *, size_t index);
  int (*get_variadic[4])(const struct ort_custom_op *); /* of inputs and outputs that are variadic */
  ort_status *(*create_kernel)(const struct ort_custom_op *, void *const *api, const ort_kernel_info *,
                               void **kernel);
  ort_status *(*compute)(void *kernel, ort_context *);
  ort_status *(*infer_shapes)(const struct ort_custom_op *, void *);
  int (*get_start_version)(const struct ort_custom_op *);
  int (*get_end_version)(const struct ort_custom_op *);
  size_t (*get_in_place)(int **inputs, int **outputs);
  void (*release_in_place)(int *inputs, int *outputs);
  size_t (*get_aliases)(int **inputs, int **outputs);
  void (*release_aliases)(int *inputs, int *outputs);
} ort_custom_op;

/* F(place in the table, result, name, arguments). A status is null where all went well. */
#define LUTC_ORT_FUNCTIONS(F)                                                                                \
  F(0, ort_status *, create_status, (int code, const char *message))                                         \
  F(26, ort_status *, create_domain, (const char *name, ort_domain **))                                      \
  F(27, ort_status *, add_op, (ort_domain *, const ort_custom_op *))                                         \
  F(28, ort_status *, add_domain, (ort_session_options *, ort_domain *))                                     \
  F(49, ort_status *, create_tensor,                                                                         \
    (const ort_memory_info *, void *data, size_t bytes, const int64_t *dimensions, size_t rank, int type,    \
     ort_value **))                                                                                          \
  F(51, ort_status *, get_data, (const ort_value *, void **data))                                            \
  F(60, ort_status *, get_element_type, (const ort_shape *, int *type))                                      \
  F(61, ort_status *, get_rank, (const ort_shape *, size_t *rank))                                           \
  F(62, ort_status *, get_dimensions, (const ort_shape *, int64_t *dimensions, size_t rank))                 \
  F(64, ort_status *, get_count, (const ort_shape *, size_t *elements))                                      \
  F(65, ort_status *, get_shape, (const ort_value *, ort_shape **))                                          \
  F(69, ort_status *, create_cpu_memory_info, (int allocator, int memory, ort_memory_info **))               \
  F(75, ort_status *, allocate, (ort_allocator *, size_t bytes, void **memory))                              \
  F(76, ort_status *, free, (ort_allocator *, void *memory))                                                 \
  F(86, ort_status *, get_attribute, (const ort_kernel_info *, const char *name, int64_t *value))            \
  F(90, ort_status *, get_input, (const ort_context *, size_t index, const ort_value **))                    \
  F(91, ort_status *, get_output,                                                                            \
    (ort_context *, size_t index, const int64_t *dimensions, size_t rank, ort_value **))                     \
  F(93, void, release_status, (ort_status *))                                                                \
  F(96, void, release_value, (ort_value *))                                                                  \
  F(99, void, release_shape, (ort_shape *))                                                                  \
  F(132, void, release_allocator, (ort_allocator *))                                                         \
  F(211, ort_status *, create_attribute,                                                                     \
    (const char *name, const void *value, int count, int type, ort_attribute **))                            \
  F(212, void, release_attribute, (ort_attribute *))                                                         \
  F(213, ort_status *, create_op,                                                                            \
    (const ort_kernel_info *, const char *name, const char *domain, int version, const char **type_names,    \
     const int *types, int type_count, const ort_attribute *const *, int attribute_count, int input_count,   \
     int output_count, ort_op **))                                                                           \
  F(214, ort_status *, invoke_op,                                                                            \
    (const ort_context *, const ort_op *, const ort_value *const *inputs, int input_count,                   \
     ort_value *const *outputs, int output_count))                                                           \
  F(215, void, release_op, (ort_op *))                                                                       \
  F(230, ort_status *, get_input_count, (const ort_kernel_info *, size_t *count))                            \
  F(232, ort_status *, get_input_name, (const ort_kernel_info *, size_t index, char *name, size_t *bytes))   \
  F(244, ort_status *, get_node_name, (const ort_kernel_info *, char *name, size_t *bytes))                  \
  F(245, ort_status *, get_info_logger, (const ort_kernel_info *, const ort_logger **))                      \
  F(246, ort_status *, get_logger, (const ort_context *, const ort_logger **))                               \
  F(247, ort_status *, log,                                                                                  \
    (const ort_logger *, int level, const char *message, const char *file, int line, const char *function))  \
  F(249, ort_status *, get_constant_input,                                                                   \
    (const ort_kernel_info *, size_t index, int *is_constant, const ort_value **))                           \
  F(253, ort_status *, get_allocator, (const ort_context *, const ort_memory_info *, ort_allocator **))      \
  F(274, ort_status *, parallel_for,                                                                         \
    (const ort_context *, void (*task)(void *, size_t), size_t tasks, size_t batches, void *argument))

typedef struct ort_api {
#define LUTC_ORT_POINTER(place, result, name, arguments) result(*name) arguments;
  LUTC_ORT_FUNCTIONS(LUTC_ORT_POINTER)
#undef LUTC_ORT_POINTER
} ort_api;

#endif
