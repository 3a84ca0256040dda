// lut-decompose, by example. A product in class a8 quantizes its activations to int8, builds the table of all partial
// sums of every `unit` = 4 consecutive k, and looks weight bits up in those tables:
//
//   %y = lut.mpgemm %x, %w numerics a8         %q = lut.quantize_activations %x
//                                       ==>    %t = lut.precompute %q
//                                              %y = lut.lookup_gemm %t, %w
//
// RUN: lut-opt %s --lut-decompose | FileCheck %s

// CHECK-LABEL: @example(
// CHECK-SAME: %[[X:.*]]: tensor<?x500xf32>, %[[W:.*]]: !lut.weights
// CHECK-NEXT: %[[Q:.*]] = lut.quantize_activations %[[X]] : tensor<?x500xf32> -> <500, group = 128>
// CHECK-NEXT: %[[T:.*]] = lut.precompute %[[Q]] : {{.*}} -> <500, group = 128, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
// CHECK-NEXT: %[[Y:.*]] = lut.lookup_gemm %[[T]], %[[W]] : {{.*}}, <10 x 500, <w2g128>> -> tensor<?x10xf32>
// CHECK-NEXT: return %[[Y]]
func.func @example(%x: tensor<?x500xf32>, %w: !lut.weights<10 x 500, <w2g128>>) -> tensor<?x10xf32> {
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x500xf32>, !lut.weights<10 x 500, <w2g128>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Class t8 builds its tables from the float activations.
// CHECK-LABEL: @floatTables(
// CHECK-SAME: %[[X:.*]]: tensor<?x500xf32>, %[[W:.*]]: !lut.weights
// CHECK-NEXT: %[[T:.*]] = lut.precompute %[[X]]
// CHECK-NEXT: lut.lookup_gemm %[[T]], %[[W]]
func.func @floatTables(%x: tensor<?x500xf32>, %w: !lut.weights<10 x 500, <w2g128>>) -> tensor<?x10xf32> {
  %y = lut.mpgemm %x, %w numerics t8 : tensor<?x500xf32>, !lut.weights<10 x 500, <w2g128>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Ternary weights: tables of 5 trits, and one group for the whole row.
// CHECK-LABEL: @ternary(
// CHECK: lut.precompute {{.*}} -> <500, group = 500, unit = 5, trits = true,
func.func @ternary(%x: tensor<?x500xf32>, %w: !lut.weights<10 x 500, <w158>>) -> tensor<?x10xf32> {
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x500xf32>, !lut.weights<10 x 500, <w158>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Groups of 256, with sums of the subgroups that have their own multiples.
// CHECK-LABEL: @subgroups(
// CHECK: lut.quantize_activations {{.*}} -> <512, group = 256, subgroup = 32>
func.func @subgroups(%x: tensor<?x512xf32>, %w: !lut.weights<10 x 512, <w4k32m>>) -> tensor<?x10xf32> {
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x512xf32>, !lut.weights<10 x 512, <w4k32m>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// A group is no longer than k.
// CHECK-LABEL: @shortRow(
// CHECK: lut.quantize_activations {{.*}} -> <9, group = 9>
func.func @shortRow(%x: tensor<?x9xf32>, %w: !lut.weights<10 x 9, <w2g128>>) -> tensor<?x10xf32> {
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x9xf32>, !lut.weights<10 x 9, <w2g128>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Activations take the order of permuted columns first.
// CHECK-LABEL: @permuted(
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>, %[[W:.*]]: !lut.weights
// CHECK-NEXT: %[[P:.*]] = lut.permute %[[X]], %[[W]]
// CHECK-NEXT: lut.quantize_activations %[[P]]
func.func @permuted(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w4g32p>>) -> tensor<?x10xf32> {
  %y = lut.mpgemm %x, %w numerics a8 : tensor<?x64xf32>, !lut.weights<10 x 64, <w4g32p>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// The user's strategy stays with the product.
// CHECK-LABEL: @pinned(
// CHECK: lut.lookup_gemm {{.*}} strategy dot :
func.func @pinned(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w4>>) -> tensor<?x10xf32> {
  %y = lut.mpgemm %x, %w numerics a8 strategy dot : tensor<?x64xf32>, !lut.weights<10 x 64, <w4>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Everything else is left alone.
// CHECK-LABEL: @decomposed(
// CHECK-NEXT: lut.dot_gemm
// CHECK-NEXT: return
func.func @decomposed(%q: !lut.activations<64, group = 64>, %w: !lut.weights<10 x 64, <w4>>) -> tensor<?x10xf32> {
  %y = lut.dot_gemm %q, %w : !lut.activations<64, group = 64>, !lut.weights<10 x 64, <w4>> -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}
