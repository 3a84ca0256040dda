// lut-check-accumulators, by example. Digits to the base 36 are at most 18 in magnitude: a signed byte holds the sum of 7
// lookups, and 16 unsigned bits the sum of 257 bytes. A schedule that asks for more is lowered to what is proven:
//
//   schedule <..., run = 14, widen = 1000>     ==>    schedule <..., run = 7, widen = 257>
//
// RUN: lut-opt %s --lut-check-accumulators -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!trits = !lut.tables<1400, group = 1400, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>
!ternary = !lut.weights<10 x 1400, <w158>, trits>
!digits = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
!rounded = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>
!planes = !lut.weights<10 x 64, <w2>, planes>
!planes3 = !lut.weights<10 x 64, <w3>, planes>

module attributes {lut.target = #target} {
  // CHECK-LABEL: @example(
  // CHECK: schedule <strategy = lookup, layout = base3, {{.*}} run = 7, widen = 257>
  func.func @example(%t: !trits, %w: !ternary) -> tensor<?x10xf32> {
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 1, k_block = 140, run = 14, widen = 1000> : !trits, !ternary -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // Seven digits of at most 16 fit a byte, but a run has to divide the 8 units that the loop takes at a time.
  // CHECK-LABEL: @column(
  // CHECK: run = 4, widen = 256>
  func.func @column(%t: !digits, %w: !planes) -> tensor<?x10xf32> {
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0, run = 8, widen = 256> : !digits, !planes -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // Rounded entries reach 127: no two fit a byte.
  // CHECK-LABEL: @rounded(
  // CHECK: run = 1, widen = 256>
  func.func @rounded(%t: !rounded, %w: !planes) -> tensor<?x10xf32> {
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0, run = 2, widen = 256> : !rounded, !planes -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // What is proven already is left alone.
  // CHECK-LABEL: @narrow(
  // CHECK: run = 2, widen = 9>
  func.func @narrow(%t: !digits, %w: !planes) -> tensor<?x10xf32> {
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0, run = 2, widen = 9> : !digits, !planes -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // The highest of three planes has the factor 4 * 32 = 128, which fits a byte.
  // CHECK-LABEL: @quad(
  // CHECK: schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0>
  func.func @quad(%t: !digits, %w: !planes3) -> tensor<?x10xf32> {
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0> : !digits, !planes3 -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // |w - zero point| <= 255 and |q| <= 127: the sum over 66311 elements is below 2^31.
  // CHECK-LABEL: @longRow(
  // CHECK: lut.dot_gemm {{.*}} schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0>
  func.func @longRow(%q: !lut.activations<66311, group = 66311>, %w: !lut.weights<10 x 66311, <w4z>>) -> tensor<?x10xf32> {
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0> : !lut.activations<66311, group = 66311>, !lut.weights<10 x 66311, <w4z>> -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // Without a schedule there are no sums yet.
  // CHECK-LABEL: @unscheduled(
  // CHECK-NOT: schedule
  func.func @unscheduled(%t: !digits, %w: !planes) -> tensor<?x10xf32> {
    %y = lut.lookup_gemm %t, %w : !digits, !planes -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }
}

// -----

#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!q = !lut.activations<66312, group = 66312>
!w = !lut.weights<10 x 66312, <w4z>>

module attributes {lut.target = #target} {
  func.func @overflow(%q: !q, %w: !w) -> tensor<?x10xf32> {
    // expected-error@+2 {{sums over 66312 elements of k reach 2147514120 and overflow 32 bits}}
    // expected-note@+1 {{write a format with groups, such as w4g128}}
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0> : !q, !w -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }
}

// -----

#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!t = !lut.tables<1056833, group = 1056833, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
!w = !lut.weights<10 x 1056833, <w4>, planes>

module attributes {lut.target = #target} {
  // Bit planes give twice the sum of code * q, and |code - 8| <= 8.
  func.func @overflowOfLookups(%t: !t, %w: !w) -> tensor<?x10xf32> {
    // expected-error@+2 {{sums over 1056833 elements of k reach 2147484656 and overflow 32 bits}}
    // expected-note@+1 {{write a format with groups}}
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0, run = 4, widen = 256> : !t, !w -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }
}

// -----

#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!t = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
!w = !lut.weights<10 x 64, <w4>, planes>

module attributes {lut.target = #target} {
  func.func @multiplier(%t: !t, %w: !w) -> tensor<?x10xf32> {
    // expected-error@+1 {{the multiplier 256 of the highest bit plane does not fit a byte}}
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0> : !t, !w -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }
}

// -----

// expected-error@+1 {{the module has no attribute lut.target}}
module {}
