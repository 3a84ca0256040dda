// The part of ggml's public C API that the benchmark calls, so that no header of llama.cpp is needed.
#ifndef LUT_BENCH_GGMLAPI_H
#define LUT_BENCH_GGMLAPI_H

#include <cstddef>
#include <cstdint>

namespace lut::bench::ggml {

// Objects that only ggml looks into.
struct Context;
struct Tensor;
struct Graph;
struct Buffer;
struct BufferType;
struct Backend;
struct Device;
struct Registry;

struct InitParams {
  size_t memorySize;
  void *memory;
  bool noAlloc;
};

struct TypeTraits {
  const char *name;
  int64_t blockSize, blockSizeInterleave;
  size_t typeSize;
  bool isQuantized;
  void (*toFloat)(const void *x, float *y, int64_t k);
  void *fromFloat;
};

constexpr int typeF32 = 0, computeSuccess = 0;

// F(result, name, arguments) for every function of libggml-base.so; symbols have the prefix ggml_.
#define LUT_GGML_FUNCTIONS(F)                                                                                \
  F(const char *, version, (void))                                                                           \
  F(void, log_set, (void (*)(int level, const char *text, void *context), void *context))                    \
  F(Context *, init, (InitParams))                                                                           \
  F(void, free, (Context *))                                                                                 \
  F(const char *, type_name, (int type))                                                                     \
  F(const TypeTraits *, get_type_traits, (int type))                                                         \
  F(size_t, row_size, (int type, int64_t k))                                                                 \
  F(size_t, tensor_overhead, (void))                                                                         \
  F(size_t, graph_overhead_custom, (size_t nodes, bool gradients))                                           \
  F(bool, quantize_requires_imatrix, (int type))                                                             \
  F(size_t, quantize_chunk,                                                                                  \
    (int type, const float *from, void *to, int64_t start, int64_t rows, int64_t k, const float *imatrix))   \
  F(Tensor *, new_tensor_2d, (Context *, int type, int64_t k, int64_t n))                                    \
  F(Tensor *, mul_mat, (Context *, Tensor * w, Tensor * x))                                                  \
  F(Graph *, new_graph_custom, (Context *, size_t nodes, bool gradients))                                    \
  F(void, build_forward_expand, (Graph *, Tensor *))                                                         \
  F(Device *, backend_reg_dev_get, (Registry *, size_t index))                                               \
  F(void *, backend_reg_get_proc_address, (Registry *, const char *name))                                    \
  F(Backend *, backend_dev_init, (Device *, const char *params))                                             \
  F(BufferType *, backend_dev_buffer_type, (Device *))                                                       \
  F(bool, backend_dev_supports_op, (Device *, const Tensor *))                                               \
  F(const char *, backend_buft_name, (BufferType *))                                                         \
  F(Buffer *, backend_buft_alloc_buffer, (BufferType *, size_t bytes))                                       \
  F(size_t, backend_buft_get_alloc_size, (BufferType *, const Tensor *))                                     \
  F(void *, backend_buffer_get_base, (Buffer *))                                                             \
  F(void, backend_buffer_free, (Buffer *))                                                                   \
  F(int, backend_tensor_alloc, (Buffer *, Tensor *, void *address))                                          \
  F(void, backend_tensor_set, (Tensor *, const void *from, size_t offset, size_t bytes))                     \
  F(void, backend_tensor_get, (const Tensor *, void *to, size_t offset, size_t bytes))                       \
  F(int, backend_graph_compute, (Backend *, Graph *))

struct Api {
#define LUT_GGML_POINTER(result, name, arguments) result(*name) arguments = nullptr;
  LUT_GGML_FUNCTIONS(LUT_GGML_POINTER)
#undef LUT_GGML_POINTER
};

} // namespace lut::bench::ggml

#endif
