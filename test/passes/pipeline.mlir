// lut-plan-pipeline: all passes from a product to its checked schedule. Pipeline.cpp gives the reason for the order.
// RUN: lut-opt %s --lut-plan-pipeline -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK-LABEL: @lookup(
  // CHECK-SAME: %[[X:.*]]: tensor<?x2560xf32>, %[[W:.*]]: !lut.weights
  // CHECK: %[[S:.*]] = lut.stage(%[[X]])
  // CHECK: %[[Q:.*]] = lut.quantize_activations
  // CHECK: %[[T:.*]] = lut.precompute %[[Q]] : {{.*}} mirrored = true, digits = 2, radix = 36>
  // CHECK: lut.stage({{.*}}%[[S]]
  // CHECK: %[[P:.*]] = lut.reinterpret {{.*}}, trits>
  // CHECK: lut.lookup_gemm %{{.*}}, %[[P]] strategy lookup schedule <strategy = lookup, layout = base3, {{.*}} run = 7,
  func.func @lookup(%x: tensor<?x2560xf32>, %w: !lut.weights<640 x 2560, <w158>>) -> tensor<?x640xf32> {
    %y = lut.mpgemm %x, %w numerics a8 strategy lookup : tensor<?x2560xf32>, !lut.weights<640 x 2560, <w158>> -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }

  // A pinned multiplication needs no tables.
  // CHECK-LABEL: @dot(
  // CHECK-SAME: %[[X:.*]]: tensor<?x2560xf32>, %[[W:.*]]: !lut.weights
  // CHECK: lut.stage(%[[X]])
  // CHECK: lut.quantize_activations
  // CHECK-NOT: lut.precompute
  // CHECK: lut.dot_gemm {{.*}} strategy dot schedule <strategy = dot,
  func.func @dot(%x: tensor<?x2560xf32>, %w: !lut.weights<640 x 2560, <w158>>) -> tensor<?x640xf32> {
    %y = lut.mpgemm %x, %w numerics a8 strategy dot : tensor<?x2560xf32>, !lut.weights<640 x 2560, <w158>> -> tensor<?x640xf32>
    return %y : tensor<?x640xf32>
  }

  // Two products of the same activations share their tables.
  // CHECK-LABEL: @shared(
  // CHECK: %[[T:.*]] = lut.stage
  // CHECK: lut.precompute
  // CHECK-NOT: lut.precompute
  // CHECK: lut.stage({{.*}}%[[T]]
  // CHECK: lut.lookup_gemm
  // CHECK: lut.stage({{.*}}%[[T]]
  // CHECK: lut.lookup_gemm
  func.func @shared(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w2g32>>) -> (tensor<?x10xf32>, tensor<?x10xf32>) {
    %a = lut.mpgemm %x, %w numerics t8 : tensor<?x64xf32>, !lut.weights<10 x 64, <w2g32>> -> tensor<?x10xf32>
    %b = lut.mpgemm %x, %w numerics t8 strategy lookup : tensor<?x64xf32>, !lut.weights<10 x 64, <w2g32>> -> tensor<?x10xf32>
    return %a, %b : tensor<?x10xf32>, tensor<?x10xf32>
  }
}

// -----

// expected-error@+1 {{the module has no attribute lut.target}}
module {}
