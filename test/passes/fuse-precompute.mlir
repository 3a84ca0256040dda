// lut-fuse-precompute, by example. Products become stages with the additions and scalings after them; what produces
// their activations becomes a stage that prepares them, once for all products that read the same bytes:
//
//   %h = lut.norm %x, %weight
//   %q = lut.quantize_activations %h
//   %a = lut.dot_gemm %q, %w
//   %y = lut.add %a, %residual
// ==>
//   %q = lut.stage(%x, %weight) { lut.norm, lut.quantize_activations }
//   %y = lut.stage(%w, %q, %residual) { lut.dot_gemm, lut.add }
//
// RUN: lut-opt %s --lut-fuse-precompute -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
#one = #lut.schedule<strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0>
!q = !lut.activations<64, group = 64>
!w = !lut.weights<8 x 64, <w2>>

module attributes {lut.target = #target} {
  // CHECK-LABEL: func.func @example(
  // CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>, %[[NORM:.*]]: tensor<64xf32>, %[[W:.*]]: !lut.weights<{{.*}}>, %[[R:.*]]: tensor<?x8xf32>)
  // CHECK: %[[Q:.*]] = lut.stage(%[[X]], %[[NORM]]) : ({{.*}}) -> !lut.activations<64, group = 64> {
  // CHECK: %[[H:.*]] = lut.norm rms
  // CHECK: lut.quantize_activations %[[H]]
  // CHECK: %[[Y:.*]] = lut.stage({{.*}}%[[Q]]{{.*}}%[[R]]) : ({{.*}}) -> tensor<?x8xf32> {
  // CHECK: %[[A:.*]] = lut.dot_gemm
  // CHECK: lut.add %[[A]]
  // CHECK: return %[[Y]]
  func.func @example(%x: tensor<?x64xf32>, %norm: tensor<64xf32>, %w: !w, %residual: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %h = lut.norm rms %x, %norm epsilon 1.0e-5 : tensor<?x64xf32>, tensor<64xf32>
    %q = lut.quantize_activations %h : tensor<?x64xf32> -> <64, group = 64>
    %a = lut.dot_gemm %q, %w schedule #one : !q, !w -> tensor<?x8xf32>
    %y = lut.add %a, %residual : tensor<?x8xf32>, tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // A gate and what it scales share their activations; their product is activations of the next one.
  // CHECK-LABEL: func.func @gate(
  // CHECK: %[[Q:.*]] = lut.stage
  // CHECK: lut.quantize_activations
  // CHECK: %[[G:.*]] = lut.stage({{.*}}%[[Q]]
  // CHECK: %[[U:.*]] = lut.stage({{.*}}%[[Q]]
  // CHECK: %[[D:.*]] = lut.stage(%[[G]], %[[U]])
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: lut.activate silu
  // CHECK-NEXT: lut.quantize_activations
  // CHECK: lut.stage({{.*}}%[[D]]
  // CHECK-NOT: lut.stage
  func.func @gate(%x: tensor<?x64xf32>, %g: !w, %u: !w, %d: !lut.weights<64 x 8, <w2>>) -> tensor<?x64xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 64>
    %a = lut.dot_gemm %q, %g schedule #one : !q, !w -> tensor<?x8xf32>
    %b = lut.dot_gemm %q, %u schedule #one : !q, !w -> tensor<?x8xf32>
    %c = lut.activate silu %a, %b : tensor<?x8xf32>, tensor<?x8xf32>
    %p = lut.quantize_activations %c : tensor<?x8xf32> -> <8, group = 8>
    %y = lut.dot_gemm %p, %d schedule #one : !lut.activations<8, group = 8>, !lut.weights<64 x 8, <w2>> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }

  // Lookups in layout column keep entries 128 higher where they are added one by one: other bytes, another stage.
  // CHECK-LABEL: func.func @bytes(
  // CHECK-COUNT-2: lut.precompute
  // CHECK-NOT: lut.precompute
  // CHECK: return
  func.func @bytes(%x: tensor<?x64xf32>, %w: !lut.weights<16 x 64, <w1>, planes>) -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
    %t = lut.precompute %x : tensor<?x64xf32> -> <64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>
    %a = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, run = 1, widen = 256> : !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>, !lut.weights<16 x 64, <w1>, planes> -> tensor<?x16xf32>
    %b = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>, !lut.weights<16 x 64, <w1>, planes> -> tensor<?x16xf32>
    %c = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 2, tokens = 1, token_block = 8, k_block = 0, run = 1, widen = 256> : !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>, !lut.weights<16 x 64, <w1>, planes> -> tensor<?x16xf32>
    return %a, %b, %c : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  }

  // Permuted columns: each order of one norm's result is a stage of its own, which reads the weights.
  // CHECK-LABEL: func.func @permuted(
  // CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>, %[[NORM:.*]]: tensor<64xf32>, %[[A:.*]]: !lut.weights<{{.*}}>, %[[B:.*]]: !lut.weights<{{.*}}>)
  // CHECK: %[[P:.*]] = lut.stage(%[[X]], %[[NORM]], %[[A]])
  // CHECK: lut.norm
  // CHECK-NEXT: lut.permute
  // CHECK-NEXT: lut.quantize_activations
  // CHECK: lut.stage(%[[P]], %[[A]])
  // CHECK: %[[Q:.*]] = lut.stage(%[[X]], %[[NORM]], %[[B]])
  // CHECK: lut.stage(%[[Q]], %[[B]])
  func.func @permuted(%x: tensor<?x64xf32>, %norm: tensor<64xf32>, %a: !lut.weights<8 x 64, <w2p>>, %b: !lut.weights<8 x 64, <w2p>>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
    %h = lut.norm rms %x, %norm epsilon 1.0e-5 : tensor<?x64xf32>, tensor<64xf32>
    %pa = lut.permute %h, %a : tensor<?x64xf32>, !lut.weights<8 x 64, <w2p>>
    %qa = lut.quantize_activations %pa : tensor<?x64xf32> -> <64, group = 64>
    %ya = lut.dot_gemm %qa, %a schedule #one : !q, !lut.weights<8 x 64, <w2p>> -> tensor<?x8xf32>
    %pb = lut.permute %h, %b : tensor<?x64xf32>, !lut.weights<8 x 64, <w2p>>
    %qb = lut.quantize_activations %pb : tensor<?x64xf32> -> <64, group = 64>
    %yb = lut.dot_gemm %qb, %b schedule #one : !q, !lut.weights<8 x 64, <w2p>> -> tensor<?x8xf32>
    return %ya, %yb : tensor<?x8xf32>, tensor<?x8xf32>
  }

  // What has no schedule is left alone.
  // CHECK-LABEL: func.func @unscheduled(
  // CHECK-NOT: lut.stage
  // CHECK: lut.dot_gemm
  func.func @unscheduled(%q: !q, %w: !w) -> tensor<?x8xf32> {
    %y = lut.dot_gemm %q, %w : !q, !w -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!q = !lut.activations<64, group = 64>
!w = !lut.weights<8 x 64, <w2>>

module attributes {lut.target = #target} {
  func.func @activated(%q: !q, %w: !w) -> tensor<?x8xf32> {
    %a = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !q, !w -> tensor<?x8xf32>
    %b = lut.activate relu2 %a : tensor<?x8xf32>
    // expected-error@+1 {{activated returns what no product computes; only additions, scalings and conversions may follow a product}}
    return %b : tensor<?x8xf32>
  }
}

// -----

// expected-error@+1 {{the module has no attribute lut.target}}
module {}
