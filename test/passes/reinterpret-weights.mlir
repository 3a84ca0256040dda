// lut-reinterpret-weights, by example. A lookup reads 2-bit codes as two bit planes of -1 and +1:
//
//   %y = lut.lookup_gemm %t, %w     ==>    %p = lut.reinterpret %w        // q' = 2q - 3
//                                          %y = lut.lookup_gemm %t, %p
//
// RUN: lut-opt %s --lut-reinterpret-weights | FileCheck %s

!tables = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
!trits = !lut.tables<64, group = 64, unit = 5, trits = true, mirrored = false, digits = 0, radix = 0>

// CHECK-LABEL: @example(
// CHECK-SAME: %[[T:.*]]: !lut.tables{{.*}}, %[[W:.*]]: !lut.weights
// CHECK-NEXT: %[[P:.*]] = lut.reinterpret %[[W]] : <10 x 64, <w2>> -> <10 x 64, <w2>, planes>
// CHECK-NEXT: lut.lookup_gemm %[[T]], %[[P]]
func.func @example(%t: !tables, %w: !lut.weights<10 x 64, <w2>>) -> tensor<?x10xf32> {
  %y = lut.lookup_gemm %t, %w : !tables, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Ternary codes become trits.
// CHECK-LABEL: @ternary(
// CHECK: lut.reinterpret {{.*}} -> <10 x 64, <w158>, trits>
func.func @ternary(%t: !trits, %w: !lut.weights<10 x 64, <w158>>) -> tensor<?x10xf32> {
  %y = lut.lookup_gemm %t, %w : !trits, !lut.weights<10 x 64, <w158>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// What is no longer codes is left alone.
// CHECK-LABEL: @planes(
// CHECK-NOT: lut.reinterpret
func.func @planes(%t: !tables, %p: !lut.weights<10 x 64, <w2>, planes>) -> tensor<?x10xf32> {
  %y = lut.lookup_gemm %t, %p : !tables, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// A dot product reads codes.
// CHECK-LABEL: @dot(
// CHECK-NOT: lut.reinterpret
func.func @dot(%q: !lut.activations<64, group = 64>, %w: !lut.weights<10 x 64, <w2>>) -> tensor<?x10xf32> {
  %y = lut.dot_gemm %q, %w : !lut.activations<64, group = 64>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}
