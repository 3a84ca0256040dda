/* make.c: kernels of any n and k, made of those whose n and k are open. */
#include "internal.h"
#include "shape.h"

/* The slots of a kernel's program: x, weights, prepared activations, y, then buffers where stages need them.
 */
enum { X, WEIGHTS, PREPARED, Y, BUFFERS, MOST_SLOTS = BUFFERS + 2 };

typedef struct made_variant {
  lutc_variant_code code;
  lutc_program program;
  lutc_shape shape;
  lutc_slot slots[MOST_SLOTS];
  lutc_stage stages[2];
} made_variant;

typedef struct made_kernel {
  lutc_kernel kernel;
  const lutc_variant_code *variants[]; /* then a made_variant for each */
} made_kernel;

static size_t head_bytes(const lutc_library *library) {
  return lutc_round_up(sizeof(made_kernel) + library->variant_count * sizeof(void *), LUTC_ALIGNMENT);
}

size_t lutc_made_kernel_bytes(const lutc_kernel *open) {
  if (open == NULL)
    return 0;
  const size_t variants = open->library->variant_count * sizeof(made_variant);
  return lutc_round_up(head_bytes(open->library) + variants, LUTC_ALIGNMENT);
}

static size_t row_bytes(uint64_t elements) { return lutc_round_up(elements * sizeof(float), 64); }

static uint8_t add_buffer(made_variant *made, size_t bytes) {
  made->slots[made->program.slot_count] = (lutc_slot){LUTC_SCRATCH, 0, LUTC_F32, bytes, NULL, 0};
  return (uint8_t)made->program.slot_count++;
}

/* As the compiler places a kernel of known shape. */
static void make_variant(const lutc_kernel *kernel, const lutc_variant_code *open, made_variant *made) {
  const lutc_body *body = open->body;
  lutc_shape *shape = &made->shape;
  lutc_shape_of(body, kernel->info.n, kernel->info.k, shape);
  made->code = *open;
  made->code.program = &made->program;
  made->code.info.packed_bytes = sizeof(lutc_packed_header) + shape->payload_bytes;
  made->code.layout = lutc_layout_of(body, shape);
  made->code.layout_id = lutc_layout_id(&made->code.layout);

  const size_t few = body->unpack_tokens > 1 ? body->unpack_tokens - 1 : 0;
  const size_t fixed = few * (shape->few.bytes - shape->many.bytes);
  made->slots[X] = (lutc_slot){LUTC_ROWS, 0, LUTC_F32, kernel->info.k, NULL, 0};
  made->slots[WEIGHTS] = (lutc_slot){LUTC_WEIGHTS, 0, LUTC_F32, kernel->info.n, kernel, 0};
  made->slots[PREPARED] = (lutc_slot){LUTC_SCRATCH, 0, LUTC_F32, shape->many.bytes, NULL, fixed};
  made->slots[Y] = (lutc_slot){LUTC_RESULT, 0, LUTC_F32, kernel->info.n, NULL, 0};
  made->program = *open->program;
  made->program.slots = made->slots;
  made->program.slot_count = BUFFERS;
  made->program.stages = made->stages;

  lutc_stage *prepare = &made->stages[0], *compute = &made->stages[1];
  *prepare = open->program->stages[0];
  *compute = open->program->stages[1];
  prepare->shape = compute->shape = shape;
  if (body->has_columns || shape->row_k != shape->k)
    prepare->slots[LUTC_STAGE_BUFFER] = add_buffer(made, row_bytes(shape->row_k));
  else
    prepare->source = NULL;
  const uint64_t rows = shape->tiles * body->layout.tile_rows;
  compute->slots[LUTC_STAGE_BUFFER] = Y;
  if (rows != shape->n && shape->k_blocks > 1)
    compute->slots[LUTC_STAGE_BUFFER] = add_buffer(made, row_bytes(rows));

  made->program.fixed_bytes = fixed;
  made->program.scratch_bytes = 0;
  for (size_t i = 0; i < made->program.slot_count; ++i)
    if (made->slots[i].kind == LUTC_SCRATCH)
      made->program.scratch_bytes += made->slots[i].size;
}

static const lutc_variant_code *code_for(const lutc_kernel *open, size_t variant, size_t n) {
  const lutc_variant_code *code = open->variants[variant];
  return code->few != NULL && n < LUTC_FEW_ROWS ? code->few : code;
}

/* Whether sums fit 32 bits and sizes the address space, in every variant. */
static int is_good_shape(const lutc_kernel *open, size_t n, size_t k) {
  if (n == 0 || k == 0 || n > INT32_MAX || k > INT32_MAX)
    return 0;
  for (size_t i = 0; i < open->library->variant_count; ++i) {
    const lutc_body *body = code_for(open, i, n)->body;
    if (!lutc_sums_fit(body, k))
      return 0;
    lutc_shape shape;
    lutc_shape_of(body, n, k, &shape);
    if (shape.payload_bytes > PTRDIFF_MAX / 2 || shape.k_padded > INT32_MAX)
      return 0;
  }
  return 1;
}

lutc_status lutc_make_kernel(const lutc_kernel *open, size_t n, size_t k, void *memory, size_t memory_bytes,
                             const lutc_kernel **kernel) {
  if (open == NULL || memory == NULL || kernel == NULL)
    return LUTC_NULL_POINTER;
  if (!lutc_is_aligned(memory, LUTC_ALIGNMENT))
    return LUTC_MISALIGNED;
  if (memory_bytes < lutc_made_kernel_bytes(open))
    return LUTC_BUFFER_TOO_SMALL;
  if (!lutc_is_open(open) || !is_good_shape(open, n, k))
    return LUTC_BAD_SHAPE;
  made_kernel *made = memory;
  made_variant *variants = (made_variant *)(void *)((uint8_t *)memory + head_bytes(open->library));
  made->kernel = *open;
  made->kernel.info.n = n;
  made->kernel.info.k = k;
  if (open->info.group == 0)
    made->kernel.info.group = k;
  made->kernel.variants = made->variants;
  for (size_t i = 0; i < open->library->variant_count; ++i) {
    make_variant(&made->kernel, code_for(open, i, n), &variants[i]);
    made->variants[i] = &variants[i].code;
  }
  *kernel = &made->kernel;
  return LUTC_OK;
}
