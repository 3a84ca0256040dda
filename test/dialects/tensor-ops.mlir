// Ops on whole tensors parse and print, in IR and in its generic form.
// RUN: lut-opt %s | lut-opt | FileCheck %s
// RUN: lut-opt %s --mlir-print-op-generic | lut-opt | FileCheck %s

!x = tensor<?x64xf32>
!y = tensor<?x10xf32>
!w = !lut.weights<10 x 64, <w2g32>>
!planes = !lut.weights<10 x 64, <w2g32>, planes>
!q = !lut.activations<64, group = 32>
!exact = !lut.tables<64, group = 32, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
!rounded = !lut.tables<64, group = 32, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>
!digits = !lut.tables<64, group = 32, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>

// CHECK-LABEL: @mpgemm
// CHECK: lut.mpgemm %{{.*}}, %{{.*}} numerics a8 : tensor<?x64xf32>, <10 x 64, <w2g32>> -> tensor<?x10xf32>
// CHECK: lut.mpgemm %{{.*}}, %{{.*}} numerics t8 strategy lookup :
// CHECK: lut.mpgemm %{{.*}}, %{{.*}} numerics a8 strategy dot : tensor<4x64xf32>, <10 x 64, <w2g32>> -> tensor<4x10xf32>
func.func @mpgemm(%x: !x, %x4: tensor<4x64xf32>, %w: !w) {
  %a = lut.mpgemm %x, %w numerics a8 : !x, !w -> !y
  %b = lut.mpgemm %x, %w numerics t8 strategy lookup : !x, !w -> !y
  %c = lut.mpgemm %x4, %w numerics a8 strategy dot : tensor<4x64xf32>, !w -> tensor<4x10xf32>
  return
}

// CHECK-LABEL: @activations
// CHECK: lut.quantize_activations %{{.*}} : tensor<?x64xf32> -> <64, group = 32>
// CHECK: lut.precompute %{{.*}} : tensor<?x64xf32> -> <64, group = 32, {{.*}} digits = 0, radix = 0>
// CHECK: lut.precompute %{{.*}} : tensor<?x64xf32> -> <64, group = 32, {{.*}} digits = 1, radix = 0>
// CHECK: lut.precompute %{{.*}} : !lut.activations<64, group = 32> -> <64, group = 32, {{.*}} digits = 2, radix = 32>
func.func @activations(%x: !x) {
  %q = lut.quantize_activations %x : !x -> !q
  %a = lut.precompute %x : !x -> !exact
  %b = lut.precompute %x : !x -> !rounded
  %c = lut.precompute %q : !q -> !digits
  return
}

// CHECK-LABEL: @reinterpret
// CHECK: lut.reinterpret %{{.*}} : <10 x 64, <w2g32>> -> <10 x 64, <w2g32>, planes>
func.func @reinterpret(%w: !w) {
  %a = lut.reinterpret %w : !w -> !planes
  return
}

// CHECK-LABEL: @gemms
// CHECK: lut.lookup_gemm %{{.*}}, %{{.*}} : <64, {{.*}}>, <10 x 64, <w2g32>, planes> -> tensor<?x10xf32>
// CHECK: lut.lookup_gemm %{{.*}}, %{{.*}} strategy lookup schedule <strategy = lookup, layout = quad, {{.*}}> {note} :
// CHECK: lut.dot_gemm %{{.*}}, %{{.*}} : <64, group = 32>, <10 x 64, <w2g32>> -> tensor<?x10xf32>
// CHECK: lut.dot_gemm %{{.*}}, %{{.*}} strategy dot schedule <strategy = dot, layout = dot, {{.*}}> :
func.func @gemms(%tables: !digits, %q: !q, %w: !w, %planes: !planes) {
  %a = lut.lookup_gemm %tables, %planes : !digits, !planes -> !y
  %b = lut.lookup_gemm %tables, %planes strategy lookup schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0> {note} : !digits, !planes -> !y
  %c = lut.dot_gemm %q, %w : !q, !w -> !y
  %d = lut.dot_gemm %q, %w strategy dot schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0> : !q, !w -> !y
  return
}

// CHECK-LABEL: @between
// CHECK: lut.norm rms %{{.*}}, %{{.*}} epsilon {{.*}} : tensor<?x64xf32>, tensor<64xf32>
// CHECK: lut.norm layer %{{.*}}, %{{.*}}, %{{.*}} epsilon {{.*}} : tensor<?x64xf32>, tensor<64xf32>, tensor<64xf32>
// CHECK: lut.activate relu2 %{{.*}} : tensor<?x64xf32>
// CHECK: lut.activate silu %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<?x64xf32>
// CHECK: lut.rotate %{{.*}} block 32 : tensor<?x64xf32>
// CHECK: lut.permute %{{.*}}, %{{.*}} : tensor<?x64xf32>, <10 x 64, <w2g32zp>>
// CHECK: lut.add %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<64xf32>
// CHECK: lut.add %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<?x64xf32>
// CHECK: lut.add %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<1xf32>
// CHECK: lut.scale %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<1xf32>
// CHECK: lut.convert %{{.*}} : tensor<?x64xf32> -> tensor<?x64xbf16>
// CHECK: lut.stage(%{{.*}}) : (tensor<?x64xf32>) -> !lut.activations<64, group = 32> {
// CHECK: lut.yield %{{.*}} : !lut.activations<64, group = 32>
func.func @between(%x: !x, %v: tensor<64xf32>, %one: tensor<1xf32>, %w: !lut.weights<10 x 64, <w2g32zp>>) -> !x {
  %a = lut.norm rms %x, %v epsilon 1.0e-5 : !x, tensor<64xf32>
  %b = lut.norm layer %a, %v, %v epsilon 1.0e-5 : !x, tensor<64xf32>, tensor<64xf32>
  %c = lut.activate relu2 %b : !x
  %d = lut.activate silu %c, %b : !x, !x
  %e = lut.rotate %d block 32 : !x
  %p = lut.permute %e, %w : !x, !lut.weights<10 x 64, <w2g32zp>>
  %f = lut.add %p, %v : !x, tensor<64xf32>
  %g = lut.add %f, %a : !x, !x
  %sum = lut.add %g, %one : !x, tensor<1xf32>
  %h = lut.scale %sum, %one : !x, tensor<1xf32>
  %half = lut.convert %h : !x -> tensor<?x64xbf16>
  %q = lut.stage(%h) : (!x) -> !q {
  ^bb0(%i: !x):
    %j = lut.quantize_activations %i : !x -> !q
    lut.yield %j : !q
  }
  return %h : !x
}

// CHECK-LABEL: @experts
// CHECK: lut.route %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<?x8xi32>
// CHECK: lut.combine %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<?x8xi32>, tensor<?x8xf32>
// CHECK: lut.combine %{{.*}}, %{{.*}}, %{{.*}} residual %{{.*}} : tensor<?x64xf32>, tensor<?x8xi32>, tensor<?x8xf32>, tensor<?x64xf32>
func.func @experts(%x: !x, %e: tensor<?x8xi32>, %g: tensor<?x8xf32>) {
  %a = lut.route %x, %e : !x, tensor<?x8xi32>
  %b = lut.combine %a, %e, %g : !x, tensor<?x8xi32>, tensor<?x8xf32>
  %c = lut.combine %a, %e, %g residual %x : !x, tensor<?x8xi32>, tensor<?x8xf32>, !x
  return
}
