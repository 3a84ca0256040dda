/* program.h: a call on its way through a program. run.c runs it; experts.c sends its tokens to experts. */
#ifndef LUTC_PROGRAM_H
#define LUTC_PROGRAM_H

#include "internal.h"

/* Pairs [begin, begin + count) of a block have one expert. */
typedef struct lutc_segment {
  uint32_t expert, begin, count;
} lutc_segment;

/* The pairs of a block's tokens and their experts, sorted by expert, then token, then place. */
typedef struct lutc_pairs {
  size_t count, segment_count;
  uint32_t *tokens;    /* [count]: of each pair */
  uint32_t *positions; /* [m][top]: the pair of a token's j-th expert */
  lutc_segment *segments;
} lutc_pairs;

/* A call, and the block of tokens that is on its way through the stages. */
typedef struct lutc_call {
  const lutc_program *program;
  const lutc_operand *given; /* the caller's */
  uint8_t *scratch;
  size_t scratch_bytes;
  const lutc_parallel *parallel;
  size_t m;                              /* tokens of the block */
  lutc_operand operands[LUTC_MAX_SLOTS]; /* of the block */
  lutc_pairs pairs;
  const lutc_stage *stages, *stages_end; /* of the phase */
  lutc_status status;                    /* of the first stage that failed, or one of them; atomic */
  size_t items, tasks;                   /* what the phase divides; into how many tasks */
} lutc_call;

/* Runs task(call, i) for every part i of `items`. */
void lutc_spread(lutc_call *c, size_t items, void (*task)(void *call, size_t index));
/* Where the part of [0, items) that belongs to a task begins. */
static inline size_t lutc_share(const lutc_call *c, size_t task) { return c->items * task / c->tasks; }

/* Runs the call's stages for its block. */
void lutc_run_phase(lutc_call *c);

/* Whether every route of m tokens leads to an expert. */
lutc_status lutc_check_routes(const lutc_routing *routing, const lutc_operand *experts, size_t m);
/* Sorts the block's pairs and gathers their activations. Fails where an expert in use has no good weights. */
lutc_status lutc_route(lutc_call *c);
/* Operands of the pairs of a segment. */
void lutc_segment_operands(const lutc_call *c, const lutc_segment *segment, lutc_operand *operands);
/* Adds up what the experts of each token have computed. */
void lutc_combine(lutc_call *c);

#endif
