// lut-share-tables, by example. What prepares routed rows is moved before the route, so that it runs once for a token
// and not for each of its experts:
//
//   %r = lut.route %x, %experts
//   %q = lut.quantize_activations %r
// ==>
//   %q = lut.quantize_activations %x
//   %r = lut.route %q, %experts
//
// RUN: lut-opt %s --lut-share-tables | FileCheck %s

!x = tensor<?x64xf32>
!e = tensor<?x8xi32>
!q = !lut.activations<64, group = 32>
!exact = !lut.tables<64, group = 32, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
!digits = !lut.tables<64, group = 32, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
!w = !lut.weights<8 x 64, <w2g32>>
!planes = !lut.weights<8 x 64, <w2g32>, planes>

// CHECK-LABEL: func.func @example(
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>, %[[E:.*]]: tensor<?x8xi32>
// CHECK-NEXT: %[[Q:.*]] = lut.quantize_activations %[[X]]
// CHECK-NEXT: %[[R:.*]] = lut.route %[[Q]], %[[E]] : !lut.activations<64, group = 32>, tensor<?x8xi32>
// CHECK-NEXT: lut.dot_gemm %[[R]]
func.func @example(%x: !x, %e: !e, %w: !w) -> tensor<?x8xf32> {
  %r = lut.route %x, %e : !x, !e
  %q = lut.quantize_activations %r : !x -> !q
  %y = lut.dot_gemm %q, %w : !q, !w -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// Tables follow the quantization they are made of.
// CHECK-LABEL: func.func @tables(
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>, %[[E:.*]]: tensor<?x8xi32>
// CHECK-NEXT: %[[Q:.*]] = lut.quantize_activations %[[X]]
// CHECK-NEXT: %[[T:.*]] = lut.precompute %[[Q]]
// CHECK-NEXT: %[[R:.*]] = lut.route %[[T]], %[[E]]
// CHECK-NEXT: lut.lookup_gemm %[[R]]
func.func @tables(%x: !x, %e: !e, %w: !planes) -> tensor<?x8xf32> {
  %r = lut.route %x, %e : !x, !e
  %q = lut.quantize_activations %r : !x -> !q
  %t = lut.precompute %q : !q -> !digits
  %y = lut.lookup_gemm %t, %w : !digits, !planes -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// What other rows become is left alone: an expert's own result.
// CHECK-LABEL: func.func @results(
// CHECK-NEXT: lut.activate silu
// CHECK-NEXT: lut.quantize_activations
func.func @results(%x: !x) -> !q {
  %a = lut.activate silu %x : !x
  %q = lut.quantize_activations %a : !x -> !q
  return %q : !q
}
