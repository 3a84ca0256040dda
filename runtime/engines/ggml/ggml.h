/* ggml.h: what the plug-in knows of ggml: the structs it reads or fills, and the functions that it finds in
   the libraries which the engine has loaded. check.c compares all of it with them before anything is used. */
#ifndef LUTC_GGML_H
#define LUTC_GGML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GGML_API_VERSION = 2, GGML_F32 = 0, GGML_I32 = 26 }; /* of ggml_backend_reg; numbers of GGUF's types */

typedef struct ggml_buffer ggml_buffer;
typedef struct ggml_device ggml_device;
typedef struct ggml_backend ggml_backend;
typedef struct ggml_context ggml_context;
typedef struct ggml_graph ggml_graph;
typedef struct ggml_threadpool ggml_threadpool;

typedef struct ggml_tensor {
  int type;
  ggml_buffer *buffer;
  int64_t ne[4]; /* elements, the contiguous dimension first */
  size_t nb[4];  /* strides in bytes */
  int op;
  int32_t op_params[16], flags;
  struct ggml_tensor *src[10], *view_src;
  size_t view_offset;
  void *data;
  char name[64];
  void *extra;
  char padding[8];
} ggml_tensor;

typedef struct ggml_buffer_type {
  const char *(*get_name)(struct ggml_buffer_type *);
  ggml_buffer *(*alloc_buffer)(struct ggml_buffer_type *, size_t bytes);
  size_t (*get_alignment)(struct ggml_buffer_type *);
  size_t (*get_max_size)(struct ggml_buffer_type *);
  size_t (*get_alloc_size)(struct ggml_buffer_type *, const ggml_tensor *);
  bool (*is_host)(struct ggml_buffer_type *);
  ggml_device *device;
  void *context; /* of types in the CPU's vector: a ggml_extra_type */
} ggml_buffer_type;

typedef struct ggml_registry {
  int api_version;
  const char *(*get_name)(struct ggml_registry *);
  size_t (*get_device_count)(struct ggml_registry *);
  ggml_device *(*get_device)(struct ggml_registry *, size_t index);
  void *(*get_proc_address)(struct ggml_registry *, const char *name);
  void *context;
} ggml_registry;

/* Of a call of compute_forward, which every thread of a graph makes. */
typedef struct ggml_params {
  int ith, nth;
  size_t wsize;
  void *wdata; /* shared by the threads, as large as work_size asked for */
  ggml_threadpool *threadpool;
} ggml_params;

/* Two classes of ggml-cpu/traits.h. An object begins with a pointer to its class's functions, which lie
   behind two words in the Itanium C++ ABI (2.5.2); the destructors are never called. */
typedef struct ggml_traits {
  const struct ggml_traits_functions *functions;
} ggml_traits;

typedef struct ggml_traits_functions {
  void (*destroy)(ggml_traits *), (*destroy_and_free)(ggml_traits *);
  bool (*work_size)(ggml_traits *, int threads, const ggml_tensor *op, size_t *bytes);
  bool (*compute_forward)(ggml_traits *, ggml_params *, ggml_tensor *op);
} ggml_traits_functions;

typedef struct ggml_extra_type {
  const struct ggml_extra_functions *functions;
} ggml_extra_type;

typedef struct ggml_extra_functions {
  void (*destroy)(ggml_extra_type *), (*destroy_and_free)(ggml_extra_type *);
  bool (*supports_op)(ggml_extra_type *, ggml_device *, const ggml_tensor *op);
  ggml_traits *(*get_tensor_traits)(ggml_extra_type *, const ggml_tensor *op);
} ggml_extra_functions;

typedef struct ggml_class_head {
  ptrdiff_t offset_to_top;
  const void *type;
} ggml_class_head;

/* std::vector<ggml_buffer_type *> of libstdc++ and libc++. */
typedef struct ggml_type_vector {
  ggml_buffer_type **begin, **end, **limit;
} ggml_type_vector;

typedef struct ggml_init_params {
  size_t memory_bytes;
  void *memory;
  bool no_alloc;
} ggml_init_params;

/* F(result, name, arguments); symbols have the prefix ggml_. */
#define LUTC_GGML_FUNCTIONS(F)                                                                               \
  F(const char *, type_name, (int type))                                                                     \
  F(size_t, type_size, (int type))                                                                           \
  F(int64_t, blck_size, (int type))                                                                          \
  F(size_t, nbytes, (const ggml_tensor *))                                                                   \
  F(const char *, op_name, (int op))                                                                         \
  F(size_t, tensor_overhead, (void))                                                                         \
  F(size_t, graph_overhead, (void))                                                                          \
  F(ggml_context *, init, (ggml_init_params))                                                                \
  F(void, free, (ggml_context *))                                                                            \
  F(ggml_tensor *, new_tensor_3d, (ggml_context *, int type, int64_t, int64_t, int64_t))                     \
  F(ggml_tensor *, set_name, (ggml_tensor *, const char *name))                                              \
  F(const char *, get_name, (const ggml_tensor *))                                                           \
  F(ggml_tensor *, view_tensor, (ggml_context *, ggml_tensor *))                                             \
  F(ggml_tensor *, mul_mat, (ggml_context *, ggml_tensor * w, ggml_tensor * x))                              \
  F(ggml_tensor *, mul_mat_id, (ggml_context *, ggml_tensor * w, ggml_tensor * x, ggml_tensor * ids))        \
  F(ggml_graph *, new_graph, (ggml_context *))                                                               \
  F(void, build_forward_expand, (ggml_graph *, ggml_tensor *))                                               \
  F(const char *, backend_reg_name, (ggml_registry *))                                                       \
  F(ggml_device *, backend_reg_dev_get, (ggml_registry *, size_t index))                                     \
  F(void *, backend_reg_get_proc_address, (ggml_registry *, const char *name))                               \
  F(ggml_backend *, backend_dev_init, (ggml_device *, const char *params))                                   \
  F(void, backend_free, (ggml_backend *))                                                                    \
  F(int, backend_graph_compute, (ggml_backend *, ggml_graph *))                                              \
  F(ggml_buffer_type *, backend_cpu_buffer_type, (void))                                                     \
  F(bool, backend_buft_is_host, (ggml_buffer_type *))                                                        \
  F(const char *, backend_buft_name, (ggml_buffer_type *))                                                   \
  F(ggml_buffer *, backend_buft_alloc_buffer, (ggml_buffer_type *, size_t bytes))                            \
  F(ggml_buffer_type *, backend_buffer_get_type, (ggml_buffer *))                                            \
  F(void *, backend_buffer_get_base, (ggml_buffer *))                                                        \
  F(size_t, backend_buffer_get_size, (ggml_buffer *))                                                        \
  F(void, backend_buffer_free, (ggml_buffer *))                                                              \
  F(int, backend_tensor_alloc, (ggml_buffer *, ggml_tensor *, void *address))                                \
  F(void, backend_tensor_set, (ggml_tensor *, const void *from, size_t offset, size_t bytes))

#endif
