/* experts.c: mixtures of experts. Tokens are prepared once; products then run for all pairs of a token and
   one of its experts, sorted so that each expert's weights are read once for all its tokens. Experts of no
   token cost nothing. */
#include "program.h"

#include <string.h>

static const int32_t *routes_of(const lutc_operand *experts, size_t token) {
  return (const int32_t *)experts->data + token * experts->stride;
}

lutc_status lutc_check_routes(const lutc_routing *routing, const lutc_operand *experts, size_t m) {
  for (size_t token = 0; token < m; ++token)
    for (size_t j = 0; j < routing->top; ++j) {
      const int32_t expert = routes_of(experts, token)[j];
      if (expert < 0 || (size_t)expert >= routing->expert_count)
        return LUTC_BAD_ROUTE;
    }
  return LUTC_OK;
}

/* The lists of pairs lie at the end of the block's scratch; counters follow them. */
static uint32_t *place_pairs(lutc_call *c) {
  const size_t pairs = c->m * c->program->routing->top;
  const size_t counters = (c->program->routing->expert_count + 1) * sizeof(uint32_t);
  uint8_t *end = c->scratch + c->m * c->program->scratch_bytes + c->program->fixed_bytes -
                 lutc_round_up(counters, LUTC_ALIGNMENT);
  c->pairs.count = pairs;
  c->pairs.segments = (lutc_segment *)(void *)(end - pairs * sizeof(lutc_segment));
  c->pairs.positions = (uint32_t *)(void *)c->pairs.segments - pairs;
  c->pairs.tokens = c->pairs.positions - pairs;
  return (uint32_t *)(void *)end;
}

/* Counting sort; afterwards counters[e] is the end of expert e's pairs. */
static void sort_pairs(lutc_call *c, uint32_t *counters) {
  const lutc_routing *routing = c->program->routing;
  const lutc_operand *experts = &c->operands[routing->experts];
  memset(counters, 0, (routing->expert_count + 1) * sizeof *counters);
  for (size_t token = 0; token < c->m; ++token)
    for (size_t j = 0; j < routing->top; ++j)
      ++counters[routes_of(experts, token)[j] + 1];
  for (size_t e = 0; e < routing->expert_count; ++e)
    counters[e + 1] += counters[e];
  for (size_t token = 0; token < c->m; ++token)
    for (size_t j = 0; j < routing->top; ++j) {
      const uint32_t pair = counters[routes_of(experts, token)[j]]++;
      c->pairs.tokens[pair] = (uint32_t)token;
      c->pairs.positions[token * routing->top + j] = pair;
    }
}

static void cut_segments(lutc_call *c, const uint32_t *ends) {
  const lutc_routing *routing = c->program->routing;
  const uint32_t most = (uint32_t)routing->segment_tokens;
  c->pairs.segment_count = 0;
  for (uint32_t e = 0, begin = 0; e < routing->expert_count; begin = ends[e++])
    for (uint32_t first = begin; first < ends[e]; first += most)
      c->pairs.segments[c->pairs.segment_count++] =
          (lutc_segment){e, first, (uint32_t)lutc_min(ends[e] - first, most)};
}

static const void *weights_of(const lutc_operand *operand, uint32_t expert) {
  return ((const void *const *)operand->data)[expert];
}

static lutc_status check_experts(const lutc_call *c) {
  for (size_t i = 0; i < c->program->slot_count; ++i) {
    const lutc_slot *slot = &c->program->slots[i];
    for (size_t s = 0; slot->kind == LUTC_EXPERTS && s < c->pairs.segment_count; ++s) {
      const void *packed = weights_of(&c->operands[i], c->pairs.segments[s].expert);
      if (packed == NULL)
        return LUTC_NULL_POINTER;
      if (!lutc_is_aligned(packed, LUTC_ALIGNMENT))
        return LUTC_MISALIGNED;
      const lutc_status status =
          lutc_check_header(&slot->kernel->info, lutc_kernel_code(slot->kernel), packed);
      if (status != LUTC_OK)
        return status;
    }
  }
  return LUTC_OK;
}

/* A segment of one pair reads its token's activations where they are. */
static void gather_task(void *argument, size_t task) {
  const lutc_call *c = argument;
  const lutc_routing *routing = c->program->routing;
  for (size_t s = lutc_share(c, task); s < lutc_share(c, task + 1); ++s) {
    const lutc_segment *segment = &c->pairs.segments[s];
    for (size_t g = 0; segment->count > 1 && g < routing->gather_count; ++g) {
      const size_t bytes = c->program->slots[routing->gathers[g].from].size;
      const uint8_t *from = c->operands[routing->gathers[g].from].data;
      uint8_t *to = (uint8_t *)(uintptr_t)c->operands[routing->gathers[g].to].data;
      for (size_t pair = segment->begin; pair < segment->begin + segment->count; ++pair)
        memcpy(to + pair * bytes, from + c->pairs.tokens[pair] * bytes, bytes);
    }
  }
}

lutc_status lutc_route(lutc_call *c) {
  uint32_t *counters = place_pairs(c);
  sort_pairs(c, counters);
  cut_segments(c, counters);
  const lutc_status status = check_experts(c);
  if (status == LUTC_OK)
    lutc_spread(c, c->pairs.segment_count, gather_task);
  return status;
}

void lutc_segment_operands(const lutc_call *c, const lutc_segment *segment, lutc_operand *operands) {
  const lutc_routing *routing = c->program->routing;
  for (size_t i = 0; i < c->program->slot_count; ++i) {
    const lutc_slot *slot = &c->program->slots[i];
    operands[i] = c->operands[i];
    if (slot->kind == LUTC_EXPERTS)
      operands[i].data =
          (const uint8_t *)weights_of(&c->operands[i], segment->expert) + sizeof(lutc_packed_header);
    else if (slot->routed)
      operands[i].data = (const uint8_t *)c->operands[i].data + segment->begin * slot->size;
  }
  for (size_t g = 0; segment->count == 1 && g < routing->gather_count; ++g) {
    const uint32_t from = routing->gathers[g].from;
    operands[routing->gathers[g].to].data = (const uint8_t *)c->operands[from].data +
                                            c->pairs.tokens[segment->begin] * c->program->slots[from].size;
  }
}

static const float *row_of(const lutc_operand *operand, size_t row) {
  return (const float *)operand->data + row * operand->stride;
}

/* y = sum of gate * row in the order of the token's experts, + residual, which may lie where y does. */
static void combine_token(const lutc_call *c, size_t token) {
  enum { PART = 64 };
  const lutc_routing *routing = c->program->routing;
  const size_t n = c->program->slots[routing->result].size;
  const float *gates = row_of(&c->operands[routing->gates], token), *residual = NULL;
  if (routing->residual != LUTC_NO_SLOT)
    residual = row_of(&c->operands[routing->residual], token);
  float *y = (float *)(uintptr_t)row_of(&c->operands[routing->result], token);
  for (size_t begin = 0; begin < n; begin += PART) {
    const size_t count = lutc_min(PART, n - begin);
    float sums[PART];
    for (size_t j = 0; j < routing->top; ++j) {
      const size_t pair = c->pairs.positions[token * routing->top + j];
      const float *row = row_of(&c->operands[routing->combined], pair) + begin;
      for (size_t i = 0; i < count; ++i)
        sums[i] = j == 0 ? gates[0] * row[i] : sums[i] + gates[j] * row[i];
    }
    for (size_t i = 0; i < count; ++i)
      y[begin + i] = residual != NULL ? sums[i] + residual[begin + i] : sums[i];
  }
}

static void combine_task(void *argument, size_t task) {
  const lutc_call *c = argument;
  for (size_t token = lutc_share(c, task); token < lutc_share(c, task + 1); ++token)
    combine_token(c, token);
}

void lutc_combine(lutc_call *c) { lutc_spread(c, c->m, combine_task); }
