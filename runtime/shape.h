/* shape.h: the numbers of a product of n rows and k columns: what the compiler writes for shapes it knows and
   the runtime for all others. Not for users. */
#ifndef LUTC_SHAPE_H
#define LUTC_SHAPE_H

#include "kernel.h"

static inline uint64_t lutc_up(uint64_t a, uint64_t b) { return (a + b - 1) / b * b; }

/* Bytes of a tile in `length` of k. */
static inline uint64_t lutc_tile_bytes(const lutc_body *body, uint64_t length) {
  uint64_t bytes = length / body->chunk_k * body->chunk_bytes;
  if (body->span != 0)
    bytes +=
        length / body->layout.group * (body->layout.tile_rows * body->row_scale_bytes + body->multiple_bytes);
  return bytes;
}

/* Tiles whose k blocks lie together. Few, so that a thread reads its tiles in long pieces of memory: where k
   blocks of all tiles lay together, threads fetched what their neighbours needed. Enough for tiles to share
   the activations and tables of a k block in L1. */
enum { LUTC_PANEL_TILES = 10 };

static inline uint64_t lutc_panel_tiles(uint64_t tiles, uint64_t k_blocks) {
  return k_blocks == 1 || tiles < LUTC_PANEL_TILES ? tiles : LUTC_PANEL_TILES;
}

/* Behind the first `before` bytes. */
static inline lutc_prepared lutc_place_prepared(const lutc_body *body, const lutc_shape *shape,
                                                uint64_t before) {
  lutc_prepared place;
  const uint64_t sums = body->subgroup != 0 ? shape->k_padded / body->subgroup : shape->groups;
  place.values = lutc_up(before, 64);
  place.scales = place.values + lutc_up(shape->k_padded * body->value_bytes, 64);
  place.sums = place.scales + lutc_up(shape->groups * 4, 64);
  place.bytes = place.sums + lutc_up(sums * 4, 64);
  if (place.bytes % 4096 == 0)
    place.bytes += 64; /* tokens at equal offsets would share one set of the L1 cache */
  return place;
}

/* `k_padded` rounds k up; every k block but the last has k_block of it. */
static inline void lutc_shape_of(const lutc_body *body, uint64_t n, uint64_t k, lutc_shape *shape) {
  const lutc_layout *layout = &body->layout;
  shape->n = n;
  shape->k = k;
  shape->k_padded = lutc_up(k, layout->k_padded);
  shape->row_k = lutc_up(shape->k_padded, 32);
  const uint64_t most = layout->k_block != 0 ? layout->k_block : body->unpack_k; /* 0: all of k */
  shape->k_block = most != 0 && most < shape->k_padded ? most : shape->k_padded;
  shape->k_blocks = (shape->k_padded + shape->k_block - 1) / shape->k_block;
  shape->groups = body->span != 0 ? shape->k_padded / layout->group : 1;
  shape->span = body->span;
  shape->spans = body->span != 0 ? shape->k_padded / body->span : 0;
  shape->block_spans = body->span != 0 ? shape->k_block / body->span : 0;
  shape->span_bytes = lutc_tile_bytes(body, body->span);
  shape->span_scales = body->span / body->chunk_k * body->chunk_bytes + body->multiple_bytes;
  shape->sum_factor = (uint64_t)(int64_t)body->sum_factor;

  shape->tiles = (n + layout->tile_rows - 1) / layout->tile_rows;
  shape->tile_bytes = lutc_tile_bytes(body, shape->k_block);
  shape->last_tile_bytes = lutc_tile_bytes(body, shape->k_padded - (shape->k_blocks - 1) * shape->k_block);
  shape->tile_stream = (shape->k_blocks - 1) * shape->tile_bytes + shape->last_tile_bytes;
  shape->panel = lutc_panel_tiles(shape->tiles, shape->k_blocks);
  const uint64_t column = body->span == 0 ? shape->tiles * layout->tile_rows * 4 : 0;
  shape->scale_offset = shape->tiles * shape->tile_stream;
  shape->zero_offset = shape->scale_offset + column;
  shape->negatives_offset = shape->zero_offset + (body->has_zero_points ? column : 0);
  shape->columns_offset = shape->negatives_offset + (body->has_negatives ? column : 0);
  shape->payload_bytes = shape->columns_offset + (body->has_columns ? shape->k_padded * 4 : 0);

  shape->unpack_tokens = body->unpack_tokens != 0 ? body->unpack_tokens : UINT64_MAX;
  shape->unpack_blocks = body->unpack_k > shape->k_block ? body->unpack_k / shape->k_block : 1;
  shape->unpack_rounds = (shape->k_blocks + shape->unpack_blocks - 1) / shape->unpack_blocks;
  const uint64_t units = body->table_bytes != 0 ? shape->k_padded / body->unit : 0;
  shape->few = lutc_place_prepared(body, shape, units * body->table_bytes);
  shape->many = body->reorders ? lutc_place_prepared(body, shape, shape->k_padded + 32) : shape->few;
}

/* Whether sums of k products fit 32 bits. */
static inline int lutc_sums_fit(const lutc_body *body, uint64_t k) {
  return body->most_k == 0 || k <= body->most_k;
}

/* Of the packed weights of a shape. */
static inline lutc_layout lutc_layout_of(const lutc_body *body, const lutc_shape *shape) {
  lutc_layout layout = body->layout;
  layout.k_block = (uint32_t)shape->k_block;
  layout.k_padded = (uint32_t)shape->k_padded;
  return layout;
}

#endif
