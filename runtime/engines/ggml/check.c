/* check.c: whether ggml is as ggml.h says. Tensors that ggml makes are compared field by field; then a small
   product runs through the plug-in's buffer, the CPU back end and two of its threads. */
#include "internal.h"
#include "plugin.h"

#include <math.h>

enum { N = 32, K = 64, TOKENS = 3, EXPERTS = 2, THREADS = 2, Q4_0 = 2 }; /* of the trial */

/* sizeof(struct ggml_object), which stands before each tensor of a context. */
enum { OBJECT_BYTES = 32 };

static ggml_context *make_context(void) {
  const size_t bytes = lutc_ggml.graph_overhead() + 16 * lutc_ggml.tensor_overhead();
  return lutc_ggml.init((ggml_init_params){bytes, NULL, true});
}

static bool has_shape(const ggml_tensor *t, int type, int64_t ne0, int64_t ne1, int64_t ne2) {
  return t->type == type && t->ne[0] == ne0 && t->ne[1] == ne1 && t->ne[2] == ne2 && t->ne[3] == 1;
}

static bool is_new(const ggml_tensor *t) {
  return t->buffer == NULL && t->data == NULL && t->extra == NULL && t->view_src == NULL && t->src[0] == NULL;
}

static bool compare_tensors(ggml_context *context) {
  ggml_tensor *w = lutc_ggml.new_tensor_3d(context, Q4_0, K, N, EXPERTS);
  ggml_tensor *x = lutc_ggml.new_tensor_3d(context, GGML_F32, K, 1, TOKENS);
  ggml_tensor *ids = lutc_ggml.new_tensor_3d(context, GGML_I32, 1, TOKENS, 1);
  const size_t row = K / 32 * 18; /* bytes of Q4_0 */
  if (!has_shape(w, Q4_0, K, N, EXPERTS) || w->nb[0] != 18 || w->nb[1] != row || w->nb[2] != row * N ||
      !is_new(w) || !has_shape(x, GGML_F32, K, 1, TOKENS) || x->nb[0] != 4 ||
      !has_shape(ids, GGML_I32, 1, TOKENS, 1))
    return false;
  lutc_ggml.set_name(w, "lutc");
  if (lutc_ggml.get_name(w) != w->name || strcmp(w->name, "lutc") != 0)
    return false;
  const ggml_tensor *y = lutc_ggml.mul_mat_id(context, w, x, ids), *view = lutc_ggml.view_tensor(context, w);
  return has_shape(y, GGML_F32, N, 1, TOKENS) && y->op == lutc_ggml.mul_mat_id_op && y->src[0] == w &&
         y->src[1] == x && y->src[2] == ids && view->view_src == w && view->view_offset == 0;
}

const char *lutc_check_structs(void) {
  if (lutc_ggml.tensor_overhead() != OBJECT_BYTES + sizeof(ggml_tensor))
    return "tensors of ggml have another size";
  ggml_context *context = make_context();
  if (context == NULL)
    return "ggml has no memory";
  const bool fits = compare_tensors(context);
  lutc_ggml.free(context);
  return fits ? NULL : "tensors of ggml have another form";
}

/* Weights of a row are alike, and so are activations of a token. */
static int weight_of(size_t row) { return (int)(row % 16) - 8; }

static void fill_blocks(uint8_t *blocks) {
  for (size_t row = 0; row < N; ++row)
    for (size_t block = 0; block < K / 32; ++block, blocks += 18) {
      const int code = weight_of(row) + 8;
      blocks[0] = 0, blocks[1] = 0x3c; /* f16 1 */
      memset(blocks + 2, code | code << 4, 16);
    }
}

/* What a trial allocates. */
typedef struct trial {
  ggml_context *context;
  ggml_buffer *weights, *activations;
  ggml_backend *backend;
} trial;

static bool is_product(const float *y) {
  for (size_t token = 0; token < TOKENS; ++token)
    for (size_t row = 0; row < N; ++row) {
      const float expected = (float)(K * weight_of(row)) * (float)(token + 1);
      if (!(fabsf(y[token * N + row] - expected) <= 1e-3f * fabsf(expected) + 1e-3f))
        return false;
    }
  return true;
}

static const char *place_weights(trial *t, ggml_tensor *w) {
  t->weights = lutc_ggml.backend_buft_alloc_buffer(
      &lutc_buffer_type, lutc_buffer_type.get_alloc_size(&lutc_buffer_type, w) + LUTC_ALIGNMENT);
  if (t->weights == NULL || lutc_ggml.backend_buffer_get_type(t->weights) != &lutc_buffer_type ||
      strcmp(lutc_ggml.backend_buft_name(&lutc_buffer_type), lutc_buffer_type.get_name(&lutc_buffer_type)) !=
          0)
    return "buffers of ggml have another form";
  uint8_t blocks[N * K / 32 * 18];
  const uintptr_t base = (uintptr_t)lutc_ggml.backend_buffer_get_base(t->weights);
  void *address = (void *)lutc_round_up(base, LUTC_ALIGNMENT);
  fill_blocks(blocks);
  if (lutc_ggml.backend_tensor_alloc(t->weights, w, address) != 0 || w->data != address ||
      w->buffer != t->weights)
    return "ggml places tensors in another way";
  lutc_ggml.backend_tensor_set(w, blocks, 0, sizeof blocks);
  return w->extra != NULL ? NULL : "buffers of ggml take tensors in another way";
}

static const char *compute_product(trial *t, ggml_tensor *w) {
  ggml_tensor *x = lutc_ggml.new_tensor_3d(t->context, GGML_F32, K, TOKENS, 1);
  ggml_tensor *y = lutc_ggml.mul_mat(t->context, w, x);
  if (!has_shape(y, GGML_F32, N, TOKENS, 1) || y->op != lutc_ggml.mul_mat_op)
    return "products of ggml have another form";
  t->activations = lutc_ggml.backend_buft_alloc_buffer(lutc_ggml.backend_cpu_buffer_type(), 2 * 4096);
  t->backend = lutc_ggml.backend_dev_init(lutc_buffer_type.device, NULL);
  if (t->activations == NULL || t->backend == NULL)
    return "ggml has no memory";
  char *base = lutc_ggml.backend_buffer_get_base(t->activations);
  if (lutc_ggml.backend_tensor_alloc(t->activations, x, base) != 0 ||
      lutc_ggml.backend_tensor_alloc(t->activations, y, base + 4096) != 0)
    return "ggml places tensors in another way";
  for (size_t i = 0; i < K * TOKENS; ++i)
    ((float *)x->data)[i] = (float)(i / K + 1);
  void (*set_threads)(ggml_backend *, int);
  *(void **)&set_threads =
      lutc_ggml.backend_reg_get_proc_address(lutc_ggml.cpu, "ggml_backend_set_n_threads");
  if (set_threads != NULL)
    set_threads(t->backend, THREADS);
  ggml_graph *graph = lutc_ggml.new_graph(t->context);
  lutc_ggml.build_forward_expand(graph, y);
  const int status = lutc_ggml.backend_graph_compute(t->backend, graph);
  return status == 0 && is_product(y->data) ? NULL : "a trial product in ggml went wrong";
}

const char *lutc_run_trial(void) {
  trial t = {make_context(), NULL, NULL, NULL};
  if (t.context == NULL)
    return "ggml has no memory";
  ggml_tensor *w = lutc_ggml.new_tensor_3d(t.context, Q4_0, K, N, 1);
  const char *problem = place_weights(&t, w);
  if (problem == NULL)
    problem = compute_product(&t, w);
  if (t.backend != NULL)
    lutc_ggml.backend_free(t.backend);
  if (t.weights != NULL)
    lutc_ggml.backend_buffer_free(t.weights);
  if (problem == NULL && lutc_has_buffers())
    problem = "buffers of ggml are freed in another way";
  if (t.activations != NULL)
    lutc_ggml.backend_buffer_free(t.activations);
  lutc_ggml.free(t.context);
  return problem;
}
