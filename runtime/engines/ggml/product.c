/* product.c: MUL_MAT and MUL_MAT_ID. All threads of a graph enter compute_forward, and each makes the same
   calls of the runtime, whose tasks they share. */
#include "internal.h"
#include "plugin.h"
#include "prepared.h"

#include <math.h>
#include <stdatomic.h>

/* Tokens of an expert that are multiplied at a time, and phases between two resets of their counters. */
enum { SEGMENT = 256, PHASES = 64 };

/* The parts of wdata, which the threads share. */
typedef struct plan {
  atomic_size_t *next;             /* the next task of each phase */
  uint8_t *scratch, *own;          /* own: prepared activations of a token, of each thread */
  size_t scratch_bytes, own_bytes; /* of one */
  float *x, *y;                    /* rows gathered, and to scatter */
  uint32_t *order, *experts;       /* pairs by expert; where each expert's begin */
  size_t bytes;
} plan;

/* A thread's view of an op. */
typedef struct call {
  const lutc_operand_weights *weights;
  const lutc_product *product;
  const ggml_params *params;
  const ggml_tensor *w, *x, *ids, *y;
  plan plan;
  size_t phase;
  int is_free; /* 1: phases do not wait for each other */
  lutc_parallel parallel;
} call;

/* Rows that lutc takes as they lie. Their elements are adjacent, as ggml's own products demand. */
static bool has_plain_rows(const ggml_tensor *x) {
  return x->nb[1] % sizeof(float) == 0 && (x->ne[1] == 1 || x->nb[1] >= (size_t)x->ne[0] * sizeof(float));
}

/* Whether the matrices of a tensor follow one another like their rows, so that they are one. */
static bool is_one_matrix(const ggml_tensor *t) {
  return (t->ne[2] == 1 || t->nb[2] == (size_t)t->ne[1] * t->nb[1]) &&
         (t->ne[3] == 1 || t->nb[3] == (size_t)t->ne[2] * t->nb[2]);
}

static bool is_one_product(const ggml_tensor *w, const ggml_tensor *x, const ggml_tensor *y) {
  return w->ne[2] == 1 && w->ne[3] == 1 && is_one_matrix(x) && is_one_matrix(y) && has_plain_rows(x) &&
         (x->ne[1] != 1 || x->nb[1] >= (size_t)x->ne[0] * sizeof(float));
}

static size_t pair_count(const ggml_tensor *ids) { return (size_t)(ids->ne[0] * ids->ne[1]); }

/* One token, whose experts' products are independent. */
static bool is_one_token(const ggml_tensor *ids) { return ids->ne[1] == 1 && ids->ne[0] < PHASES; }

/* `memory` may be null. */
static plan make_plan(const lutc_product *product, const ggml_tensor *op, size_t threads, void *memory) {
  const ggml_tensor *w = op->src[0], *x = op->src[1], *ids = op->src[2];
  plan p = {.bytes = 0};
  p.next = lutc_take(memory, &p.bytes, PHASES * sizeof *p.next);
  size_t rows = (size_t)x->ne[1], gathered = 0, scratches = 1;
  if (op->op == lutc_ggml.mul_mat_id_op) {
    rows = is_one_token(ids) ? 1 : lutc_min(pair_count(ids), SEGMENT);
    gathered = is_one_token(ids) ? 0 : rows;
    scratches = is_one_token(ids) ? (size_t)ids->ne[0] : 1;
    p.order = lutc_take(memory, &p.bytes, pair_count(ids) * sizeof *p.order);
    p.experts = lutc_take(memory, &p.bytes, ((size_t)w->ne[2] + 1) * sizeof *p.experts);
  } else if (is_one_product(w, x, op)) {
    rows = (size_t)(x->ne[1] * x->ne[2] * x->ne[3]);
  } else if (!has_plain_rows(x)) {
    gathered = rows;
  }
  p.scratch_bytes = lutc_round_up(lutc_scratch_bytes(product->kernel, lutc_max(rows, 1)), LUTC_ALIGNMENT);
  p.scratch = lutc_take(memory, &p.bytes, scratches * p.scratch_bytes);
  p.own_bytes = lutc_round_up(lutc_prepared_bytes(product->kernel, 1), LUTC_ALIGNMENT);
  p.own = lutc_take(memory, &p.bytes, threads * p.own_bytes);
  p.x = lutc_take(memory, &p.bytes, gathered * product->k * sizeof(float));
  p.y = lutc_take(memory, &p.bytes,
                  op->op == lutc_ggml.mul_mat_id_op ? gathered * product->n * sizeof(float) : 0);
  return p;
}

static bool work_size(ggml_traits *self, int threads, const ggml_tensor *op, size_t *bytes) {
  const lutc_operand_weights *weights = (const lutc_operand_weights *)(const void *)self;
  const plan p = make_plan(weights->product, op, (size_t)lutc_max((size_t)threads, 1), NULL);
  *bytes = p.bytes + LUTC_ALIGNMENT; /* wdata may lie anywhere */
  return true;
}

static void wait_for_others(const call *c) {
  if (c->params->nth > 1)
    lutc_ggml.barrier(c->params->threadpool);
}

static void reset_counters(const call *c) {
  if (c->params->ith == 0)
    for (size_t i = 0; i < PHASES; ++i)
      atomic_store_explicit(&c->plan.next[i], 0, memory_order_relaxed);
}

/* Before a phase that reads what the others wrote, or writes what they read. After the last one ggml waits.
 */
static void begin_phase(const call *c) {
  if (c->phase == 0 || c->is_free)
    return;
  wait_for_others(c);
  if (c->phase % PHASES == 0) {
    reset_counters(c);
    wait_for_others(c);
  }
}

/* lutc_parallel.run on each of the threads. */
static void share_tasks(void *context, size_t tasks, void (*task)(void *, size_t), void *argument) {
  call *c = context;
  begin_phase(c);
  atomic_size_t *next = &c->plan.next[c->phase++ % PHASES];
  for (size_t i; (i = atomic_fetch_add_explicit(next, 1, memory_order_relaxed)) < tasks;)
    task(argument, i);
}

/* Every thread prepares a token for itself: that takes as long as waiting for the one that does. */
static lutc_status multiply_token(call *c, const float *x, const void *packed, float *y, uint8_t *scratch) {
  uint8_t *own = c->plan.own + (size_t)c->params->ith * c->plan.own_bytes;
  const void *prepared = lutc_prepare_token(c->product->kernel, x, own, c->plan.own_bytes);
  if (prepared == NULL)
    return LUTC_MISALIGNED;
  return lutc_run_prepared(c->product->kernel, 1, prepared, c->plan.own_bytes, packed, y, c->product->n,
                           scratch, c->plan.scratch_bytes, &c->parallel);
}

/* `m` rows of x and y, whose strides are of elements. */
static lutc_status multiply(call *c, size_t m, const float *x, size_t ldx, const void *packed, float *y,
                            size_t ldy) {
  if (m == 1)
    return multiply_token(c, x, packed, y, c->plan.scratch);
  return lutc_run(c->product->kernel, m, x, ldx, packed, y, ldy, c->plan.scratch, c->plan.scratch_bytes,
                  &c->parallel);
}

static lutc_status multiply_slice(call *c, size_t matrix, const char *x, char *y) {
  const size_t m = (size_t)c->x->ne[1], k = c->product->k, ldy = c->y->nb[1] / sizeof(float);
  const void *packed = c->weights->matrices[matrix];
  if (has_plain_rows(c->x))
    return multiply(c, m, (const float *)(const void *)x, lutc_max(c->x->nb[1] / sizeof(float), k), packed,
                    (float *)(void *)y, ldy);
  float *rows = c->plan.x;
  wait_for_others(c); /* for those that still read the rows of the slice before */
  for (size_t i = (size_t)c->params->ith; i < m; i += (size_t)c->params->nth)
    memcpy(rows + i * k, x + i * c->x->nb[1], k * sizeof(float));
  wait_for_others(c);
  return multiply(c, m, rows, k, packed, (float *)(void *)y, ldy);
}

static lutc_status mul_mat(call *c) {
  const ggml_tensor *w = c->w, *x = c->x, *y = c->y;
  if (is_one_product(w, x, y))
    return multiply(c, (size_t)(x->ne[1] * x->ne[2] * x->ne[3]), x->data, x->nb[1] / sizeof(float),
                    c->weights->matrices[0], y->data, y->nb[1] / sizeof(float));
  lutc_status status = LUTC_OK;
  for (int64_t i3 = 0; i3 < x->ne[3]; ++i3)
    for (int64_t i2 = 0; i2 < x->ne[2] && status == LUTC_OK; ++i2) {
      const int64_t w3 = i3 / (x->ne[3] / w->ne[3]), w2 = i2 / (x->ne[2] / w->ne[2]);
      const size_t at2 = (size_t)i2, at3 = (size_t)i3;
      status = multiply_slice(c, (size_t)(w3 * w->ne[2] + w2),
                              (const char *)x->data + at2 * x->nb[2] + at3 * x->nb[3],
                              (char *)y->data + at2 * y->nb[2] + at3 * y->nb[3]);
    }
  return status;
}

/* A pair is an expert of a token: ids [top, tokens], x [k, top or 1, tokens], y [n, top, tokens]. */
static int32_t expert_of(const call *c, size_t pair) {
  const size_t top = (size_t)c->ids->ne[0];
  int32_t expert;
  memcpy(&expert, (const char *)c->ids->data + pair % top * c->ids->nb[0] + pair / top * c->ids->nb[1],
         sizeof expert);
  return expert;
}

static const char *x_of(const call *c, size_t pair) {
  const size_t top = (size_t)c->ids->ne[0];
  return (const char *)c->x->data + pair % top % (size_t)c->x->ne[1] * c->x->nb[1] + pair / top * c->x->nb[2];
}

static float *y_of(const call *c, size_t pair) {
  const size_t top = (size_t)c->ids->ne[0];
  return (float *)(void *)((char *)c->y->data + pair % top * c->y->nb[1] + pair / top * c->y->nb[2]);
}

static bool is_expert(const call *c, int32_t expert) { return expert >= 0 && expert < c->w->ne[2]; }

/* Sorts pairs by expert. Pairs of no expert come last, and are not computed. */
static void sort_pairs(const call *c) {
  uint32_t *order = c->plan.order, *begin = c->plan.experts;
  const size_t pairs = pair_count(c->ids), experts = (size_t)c->w->ne[2];
  memset(begin, 0, (experts + 1) * sizeof *begin);
  for (size_t i = 0; i < pairs; ++i)
    if (is_expert(c, expert_of(c, i)))
      ++begin[expert_of(c, i) + 1];
  for (size_t e = 0; e < experts; ++e)
    begin[e + 1] += begin[e];
  for (size_t i = 0; i < pairs; ++i) /* leaves each expert's begin at that of the next one */
    if (is_expert(c, expert_of(c, i)))
      order[begin[expert_of(c, i)]++] = (uint32_t)i;
}

/* Up to SEGMENT pairs of one expert. */
static lutc_status multiply_segment(call *c, size_t expert, const uint32_t *pairs, size_t count) {
  const size_t k = c->product->k, n = c->product->n, nth = (size_t)c->params->nth;
  float *x = c->plan.x, *y = c->plan.y;
  for (size_t i = (size_t)c->params->ith; i < count; i += nth)
    memcpy(x + i * k, x_of(c, pairs[i]), k * sizeof(float));
  wait_for_others(c);
  const lutc_status status = multiply(c, count, x, k, c->weights->matrices[expert], y, n);
  wait_for_others(c);
  for (size_t i = (size_t)c->params->ith; i < count; i += nth)
    memcpy(y_of(c, pairs[i]), y + i * n, n * sizeof(float));
  return status;
}

static lutc_status multiply_experts(call *c) {
  const uint32_t *order = c->plan.order, *end = c->plan.experts;
  lutc_status status = LUTC_OK;
  size_t pair = 0;
  for (size_t expert = 0; expert < (size_t)c->w->ne[2]; ++expert)
    while (pair < end[expert] && status == LUTC_OK) {
      const size_t count = lutc_min(end[expert] - pair, SEGMENT);
      status = multiply_segment(c, expert, order + pair, count);
      pair += count;
    }
  return status;
}

static lutc_status mul_mat_id(call *c) {
  if (!is_one_token(c->ids))
    return multiply_experts(c);
  lutc_status status = LUTC_OK;
  c->is_free = 1;
  for (size_t i = 0; i < pair_count(c->ids) && status == LUTC_OK; ++i)
    if (is_expert(c, expert_of(c, i)))
      status =
          multiply_token(c, (const float *)(const void *)x_of(c, i), c->weights->matrices[expert_of(c, i)],
                         y_of(c, i), c->plan.scratch + i * c->plan.scratch_bytes);
  return status;
}

/* What cannot happen must not pass for a result. */
static void spoil(const call *c, lutc_status status) {
  lutc_warn("%s: %s", c->y->name, lutc_status_string(status));
  float *y = c->y->data;
  for (size_t i = 0; i < lutc_ggml.nbytes(c->y) / sizeof *y; ++i)
    y[i] = NAN;
}

static lutc_status compute(call *c) {
  const bool is_routed = c->y->op == lutc_ggml.mul_mat_id_op;
  if (c->params->wsize < c->plan.bytes + LUTC_ALIGNMENT)
    return LUTC_BUFFER_TOO_SMALL;
  reset_counters(c);
  if (c->params->ith == 0 && is_routed && !is_one_token(c->ids))
    sort_pairs(c);
  wait_for_others(c);
  return is_routed ? mul_mat_id(c) : mul_mat(c);
}

static bool compute_forward(ggml_traits *self, ggml_params *params, ggml_tensor *op) {
  const lutc_operand_weights *weights = (const lutc_operand_weights *)(const void *)self;
  call c = {.weights = weights,
            .product = weights->product,
            .params = params,
            .w = op->src[0],
            .x = op->src[1],
            .ids = op->src[2],
            .y = op};
  c.plan = make_plan(c.product, op, (size_t)params->nth,
                     (void *)lutc_round_up((uintptr_t)params->wdata, LUTC_ALIGNMENT));
  c.parallel = (lutc_parallel){share_tasks, &c, (size_t)params->nth};
  if (params->ith == 0)
    lutc_say_counts();
  const lutc_status status = compute(&c);
  if (status != LUTC_OK && params->ith == 0)
    spoil(&c, status);
  return true;
}

static const struct {
  ggml_class_head head;
  ggml_traits_functions functions;
} product_class = {{0, NULL}, {NULL, NULL, work_size, compute_forward}};

const ggml_traits_functions *const lutc_product_functions = &product_class.functions;
