// lut-choose-schedule, by example. The target has a byte permute of 64 entries and an exact product of four bytes, so
// lookups in four tables side by side (layout quad) beat everything else for 1-bit weights:
//
//   %y = lut.lookup_gemm %t, %w     ==>    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = quad, ...>
//
// Where multiplication is faster, the product becomes `lut.dot_gemm %q, %codes` and the tables go. The reason is a remark.
//
// RUN: lut-opt %s --lut-choose-schedule -split-input-file -verify-diagnostics | FileCheck %s
// RUN: not lut-opt %s --lut-choose-schedule -split-input-file --remarks-filter=lut-schedule --remark-format=emitRemark \
// RUN:   2>&1 | FileCheck %s --check-prefix=REMARK

#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!q = !lut.activations<2560, group = 128>
!t = !lut.tables<2560, group = 128, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
!w = !lut.weights<640 x 2560, <w1g128>>
!p = !lut.weights<640 x 2560, <w1g128>, planes>

module attributes {lut.target = #target} {
  // REMARK: [Passed] ChooseSchedule | Category:lut-schedule
  // REMARK-SAME: "permute: lookup in layout quad: {{[0-9]+}} cycles of compute and {{[0-9]+}} of weight traffic for a token alone, {{[0-9]+}} of compute in a batch"
  // CHECK-LABEL: @example(
  // CHECK: lut.lookup_gemm {{.*}} schedule <strategy = lookup, layout = quad,
  // CHECK-SAME: lut.compute_cycles = {{.*}} lut.memory_cycles =
  func.func @example(%q: !q, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %q : !q -> !t
    %y = lut.lookup_gemm %t, %p : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }

  // The user's strategy is kept, however slow. The codes behind the planes are multiplied.
  // CHECK-LABEL: @pinned(
  // CHECK-SAME: %[[Q:.*]]: !lut.activations{{.*}}, %[[W:.*]]: !lut.weights
  // CHECK-NOT: lut.precompute
  // CHECK: lut.dot_gemm %[[Q]], %[[W]] strategy dot schedule <strategy = dot, layout = dot,
  func.func @pinned(%q: !q, %w: !w) -> tensor<?x640xf32> {
    %t = lut.precompute %q : !q -> !t
    %p = lut.reinterpret %w : !w -> !p
    %y = lut.lookup_gemm %t, %p strategy dot : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }

  // Tables stay as long as another product reads them.
  // CHECK-LABEL: @shared(
  // CHECK: %[[T:.*]] = lut.precompute
  // CHECK-NEXT: lut.dot_gemm
  // CHECK-NEXT: lut.lookup_gemm %[[T]]
  func.func @shared(%q: !q, %p: !p) -> (tensor<?x640xf32>, tensor<?x640xf32>) {
    %t = lut.precompute %q : !q -> !t
    %a = lut.lookup_gemm %t, %p strategy dot : !t, !p -> tensor<?x640xf32>
    %b = lut.lookup_gemm %t, %p strategy lookup : !t, !p -> tensor<?x640xf32>
    return %a, %b : tensor<?x640xf32>, tensor<?x640xf32>
  }

  // A schedule is not reconsidered.
  // CHECK-LABEL: @scheduled(
  // CHECK: schedule <strategy = lookup, layout = column,
  func.func @scheduled(%q: !q, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %q : !q -> !t
    %y = lut.lookup_gemm %t, %p schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 1, k_block = 0, run = 1, widen = 1> : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }

  // Without the source of the tables there is nothing to choose from.
  // CHECK-LABEL: @tablesFromOutside(
  // CHECK-NOT: schedule
  func.func @tablesFromOutside(%t: !t, %p: !p) -> tensor<?x640xf32> {
    %y = lut.lookup_gemm %t, %p : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }
}

// -----

// Two digits of 4-bit weights need a factor of 256 for the highest plane, which is no byte: quad is not legal.
#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!q = !lut.activations<2560, group = 128>
!t = !lut.tables<2560, group = 128, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
!p = !lut.weights<640 x 2560, <w4g128>, planes>

module attributes {lut.target = #target} {
  // CHECK-LABEL: @fourBits(
  // CHECK: schedule <strategy = lookup, layout = column,
  func.func @fourBits(%q: !q, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %q : !q -> !t
    %y = lut.lookup_gemm %t, %p strategy lookup : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }
}

// -----

// Ternary weights: rounded to a byte, 122 entries are one permute of two registers. Exact sums take a lookup for each
// digit and larger tables. Few rows do not pay for these: they multiply. Many rows do, where memory is the limit; their
// batches unpack the codes. What is reported is the product's own cost, though the choice is for a typical n and k.
#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!q = !lut.activations<2560, group = 2560>
!d = !lut.tables<2560, group = 2560, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>
!t = !lut.tables<2560, group = 2560, unit = 5, trits = true, mirrored = true, digits = 1, radix = 0>
!p = !lut.weights<640 x 2560, <w158>, trits>

module attributes {lut.target = #target} {
  // CHECK-LABEL: @ternary(
  // CHECK: schedule <strategy = lookup, layout = base3,
  func.func @ternary(%x: tensor<?x2560xf32>, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %x : tensor<?x2560xf32> -> !t
    %y = lut.lookup_gemm %t, %p : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }

  // CHECK-LABEL: @exactTernary(
  // CHECK: lut.dot_gemm {{.*}} schedule <strategy = dot,
  // CHECK-SAME: lut.memory_cycles = 45511.
  // CHECK-SAME: lut.reason = "the fastest predicted for n = 1024, k = 4096: {{[0-9]+}} cycles for a token alone and one of a batch, against {{[0-9]+}} for the best lookup in layout base3"
  func.func @exactTernary(%q: !q, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %q : !q -> !d
    %y = lut.lookup_gemm %t, %p : !d, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }

  // CHECK-LABEL: @manyRows(
  // CHECK: schedule <strategy = lookup, layout = base3, {{.*}} unpack_tokens = {{[0-9]+}}> {
  // CHECK-SAME: lut.memory_cycles = 3.932160e+05
  func.func @manyRows(%q: !q, %p: !lut.weights<6912 x 2560, <w158>, trits>) -> tensor<?x6912xf32> {
    %t = lut.precompute %q : !q -> !d
    %y = lut.lookup_gemm %t, %p : !d, !lut.weights<6912 x 2560, <w158>, trits> -> tensor<?x6912xf32>
    return %y : tensor<?x6912xf32>
  }

  // Of tokens that are prepared together but multiplied by expert, some batches would be too small: tables are there for
  // all.
  // CHECK-LABEL: @routedRows(
  // CHECK-NOT: layout = base3, {{.*}} unpack_tokens
  func.func @routedRows(%q: !q, %p: !lut.weights<6912 x 2560, <w158>, trits>, %e: tensor<?x2xi32>) -> tensor<?x6912xf32> {
    %t = lut.precompute %q : !q -> !d
    %r = lut.route %t, %e : !d, tensor<?x2xi32>
    %y = lut.lookup_gemm %r, %p strategy lookup : !d, !lut.weights<6912 x 2560, <w158>, trits> -> tensor<?x6912xf32>
    return %y : tensor<?x6912xf32>
  }

  // A measured schedule is taken where it is one of the candidates.
  // CHECK-LABEL: @tuned(
  // CHECK: schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 2, token_block = 8, k_block = 280, run = 1, widen = 256>
  // CHECK-SAME: lut.reason = "measured as the fastest by a tuning"
  func.func @tuned(%x: tensor<?x2560xf32>, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %x : tensor<?x2560xf32> -> !t
    %y = lut.lookup_gemm %t, %p {lut.tuned = #lut.schedule<strategy = lookup, layout = base3, row_vectors = 1, tokens = 2, token_block = 8, k_block = 280, run = 1, widen = 256>} : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }
}

// -----

#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!t = !lut.tables<2560, group = 2560, unit = 5, trits = true, mirrored = true, digits = 1, radix = 0>
!p = !lut.weights<640 x 2560, <w158>, trits>

module attributes {lut.target = #target} {
  func.func @foreign(%x: tensor<?x2560xf32>, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %x : tensor<?x2560xf32> -> !t
    // expected-error@+1 {{is none that this lutc knows for the product on permute; tune again}}
    %y = lut.lookup_gemm %t, %p {lut.tuned = #lut.schedule<strategy = lookup, layout = base3, row_vectors = 7, tokens = 2, token_block = 8, k_block = 280, run = 1, widen = 256>} : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }
}

// -----

// The first product on a target that shuffles 16 bytes: one table for a byte of every row.
#target = #lut.target<name = "shuffle", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!q = !lut.activations<2560, group = 128>
!t = !lut.tables<2560, group = 128, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
!p = !lut.weights<640 x 2560, <w1g128>, planes>

module attributes {lut.target = #target} {
  // REMARK: "shuffle: lookup in layout column:
  // CHECK-LABEL: @shuffles(
  // CHECK: schedule <strategy = lookup, layout = column,
  func.func @shuffles(%q: !q, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %q : !q -> !t
    %y = lut.lookup_gemm %t, %p : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }
}

// -----

// The same where lookups are scalar loads: it multiplies.
#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!q = !lut.activations<2560, group = 128>
!t = !lut.tables<2560, group = 128, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
!w = !lut.weights<640 x 2560, <w1g128>>
!p = !lut.weights<640 x 2560, <w1g128>, planes>

module attributes {lut.target = #target} {
  // REMARK: "plain: dot in layout dot:
  // CHECK-LABEL: @noPermute(
  // CHECK-SAME: %[[Q:.*]]: !lut.activations{{.*}}, %[[W:.*]]: !lut.weights
  // CHECK: lut.dot_gemm %[[Q]], %[[W]] schedule <strategy = dot, layout = dot,
  func.func @noPermute(%q: !q, %w: !w) -> tensor<?x640xf32> {
    %t = lut.precompute %q : !q -> !t
    %p = lut.reinterpret %w : !w -> !p
    %y = lut.lookup_gemm %t, %p : !t, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }
}

// -----

// Sums of floats are no product of integers.
#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!f = !lut.tables<2560, group = 128, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>
!p = !lut.weights<640 x 2560, <w1g128>, planes>

module attributes {lut.target = #target} {
  func.func @illegal(%x: tensor<?x2560xf32>, %p: !p) -> tensor<?x640xf32> {
    %t = lut.precompute %x : tensor<?x2560xf32> -> !f
    // expected-error@+1 {{no schedule of strategy dot is legal for this product on permute}}
    %y = lut.lookup_gemm %t, %p strategy dot : !f, !p -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }
}

// -----

// expected-error@+1 {{the module has no attribute lut.target}}
module {}
