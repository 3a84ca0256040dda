/* engine.c: finds the libraries of ggml that have loaded the plug-in. They are never linked: their names have
   versions in them, and several engines may be in one process. */
#define _GNU_SOURCE
#include "plugin.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <strings.h>

lutc_engine lutc_ggml;

/* The loaded object that an address lies in; symbols of its dependencies are found by it, too. */
static void *object_of(const void *address) {
  Dl_info info;
  if (address == NULL || dladdr(address, &info) == 0)
    return NULL;
  void *object = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  return object != NULL ? object : dlopen(NULL, RTLD_NOW); /* the program itself */
}

/* The first that is missing; null: none. */
static const char *find_functions(void *object) {
  const char *missing = NULL;
#define LUTC_GGML_FIND(result, name, arguments)                                                              \
  *(void **)&lutc_ggml.name = dlsym(object, "ggml_" #name);                                                  \
  if (lutc_ggml.name == NULL)                                                                                \
    missing = "ggml_" #name;
  LUTC_GGML_FUNCTIONS(LUTC_GGML_FIND)
#undef LUTC_GGML_FIND
  *(void **)&lutc_ggml.log = dlsym(object, "ggml_log_internal"); /* optional */
  return missing;
}

/* Whether a class's table has two destructors and two functions behind its head, as ggml.h says. */
static bool has_two_functions(void *object, const char *symbol) {
  Dl_info info;
  void *entry = NULL;
  const void *table = dlsym(object, symbol);
  return table != NULL && dladdr1(table, &info, &entry, RTLD_DL_SYMENT) != 0 && entry != NULL &&
         ((const ElfW(Sym) *)entry)->st_size == sizeof(ggml_class_head) + sizeof(ggml_traits_functions);
}

static int find_op(const char *name) {
  for (int op = 0; op < 64; ++op) {
    const char *other = lutc_ggml.op_name(op);
    if (other != NULL && strcmp(other, name) == 0)
      return op;
  }
  return -1;
}

/* Types that this version of ggml has as blocks.h describes them. */
static uint64_t find_types(void) {
  size_t count;
  uint64_t found = 0;
  const lutc_block_type *types = lutc_block_types(&count);
  for (const lutc_block_type *type = types; type != types + count; ++type) {
    const char *name = lutc_ggml.type_name((int)type->number);
    if (name != NULL && strcasecmp(name, type->name) == 0 &&
        lutc_ggml.blck_size((int)type->number) == type->elements &&
        lutc_ggml.type_size((int)type->number) == type->bytes)
      found |= UINT64_C(1) << type->number;
  }
  return found;
}

/* The CPU back end in use: other variants of it may be in memory, too. */
static const char *find_cpu(void) {
  ggml_registry *cpu = lutc_ggml.cpu;
  if (cpu->api_version != GGML_API_VERSION)
    return "ggml's interface to back ends has another version";
  void *object = object_of(*(void **)&cpu->get_name);
  if (object == NULL || strcmp(lutc_ggml.backend_reg_name(cpu), "CPU") != 0 ||
      strcmp(cpu->get_name(cpu), "CPU") != 0)
    return "ggml's CPU back end has another form";
  ggml_type_vector *(*extra_types)(void);
  *(void **)&extra_types = dlsym(object, "_Z39ggml_backend_cpu_get_extra_buffer_typesv");
  *(void **)&lutc_ggml.barrier = dlsym(object, "ggml_barrier");
  if (extra_types == NULL || lutc_ggml.barrier == NULL)
    return "ggml's CPU back end does not export its extra buffer types and its barrier";
  if (!has_two_functions(object, "_ZTVN4ggml3cpu17extra_buffer_typeE") ||
      !has_two_functions(object, "_ZTVN4ggml3cpu13tensor_traitsE"))
    return "ggml's classes of extra buffer types have another form";
  lutc_ggml.extra_types = extra_types();
  return NULL;
}

const char *lutc_find_engine(const void *caller) {
  memset(&lutc_ggml, 0, sizeof lutc_ggml);
  void *object = object_of(caller);
  ggml_registry *(*find_registry)(const char *) = NULL;
  if (object != NULL)
    *(void **)&find_registry = dlsym(object, "ggml_backend_reg_by_name");
  if (find_registry == NULL)
    return "the program that loads it shows no ggml";
  const char *missing = find_functions(object);
  if (missing != NULL)
    return missing;
  lutc_ggml.cpu = find_registry("CPU");
  if (lutc_ggml.cpu == NULL)
    return "no CPU back end is loaded";
  const char *problem = find_cpu();
  if (problem != NULL)
    return problem;
  lutc_ggml.mul_mat_op = find_op("MUL_MAT");
  lutc_ggml.mul_mat_id_op = find_op("MUL_MAT_ID");
  lutc_ggml.types = find_types();
  if (lutc_ggml.mul_mat_op < 0 || lutc_ggml.mul_mat_id_op < 0 || lutc_ggml.types == 0)
    return "ggml's operations or types have other names";
  return NULL;
}
