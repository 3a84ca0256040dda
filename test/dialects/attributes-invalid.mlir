// What targets and schedules may not say.
// RUN: lut-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{vector_bytes = 24 must be 16, 32 or 64}}
module attributes {a = #lut.target<name = "t", vector_bytes = 24, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{vector_bytes = 128 must be 16, 32 or 64}}
module attributes {a = #lut.target<name = "t", vector_bytes = 128, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{registers = 7 must be at least 8}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 7, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{a permute reaches a power of two of bytes, not 48}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 48, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{a permute reaches a power of two of bytes, not 96}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 96, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{cycles, l1_bytes and stream_bytes_per_100_cycles must be positive}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 0, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{cycles, l1_bytes and stream_bytes_per_100_cycles must be positive}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 0, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{cycles, l1_bytes and stream_bytes_per_100_cycles must be positive}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 0, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{cycles, l1_bytes and stream_bytes_per_100_cycles must be positive}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 0, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{cycles, l1_bytes and stream_bytes_per_100_cycles must be positive}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 0, stream_bytes_per_100_cycles = 900>} {}

// -----

// expected-error@+1 {{cycles, l1_bytes and stream_bytes_per_100_cycles must be positive}}
module attributes {a = #lut.target<name = "t", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 0>} {}

// -----

// expected-error@+1 {{strategy dot cannot read layout quad}}
module attributes {a = #lut.schedule<strategy = dot, layout = quad, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 0, widen = 0>} {}

// -----

// expected-error@+1 {{strategy lookup cannot read layout dot}}
module attributes {a = #lut.schedule<strategy = lookup, layout = dot, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 0, widen = 0>} {}

// -----

// expected-error@+1 {{row_vectors and tokens must be positive, k_block and prefetch not negative}}
module attributes {a = #lut.schedule<strategy = lookup, layout = column, row_vectors = 0, tokens = 2, token_block = 8, k_block = 0, run = 4, widen = 256>} {}

// -----

// expected-error@+1 {{row_vectors and tokens must be positive, k_block and prefetch not negative}}
module attributes {a = #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 0, token_block = 8, k_block = 0, run = 4, widen = 256>} {}

// -----

// expected-error@+1 {{row_vectors and tokens must be positive, k_block and prefetch not negative}}
module attributes {a = #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 2, token_block = 8, k_block = -5, run = 4, widen = 256>} {}

// -----

// expected-error@+1 {{token_block = 7 must be a multiple of tokens = 2}}
module attributes {a = #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 2, token_block = 7, k_block = 0, run = 4, widen = 256>} {}

// -----

// expected-error@+1 {{token_block = 0 must be a multiple of tokens = 2}}
module attributes {a = #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 2, token_block = 0, k_block = 0, run = 4, widen = 256>} {}

// -----

// expected-error@+1 {{k_block = 0 must be a multiple of 5 in layout base3}}
module attributes {a = #lut.schedule<strategy = lookup, layout = base3, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 7, widen = 256>} {}

// -----

// expected-error@+1 {{k_block = 32 must be a multiple of 5 in layout base3}}
module attributes {a = #lut.schedule<strategy = lookup, layout = base3, row_vectors = 1, tokens = 2, token_block = 8, k_block = 32, run = 7, widen = 256>} {}

// -----

// expected-error@+1 {{k_block = 40 must be a multiple of 32 in layout column; 0: all of k at once}}
module attributes {a = #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 2, token_block = 8, k_block = 40, run = 4, widen = 256>} {}

// -----

// expected-error@+1 {{run and widen belong to the layouts column and base3}}
module attributes {a = #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 0, widen = 256>} {}

// -----

// expected-error@+1 {{run and widen belong to the layouts column and base3}}
module attributes {a = #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 4, widen = 0>} {}

// -----

// expected-error@+1 {{run and widen belong to the layouts column and base3}}
module attributes {a = #lut.schedule<strategy = lookup, layout = quad, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 4, widen = 0>} {}

// -----

// expected-error@+1 {{run and widen belong to the layouts column and base3}}
module attributes {a = #lut.schedule<strategy = dot, layout = dot, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 0, widen = 256>} {}

// -----

// expected-error@+1 {{row_vectors and tokens must be positive, k_block and prefetch not negative}}
module attributes {a = #lut.schedule<strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0, prefetch = -64>} {}

// -----

// expected-error@+1 {{prefetch_bytes = -1 must not be negative}}
module attributes {a = #lut.target<name = "t", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900, prefetch_bytes = -1>} {}

// -----

// expected-error@+1 {{batch_row_vectors = 3 must divide row_vectors = 4}}
module attributes {a = #lut.schedule<strategy = dot, layout = dot, row_vectors = 4, tokens = 2, token_block = 8, k_block = 0, batch_row_vectors = 3>} {}

// -----

// expected-error@+1 {{unpack_tokens = 8 must be 1 in layout book}}
module attributes {a = #lut.schedule<strategy = dot, layout = book, row_vectors = 4, tokens = 2, token_block = 8, k_block = 0, unpack_tokens = 8>} {}

// -----

// expected-error@+1 {{unpack_tokens = 8 must not be negative, and 0 in layout quad}}
module attributes {a = #lut.schedule<strategy = lookup, layout = quad, row_vectors = 4, tokens = 2, token_block = 8, k_block = 0, unpack_tokens = 8>} {}

// -----

// expected-error@+1 {{k_block = 35 must be a multiple of 20 to be unpacked}}
module attributes {a = #lut.schedule<strategy = lookup, layout = base3, row_vectors = 2, tokens = 2, token_block = 8, k_block = 35, run = 7, widen = 256, unpack_tokens = 8>} {}

// -----

// expected-error@+1 {{machine = 5 : i64 must be a #lmma.machine}}
module attributes {a = #lut.target<name = "t", vector_bytes = 32, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900, machine = 5 : i64>} {}
