/* The public header alone, used as a library's user would; compiled as C11 and as C++11. */
#include "lutc.h"

const char *lutc_header_test(const lutc_library *library);
const char *lutc_header_test(const lutc_library *library) {
  const lutc_weights weights = {NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL};
  const lutc_kernel_info *info = lutc_kernel_describe(library->kernels[0]);
  const lutc_status status = lutc_pack(library->kernels[0], &weights, NULL, info->n);
  return lutc_status_string(status);
}
