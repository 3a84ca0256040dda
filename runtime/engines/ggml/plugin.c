/* plugin.c: what ggml calls when it loads the plug-in. It either puts its buffer type before the others of
   the CPU back end, or says why not and leaves everything as it was. */
#define _GNU_SOURCE
#include "plugin.h"

#include "gguf.h"

#include "variables.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const char *registry_name(ggml_registry *registry) {
  (void)registry;
  return "LUTC";
}

static size_t device_count(ggml_registry *registry) {
  (void)registry;
  return 0;
}

static ggml_device *get_device(ggml_registry *registry, size_t index) {
  (void)registry, (void)index;
  return NULL;
}

static void *get_proc_address(ggml_registry *registry, const char *name) {
  (void)registry, (void)name;
  return NULL;
}

static ggml_registry registry = {GGML_API_VERSION, registry_name,    device_count,
                                 get_device,       get_proc_address, NULL};

/* Whether the vector holds a type of the plug-in: this one, or of another copy of the file. */
static bool holds_type(const ggml_type_vector *vector) {
  for (ggml_buffer_type **it = vector->begin; it != vector->end; ++it)
    if (*it != NULL && strcmp(lutc_ggml.backend_buft_name(*it), lutc_buffer_type.get_name(NULL)) == 0)
      return true;
  return false;
}

static bool is_vector(const ggml_type_vector *vector) {
  const ptrdiff_t types = vector->end - vector->begin;
  return types >= 0 && types < 64 && vector->limit >= vector->end && (types == 0 || vector->begin != NULL);
}

/* Memory that the vector's own allocator frees: operator new of the program or of the back end's C++ library.
 */
static ggml_buffer_type **allocate(size_t count) {
  void *(*allocate_bytes)(size_t);
  Dl_info info;
  *(void **)&allocate_bytes = dlsym(RTLD_DEFAULT, "_Znwm");
  if (allocate_bytes == NULL && dladdr((void *)lutc_ggml.extra_types, &info) != 0)
    *(void **)&allocate_bytes = dlsym(dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD), "_Znwm");
  return allocate_bytes != NULL ? allocate_bytes(count * sizeof(ggml_buffer_type *)) : NULL;
}

/* The vector as it was stays in memory for those that read it now. */
static const char *insert_type(ggml_type_vector *vector, ggml_type_vector *before) {
  const size_t count = (size_t)(vector->end - vector->begin);
  ggml_buffer_type **types = allocate(count + 1);
  if (types == NULL)
    return "there is no memory";
  types[0] = &lutc_buffer_type;
  if (count != 0)
    memcpy(types + 1, vector->begin, count * sizeof *types);
  *before = *vector;
  *vector = (ggml_type_vector){types, types + count + 1, types + count + 1};
  return NULL;
}

static const char *start(const void *caller) {
  const char *problem = lutc_find_engine(caller);
  if (problem != NULL)
    return problem;
  if (!is_vector(lutc_ggml.extra_types))
    return "ggml's vector of extra buffer types has another form";
  if (holds_type(lutc_ggml.extra_types))
    return "it is loaded already";
  static char line[LUTC_LINE];
  problem = lutc_take_variant(&gguf_library, line);
  if (problem != NULL)
    return problem;
  lutc_buffer_type.device = lutc_ggml.backend_reg_dev_get(lutc_ggml.cpu, 0);
  problem = lutc_check_structs();
  if (problem != NULL)
    return problem;
  ggml_type_vector before;
  problem = insert_type(lutc_ggml.extra_types, &before);
  if (problem != NULL)
    return problem;
  problem = lutc_run_trial();
  if (problem != NULL)
    *lutc_ggml.extra_types = before;
  lutc_ggml.is_tried = problem == NULL;
  return problem;
}

__attribute__((visibility("default"))) ggml_registry *ggml_backend_init(void);

ggml_registry *ggml_backend_init(void) {
  if (lutc_is_set("LUTC_OFF"))
    return NULL;
  if (lutc_ggml.is_tried && holds_type(lutc_ggml.extra_types))
    return &registry; /* loaded again, or after it was unloaded: it stays in memory */
  const char *problem = start(__builtin_return_address(0));
  if (problem != NULL) {
    lutc_warn("left out: %s", problem);
    return NULL;
  }
  return &registry;
}
