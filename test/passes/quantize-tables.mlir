// lut-quantize-tables, by example. A sum of four int8 activations is at most 508 in magnitude: two digits to the base
// 32 hold it exactly, since 32 * 32 >= 2 * 508 + 1:
//
//   %t = lut.precompute %q                    ==>    %t = lut.precompute %q
//        : ... -> <..., digits = 0, radix = 0>            : ... -> <..., digits = 2, radix = 32>
//
// RUN: lut-opt %s --lut-quantize-tables | FileCheck %s

!exact = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
!trits = !lut.tables<64, group = 64, unit = 5, trits = true, mirrored = true, digits = 0, radix = 0>
!base34 = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 34>

// CHECK-LABEL: @example(
// CHECK: lut.precompute {{.*}} -> <64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
// CHECK-NEXT: lut.lookup_gemm {{.*}} digits = 2, radix = 32>,
func.func @example(%q: !lut.activations<64, group = 64>, %w: !lut.weights<10 x 64, <w2>, planes>) -> tensor<?x10xf32> {
  %t = lut.precompute %q : !lut.activations<64, group = 64> -> !exact
  %y = lut.lookup_gemm %t, %w : !exact, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Five activations reach 635, and 36 is the smallest even number whose square is at least 1271.
// CHECK-LABEL: @ternary(
// CHECK: lut.precompute {{.*}} trits = true, mirrored = true, digits = 2, radix = 36>
func.func @ternary(%q: !lut.activations<64, group = 64>, %w: !lut.weights<10 x 64, <w158>, trits>) -> tensor<?x10xf32> {
  %t = lut.precompute %q : !lut.activations<64, group = 64> -> !trits
  %y = lut.lookup_gemm %t, %w : !trits, !lut.weights<10 x 64, <w158>, trits> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Float sums are rounded to one int8.
// CHECK-LABEL: @floats(
// CHECK: lut.precompute {{.*}} digits = 1, radix = 0>
func.func @floats(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w2>, planes>) -> tensor<?x10xf32> {
  %t = lut.precompute %x : tensor<?x64xf32> -> !exact
  %y = lut.lookup_gemm %t, %w : !exact, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Tables that have their type keep it.
// CHECK-LABEL: @done(
// CHECK: lut.precompute {{.*}} digits = 2, radix = 34>
func.func @done(%q: !lut.activations<64, group = 64>, %w: !lut.weights<10 x 64, <w2>, planes>) -> tensor<?x10xf32> {
  %t = lut.precompute %q : !lut.activations<64, group = 64> -> !base34
  %y = lut.lookup_gemm %t, %w : !base34, !lut.weights<10 x 64, <w2>, planes> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}
