// The part of ONNX Runtime's C API that the benchmark calls, so that none of its headers is needed. The API
// is a table of functions that only grows: each function has the same place in every version.
#ifndef LUT_BENCH_ONNXAPI_H
#define LUT_BENCH_ONNXAPI_H

#include "Library.h"
#include <cstdint>

namespace lut::bench::onnx {

// Objects that only the runtime looks into.
struct Status;
struct Environment;
struct SessionOptions;
struct Session;
struct Value;
struct MemoryInfo;
struct RunOptions;
struct ShapeInfo; // and type

struct ApiBase {
  void *const *(*getApi)(uint32_t version);
  const char *(*getVersion)();
};

constexpr uint32_t apiVersion = 14;
constexpr int elementFloat = 1, arenaAllocator = 1, defaultMemory = 0, logErrors = 3, noOptimization = 0;

// F(place in the table, result, name, arguments)
#define LUT_ONNX_FUNCTIONS(F)                                                                                \
  F(2, const char *, getErrorMessage, (const Status *))                                                      \
  F(3, Status *, createEnv, (int level, const char *name, Environment **))                                   \
  F(4, Status *, createLoggingEnv,                                                                           \
    (void (*log)(void *argument, int level, const char *category, const char *logger, const char *place,     \
                 const char *message),                                                                       \
     void *argument, int level, const char *name, Environment **))                                           \
  F(8, Status *, createSessionFromArray,                                                                     \
    (const Environment *, const void *model, size_t bytes, const SessionOptions *, Session **))              \
  F(9, Status *, run,                                                                                        \
    (Session *, const RunOptions *, const char *const *inputNames, const Value *const *inputs,               \
     size_t inputCount, const char *const *outputNames, size_t outputCount, Value **outputs))                \
  F(10, Status *, createSessionOptions, (SessionOptions **))                                                 \
  F(23, Status *, setOptimizationLevel, (SessionOptions *, int level))                                       \
  F(24, Status *, setThreads, (SessionOptions *, int threads))                                               \
  F(49, Status *, createTensor,                                                                              \
    (const MemoryInfo *, void *data, size_t bytes, const int64_t *shape, size_t rank, int type, Value **))   \
  F(51, Status *, getData, (Value *, void **))                                                               \
  F(61, Status *, getRank, (const ShapeInfo *, size_t *))                                                    \
  F(62, Status *, getDimensions, (const ShapeInfo *, int64_t *, size_t rank))                                \
  F(65, Status *, getShape, (const Value *, ShapeInfo **))                                                   \
  F(69, Status *, createCpuMemoryInfo, (int allocator, int memory, MemoryInfo **))                           \
  F(93, void, releaseStatus, (Status *))                                                                     \
  F(95, void, releaseSession, (Session *))                                                                   \
  F(96, void, releaseValue, (Value *))                                                                       \
  F(99, void, releaseShape, (ShapeInfo *))                                                                   \
  F(100, void, releaseSessionOptions, (SessionOptions *))                                                    \
  F(130, Status *, addConfigEntry, (SessionOptions *, const char *key, const char *value))                   \
  F(228, Status *, registerCustomOps, (SessionOptions *, const char *library))

struct Api {
  explicit Api(void *const *table) {
#define LUT_ONNX_TAKE(place, result, name, arguments) name = reinterpret_cast<decltype(name)>(table[place]);
    LUT_ONNX_FUNCTIONS(LUT_ONNX_TAKE)
#undef LUT_ONNX_TAKE
  }
#define LUT_ONNX_POINTER(place, result, name, arguments) result(*name) arguments;
  LUT_ONNX_FUNCTIONS(LUT_ONNX_POINTER)
#undef LUT_ONNX_POINTER

  void require(Status *status) const {
    if (!status)
      return;
    const std::string message = getErrorMessage(status);
    releaseStatus(status);
    throw std::runtime_error(message);
  }
};

} // namespace lut::bench::onnx

#endif
