/* plugin.c: what ONNX Runtime calls: the library registers an op with the name of the built-in one, for f32
   and for f16, and makes a node's kernel when a session is created. */
#include "node.h"

#include "matmulnbits.h"

#include "variables.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The ops of one ONNX Runtime; they live as long as the process. */
typedef struct typed_op {
  ort_custom_op op; /* first: what ONNX Runtime gives back is a pointer to it */
  int type;
  const struct lutc_runtime *runtime;
} typed_op;

typedef struct registry {
  lutc_runtime runtime;
  void *const *table;
  typed_op ops[2];
  ort_domain *domain;
  struct registry *next;
} registry;

static int type_of(const ort_custom_op *op) { return ((const typed_op *)(const void *)op)->type; }

static const char *get_name(const ort_custom_op *op) {
  (void)op;
  return "MatMulNBits";
}

static const char *get_execution_provider(const ort_custom_op *op) {
  (void)op;
  return NULL;
}

/* Zero points are bytes or of the type of the scales. */
static int get_input_type(const ort_custom_op *op, size_t index) {
  switch (index) {
  case INPUT_B:
    return ORT_UINT8;
  case INPUT_ZERO_POINTS:
    return ORT_UNDEFINED;
  case INPUT_G_IDX:
    return ORT_INT32;
  default:
    return type_of(op);
  }
}

static size_t get_input_count(const ort_custom_op *op) {
  (void)op;
  return INPUTS;
}

static int get_output_type(const ort_custom_op *op, size_t index) {
  (void)index;
  return type_of(op);
}

static size_t get_output_count(const ort_custom_op *op) {
  (void)op;
  return 1;
}

static int get_input_characteristic(const ort_custom_op *op, size_t index) {
  (void)op;
  return index >= INPUT_ZERO_POINTS ? ORT_OPTIONAL : ORT_REQUIRED;
}

static int get_output_characteristic(const ort_custom_op *op, size_t index) {
  (void)op, (void)index;
  return ORT_REQUIRED;
}

static int get_input_memory(const ort_custom_op *op, size_t index) {
  (void)op, (void)index;
  return ORT_DEFAULT_MEMORY;
}

static int get_variadic(const ort_custom_op *op) {
  (void)op;
  return 0;
}

static int64_t get_optional(const ort_api *ort, const ort_kernel_info *info, const char *name,
                            int64_t otherwise) {
  int64_t value;
  return lutc_is_ok(ort, ort->get_attribute(info, name, &value)) ? value : otherwise;
}

static ort_status *get_size(const ort_api *ort, const ort_kernel_info *info, const char *name, size_t *size) {
  int64_t value = 0;
  ort_status *status = ort->get_attribute(info, name, &value);
  *size = value > 0 ? (size_t)value : 0;
  return status;
}

static void destroy_kernel(void *kernel) {
  lutc_node *node = kernel;
  if (node == NULL)
    return;
  if (node->state == LUTC_WAITING)
    lutc_count_waiting(-1);
  if (node->builtin != NULL)
    node->runtime->ort.release_op(node->builtin);
  pthread_mutex_destroy(&node->lock);
  free(node->packed);
  free(node->kernel_memory);
  free(node);
}

static bool get_constant_inputs(const lutc_node *node, const ort_kernel_info *info, lutc_inputs *inputs) {
  const ort_api *ort = &node->runtime->ort;
  return lutc_get_constant(ort, info, INPUT_B, &inputs->codes) &&
         lutc_get_constant(ort, info, INPUT_SCALES, &inputs->scales) &&
         (!lutc_has_input(ort, info, INPUT_ZERO_POINTS) ||
          lutc_get_constant(ort, info, INPUT_ZERO_POINTS, &inputs->zero_points));
}

static ort_status *take_weights(lutc_node *node, const ort_kernel_info *info) {
  lutc_inputs inputs = {0};
  const char *reason = lutc_refuse_node(node, info);
  if (reason == NULL)
    node->state = get_constant_inputs(node, info, &inputs) ? LUTC_TAKEN : LUTC_WAITING;
  if (node->state == LUTC_TAKEN)
    reason = lutc_pack_weights(node, &inputs);
  if (reason != NULL)
    node->state = LUTC_LEFT;
  ort_status *status = node->state != LUTC_TAKEN ? lutc_create_builtin(node, info) : NULL;
  if (status != NULL)
    node->state = LUTC_LEFT;
  else if (node->state == LUTC_TAKEN)
    lutc_count_packed(node);
  else if (node->state == LUTC_WAITING)
    lutc_count_waiting(1);
  else
    lutc_count_left(reason);
  return status;
}

static ort_status *set_up(lutc_node *node, const ort_kernel_info *info) {
  const ort_api *ort = &node->runtime->ort;
  ort_status *status = get_size(ort, info, "N", &node->n);
  if (status == NULL)
    status = get_size(ort, info, "K", &node->k);
  if (status == NULL)
    status = get_size(ort, info, "block_size", &node->block);
  if (status != NULL)
    return status;
  node->bits = (size_t)get_optional(ort, info, "bits", 4);
  node->accuracy = get_optional(ort, info, "accuracy_level", 0);
  node->prepacked = get_optional(ort, info, "weight_prepacked", 0);
  return take_weights(node, info);
}

static ort_status *create_kernel(const ort_custom_op *op, void *const *api, const ort_kernel_info *info,
                                 void **kernel) {
  (void)api;
  const lutc_runtime *runtime = ((const typed_op *)(const void *)op)->runtime;
  lutc_node *node = calloc(1, sizeof *node);
  *kernel = NULL;
  if (node == NULL)
    return runtime->ort.create_status(ORT_FAIL, "lutc: no memory");
  node->runtime = runtime;
  node->type = type_of(op);
  pthread_mutex_init(&node->lock, NULL); /* which cannot fail with glibc and musl */
  ort_status *status = set_up(node, info);
  if (status != NULL)
    destroy_kernel(node);
  else
    *kernel = node;
  return status;
}

static ort_status *compute(void *kernel, ort_context *context) { return lutc_compute(kernel, context); }

static const ort_custom_op functions = {
    .version = ORT_VERSION,
    .get_name = get_name,
    .get_execution_provider = get_execution_provider,
    .get_input_type = get_input_type,
    .get_input_count = get_input_count,
    .get_output_type = get_output_type,
    .get_output_count = get_output_count,
    .destroy_kernel = destroy_kernel,
    .get_input_characteristic = get_input_characteristic,
    .get_output_characteristic = get_output_characteristic,
    .get_input_memory = get_input_memory,
    .get_variadic = {get_variadic, get_variadic, get_variadic, get_variadic},
    .create_kernel = create_kernel,
    .compute = compute,
};

static ort_status *fill_registry(registry *r) {
  static const int types[] = {ORT_FLOAT, ORT_FLOAT16};
  const ort_api *ort = &r->runtime.ort;
  ort_memory_info *memory = NULL;
  ort_status *status = ort->create_cpu_memory_info(ORT_ARENA, ORT_DEFAULT_MEMORY, &memory);
  r->runtime.memory = memory;
  if (status == NULL)
    status = ort->create_domain("com.microsoft", &r->domain);
  for (size_t i = 0; i < sizeof types / sizeof *types && status == NULL; ++i) {
    r->ops[i] = (typed_op){functions, types[i], &r->runtime};
    status = ort->add_op(r->domain, &r->ops[i].op);
  }
  return status;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static registry *registries;

/* For the whole process: weights that were packed for one variant are of no use to another. */
static const char *choose_variant(void) {
  static char line[LUTC_LINE];
  static const char *problem;
  static bool is_chosen;
  if (!is_chosen)
    problem = lutc_take_variant(&matmulnbits_library, line);
  is_chosen = true;
  return problem;
}

/* Of the ONNX Runtime that has this table. */
static ort_status *find_registry(void *const *table, registry **found) {
  for (*found = registries; *found != NULL; *found = (*found)->next)
    if ((*found)->table == table)
      return NULL;
  ort_status *(*create_status)(int, const char *);
  memcpy(&create_status, &table[0], sizeof create_status);
  registry *r = calloc(1, sizeof *r);
  if (r == NULL)
    return create_status(ORT_FAIL, "lutc: no memory");
#define LUTC_ORT_TAKE(place, result, name, arguments)                                                        \
  memcpy(&r->runtime.ort.name, &table[place], sizeof r->runtime.ort.name);
  LUTC_ORT_FUNCTIONS(LUTC_ORT_TAKE)
#undef LUTC_ORT_TAKE
  r->table = table;
  ort_status *status = fill_registry(r);
  if (status != NULL) { /* it stays in memory: ONNX Runtime may know a part of it */
    return status;
  }
  r->next = registries;
  *found = registries = r;
  return NULL;
}

__attribute__((visibility("default"))) ort_status *RegisterCustomOps(ort_session_options *options,
                                                                     const ort_api_base *base);

ort_status *RegisterCustomOps(ort_session_options *options, const ort_api_base *base) {
  if (lutc_is_set("LUTC_OFF"))
    return NULL;
  void *const *table = base->get_api(ORT_VERSION);
  if (table == NULL) {
    lutc_say_left_out("ONNX Runtime is older than 1.20");
    return NULL;
  }
  registry *r = NULL;
  pthread_mutex_lock(&lock);
  const char *problem = choose_variant();
  ort_status *status = problem == NULL ? find_registry(table, &r) : NULL;
  pthread_mutex_unlock(&lock);
  if (problem != NULL)
    lutc_say_left_out(problem);
  return r != NULL ? r->runtime.ort.add_domain(options, r->domain) : status;
}
