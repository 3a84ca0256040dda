// lut-tile, by example. A stage becomes a function of loops, whose operands runtime/kernel.h defines:
//
//   func.func @example(%x, %w) {
//     %q = lut.stage(%x) { lut.quantize_activations }
//     lut.stage(%q, %w) { lut.dot_gemm schedule <...> }
//   }
// ==>
//   func.func @example_prepare(%operands, %m, %begin, %end)
//     for each token: int8 values, one scale and one sum for each group
//   func.func @example_compute(%operands, %m, %begin, %end)
//     for each tile, for each token: sum, scale, store
//
// Here a vector has 16 bytes, so a tile has one vector of 4 rows.
//
// RUN: lut-opt %s --lut-fuse-precompute --lut-tile --cse -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK-NOT: func.func @example(
  // CHECK-LABEL: func.func @example_prepare(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[LDX:.*]] = llvm.load %{{.*}} -> i64
  // CHECK: scf.for %[[TOKEN:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK: arith.muli %[[TOKEN]], %[[LDX]]
  // CHECK: llvm.store %{{.*}} : vector<4xi8>
  // CHECK-LABEL: func.func @example_compute(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[LDY:.*]] = llvm.load %{{.*}} -> i64
  // CHECK: scf.for %[[TILE:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK: scf.for %[[TOKEN:.*]] = %{{.*}} to %[[M]]
  // CHECK: llvm.load %{{.*}} -> vector<16xi8>
  // CHECK: lut.dot %{{.*}} max 3 : vector<4xi32>, vector<16xi8>
  // CHECK: arith.sitofp %{{.*}} : vector<4xi32> to vector<4xf32>
  // CHECK: arith.muli %[[TOKEN]], %[[LDY]]
  // CHECK: llvm.store %{{.*}} : vector<4xf32>
  func.func @example(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w2g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 32>, !lut.weights<8 x 64, <w2g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // 10 rows are no multiple of 4: the last tile stores what exists.
  // CHECK-LABEL: func.func @rows_compute(
  // CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %{{.*}} : vector<4xi32>
  // CHECK: llvm.intr.masked.store %{{.*}}, %{{.*}}, %[[EXISTS]] {{.*}} vector<4xf32>
  func.func @rows(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w2>>) -> tensor<?x10xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 64>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 64>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // 8 rows are: no mask anywhere.
  // CHECK-LABEL: func.func @wholeTiles_compute(
  // CHECK-NOT: masked
  func.func @wholeTiles(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w2>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 64>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 64>, !lut.weights<8 x 64, <w2>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Permuted columns lie behind 2 tiles of 2 chunks of 2 vectors, and 8 scales: 128 + 32 bytes. 64 activations are
  // gathered 16 at a time, none from outside the row.
  // CHECK-LABEL: func.func @permuted_prepare(
  // CHECK: %[[OFFSET:.*]] = arith.constant 160 : i64
  // CHECK: llvm.getelementptr %{{.*}}[%[[OFFSET]]]
  // CHECK: %[[LAST:.*]] = arith.constant 63 : i32
  // CHECK: scf.for
  // CHECK: %[[COLUMN:.*]] = llvm.load %{{.*}} -> i32
  // CHECK: %[[INSIDE:.*]] = arith.minui %[[COLUMN]], %[[LAST]]
  // CHECK: arith.extui %[[INSIDE]] : i32 to i64
  // CHECK: llvm.load %{{.*}} -> f32
  // CHECK: llvm.store %{{.*}} : f32
  // CHECK-COUNT-15: arith.minui
  // CHECK-NOT: arith.minui
  // CHECK-LABEL: func.func @permuted_compute(
  func.func @permuted(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w2p>>) -> tensor<?x8xf32> {
    %p = lut.permute %x, %w : tensor<?x64xf32>, !lut.weights<8 x 64, <w2p>>
    %q = lut.quantize_activations %p : tensor<?x64xf32> -> <64, group = 64>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 64>, !lut.weights<8 x 64, <w2p>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // The last 2 of 70 activations are loaded by a mask.
  // CHECK-LABEL: func.func @kTail_prepare(
  // CHECK: %[[MASK:.*]] = arith.constant dense<[true, true, false, false]> : vector<4xi1>
  // CHECK: llvm.intr.masked.load %{{.*}}, %[[MASK]],
  // CHECK-LABEL: func.func @kTail_compute(
  func.func @kTail(%x: tensor<?x70xf32>, %w: !lut.weights<8 x 70, <w2>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x70xf32> -> <70, group = 70>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<70, group = 70>, !lut.weights<8 x 70, <w2>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Two whole groups are a loop; the last group, of 6, stands behind it with a mask of its own.
  // CHECK-LABEL: func.func @groupTail_prepare(
  // CHECK: %[[GROUPS:.*]] = arith.constant 2 : i64
  // CHECK: scf.for %{{.*}} to %[[GROUPS]]
  // CHECK-NOT: masked
  // CHECK: vector.reduction <add>
  // CHECK: llvm.intr.masked.load
  // CHECK: vector.reduction <add>
  // CHECK-LABEL: func.func @groupTail_compute(
  func.func @groupTail(%x: tensor<?x70xf32>, %w: !lut.weights<8 x 70, <w2g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x70xf32> -> <70, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<70, group = 32>, !lut.weights<8 x 70, <w2g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Grouped scales are f16, and the scale of a whole row is f32.
  // CHECK-LABEL: func.func @f16Scales_compute(
  // CHECK: arith.extf %{{.*}} : vector<4xf16> to vector<4xf32>
  func.func @f16Scales(%x: tensor<?x32xf32>, %w: !lut.weights<8 x 32, <w2g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<32, group = 32>, !lut.weights<8 x 32, <w2g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // CHECK-LABEL: func.func @f32Scales_compute(
  // CHECK-NOT: arith.extf
  func.func @f32Scales(%x: tensor<?x32xf32>, %w: !lut.weights<8 x 32, <w2>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<32, group = 32>, !lut.weights<8 x 32, <w2>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Zero points times the sum of the group's activations are subtracted.
  // CHECK-LABEL: func.func @zeroPoints_compute(
  // CHECK: %[[Z:.*]] = arith.extui %{{.*}} : vector<4xi8> to vector<4xi32>
  // CHECK: %[[SUM:.*]] = vector.broadcast %{{.*}} : i32 to vector<4xi32>
  // CHECK: %[[ZS:.*]] = arith.muli %[[Z]], %[[SUM]]
  // CHECK: arith.subi %{{.*}}, %[[ZS]]
  func.func @zeroPoints(%x: tensor<?x32xf32>, %w: !lut.weights<8 x 32, <w2g32z>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<32, group = 32>, !lut.weights<8 x 32, <w2g32z>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Symmetric weights start at their code book's offset times that sum, and subtract nothing from vectors.
  // CHECK-LABEL: func.func @symmetric_compute(
  // CHECK: %[[OFFSET:.*]] = arith.constant -2 : i32
  // CHECK: arith.muli %{{.*}}, %[[OFFSET]]
  // CHECK-NOT: arith.subi %{{.*}} : vector
  func.func @symmetric(%x: tensor<?x32xf32>, %w: !lut.weights<8 x 32, <w2g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<32, group = 32>, !lut.weights<8 x 32, <w2g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Pairs of tokens share the decoded weights; an odd token is left.
  // CHECK-LABEL: func.func @tokens_compute(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64)
  // CHECK: %[[TWO:.*]] = arith.constant 2 : i64
  // CHECK: %[[ODD:.*]] = arith.remui %[[M]], %[[TWO]]
  // CHECK: %[[EVEN:.*]] = arith.subi %[[M]], %[[ODD]]
  // CHECK: scf.for %{{.*}} to %[[EVEN]] step %[[TWO]]
  // CHECK: scf.for %{{.*}} = %[[EVEN]] to %[[M]]
  func.func @tokens(%x: tensor<?x32xf32>, %w: !lut.weights<8 x 32, <w2g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0> : !lut.activations<32, group = 32>, !lut.weights<8 x 32, <w2g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Six of eight 3-bit codes are whole in their bytes; the other two are two bits and one bit, joined.
  // CHECK-LABEL: func.func @split_compute(
  // CHECK-COUNT-6: lut.dot %{{.*}} max 7
  // CHECK: arith.ori %{{.*}} : vector<16xi8>
  // CHECK: lut.dot %{{.*}} max 7
  // CHECK: arith.ori %{{.*}} : vector<16xi8>
  // CHECK: lut.dot %{{.*}} max 7
  // CHECK-NOT: arith.ori
  func.func @split(%x: tensor<?x32xf32>, %w: !lut.weights<8 x 32, <w3g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<32, group = 32>, !lut.weights<8 x 32, <w3g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

// Sums of lookups are vectors of bytes, widened in steps.
#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK-LABEL: func.func @column_prepare(
  // Both digits of an exact sum: division by the radix.
  // CHECK: arith.divui %{{.*}} : vector<8xi16>
  // CHECK-LABEL: func.func @column_compute(
  // CHECK: lut.lookup %{{.*}} entries 16 : vector<16xi8>, vector<16xi8>
  // CHECK: lut.accumulate %{{.*}} : vector<16xi8>, vector<8xi16>
  // CHECK-NOT: arith.minsi
  func.func @column(%x: tensor<?x64xf32>, %w: !lut.weights<16 x 64, <w1>, planes>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 64>
    %t = lut.precompute %q : !lut.activations<64, group = 64> -> <64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, run = 4, widen = 256> : !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>, !lut.weights<16 x 64, <w1>, planes> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // Sums of 16 bits are widened after every 4 runs of 4 units, 64 k; that takes a loop of its own.
  // CHECK-LABEL: func.func @widen_compute(
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: arith.minsi
  // CHECK: scf.for
  // CHECK: lut.accumulate
  func.func @widen(%x: tensor<?x256xf32>, %w: !lut.weights<16 x 256, <w1>, planes>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x256xf32> -> <256, group = 256>
    %t = lut.precompute %q : !lut.activations<256, group = 256> -> <256, group = 256, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, run = 4, widen = 4> : !lut.tables<256, group = 256, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>, !lut.weights<16 x 256, <w1>, planes> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // Tables of floats are rounded, once, to a single digit: for as many units as a vector has lanes, the patterns whose
  // last sign is plus; then their opposites, and a transposition to whole tables.
  // CHECK-LABEL: func.func @rounded_prepare(
  // CHECK-NOT: arith.divui %{{.*}} : vector
  // CHECK: vector.shuffle %{{.*}} [0, 4, 8, 12] : vector<8xf32>, vector<8xf32>
  // CHECK: arith.subf %{{.*}} : vector<4xf32>
  // CHECK: vector.shuffle %{{.*}} [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12] : vector<16xi8>, vector<16xi8>
  // CHECK-COUNT-4: llvm.store %{{.*}} : vector<4xi32>
  // CHECK-LABEL: func.func @rounded_compute(
  // CHECK: lut.accumulate
  func.func @rounded(%x: tensor<?x64xf32>, %w: !lut.weights<16 x 64, <w1>, planes>) -> tensor<?x16xf32> {
    %t = lut.precompute %x : tensor<?x64xf32> -> <64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, run = 1, widen = 256> : !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>, !lut.weights<16 x 64, <w1>, planes> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // One block of k: sums stay in registers.
  // CHECK-LABEL: func.func @oneBlock_compute(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64)
  // CHECK-COUNT-2: llvm.load %{{.*}} -> !llvm.ptr
  // CHECK: %[[Y:.*]] = llvm.load %{{.*}} -> !llvm.ptr
  // CHECK-NOT: llvm.getelementptr %[[Y]]
  // CHECK: lut.lookup %{{.*}} entries 128 : vector<128xi8>, vector<16xi8>
  func.func @oneBlock(%x: tensor<?x140xf32>, %w: !lut.weights<16 x 140, <w158>, trits>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x140xf32> -> <140, group = 140>
    %t = lut.precompute %q : !lut.activations<140, group = 140> -> <140, group = 140, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 8, k_block = 140, run = 7, widen = 256> : !lut.tables<140, group = 140, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>, !lut.weights<16 x 140, <w158>, trits> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // From 8 tokens on, codes are unpacked to the stack first, for all tokens of a tile, whose sums lie there too; products
  // load them as they are. Fewer tokens take the codes from the stream.
  // CHECK-LABEL: func.func @unpacked_compute(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64)
  // CHECK-DAG: llvm.alloca %{{.*}} x i8 {alignment = 64 : i64}
  // CHECK: %[[MANY:.*]] = arith.cmpi uge, %[[M]], %{{.*}} : i64
  // CHECK: scf.if %[[MANY]]
  // CHECK: llvm.store %{{.*}} : vector<4xi32>
  // CHECK: %[[CODES:.*]] = arith.andi %{{.*}} : vector<16xi8>
  // CHECK: llvm.store %[[CODES]], %{{.*}} : vector<16xi8>
  // CHECK: lut.dot %{{.*}} max 3
  // CHECK-NOT: arith.andi
  // CHECK: lut.dot %{{.*}} max 3
  // CHECK: } else {
  // CHECK-NOT: llvm.store %{{.*}} : vector<16xi8>
  // CHECK: %[[MASKED:.*]] = arith.andi %{{.*}} : vector<16xi8>
  // CHECK: lut.dot %{{.*}}, %[[MASKED]], %{{.*}} max 3
  func.func @unpacked(%x: tensor<?x160xf32>, %w: !lut.weights<16 x 160, <w2g32>>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x160xf32> -> <160, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 2, tokens = 2, token_block = 32, k_block = 64, unpack_tokens = 8> : !lut.activations<160, group = 32>, !lut.weights<16 x 160, <w2g32>> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // Of four bytes of five trits: a table each for four and for the fifth, 2 - c where the byte is negative. Then no
  // tables are made; activations get the order of the codes instead.
  // CHECK-LABEL: func.func @unpackedTrits_prepare(
  // CHECK: scf.if
  // CHECK: vector.shuffle %{{.*}} [0, 5, 10, 15, 1, 6, 11, 16, 2, 7, 12, 17, 3, 8, 13, 18, 4, 9, 14, 19,
  // CHECK: } else {
  // CHECK: llvm.store %{{.*}} : vector<8xi8>
  // CHECK-LABEL: func.func @unpackedTrits_compute(
  // CHECK: scf.if
  // CHECK: %[[FOUR:.*]] = lut.lookup %{{.*}}[%[[BYTES:.*]]] entries 128
  // CHECK: %[[NEGATIVE:.*]] = arith.cmpi slt, %[[BYTES]], %{{.*}} : vector<16xi8>
  // CHECK: %[[REST:.*]] = arith.subi %{{.*}}, %[[FOUR]]
  // CHECK: arith.select %[[NEGATIVE]], %[[REST]], %[[FOUR]]
  // CHECK: lut.lookup %{{.*}}[%[[BYTES]]] entries 128
  // CHECK: lut.dot %{{.*}} max 2
  // CHECK: } else {
  // CHECK: lut.accumulate
  func.func @unpackedTrits(%x: tensor<?x140xf32>, %w: !lut.weights<16 x 140, <w158>, trits>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x140xf32> -> <140, group = 140>
    %t = lut.precompute %q : !lut.activations<140, group = 140> -> <140, group = 140, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 8, k_block = 140, run = 7, widen = 256, unpack_tokens = 4> : !lut.tables<140, group = 140, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>, !lut.weights<16 x 140, <w158>, trits> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // With groups Y carries the floats, and the last, shorter block comes after the loop over the others. Rows are inside
  // the loop over tokens; tiles of two tokens take half of the rows at a time.
  // CHECK-LABEL: func.func @blocksOfGroups_compute(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64)
  // CHECK-COUNT-2: llvm.load %{{.*}} -> !llvm.ptr
  // CHECK: %[[Y:.*]] = llvm.load %{{.*}} -> !llvm.ptr
  // CHECK: %[[STEPS_BEGIN:.*]] = arith.muli %[[BEGIN]], %{{.*}} : i64
  // CHECK: %[[STEPS_END:.*]] = arith.muli %[[END]], %{{.*}} : i64
  // CHECK: scf.for %{{.*}} = %[[STEPS_BEGIN]] to %[[STEPS_END]]
  // CHECK: arith.divui %{{.*}} : i64
  // CHECK: llvm.load %{{.*}} -> vector<4xf32>
  // CHECK: lut.dot
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
  // CHECK: lut.dot
  func.func @blocksOfGroups(%x: tensor<?x160xf32>, %w: !lut.weights<16 x 160, <w2g32>>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x160xf32> -> <160, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 2, tokens = 2, token_block = 8, k_block = 64, rows_inner = true, batch_row_vectors = 1> : !lut.activations<160, group = 32>, !lut.weights<16 x 160, <w2g32>> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // Two: Y carries the integer sums. They are cleared, added to in each block, and scaled at the end.
  // CHECK-LABEL: func.func @twoBlocks_compute(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64)
  // CHECK-COUNT-2: llvm.load %{{.*}} -> !llvm.ptr
  // CHECK: %[[Y:.*]] = llvm.load %{{.*}} -> !llvm.ptr
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
  // CHECK: llvm.getelementptr %[[Y]]
  // CHECK: llvm.store %{{.*}} : vector<4xi32>
  // CHECK: scf.for
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
  // CHECK: lut.lookup
  // CHECK: llvm.getelementptr %[[Y]]
  // CHECK: llvm.load %{{.*}} -> vector<4xi32>
  // CHECK: llvm.store %{{.*}} : vector<4xi32>
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
  // CHECK: llvm.getelementptr %[[Y]]
  // CHECK: arith.sitofp
  // CHECK: llvm.store %{{.*}} : vector<4xf32>
  func.func @twoBlocks(%x: tensor<?x150xf32>, %w: !lut.weights<16 x 150, <w158>, trits>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x150xf32> -> <150, group = 150>
    %t = lut.precompute %q : !lut.activations<150, group = 150> -> <150, group = 150, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 8, k_block = 140, run = 7, widen = 256> : !lut.tables<150, group = 150, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>, !lut.weights<16 x 150, <w158>, trits> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }
}

// -----

// Four tables side by side, summed by a dot product with the weight of the plane: 1 and 2, times the radix 32 of a digit.
#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK-LABEL: func.func @quad_compute(
  // CHECK-DAG: dense<32> : vector<64xi8>
  // CHECK-DAG: dense<2> : vector<64xi8>
  // CHECK-DAG: dense<64> : vector<64xi8>
  // CHECK-DAG: lut.lookup %{{.*}} entries 16 : vector<64xi8>, vector<64xi8>
  // CHECK-DAG: lut.dot %{{.*}} max 64 : vector<16xi32>, vector<64xi8>
  // CHECK-NOT: lut.accumulate
  func.func @quad(%x: tensor<?x32xf32>, %w: !lut.weights<16 x 32, <w2>, planes>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %t = lut.precompute %q : !lut.activations<32, group = 32> -> <32, group = 32, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = quad, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.tables<32, group = 32, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>, !lut.weights<16 x 32, <w2>, planes> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }
}

// -----

#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // Subgroups of 16: two sums of a chunk, each times its multiples, stay integers up to the end of the group; then
  // the minimums' multiples, times the subgroups' sums of activations.
  // CHECK-LABEL: func.func @subgroups_compute(
  // CHECK: lut.dot
  // CHECK: %[[MULTIPLES:.*]] = llvm.load %{{.*}} -> vector<4xi8>
  // CHECK: %[[WIDE:.*]] = arith.extsi %[[MULTIPLES]] : vector<4xi8> to vector<4xi32>
  // CHECK: arith.muli %{{.*}}, %[[WIDE]] : vector<4xi32>
  // CHECK: lut.dot
  // CHECK: arith.extsi
  // CHECK: llvm.load %{{.*}} -> vector<4xf16>
  // CHECK: llvm.load %{{.*}} -> vector<4xf16>
  // CHECK: arith.sitofp
  func.func @subgroups(%x: tensor<?x256xf32>, %w: !lut.weights<8 x 256, <w2k16m>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x256xf32> -> <256, group = 256, subgroup = 16>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<256, group = 256, subgroup = 16>, !lut.weights<8 x 256, <w2k16m>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Codes are looked up in the code book, of which 12 is subtracted, so that bytes are not negative; scales are
  // exponents.
  // CHECK-LABEL: func.func @codeBook_compute(
  // CHECK: %[[BOOK:.*]] = arith.constant dense<[12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0]> : vector<16xi8>
  // CHECK: %[[LEVELS:.*]] = lut.lookup %[[BOOK]][%{{.*}}] entries 16
  // CHECK: lut.dot %{{.*}}, %[[LEVELS]], %{{.*}} max 24
  // CHECK: %[[EXPONENTS:.*]] = arith.shli
  // CHECK: arith.maxsi %[[EXPONENTS]]
  // CHECK: %[[HALF:.*]] = arith.constant dense<5.000000e-01> : vector<4xf32>
  // CHECK: arith.mulf %{{.*}}, %[[HALF]]
  func.func @codeBook(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <fp4g32e>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 32>, !lut.weights<8 x 64, <fp4g32e>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

// A function without a scheduled product is left alone.
#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK-LABEL: func.func @unscheduled(
  // CHECK-NEXT: lut.quantize_activations
  // CHECK-NEXT: lut.dot_gemm
  // CHECK-NEXT: return
  func.func @unscheduled(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w2>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 64>
    %y = lut.dot_gemm %q, %w : !lut.activations<64, group = 64>, !lut.weights<8 x 64, <w2>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

// expected-error@+1 {{the module has no attribute lut.target}}
module {}
