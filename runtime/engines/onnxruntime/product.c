/* product.c: a call of the op, on the threads of the session. */
#include "internal.h"
#include "node.h"

#include "terms.h"

/* Rows of activations that are multiplied at a time where they are not those of A; elements of activations
   that one thread prepares before others are awake. */
enum { MOST_ROWS = 384, FEW_ELEMENTS = 1 << 16 };

typedef struct call {
  const lutc_node *node;
  ort_context *context;
  const ort_value *inputs[INPUTS];
  size_t m;
  const uint8_t *a, *bias; /* bias: may be null */
  uint8_t *y;
  size_t element_bytes; /* of A, bias and Y */
  bool is_plain;        /* the kernel takes A and gives Y as they are */
  bool is_small;        /* a piece has FEW_ELEMENTS at most */
  size_t piece;         /* tokens at a time */
  size_t first;         /* of the piece that is computed */
  uint8_t *scratch, *prepared;
  size_t scratch_bytes, prepared_bytes;
  float *x_rows, *y_rows; /* where they are not plain: terms [tokens][terms][k], and their results */
  lutc_parallel parallel;
} call;

static const ort_api *ort_of(const call *c) { return &c->node->runtime->ort; }

/* lutc_parallel.run. Nothing has run where ONNX Runtime gives a status. */
static void share_tasks(void *context, size_t tasks, void (*task)(void *, size_t), void *argument) {
  const call *c = context;
  if (tasks > 1 && lutc_is_ok(ort_of(c), ort_of(c)->parallel_for(c->context, task, tasks, 0, argument)))
    return;
  for (size_t i = 0; i < tasks; ++i)
    task(argument, i);
}

static bool is_half(const call *c) { return c->node->type == ORT_FLOAT16; }

static void share_tokens(call *c, size_t tokens, void (*task)(void *, size_t)) {
  if (!c->is_small)
    share_tasks(c, tokens, task, c);
  else
    for (size_t i = 0; i < tokens; ++i)
      task(c, i);
}

static void split_task(void *argument, size_t token) {
  const call *c = argument;
  const lutc_node *node = c->node;
  const size_t terms = node->terms, k = node->k;
  lutc_split_token(c->a + (c->first + token) * k * c->element_bytes, is_half(c), k, node->block, terms,
                   c->x_rows + token * terms * k);
}

static void join_task(void *argument, size_t token) {
  const call *c = argument;
  const lutc_node *node = c->node;
  const size_t terms = node->terms, n = node->n;
  uint8_t *y = c->y + (c->first + token) * n * c->element_bytes;
  const float *rows = c->is_plain ? (const float *)(const void *)y : c->y_rows + token * terms * n;
  lutc_join_token(rows, terms, n, c->bias, is_half(c), y);
}

static lutc_status run_rows(const call *c, size_t rows, const float *x, float *y) {
  const lutc_node *node = c->node;
  if (!c->is_small)
    return lutc_run(node->kernel, rows, x, node->k, node->packed, y, node->n, c->scratch, c->scratch_bytes,
                    &c->parallel);
  const lutc_status status =
      lutc_prepare(node->kernel, rows, x, node->k, NULL, c->prepared, c->prepared_bytes, NULL);
  return status != LUTC_OK
             ? status
             : lutc_run_prepared(node->kernel, rows, c->prepared, c->prepared_bytes, node->packed, y, node->n,
                                 c->scratch, c->scratch_bytes, &c->parallel);
}

static lutc_status run_piece(call *c, size_t tokens) {
  if (!c->is_plain)
    share_tokens(c, tokens, split_task);
  const float *x = c->is_plain ? (const float *)(const void *)c->a : c->x_rows;
  float *y = c->is_plain ? (float *)(void *)c->y : c->y_rows;
  const lutc_status status = run_rows(c, tokens * c->node->terms, x, y);
  if (status == LUTC_OK && (!c->is_plain || c->bias != NULL))
    share_tokens(c, tokens, join_task);
  return status;
}

static lutc_status run_pieces(call *c) {
  lutc_status status = LUTC_OK;
  for (c->first = 0; c->first < c->m && status == LUTC_OK; c->first += c->piece)
    status = run_piece(c, lutc_min(c->piece, c->m - c->first));
  return status;
}

/* Cuts the call to pieces and places their parts in `memory`, which may be null; how many bytes they take. */
static size_t plan(call *c, uint8_t *memory) {
  const lutc_node *node = c->node;
  c->is_plain = !is_half(c) && node->terms == 1;
  c->piece = c->is_plain ? c->m : lutc_min(c->m, MOST_ROWS / node->terms);
  const size_t rows = c->piece * node->terms, own_rows = c->is_plain ? 0 : rows;
  c->is_small = rows <= FEW_ELEMENTS / node->k;
  c->scratch_bytes = lutc_scratch_bytes(node->kernel, rows);
  c->prepared_bytes = c->is_small ? lutc_prepared_bytes(node->kernel, rows) : 0;
  size_t used = 0;
  c->scratch = lutc_take(memory, &used, c->scratch_bytes);
  c->prepared = lutc_take(memory, &used, c->prepared_bytes);
  c->x_rows = lutc_take(memory, &used, own_rows * node->k * sizeof(float));
  c->y_rows = lutc_take(memory, &used, own_rows * node->n * sizeof(float));
  return used;
}

static ort_status *multiply(call *c) {
  const lutc_runtime *runtime = c->node->runtime;
  lutc_scratch scratch;
  ort_status *status = lutc_take_scratch(runtime, c->context, plan(c, NULL), &scratch);
  if (status == NULL) {
    plan(c, scratch.memory);
    const lutc_status done = run_pieces(c);
    status = done != LUTC_OK ? runtime->ort.create_status(ORT_FAIL, lutc_status_string(done)) : NULL;
  }
  lutc_free_scratch(runtime, &scratch);
  return status;
}

/* The shape of Y: that of A with n in place of k. */
static ort_status *create_y(call *c, ort_value **y) {
  const ort_api *ort = ort_of(c);
  lutc_dimensions shape;
  ort_status *status = lutc_get_dimensions(ort, c->inputs[INPUT_A], &shape);
  if (status == NULL && (shape.rank == 0 || shape.sizes[shape.rank - 1] != (int64_t)c->node->k))
    status =
        ort->create_status(ORT_INVALID_ARGUMENT, "lutc: the last dimension of A is not K of MatMulNBits");
  if (status != NULL)
    return status;
  c->m = 1;
  for (size_t i = 0; i + 1 < shape.rank; ++i)
    c->m *= (size_t)shape.sizes[i];
  shape.sizes[shape.rank - 1] = (int64_t)c->node->n;
  return ort->get_output(c->context, 0, shape.sizes, shape.rank, y);
}

static ort_status *check_bias(const call *c, const void **data) {
  lutc_elements bias;
  if (c->inputs[INPUT_BIAS] == NULL)
    return NULL;
  if (!lutc_get_elements(ort_of(c), c->inputs[INPUT_BIAS], &bias) || bias.count != c->node->n)
    return ort_of(c)->create_status(ORT_INVALID_ARGUMENT, "lutc: the bias of MatMulNBits has not N elements");
  *data = bias.data;
  return NULL;
}

static ort_status *get_inputs(call *c) {
  ort_status *status = NULL;
  for (size_t i = 0; i < INPUTS && status == NULL; ++i)
    status = ort_of(c)->get_input(c->context, i, &c->inputs[i]);
  return status;
}

static ort_status *compute(lutc_node *node, call *c) {
  const ort_api *ort = ort_of(c);
  ort_value *y = NULL;
  void *a = NULL, *results = NULL;
  const void *bias = NULL;
  ort_status *status = get_inputs(c);
  if (status == NULL)
    status = create_y(c, &y);
  if (status != NULL || c->m == 0)
    return status;
  if (!lutc_has_packed(node, c->inputs, &c->parallel))
    return lutc_compute_builtin(node, c->context, c->inputs, y);
  status = check_bias(c, &bias);
  if (status == NULL)
    status = ort->get_data(c->inputs[INPUT_A], &a);
  if (status == NULL)
    status = ort->get_data(y, &results);
  if (status != NULL)
    return status;
  c->a = a, c->bias = bias, c->y = results;
  c->element_bytes = is_half(c) ? sizeof(uint16_t) : sizeof(float);
  c->parallel.threads = node->threads;
  return multiply(c);
}

ort_status *lutc_compute(lutc_node *node, ort_context *context) {
  call c = {.node = node, .context = context};
  c.parallel = (lutc_parallel){share_tasks, &c, 1};
  ort_status *status = compute(node, &c);
  lutc_say_counts(ort_of(&c), context);
  return status;
}
