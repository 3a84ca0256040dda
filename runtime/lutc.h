/* lutc.h: what every library compiled by lutc shares with its users. C11, usable from C++11.

   A kernel computes  Y[m,n] = X[m,k] * W[n,k]^T  for a fixed n (output rows), k (reduction) and weight
   format, and any number of tokens m. A kernel whose n and k are open makes such kernels at run time. The
   caller owns all memory; a kernel call never allocates, never creates a thread, reads no environment and
   touches nothing outside the buffers it is given, and at most 160 KiB of the stack of each thread that takes
   part. Calls are thread-safe. Units: n, k, m and strides count elements, `_bytes` counts bytes. f32 is IEEE
   binary32, f16 IEEE binary16. */
#ifndef LUTC_H
#define LUTC_H

#include <stddef.h>
#include <stdint.h>

/* For the adapters below, define LUTC_USE_OPENMP (and compile with -fopenmp) or LUTC_USE_PTHREADPOOL. */
#ifdef LUTC_USE_OPENMP
#include <omp.h>
#endif
#ifdef LUTC_USE_PTHREADPOOL
#include <pthreadpool.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A shared library that links a generated one exports this interface and the library's descriptors, and none
   of their internals. */
#if defined(__GNUC__)
#define LUTC_PUBLIC_BEGIN _Pragma("GCC visibility push(default)")
#define LUTC_PUBLIC_END _Pragma("GCC visibility pop")
#else
#define LUTC_PUBLIC_BEGIN
#define LUTC_PUBLIC_END
#endif
LUTC_PUBLIC_BEGIN

/* Packed weights and scratch start at a multiple of this many bytes. */
#define LUTC_ALIGNMENT 64

#if defined(__GNUC__)
#define LUTC_MUST_USE __attribute__((warn_unused_result))
#else
#define LUTC_MUST_USE
#endif

/* A cast that compilers with -Wold-style-cast accept, too. */
#ifdef __cplusplus
#define LUTC_CAST(type, value) static_cast<type>(value)
#else
#define LUTC_CAST(type, value) ((type)(value))
#endif

typedef enum lutc_status {
  LUTC_OK = 0,
  LUTC_NULL_POINTER,     /* a required pointer is null */
  LUTC_MISALIGNED,       /* packed or scratch is not a multiple of LUTC_ALIGNMENT, x or y not of 4 bytes */
  LUTC_BAD_STRIDE,       /* a row stride is smaller than the row, or m rows exceed the address space */
  LUTC_BUFFER_TOO_SMALL, /* packed_bytes or scratch_bytes is smaller than the kernel needs */
  LUTC_NOT_PACKED,       /* the packed buffer or file does not start with a lutc header */
  LUTC_WRONG_VERSION,    /* packed by an incompatible version of lutc */
  LUTC_WRONG_KERNEL,     /* packed for another shape or weight format */
  LUTC_WRONG_LAYOUT,     /* packed for a variant with another weight layout: pack again on this machine */
  LUTC_CORRUPT,          /* the header or the payload does not match its checksum */
  LUTC_BAD_CODE,         /* a weight code, or a vector of them, is not in the format's code book */
  LUTC_UNSUPPORTED_CPU,  /* this CPU lacks the instructions of the requested variant, or of every variant */
  LUTC_UNKNOWN_VARIANT,  /* the library has no variant of this name */
  LUTC_BAD_ROUTE,        /* the number of an expert is negative, or not below that of the layer's experts */
  LUTC_MACHINE_FAULT,    /* a program of a LUT-instruction machine stopped: a bug of lutc */
  LUTC_TRUNCATED,        /* the file is shorter than its header says */
  LUTC_WRONG_LIBRARY,    /* the file was packed for a library with other kernels */
  LUTC_UNKNOWN_TENSOR,   /* the file has no tensor of this name or index */
  LUTC_BAD_COLUMNS,      /* columns are not 0 .. k-1 in some order */
  LUTC_BAD_RANGE,        /* the weights or the tensor have no such rows */
  LUTC_BAD_SCALE,        /* a scale or minimum of weights is not finite, or a multiple has too many bits */
  LUTC_BAD_SHAPE         /* n and k of the kernel are open: make one with lutc_make_kernel; or n or k is 0, or
                            too large for the format */
} lutc_status;

/* One lower-case sentence for a status; never null. */
const char *lutc_status_string(lutc_status status);

/* How a kernel call spreads its work. `run` calls task(argument, i) once for every i in [0, tasks), in any
   order and on any threads, and returns after the last one. `threads` is the number of threads it uses:
   it sets how finely work is cut and never changes a result. A null lutc_parallel means one thread. Threads
   of a team may also all make the same call, each with a `run` that takes tasks until the team has taken them
   all, and returns when all are done; lutc_prepare and lutc_run are then made of the same runs on each, and a
   run of theirs may leave that waiting to the next one, the last run to what reads the result. */
typedef struct lutc_parallel {
  void (*run)(void *context, size_t tasks, void (*task)(void *argument, size_t index), void *argument);
  void *context;
  size_t threads;
} lutc_parallel;

/* Of elements. Results of groups have the first four, scales of weights f32, f16, bf16 and e8m0, files any.
   f16 and bf16 are their bits in uint16_t; e8m0 is u8, 2^(byte - 127), 255: no number. */
typedef enum lutc_type {
  LUTC_F32,
  LUTC_F16,
  LUTC_BF16,
  LUTC_I8,
  LUTC_U8, /* booleans, too */
  LUTC_I16,
  LUTC_U16,
  LUTC_I32,
  LUTC_U32,
  LUTC_I64,
  LUTC_U64,
  LUTC_F64,
  LUTC_F8_E4M3,
  LUTC_F8_E5M2,
  LUTC_F8_E8M0
} lutc_type;

/* Bytes of an element; 0 for no type. */
size_t lutc_type_bytes(lutc_type type);

/* Marks of weights beside the vectors of a book: signs, or shifts. */
typedef enum lutc_signs {
  LUTC_SIGNS_EACH, /* a sign of each */
  LUTC_SIGNS_EVEN, /* the same; among 8 weights from a multiple of 8 on the number of minuses is even */
  LUTC_SHIFT_OF_8, /* a shift of 8 weights */
  LUTC_SHIFT_OF_32
} lutc_signs;

/* A code book whose entries are vectors of weights: `length` codes from a multiple of it on are one of them.
   A digit stands for a magnitude and is code levels + digit, with a minus levels - 1 - digit; or, where there
   are shifts, for a value, and is code 2 * digit + shift. Codes past k may be anything. */
typedef struct lutc_book {
  size_t length, levels, count; /* 4 or 8 weights, digits, vectors */
  lutc_signs signs;
  const uint8_t *digits; /* [count][length] */
} lutc_book;

/* Weights as every checkpoint format can be unpacked to, before packing. With G = ceil(k / group) groups and
   S = ceil(k / subgroup) subgroups:
   codes              [n][k] one code a byte, row stride `codes_stride` bytes (0: k)
   scales             [n][G] of the format's scale_type: f16, or with letter b bf16, s f32, e e8m0;
                      w158: f32 [1] (one per tensor) or [n] (one per row)
   zero_points        formats with letter z: u8 [n][G]
   minimums           formats with letter m: [n][G] of the type of the scales
   scale_multiples    formats with k16 or k32, or vectors: i8 [n][S]
   minimum_multiples  formats with k16 or k32 and letter m: i8 [n][S]
                      Multiples are i8 with codes of 6 and 8 bits. With codes of 3 to 5 bits they have 6, of 1
                      and 2 bits 4: 0 .. 2^bits - 1 with letter m, else signed. With vectors they are odd:
                      1, 3, .. 2^(bits + 1) - 1
   columns            formats that end in p: [k], 0 .. k-1 in any order: codes[row][i] multiplies
                      x[columns[i]] (GPTQ's desc_act, with columns sorted by group)
   What a format does not have may be null. Scales and minimums are finite. A weight is
     scale * (code - zero_point)    with zero points,
     scale * code + minimum         with minimums,
     scale * code book[code]        else: w1 {-1,1}, w158 {-1,0,1}, w2 {-2..1}, w3 {-4..3}, w4 {-8..7},
                                    w5 {-16..15}, w6 {-32..31}, w8 {-128..127},
                                    nl4 {-127,-104,-83,-65,-49,-35,-22,-10,1,13,25,38,53,69,89,113},
                                    fp4 {0,.5,1,1.5,2,3,4,6,-0,-.5,-1,-1.5,-2,-3,-4,-6},
                                    iq2 {-43,-25,-8,8,25,43}/8, iq3s {-15,-13..15}, iq1 {-9,-7,-1,1,7,9}/8,
                                    iq3xxs {-62,-52,-44,-36,-28,-20,-12,-4,4,12,20,28,36,44,52,62}/4,
   where the scale and minimum of a subgroup are those of its group times its multiples. */
typedef struct lutc_weights {
  const uint8_t *codes;
  size_t codes_stride;
  const void *scales;
  const uint8_t *zero_points;
  const void *minimums;
  const int8_t *scale_multiples;
  const int8_t *minimum_multiples;
  const int32_t *columns;
} lutc_weights;

/* What a kernel is; the same for every variant. */
typedef struct lutc_kernel_info {
  const char *name;      /* as in the config: q_proj */
  const char *format;    /* w2g128 */
  const char *numerics;  /* a8 or t8 */
  size_t n, k;           /* 0: open */
  size_t group;          /* weights that share a scale; k where the whole row does */
  size_t subgroup;       /* weights of a group that share a multiple of its scale; 0: there are none */
  size_t multiple_bits;  /* 8: i8. 4 or 6: multiples are 0 .. 2^bits - 1 with minimums, else signed */
  size_t codes;          /* valid weight codes are 0 .. codes - 1 */
  lutc_type scale_type;  /* of a scale, and of a minimum */
  int scales_per_tensor; /* 1: one scale for all rows (scales is [1]) */
  int has_zero_points, has_minimums;
  int has_columns;       /* 1: columns are permuted; x is given in its own order nevertheless */
  const float *values;   /* [codes]: what a code stands for; with zero points or minimums, itself */
  const lutc_book *book; /* null: any codes may stand beside each other */
} lutc_kernel_info;

/* How one variant runs a kernel. */
typedef struct lutc_variant_info {
  const char *variant;  /* avx2 */
  const char *strategy; /* dot or lookup */
  size_t packed_bytes;  /* header included */
} lutc_variant_info;

typedef struct lutc_kernel lutc_kernel;

/* Several kernels with what lies between them: norms, activation functions, residuals, biases. */
typedef struct lutc_group lutc_group;

typedef enum lutc_operand_kind {
  LUTC_ROWS,    /* f32 [m][size] */
  LUTC_VECTOR,  /* f32 [size] */
  LUTC_WEIGHTS, /* packed weights of `kernel` */
  LUTC_RESULT,  /* [m][size] of the operand's type, written */
  LUTC_ROUTES,  /* i32 [m][size]: experts of each token, from 0 on, in any order and number */
  LUTC_EXPERTS  /* a pointer to packed weights of `kernel` for each expert; null allowed for experts of no
                   token */
} lutc_operand_kind;

typedef struct lutc_operand_info {
  const char *name; /* as in the generated header: norm_weight */
  lutc_operand_kind kind;
  lutc_type type; /* of a result; LUTC_F32 for all others */
  size_t size;
  const lutc_kernel *kernel; /* null but for weights and experts */
} lutc_operand_info;

/* What a group is; the same for every variant. */
typedef struct lutc_group_info {
  const char *name;
  size_t operand_count;
  const lutc_operand_info *operands; /* inputs, then results */
} lutc_group_info;

/* Every kernel of a library, for loops, tests and tools. `variants` names all variants, best first. */
typedef struct lutc_library {
  const char *name;
  const char *version;
  uint64_t hash; /* of the names, shapes and formats of all kernels: equal where packed files may be shared */
  size_t kernel_count;
  const lutc_kernel *const *kernels;
  size_t variant_count;
  const char *const *variants;
  size_t group_count;
  const lutc_group *const *groups;
  void *state; /* internal */
} lutc_library;

const lutc_kernel_info *lutc_kernel_describe(const lutc_kernel *kernel);
/* The variant in use now; null when no variant runs on this CPU. */
const lutc_variant_info *lutc_kernel_variant(const lutc_kernel *kernel);

/* Takes the variant called `variant` from now on, or the best one this CPU supports when it is null (which is
   also what happens without this call). Weights packed for another layout are refused afterwards. */
LUTC_MUST_USE lutc_status lutc_use_variant(const lutc_library *library, const char *variant);
/* LUTC_OK when this CPU can run the variant, else LUTC_UNSUPPORTED_CPU or LUTC_UNKNOWN_VARIANT. */
LUTC_MUST_USE lutc_status lutc_can_use_variant(const lutc_library *library, const char *variant);

/* Bytes of packed weights, and of the scratch of a call with m tokens, for the variant in use (0: none). */
size_t lutc_packed_bytes(const lutc_kernel *kernel);
size_t lutc_scratch_bytes(const lutc_kernel *kernel, size_t m);
/* The most that a call of any kernel or group of the library takes, but of kernels made at run time. */
size_t lutc_library_scratch_bytes(const lutc_library *library, size_t m);

/* Reorders weights for the variant in use. On an error, `packed` holds no valid header. */
LUTC_MUST_USE lutc_status lutc_pack(const lutc_kernel *kernel, const lutc_weights *weights, void *packed,
                                    size_t packed_bytes);
/* Checks header and payload checksum: once after loading packed weights from a file. */
LUTC_MUST_USE lutc_status lutc_check_packed(const lutc_kernel *kernel, const void *packed,
                                            size_t packed_bytes);

/* Rows [first, first + count) of packed weights as f32, each in `stride` >= k elements, columns in the
   layer's own order (also where they are permuted). Values are those of lutc_weights, each product and sum in
   f32: w = scale * multiple * (value - zero_point) + minimum * multiple. Checks the header as a kernel does,
   and reads nothing but these rows; LUTC_CORRUPT where their codes or columns are none. */
LUTC_MUST_USE lutc_status lutc_unpack_rows(const lutc_kernel *kernel, const void *packed, size_t packed_bytes,
                                           size_t first, size_t count, float *rows, size_t stride);

/* Y[m,n] = X[m,k] * W^T. x and y are row-major with row strides ldx >= k and ldy >= n; y overlaps no other
   buffer. m = 0 is allowed and does nothing. A token with a NaN or an infinity in X gets NaN in all its Y. */
LUTC_MUST_USE lutc_status lutc_run(const lutc_kernel *kernel, size_t m, const float *x, size_t ldx,
                                   const void *packed, float *y, size_t ldy, void *scratch,
                                   size_t scratch_bytes, const lutc_parallel *parallel);

/* A kernel of n rows and k columns, of one whose n and k are open: its code, for another shape. It lies in
   `memory`, a multiple of LUTC_ALIGNMENT with lutc_made_kernel_bytes(open) bytes, which the caller keeps as
   long as the kernel is used, and may be used wherever a kernel is taken. Costs about a microsecond. Kernels
   of one format, class, n and k have the same packed weights, whether they were made or compiled, in one
   library or another, unless a strategy or a schedule was asked for. */
size_t lutc_made_kernel_bytes(const lutc_kernel *open);
LUTC_MUST_USE lutc_status lutc_make_kernel(const lutc_kernel *open, size_t n, size_t k, void *memory,
                                           size_t memory_bytes, const lutc_kernel **kernel);

/* lutc_run in two calls, for an engine that sees one product at a time: activations are prepared once for all
   products of x whose kernels share them (q, k, v; gate, up). `prepared` is a multiple of LUTC_ALIGNMENT with
   lutc_prepared_bytes(kernel, m) bytes, valid for the variant in use and for this m. Formats that end in p
   prepare x for their own weights, and share with none; for all others `packed` may be null in
   lutc_prepare. Results have the bits of lutc_run's. */
size_t lutc_prepared_bytes(const lutc_kernel *kernel, size_t m);
/* 1: what is prepared for one of them serves the other. */
int lutc_shares_prepared(const lutc_kernel *kernel, const lutc_kernel *other);
LUTC_MUST_USE lutc_status lutc_prepare(const lutc_kernel *kernel, size_t m, const float *x, size_t ldx,
                                       const void *packed, void *prepared, size_t prepared_bytes,
                                       const lutc_parallel *parallel);
/* Takes as much scratch as lutc_run. */
LUTC_MUST_USE lutc_status lutc_run_prepared(const lutc_kernel *kernel, size_t m, const void *prepared,
                                            size_t prepared_bytes, const void *packed, float *y, size_t ldy,
                                            void *scratch, size_t scratch_bytes,
                                            const lutc_parallel *parallel);

/* An operand of a group: rows that are `stride` elements apart, or a vector or packed weights (stride 0).
 */
typedef struct lutc_operand {
  const void *data;
  size_t stride;
} lutc_operand;

const lutc_group_info *lutc_group_describe(const lutc_group *group);

/* Bytes of the scratch of a call with m tokens, for the variant in use (0: none). */
size_t lutc_group_scratch_bytes(const lutc_group *group, size_t m);

/* Runs a group on m tokens: what the generated <library>_<group> calls. `operands` has the group's inputs, in
   order, then its results, which are written. A result overlaps no other operand, but may be x or the
   residual itself. */
LUTC_MUST_USE lutc_status lutc_run_group(const lutc_group *group, size_t m, const lutc_operand *operands,
                                         void *scratch, size_t scratch_bytes, const lutc_parallel *parallel);

/* A packed model: the file that `lutc pack` writes, with all weights of a model for one library. The caller
   maps it into memory, read-only, and unmaps it when nothing of it is used any more; nothing is copied or
   allocated. Weights run where they lie. A file depends on the kernels' names, shapes and formats and,
   through their layouts, on the variant in use; not on the library's name or version.

   All tensors of a file have names of one kind. --names=huggingface, the default where lutc knows the names:
   those of transformers, "model.layers.0.self_attn.q_proj.weight". Tensors of GGUF mean under them what they
   mean there: rows of queries and keys of architecture llama, and their biases, have the order that
   transformers rotates (halves of a head), and norms of Gemma do not contain the 1 that GGUF has added. A
   tensor without such a name keeps its own, and lutc pack says so. --names=checkpoint, the default for other
   architectures of GGUF: names, order of rows and values of the file, "blk.0.attn_q.weight"; expert 7 of a
   tensor that stacks them is "blk.0.ffn_up_exps.7.weight". Safetensors have the same names by both.

   Plain vectors (norms, biases) of F16 and BF16 are stored as F32, as groups read them; --f32=all does it to
   matrices as well, --f32=none to nothing. Blocks of GGUF that are not packed are F32. */
typedef enum lutc_role {
  LUTC_PACKED, /* packed weights of `kernel`, for lutc_run and groups; shape [n][k]. An embedding that is also
                  lm_head has the bytes of lm_head.weight where these hold it losslessly and --f32 is not all
                */
  LUTC_PLAIN   /* row-major: norms, embeddings, biases */
} lutc_role;

enum { LUTC_MAX_RANK = 8 };

typedef struct lutc_tensor {
  const char *name; /* model.layers.0.self_attn.q_proj.weight */
  lutc_role role;
  lutc_type type; /* of the elements; of packed weights LUTC_U8 */
  size_t rank, shape[LUTC_MAX_RANK];
  const void *data; /* at a multiple of LUTC_ALIGNMENT */
  size_t bytes;
  const lutc_kernel *kernel; /* null but of packed weights; of a file without a library null, too */
  uint64_t checksum;         /* see lutc_check_tensor */
} lutc_tensor;

/* Filled by lutc_open_file; tensors are numbered in the order of their names. */
typedef struct lutc_file {
  const lutc_library *library;
  const uint8_t *data;
  size_t bytes, tensor_count;
} lutc_file;

/* Opens a file mapped at `data`, a multiple of LUTC_ALIGNMENT, for the variant in use. Checks all but the
   tensors' own bytes, which it does not touch. The status says what a refused file is: for another library
   (LUTC_WRONG_LIBRARY) or variant (LUTC_WRONG_LAYOUT), of another version, cut off, damaged, something else.
   A file that was packed without a library opens with any. Its tensors have no kernels: those that
   lutc_make_kernel makes of their shape and format take them, and lutc_check_packed compares layouts. */
LUTC_MUST_USE lutc_status lutc_open_file(const lutc_library *library, const void *data, size_t bytes,
                                         lutc_file *file);
LUTC_MUST_USE lutc_status lutc_tensor_at(const lutc_file *file, size_t index, lutc_tensor *tensor);
LUTC_MUST_USE lutc_status lutc_find_tensor(const lutc_file *file, const char *name, lutc_tensor *tensor);
/* Rows [first, first + count) of any tensor as f32, each in `stride` elements: of packed weights as in
   lutc_unpack_rows, of plain tensors their last dimension (a vector, such as a norm, is one row, a scalar
   too). Exact but for F64 and integers above 2^24, which are rounded to the nearest. For embeddings of
   tokens: lutc_read_rows(&embedding, token, 1, x, ldx). */
LUTC_MUST_USE lutc_status lutc_read_rows(const lutc_tensor *tensor, size_t first, size_t count, float *rows,
                                         size_t stride);
/* Reads a tensor's bytes and compares them with its checksum. */
LUTC_MUST_USE lutc_status lutc_check_tensor(const lutc_tensor *tensor);
/* The same for all tensors: reads the whole file. */
LUTC_MUST_USE lutc_status lutc_check_file(const lutc_file *file);

LUTC_PUBLIC_END

/* Ready adapters. lutc_pthreadpool takes a null pool, too: the calling thread alone. */
#ifdef LUTC_USE_OPENMP
static inline void lutc_openmp_run(void *context, size_t tasks, void (*task)(void *, size_t),
                                   void *argument) {
  (void)context;
#pragma omp parallel for schedule(dynamic, 1) if (tasks > 1)
  for (long long i = 0; i < LUTC_CAST(long long, tasks); ++i)
    task(argument, LUTC_CAST(size_t, i));
}
static inline lutc_parallel lutc_openmp(void) {
  lutc_parallel parallel = {lutc_openmp_run, NULL, LUTC_CAST(size_t, omp_get_max_threads())};
  return parallel;
}
#endif

#ifdef LUTC_USE_PTHREADPOOL
static inline void lutc_pthreadpool_run(void *context, size_t tasks, void (*task)(void *, size_t),
                                        void *argument) {
  pthreadpool_parallelize_1d(LUTC_CAST(pthreadpool_t, context), task, argument, tasks, 0);
}
static inline lutc_parallel lutc_pthreadpool(pthreadpool_t pool) {
  lutc_parallel parallel = {lutc_pthreadpool_run, pool, pthreadpool_get_threads_count(pool)};
  return parallel;
}
#endif

#ifdef __cplusplus
}
#endif
#endif
