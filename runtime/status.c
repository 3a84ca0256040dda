#include "lutc.h"

static const char *const sentences[] = {
    [LUTC_OK] = "success",
    [LUTC_NULL_POINTER] = "a required pointer is null",
    [LUTC_MISALIGNED] = "packed weights, scratch or memory are not aligned to 64 bytes, or x or y not to 4",
    [LUTC_BAD_STRIDE] = "a row stride is smaller than the row, or the rows exceed the address space",
    [LUTC_BUFFER_TOO_SMALL] = "packed_bytes, scratch_bytes or memory_bytes is smaller than the kernel needs",
    [LUTC_NOT_PACKED] = "the packed buffer or file does not start with a lutc header",
    [LUTC_WRONG_VERSION] = "the weights were packed by an incompatible version of lutc",
    [LUTC_WRONG_KERNEL] = "the weights were packed for another shape or weight format",
    [LUTC_WRONG_LAYOUT] =
        "the weights were packed for a variant with another layout: pack them again on this machine",
    [LUTC_CORRUPT] = "the packed weights do not match their checksum",
    [LUTC_BAD_CODE] = "a weight code is outside the code book of the format",
    [LUTC_UNSUPPORTED_CPU] = "this cpu lacks the instructions of the requested variant, or of every variant",
    [LUTC_UNKNOWN_VARIANT] = "the library has no variant of this name",
    [LUTC_BAD_ROUTE] = "a token is routed to an expert that the layer does not have",
    [LUTC_MACHINE_FAULT] = "a program of a lut-instruction machine stopped, which is a bug of lutc",
    [LUTC_TRUNCATED] = "the file is shorter than its header says",
    [LUTC_WRONG_LIBRARY] = "the file was packed for a library with other kernels",
    [LUTC_UNKNOWN_TENSOR] = "the file has no tensor of this name or index",
    [LUTC_BAD_COLUMNS] = "the columns of the weights are not 0 to k - 1 in some order",
    [LUTC_BAD_RANGE] = "the weights or the tensor have no such rows",
    [LUTC_BAD_SCALE] = "a scale or minimum of the weights is not finite, or a multiple has too many bits",
    [LUTC_BAD_SHAPE] =
        "n and k of the kernel are open, or not where they have to be, or are 0 or too large for the format",
};

const char *lutc_status_string(lutc_status status) {
  const size_t index = (size_t)status;
  return index < sizeof sentences / sizeof *sentences ? sentences[index] : "unknown status";
}
