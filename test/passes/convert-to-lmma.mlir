// lut-convert-to-lmma, by example. A product on a LUT-instruction machine becomes two programs, for 2 tokens and for
// 4: half tables of int8 activations, bit planes that look them up, the correction from planes to codes, scales, and
// what follows the product; then a store that the buffer's edges clip.
//
// RUN: lut-opt %s --lut-convert-to-lmma | FileCheck %s
// RUN: lut-opt %s --lut-convert-to-lmma --lut-tile --cse | FileCheck %s --check-prefix=STAGE

#machine = #lut.target<name = "machine", vector_bytes = 32, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 255, machine = #lmma.machine<{name = "toy", clock = 1.0, cores = 2, slots = 4, arrays = 1, array_m = 2, array_n = 64, register_bytes = 262144, registers_per_thread = 255, registers_multiple = 1, scratchpad_bytes = 65536, scratchpad_bandwidth = 128.0, cache_bytes = 1048576, cache_bandwidth = 1024.0, port_bandwidth = 64.0, memory_bandwidth = 100.0, latency = 300, launch = 0, blocks = 32, adders = 256}>>
#two_warps = #lut.schedule<strategy = lookup, layout = nibbles, row_vectors = 2, tokens = 4, token_block = 64, k_block = 0>
#planes_of_one_warp = #lut.schedule<strategy = lookup, layout = nibbles, row_vectors = 1, tokens = 2, token_block = 64, k_block = 0>
#one_warp = #lut.schedule<strategy = lookup, layout = trits, row_vectors = 1, tokens = 2, token_block = 64, k_block = 0>
!q = !lut.activations<128, group = 64>
!t = !lut.tables<128, group = 64, unit = 4, trits = false, mirrored = true, digits = 0, radix = 0>
!w = !lut.weights<200 x 128, <w2g64z>>
!planes = !lut.weights<200 x 128, <w2g64z>, planes>
!t8 = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = true, digits = 1, radix = 0>
!w4 = !lut.weights<64 x 64, <w4g64m>>
!planes4 = !lut.weights<64 x 64, <w4g64m>, planes>
!t3 = !lut.tables<48, group = 48, unit = 3, trits = true, mirrored = true, digits = 0, radix = 0>
!w3 = !lut.weights<64 x 48, <w158>>
!trits = !lut.weights<64 x 48, <w158>, trits>

module attributes {lut.target = #machine} {
  // Each of two warps makes the tables of one token.
  // CHECK-LABEL: lmma.program @example_compute_m2
  // CHECK-SAME: registers [[#]] scratchpad 256 warps 2 buffers 4 tile 2 x 128
  // CHECK: lmma.table [[OWN:r[0-9]+]], r0, 1 x 32 i8 to i16
  // CHECK: lmma.m2n64k32.i16i2i32i32

  // All share them through the scratchpad.
  // CHECK-LABEL: lmma.program @example_compute_m4
  // CHECK-SAME: scratchpad 512 warps 2 buffers 4 tile 4 x 128
  // CHECK: lmma.affine s4 = s1 * 4 + 0
  // CHECK: lmma.affine s5 = s2 * 2 + s4
  // CHECK: lmma.clear [[Y:r[0-9]+]], 8
  // CHECK: lmma.loop s15 below 2 {
  // CHECK-NEXT: lmma.clear [[P:r[0-9]+]], 8
  // CHECK-NEXT: lmma.loop s16 below 2 {
  // CHECK-NEXT: lmma.load [[W:r[0-9]+]], b1[0, s7], 1 x 512
  // CHECK-NEXT: lmma.load [[A:r[0-9]+]], b0[s5, s10], 2 x 32
  // CHECK-NEXT: lmma.table [[OWN:r[0-9]+]], [[A]], 2 x 32 i8 to i16
  // CHECK-NEXT: lmma.write [s6], [[OWN]], 256
  // CHECK-NEXT: lmma.barrier
  // CHECK-NEXT: lmma.read [[T:r[0-9]+]], [0], 512
  // CHECK-NEXT: lmma.barrier
  // CHECK-NEXT: lmma.m4n64k32.i16i2i32i32 [[P]], [[T]], [[W]], [[P]]
  // CHECK: }
  // CHECK: lmma.load [[S:r[0-9]+]], b0[s4, s11 + {{[0-9]+}}], 4 x 4
  // CHECK-NEXT: lmma.load [[Z:r[0-9]+]], b1[0, s9], 1 x 64
  // CHECK-NEXT: lmma.correct [[P]], [[S]], zeros [[Z]] u8, 4 x 64 bits 2
  // CHECK: lmma.scale [[Y]], [[P]] i32, {{r[0-9]+}} f32, {{r[0-9]+}} f16, 4 x 64
  // CHECK: }
  // CHECK: lmma.load [[R:r[0-9]+]], b3[s4, s13], 4 x 256
  // CHECK-NEXT: lmma.add [[Y]], [[R]] full, 4 x 64
  // CHECK-NEXT: lmma.store b2[s4, s14], [[Y]], 4 x 256
  // CHECK-NEXT: lmma.exit

  // Activations are prepared as on a CPU; a product has a function of its own.
  // STAGE: func.func @prepare_a8_g64_machine(
  // STAGE: func.func @example_compute(%[[OPERANDS:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[M:.*]]: i64, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64) -> i32
  // STAGE-NEXT: %[[STATUS:.*]] = lmma.launch [@example_compute_m2, @example_compute_m4](%[[OPERANDS]], %[[M]], %[[BEGIN]], %[[END]]) buffers
  // STAGE-SAME: #lmma.buffer<slot = {{[0-9]+}}, row_bytes = {{[0-9]+}}, element_bytes = 4, per_token = true, writable = false>
  // STAGE-SAME: writable = true
  // STAGE-NEXT: return %[[STATUS]]
  func.func @example(%x: tensor<?x128xf32>, %w: !w, %residual: tensor<?x200xf32>) -> tensor<?x200xf32> {
    %t = lut.stage(%x) : (tensor<?x128xf32>) -> !t {
    ^bb0(%in: tensor<?x128xf32>):
      %q = lut.quantize_activations %in : tensor<?x128xf32> -> <128, group = 64>
      %made = lut.precompute %q : !q -> <128, group = 64, unit = 4, trits = false, mirrored = true, digits = 0, radix = 0>
      lut.yield %made : !t
    }
    %y = lut.stage(%w, %t, %residual) : (!w, !t, tensor<?x200xf32>) -> tensor<?x200xf32> {
    ^bb0(%weights: !w, %tables: !t, %r: tensor<?x200xf32>):
      %p = lut.reinterpret %weights : <200 x 128, <w2g64z>> -> <200 x 128, <w2g64z>, planes>
      %a = lut.lookup_gemm %tables, %p schedule #two_warps : !t, !planes -> tensor<?x200xf32>
      %sum = lut.add %a, %r : tensor<?x200xf32>, tensor<?x200xf32>
      lut.yield %sum : tensor<?x200xf32>
    }
    return %y : tensor<?x200xf32>
  }

  // Three trits look a table of 14 entries up; nothing needs a correction.
  // CHECK-LABEL: lmma.program @ternary_compute_m2
  // CHECK: lmma.table {{.*}}, 2 x 24 i8 to i16 trits
  // CHECK: lmma.m2n64k24.i16t3i32i32
  // CHECK-NOT: lmma.correct
  // CHECK: lmma.scale {{.*}} f32, {{.*}} f32, 2 x 64
  func.func @ternary(%x: tensor<?x48xf32>, %w: !w3) -> tensor<?x64xf32> {
    %t = lut.stage(%x) : (tensor<?x48xf32>) -> !t3 {
    ^bb0(%in: tensor<?x48xf32>):
      %q = lut.quantize_activations %in : tensor<?x48xf32> -> <48, group = 48>
      %made = lut.precompute %q : !lut.activations<48, group = 48> -> <48, group = 48, unit = 3, trits = true, mirrored = true, digits = 0, radix = 0>
      lut.yield %made : !t3
    }
    %y = lut.stage(%w, %t) : (!w3, !t3) -> tensor<?x64xf32> {
    ^bb0(%weights: !w3, %tables: !t3):
      %p = lut.reinterpret %weights : <64 x 48, <w158>> -> <64 x 48, <w158>, trits>
      %a = lut.lookup_gemm %tables, %p schedule #one_warp : !t3, !trits -> tensor<?x64xf32>
      lut.yield %a : tensor<?x64xf32>
    }
    return %y : tensor<?x64xf32>
  }

  // Tables of class t8 come rounded: 8 bytes for every 4 k. Their sums are twice those of the weights, and stay odd.
  // CHECK-LABEL: lmma.program @rounded_compute_m2
  // CHECK-NOT: lmma.table
  // CHECK: lmma.load [[T:r[0-9]+]], b0[s5, s10], 2 x 64
  // CHECK-NEXT: lmma.m2n64k32.i8i4i32i32 [[P:r[0-9]+]], [[T]],
  // CHECK: lmma.correct [[P]], [[S:r[0-9]+]], zero 0, 2 x 64 bits 4 doubled
  // CHECK: lmma.scale [[Y:r[0-9]+]], [[P]] i32, [[STEP:r[0-9]+]] f32, {{r[0-9]+}} f16, 2 x 64 halved
  // CHECK: lmma.shift [[Y]], [[S]], [[STEP]], {{r[0-9]+}} f16, 2 x 64
  func.func @rounded(%x: tensor<?x64xf32>, %w: !w4) -> tensor<?x64xf32> {
    %t = lut.stage(%x) : (tensor<?x64xf32>) -> !t8 {
    ^bb0(%in: tensor<?x64xf32>):
      %made = lut.precompute %in : tensor<?x64xf32> -> <64, group = 64, unit = 4, trits = false, mirrored = true, digits = 1, radix = 0>
      lut.yield %made : !t8
    }
    %y = lut.stage(%w, %t) : (!w4, !t8) -> tensor<?x64xf32> {
    ^bb0(%weights: !w4, %tables: !t8):
      %p = lut.reinterpret %weights : <64 x 64, <w4g64m>> -> <64 x 64, <w4g64m>, planes>
      %a = lut.lookup_gemm %tables, %p schedule #planes_of_one_warp : !t8, !planes4 -> tensor<?x64xf32>
      lut.yield %a : tensor<?x64xf32>
    }
    return %y : tensor<?x64xf32>
  }
}
