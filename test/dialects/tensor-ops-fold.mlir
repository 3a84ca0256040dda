// RUN: lut-opt %s --canonicalize | FileCheck %s
// RUN: lut-opt %s --cse | FileCheck %s --check-prefix=CSE

!codes = !lut.weights<10 x 60, <w2>>
!planes = !lut.weights<10 x 60, <w2>, planes>
!x = tensor<?x60xf32>
!q = !lut.activations<60, group = 60>
!tables = !lut.tables<60, group = 60, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>

// Back to the first encoding: nothing is left.
// CHECK-LABEL: @thereAndBack(
// CHECK-SAME: %[[W:.*]]: !lut.weights
// CHECK-NEXT: return %[[W]]
func.func @thereAndBack(%w: !codes) -> !codes {
  %planes = lut.reinterpret %w : !codes -> !planes
  %codes = lut.reinterpret %planes : !planes -> !codes
  return %codes : !codes
}

// Only the last encoding counts.
// CHECK-LABEL: @twice(
// CHECK-SAME: %[[W:.*]]: !lut.weights
// CHECK-NEXT: %[[P:.*]] = lut.reinterpret %[[W]]
// CHECK-NEXT: return %[[P]]
func.func @twice(%w: !codes) -> !planes {
  %same = lut.reinterpret %w : !codes -> !codes
  %planes = lut.reinterpret %same : !codes -> !planes
  %again = lut.reinterpret %planes : !planes -> !planes
  return %again : !planes
}

// A change of encoding stays.
// CHECK-LABEL: @once(
// CHECK: lut.reinterpret
func.func @once(%w: !codes) -> !planes {
  %planes = lut.reinterpret %w : !codes -> !planes
  return %planes : !planes
}

// Products of the same activations share one quantization and one precompute.
// CSE-LABEL: @shared(
// CSE: %[[Q:.*]] = lut.quantize_activations
// CSE-NEXT: %[[T:.*]] = lut.precompute %[[Q]]
// CSE-NEXT: return %[[T]], %[[T]]
func.func @shared(%x: !x) -> (!tables, !tables) {
  %q0 = lut.quantize_activations %x : !x -> !q
  %q1 = lut.quantize_activations %x : !x -> !q
  %t0 = lut.precompute %q0 : !q -> !tables
  %t1 = lut.precompute %q1 : !q -> !tables
  return %t0, %t1 : !tables, !tables
}

// What nobody reads goes.
// CHECK-LABEL: @unread(
// CHECK-NEXT: return
func.func @unread(%x: !x, %w: !codes) {
  %y = lut.mpgemm %x, %w numerics a8 : !x, !codes -> tensor<?x10xf32>
  return
}
