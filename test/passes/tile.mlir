// lut-tile, by example. Stages become functions of loops, which runtime/kernel.h defines. Their code depends on what a
// product is made of (class, format, layout, schedule) and on nothing of n and k, which are loaded: stages of equal
// code have one function.
//
//   func.func @example(%x, %w) {
//     %q = lut.stage(%x) { lut.quantize_activations }
//     lut.stage(%q, %w) { lut.dot_gemm schedule <...> }
//   }
// ==>
//   func.func @prepare_a8_g32_plain(%operands, %stage, %m, %begin, %end)
//     for each token: int8 values, one scale and one sum for each group
//   func.func @product_a8_w2g32_dot_1x1_plain(%operands, %stage, %m, %begin, %end)
//     for each k block, for each tile, for each token: sum, scale; at the end of k store
//   func.func @unpack_w2_dot_1x1_plain(%operands, %stage, %from, %part, %spans, %length, %codes)
//   func.func @unpacked_a8_255g32_1x1x1..._plain(%operands, %stage, %unpack, %m, %begin, %end)
//     where it has a schedule that unpacks: codes to bytes; the product of bytes, whatever bits they had
//   func.func @finish_f32_plain(%operands, %stage, %results, %stride, %token, %count, %row, %rows)
//     what follows a product, and rows of a tile that is not whole
//
// Activations that have to be computed, ordered or padded first have a function @source_... of one token.
// Here a vector has 16 bytes, so a tile has one vector of 4 rows.
//
// Whatever n and k are, nothing is masked.
//
// RUN: lut-opt %s --lut-fuse-precompute --lut-tile --cse -split-input-file -verify-diagnostics | FileCheck %s --implicit-check-not=masked

#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK-NOT: func.func @example(
  // CHECK-LABEL: func.func @prepare_a8_g32_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][24]
  // CHECK: %[[SHAPE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][48]
  // CHECK: %[[GROUPS:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: scf.for %[[TOKEN:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK: scf.for %{{.*}} to %[[GROUPS]]
  // CHECK: llvm.store %{{.*}} : f32
  // CHECK: llvm.store %{{.*}} : vector<4xi8>
  // CHECK: llvm.store %{{.*}} : i32
  // CHECK-LABEL: func.func @product_a8_w2g32_dot_1x1_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][24]
  // CHECK: %[[SHAPE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][40]
  // CHECK: %[[BLOCKS:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: llvm.getelementptr %[[STAGE]][48]
  // CHECK: %[[RESULT:.*]] = llvm.getelementptr %[[OPERANDS]]
  // CHECK: %[[LDY:.*]] = llvm.load %{{.*}} -> i64
  // CHECK-NEXT: %[[Y:.*]] = llvm.load %[[RESULT]] {{.*}} -> !llvm.ptr
  // CHECK: scf.for %{{.*}} to %[[BLOCKS]]
  // CHECK: scf.for %[[TILE:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK: scf.for %[[TOKEN:.*]] = %{{.*}} to %[[M]]
  // CHECK: llvm.load %{{.*}} -> vector<16xi8>
  // CHECK: lut.dot %{{.*}} max 3 : vector<4xi32>, vector<16xi8>
  // CHECK: arith.sitofp %{{.*}} : vector<4xi32> to vector<4xf32>
  // CHECK: arith.muli %[[TOKEN]], %[[LDY]]
  // CHECK: llvm.getelementptr %[[Y]]
  // CHECK: llvm.store %{{.*}} : vector<4xf32>
  // CHECK-LABEL: func.func @finish_f32_plain(
  // CHECK-SAME: !llvm.ptr, %{{[a-z0-9]+}}: !llvm.ptr, %{{[a-z0-9]+}}: !llvm.ptr, %{{[a-z0-9]+}}: i64, %{{[a-z0-9]+}}: i64, %{{[a-z0-9]+}}: i64, %{{[a-z0-9]+}}: i64, %{{[a-z0-9]+}}: i64) {
  // CHECK-NOT: func.func
  func.func @example(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w2g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 32>, !lut.weights<8 x 64, <w2g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

// Products of one body, in kernels and in a group: 10 x 64, 8 x 64 and 16 x 64, permuted columns, 8 x 70.
#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // What a source gives is quantized; a stage that has none reads x itself.
  // CHECK-LABEL: func.func @prepare_a8_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][8]
  // CHECK: %[[SOURCE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: scf.for %[[TOKEN:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK: %[[ADDRESS:.*]] = llvm.ptrtoint %[[SOURCE]]
  // CHECK: %[[NONE:.*]] = arith.cmpi eq, %[[ADDRESS]], %{{.*}}
  // CHECK: %[[ROW:.*]] = scf.if %[[NONE]]
  // CHECK-NOT: llvm.call
  // CHECK: } else {
  // CHECK: llvm.call %[[SOURCE]](%[[OPERANDS]], %[[STAGE]], %[[TOKEN]])
  // CHECK: llvm.getelementptr %[[ROW]]

  // The scale of a whole row is f32, from the tail of the weights.
  // CHECK-LABEL: func.func @product_a8_w2_dot_1x1_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[BUFFER:.*]] = llvm.alloca
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][24]
  // CHECK: %[[SHAPE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][96]
  // CHECK: %[[TAIL:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: %[[N:.*]] = llvm.load %[[SHAPE]] {{.*}} -> i64
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][36]
  // CHECK: %[[PLAIN:.*]] = llvm.load %[[AT]] {{.*}} -> i32
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][16]
  // CHECK: %[[FINISH:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[COLUMN:.*]] = llvm.getelementptr %{{.*}}[%[[TAIL]]]
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[COLUMN]]
  // CHECK: llvm.load %[[AT]] {{.*}} -> vector<4xf32>
  // CHECK-NOT: arith.extf

  // Y takes tiles whose rows all exist, where nothing follows. Of other tiles, as the last one of 10 rows, the finish
  // function takes what exists.
  // CHECK: %[[ONLY:.*]] = arith.cmpi ne, %[[PLAIN]], %{{.*}}
  // CHECK: %[[EXIST:.*]] = arith.cmpi ule, %{{.*}}, %[[N]]
  // CHECK: %[[DIRECT:.*]] = arith.andi %[[EXIST]], %[[ONLY]]
  // CHECK: %[[TO:.*]] = arith.select %[[DIRECT]], %{{.*}}, %[[BUFFER]]
  // CHECK: llvm.store %{{.*}}, %[[TO]] {{.*}} : vector<4xf32>
  // CHECK-NEXT: scf.if %[[DIRECT]] {
  // CHECK-NEXT: } else {
  // CHECK: %[[REST:.*]] = arith.subi %[[N]], %{{.*}}
  // CHECK: %[[ROWS:.*]] = arith.minui
  // CHECK: llvm.call %[[FINISH]](%[[OPERANDS]], %[[STAGE]], %[[BUFFER]], {{.*}}, %[[ROWS]])

  // It stores 8 rows at a time, then one.
  // CHECK-LABEL: func.func @finish_f32_plain(
  // CHECK-SAME: %[[COUNT:[a-z0-9]+]]: i64, %[[ROW:[a-z0-9]+]]: i64, %[[ROWS:[a-z0-9]+]]: i64) {
  // CHECK: %[[ODD:.*]] = arith.remui %[[ROWS]], %[[EIGHT:.*]] : i64
  // CHECK: %[[WHOLE:.*]] = arith.subi %[[ROWS]], %[[ODD]]
  // CHECK: scf.for %{{.*}} to %[[COUNT]]
  // CHECK: scf.for %{{.*}} to %[[WHOLE]] step %[[EIGHT]]
  // CHECK: llvm.store %{{.*}} : vector<8xf32>
  // CHECK: scf.for %{{.*}} = %[[WHOLE]] to %[[ROWS]]
  // CHECK: llvm.store %{{.*}} : vector<1xf32>
  func.func @rows(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w2>>) -> tensor<?x10xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 64>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 64>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // What follows a product in a group is a function of its own; its products are those of kernels.
  // CHECK-NOT: func.func
  // CHECK-LABEL: func.func @finish_add_rows_f32_plain(
  // CHECK: %[[RESULTS:.*]] = llvm.load %{{.*}} -> vector<8xf32>
  // CHECK: %[[RESIDUAL:.*]] = llvm.load %{{.*}} -> vector<8xf32>
  // CHECK: %[[SUM:.*]] = arith.addf %[[RESULTS]], %[[RESIDUAL]]
  // CHECK: llvm.store %[[SUM]]
  func.func @group(%x: tensor<?x64xf32>, %a: !lut.weights<8 x 64, <w2>>, %b: !lut.weights<16 x 64, <w2>>, %residual: tensor<?x16xf32>) -> (tensor<?x8xf32>, tensor<?x16xf32>) {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 64>
    %y = lut.dot_gemm %q, %a schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 64>, !lut.weights<8 x 64, <w2>> -> tensor<?x8xf32>
    %p = lut.dot_gemm %q, %b schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 64>, !lut.weights<16 x 64, <w2>> -> tensor<?x16xf32>
    %z = lut.add %p, %residual : tensor<?x16xf32>, tensor<?x16xf32>
    return %y, %z : tensor<?x8xf32>, tensor<?x16xf32>
  }

  // Permuted columns are the source's: `columns_offset` of the shape from the start of the weights. Activations are
  // gathered 16 at a time, then one by one, none from outside the row.
  // CHECK-NOT: func.func
  // CHECK-LABEL: func.func @source_permute_{{[0-9a-f]+}}_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[TOKEN:[a-z0-9]+]]: i64) -> !llvm.ptr {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][24]
  // CHECK: %[[SHAPE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][8]
  // CHECK: %[[K:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][120]
  // CHECK: %[[OFFSET:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: %[[COLUMNS:.*]] = llvm.getelementptr %{{.*}}[%[[OFFSET]]]
  // CHECK: %[[BEFORE:.*]] = arith.addi %[[K]], %{{.*}}
  // CHECK: %[[LAST:.*]] = arith.trunci %[[BEFORE]] : i64 to i32
  // CHECK: scf.for
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[COLUMNS]]
  // CHECK: %[[COLUMN:.*]] = llvm.load %[[AT]] {{.*}} -> i32
  // CHECK: %[[INSIDE:.*]] = arith.minui %[[COLUMN]], %[[LAST]]
  // CHECK: arith.extui %[[INSIDE]] : i32 to i64
  // CHECK: llvm.load %{{.*}} -> f32
  // CHECK: llvm.store %{{.*}} : f32
  // CHECK-COUNT-15: arith.minui %{{.*}}, %[[LAST]]
  // CHECK-NOT: arith.minui
  // CHECK: scf.for %{{.*}} to %[[K]]
  // CHECK: arith.minui %{{.*}}, %[[LAST]]
  func.func @permuted(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w2p>>) -> tensor<?x8xf32> {
    %p = lut.permute %x, %w : tensor<?x64xf32>, !lut.weights<8 x 64, <w2p>>
    %q = lut.quantize_activations %p : tensor<?x64xf32> -> <64, group = 64>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 64>, !lut.weights<8 x 64, <w2p>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // 70 activations are copied, and 0 behind them up to the 128 that are read; the last 6 one by one.
  // CHECK-NOT: func.func
  // CHECK-LABEL: func.func @source_copy_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[TOKEN:[a-z0-9]+]]: i64) -> !llvm.ptr {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][24]
  // CHECK: %[[SHAPE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][8]
  // CHECK: %[[K:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][24]
  // CHECK: %[[ROW_K:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: scf.for
  // CHECK: llvm.store %{{.*}} : vector<16xf32>
  // CHECK: %[[REST:.*]] = arith.remui %[[K]], %{{.*}}
  // CHECK: scf.for %{{.*}} to %[[REST]]
  // CHECK: llvm.load %{{.*}} -> f32
  // CHECK: scf.for %{{.*}} = %[[K]] to %[[ROW_K]]
  // CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK: llvm.store %[[ZERO]]
  // CHECK-NOT: func.func
  func.func @kTail(%x: tensor<?x70xf32>, %w: !lut.weights<8 x 70, <w2>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x70xf32> -> <70, group = 70>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<70, group = 70>, !lut.weights<8 x 70, <w2>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // 70 of k are padded to whole groups: the last of three is as long as the others.
  // CHECK-LABEL: func.func @prepare_a8_g32_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][24]
  // CHECK: %[[SHAPE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][48]
  // CHECK: %[[GROUPS:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: scf.for %{{.*}} to %[[GROUPS]]
  // CHECK: %[[EIGHT:.*]] = arith.constant 8 : i64
  // CHECK: scf.for %{{.*}} to %[[EIGHT]]
  // CHECK: vector.reduction <maxsi>
  // CHECK: scf.for %{{.*}} to %[[EIGHT]]
  // CHECK: vector.reduction <add>
  // CHECK-NOT: vector.reduction
  // CHECK-LABEL: func.func @source_copy_plain(
  // CHECK-LABEL: func.func @product_a8_w2g32_dot_1x1_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: arith.remui %[[BEGIN]], %{{.*}}
  // CHECK: arith.minui
  // CHECK: %[[GROUPS:.*]] = arith.minui
  // CHECK: scf.for %{{.*}} to %[[M]]
  // CHECK: scf.for %{{.*}} to %[[GROUPS]]

  // Symmetric weights start at their code book's offset times the sum of the group's activations, and subtract nothing
  // from vectors.
  // CHECK: %[[OFFSET:.*]] = arith.constant -2 : i32
  // CHECK: %[[SCALED:.*]] = arith.muli %{{.*}}, %[[OFFSET]]
  // CHECK: %[[START:.*]] = vector.broadcast %[[SCALED]] : i32 to vector<4xi32>
  // CHECK: lut.dot %[[START]]
  // CHECK-NOT: arith.subi %{{.*}} : vector

  // Grouped scales are f16.
  // CHECK: arith.extf %{{.*}} : vector<4xf16> to vector<4xf32>
  // CHECK-NOT: arith.subi %{{.*}} : vector
  // CHECK-LABEL: func.func @finish_f32_plain(
  func.func @groupTail(%x: tensor<?x70xf32>, %w: !lut.weights<8 x 70, <w2g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x70xf32> -> <70, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<70, group = 32>, !lut.weights<8 x 70, <w2g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Zero points times the sum of the group's activations are subtracted.
  // CHECK-LABEL: func.func @product_a8_w2g32z_dot_1x1_plain(
  // CHECK: %[[Z:.*]] = arith.extui %{{.*}} : vector<4xi8> to vector<4xi32>
  // CHECK: %[[SUM:.*]] = vector.broadcast %{{.*}} : i32 to vector<4xi32>
  // CHECK: %[[ZS:.*]] = arith.muli %[[Z]], %[[SUM]]
  // CHECK: arith.subi %{{.*}}, %[[ZS]]
  func.func @zeroPoints(%x: tensor<?x32xf32>, %w: !lut.weights<8 x 32, <w2g32z>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<32, group = 32>, !lut.weights<8 x 32, <w2g32z>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Pairs of tokens share the decoded weights; an odd token is left.
  // CHECK-LABEL: func.func @product_a8_w2g32_dot_1x2_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[TWO:.*]] = arith.constant 2 : i64
  // CHECK: %[[ODD:.*]] = arith.remui %[[M]], %[[TWO]]
  // CHECK: %[[EVEN:.*]] = arith.subi %[[M]], %[[ODD]]
  // CHECK: scf.for %{{.*}} to %[[EVEN]] step %[[TWO]]
  // CHECK: lut.dot %{{.*}}, %[[CODES:.*]], %{{.*}} max 3
  // CHECK: lut.dot %{{.*}}, %[[CODES]], %{{.*}} max 3
  // CHECK: scf.for %{{.*}} = %[[EVEN]] to %[[M]]
  func.func @tokens(%x: tensor<?x32xf32>, %w: !lut.weights<8 x 32, <w2g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x32xf32> -> <32, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0> : !lut.activations<32, group = 32>, !lut.weights<8 x 32, <w2g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Six of eight 3-bit codes are whole in their bytes; the other two are two bits and one bit, joined.
  // CHECK-LABEL: func.func @product_a8_w3g32_dot_1x1_plain(
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
  // CHECK-LABEL: func.func @prepare_a8_g64_t4x2x16_plain(
  // Both digits of an exact sum: division by the radix.
  // CHECK: arith.divui %{{.*}} : vector<8xi16>
  // A group of 64 or more, whose length is a number, fits sums of 16 bits.
  // CHECK-LABEL: func.func @product_a8_w1g_column_1x1r4w256_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE:.*]][136]
  // CHECK: %[[GROUP:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: scf.for %{{.*}} to %[[M]]
  // CHECK-NOT: arith.minui
  // CHECK: arith.divui %[[GROUP]], %{{.*}} : i64
  // CHECK: lut.lookup %{{.*}} entries 16 : vector<16xi8>, vector<16xi8>
  // CHECK: lut.accumulate %{{.*}} : vector<16xi8>, vector<8xi16>
  func.func @column(%x: tensor<?x128xf32>, %w: !lut.weights<16 x 128, <w1g64>, planes>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x128xf32> -> <128, group = 64>
    %t = lut.precompute %q : !lut.activations<128, group = 64> -> <128, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, run = 4, widen = 256> : !lut.tables<128, group = 64, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>, !lut.weights<16 x 128, <w1g64>, planes> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // Sums of 16 bits are widened after every 4 runs of 4 units, 64 k, four steps; that takes a loop of its own.
  // CHECK-LABEL: func.func @product_a8_w1_column_1x1r4w4_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: scf.for %{{.*}} to %[[M]]
  // CHECK: %[[STEPS:.*]] = arith.divui
  // CHECK: %[[FOUR:.*]] = arith.constant 4 : i64
  // CHECK: scf.for %[[FIRST:.*]] = %{{.*}} to %[[STEPS]] step %[[FOUR]]
  // CHECK: %[[NEXT:.*]] = arith.addi %[[FIRST]], %[[FOUR]]
  // CHECK: %[[END:.*]] = arith.minui %[[NEXT]], %[[STEPS]]
  // CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[END]]
  // CHECK: lut.accumulate
  func.func @widen(%x: tensor<?x256xf32>, %w: !lut.weights<16 x 256, <w1>, planes>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x256xf32> -> <256, group = 256>
    %t = lut.precompute %q : !lut.activations<256, group = 256> -> <256, group = 256, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, run = 4, widen = 4> : !lut.tables<256, group = 256, unit = 4, trits = false, mirrored = false, digits = 2, radix = 32>, !lut.weights<16 x 256, <w1>, planes> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // Tables of floats are rounded, once, to a single digit: for as many units as a vector has lanes, the patterns whose
  // last sign is plus; then their opposites, and a transposition to whole tables.
  // CHECK-LABEL: func.func @prepare_t8_t4x1x16b_plain(
  // CHECK-NOT: arith.divui %{{.*}} : vector
  // CHECK: vector.shuffle %{{.*}} [0, 4, 8, 12] : vector<8xf32>, vector<8xf32>
  // CHECK: arith.subf %{{.*}} : vector<4xf32>
  // CHECK: vector.shuffle %{{.*}} [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12] : vector<16xi8>, vector<16xi8>
  // CHECK-COUNT-4: llvm.store %{{.*}} : vector<4xi32>
  // CHECK-LABEL: func.func @product_t8_w1_column_1x1r1w256_plain(
  // CHECK: lut.accumulate
  func.func @rounded(%x: tensor<?x64xf32>, %w: !lut.weights<16 x 64, <w1>, planes>) -> tensor<?x16xf32> {
    %t = lut.precompute %x : tensor<?x64xf32> -> <64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = column, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, run = 1, widen = 256> : !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 1, radix = 0>, !lut.weights<16 x 64, <w1>, planes> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // 140 or 150 of k: one block of 140 or two. A block is a constant, of 4 runs of 7 units. The first one starts at 0,
  // others at the integer sums that the one before left; after the last one they are scaled.
  // CHECK-LABEL: func.func @prepare_a8_t5x2x128_plain(
  // CHECK-LABEL: func.func @product_a8_w158_base3_1x1r7w256k140_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][24]
  // CHECK: %[[SHAPE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][40]
  // CHECK: %[[BLOCKS:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: scf.for %[[BLOCK:.*]] = %[[ZERO:.*]] to %[[BLOCKS]]
  // CHECK: %[[LAST:.*]] = arith.cmpi ule
  // CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[BLOCK]], %[[ZERO]]
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
  // CHECK: %[[FOUR:.*]] = arith.constant 4 : i64
  // CHECK: scf.for %{{.*}} to %[[FOUR]]
  // CHECK: lut.lookup %{{.*}} entries 128 : vector<128xi8>, vector<16xi8>
  // CHECK: %[[EARLIER:.*]]:4 = scf.if %[[FIRST]] -> (vector<4xi32>
  // CHECK-NEXT: %[[NONE:.*]] = arith.constant dense<0>
  // CHECK-NEXT: scf.yield %[[NONE]], %[[NONE]], %[[NONE]], %[[NONE]]
  // CHECK-NEXT: } else {
  // CHECK-COUNT-4: llvm.load %{{.*}} -> vector<4xi32>
  // CHECK: }
  // CHECK-NEXT: arith.addi %[[EARLIER]]#0
  // CHECK: scf.if %[[LAST]] {
  // CHECK: arith.sitofp
  // CHECK: llvm.store %{{.*}} : vector<4xf32>
  // CHECK: } else {
  // CHECK-NOT: arith.sitofp
  // CHECK-COUNT-4: llvm.store %{{.*}} : vector<4xi32>
  // CHECK-NOT: llvm.store
  // CHECK: return
  func.func @oneBlock(%x: tensor<?x140xf32>, %w: !lut.weights<16 x 140, <w158>, trits>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x140xf32> -> <140, group = 140>
    %t = lut.precompute %q : !lut.activations<140, group = 140> -> <140, group = 140, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 8, k_block = 140, run = 7, widen = 256> : !lut.tables<140, group = 140, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>, !lut.weights<16 x 140, <w158>, trits> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  func.func @twoBlocks(%x: tensor<?x150xf32>, %w: !lut.weights<16 x 150, <w158>, trits>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x150xf32> -> <150, group = 150>
    %t = lut.precompute %q : !lut.activations<150, group = 150> -> <150, group = 150, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 8, k_block = 140, run = 7, widen = 256> : !lut.tables<150, group = 150, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>, !lut.weights<16 x 150, <w158>, trits> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // From so many tokens on as the shape says, codes are unpacked to the stack first, for all tokens of a tile, whose sums
  // lie there too; products load them as they are, and what else a span has lies where numbers say. Fewer tokens take
  // the codes from the stream.
  // CHECK-LABEL: func.func @unpack_w2_dot_2x2_plain(
  // CHECK-SAME: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[FROM:[a-z0-9]+]]: !llvm.ptr, %{{[a-z0-9]+}}: i64, %[[SPANS:[a-z0-9]+]]: i64, %[[LENGTH:[a-z0-9]+]]: i64, %[[TO:[a-z0-9]+]]: !llvm.ptr) {
  // CHECK: scf.for %{{.*}} to %[[SPANS]]
  // CHECK: %[[CODES:.*]] = arith.andi %{{.*}} : vector<16xi8>
  // CHECK: llvm.store %[[CODES]], %{{.*}} : vector<16xi8>
  // CHECK-LABEL: func.func @unpacked_a8_255g32_2x2x1fu8192t32_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[UNPACK:[a-z0-9]+]]: (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64, i64, !llvm.ptr) -> (), %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) {
  // CHECK: %[[ROOM:.*]] = arith.constant 65536 : i64
  // CHECK-NEXT: %[[BYTES:.*]] = llvm.alloca %[[ROOM]] x i8 {alignment = 64 : i64}
  // CHECK: func.call_indirect %[[UNPACK]](%[[OPERANDS]], %[[STAGE]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[BYTES]])
  // CHECK-COUNT-16: lut.dot %{{.*}} max 255
  // CHECK-NOT: lut.dot
  // CHECK-LABEL: func.func @product_a8_w2g32_dot_2x2u8192t32_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[STAGE]][24]
  // CHECK: %[[SHAPE:.*]] = llvm.load %[[AT]] {{.*}} -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.getelementptr %[[SHAPE]][184]
  // CHECK: %[[FROM:.*]] = llvm.load %[[AT]] {{.*}} -> i64
  // CHECK: %[[MANY:.*]] = arith.cmpi uge, %[[M]], %[[FROM]] : i64
  // CHECK: scf.if %[[MANY]]
  // CHECK: %[[UNPACK:.*]] = func.constant @unpack_w2_dot_2x2_plain
  // CHECK: func.call @unpacked_a8_255g32_2x2x1fu8192t32_plain(%[[OPERANDS]], %[[STAGE]], %[[UNPACK]], %[[M]], %[[BEGIN]], %[[END]])
  // CHECK: {{^}}    } else {
  // CHECK-NOT: llvm.store %{{.*}} : vector<16xi8>
  // CHECK: %[[LOW:.*]] = arith.andi %{{.*}} : vector<16xi8>
  // CHECK: lut.dot %{{.*}}, %[[LOW]], %{{.*}} max 3
  func.func @unpacked(%x: tensor<?x160xf32>, %w: !lut.weights<16 x 160, <w2g32>>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x160xf32> -> <160, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 2, tokens = 2, token_block = 32, k_block = 64, unpack_tokens = 8> : !lut.activations<160, group = 32>, !lut.weights<16 x 160, <w2g32>> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // Of four bytes of five trits: a table each for four and for the fifth, 2 - c where the byte is negative. Then no
  // tables are made; activations get the order of the codes instead.
  // CHECK-LABEL: func.func @prepare_a8_t5x2x128o_plain(
  // CHECK: scf.if
  // CHECK: vector.shuffle %{{.*}} [0, 5, 10, 15, 1, 6, 11, 16, 2, 7, 12, 17, 3, 8, 13, 18, 4, 9, 14, 19,
  // CHECK: {{^}}    } else {
  // CHECK: llvm.store %{{.*}} : vector<8xi8>
  // CHECK-LABEL: func.func @unpack_w158_base3_1x4_plain(
  // CHECK: %[[FOUR:.*]] = lut.lookup %{{.*}}[%[[BYTES:.*]]] entries 128
  // CHECK: %[[NEGATIVE:.*]] = arith.cmpi slt, %[[BYTES]], %{{.*}} : vector<16xi8>
  // CHECK: %[[REST:.*]] = arith.subi %{{.*}}, %[[FOUR]]
  // CHECK: arith.select %[[NEGATIVE]], %[[REST]], %[[FOUR]]
  // CHECK: lut.lookup %{{.*}}[%[[BYTES]]] entries 128
  // CHECK-LABEL: func.func @unpacked_a8_2_4x4x1fok140u420t8_plain(
  // CHECK: lut.dot %{{.*}} max 2 :
  // CHECK-LABEL: func.func @product_a8_w158_base3_1x1r7w256k140u420t8_plain(
  // CHECK: scf.if
  // CHECK: func.call @unpacked_a8_2_4x4x1fok140u420t8_plain(
  // CHECK: {{^}}    } else {
  // CHECK: lut.accumulate
  func.func @unpackedTrits(%x: tensor<?x140xf32>, %w: !lut.weights<16 x 140, <w158>, trits>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x140xf32> -> <140, group = 140>
    %t = lut.precompute %q : !lut.activations<140, group = 140> -> <140, group = 140, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>
    %y = lut.lookup_gemm %t, %w schedule <strategy = lookup, layout = base3, row_vectors = 1, tokens = 1, token_block = 8, k_block = 140, run = 7, widen = 256, unpack_tokens = 4> : !lut.tables<140, group = 140, unit = 5, trits = true, mirrored = true, digits = 2, radix = 36>, !lut.weights<16 x 140, <w158>, trits> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // With groups floats are carried. Rows are inside the loop over tokens; tiles of two tokens take half of the rows at a
  // time.
  // CHECK-LABEL: func.func @product_a8_w2g32_dot_2x2b1i1_plain(
  // CHECK-SAME: %[[OPERANDS:[a-z0-9]+]]: !llvm.ptr, %[[STAGE:[a-z0-9]+]]: !llvm.ptr, %[[M:[a-z0-9]+]]: i64, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64) -> i32 {
  // CHECK: %[[FIRST:.*]] = arith.cmpi eq
  // CHECK: %[[EVEN:.*]] = arith.subi %[[M]], %{{.*}}
  // CHECK: scf.for %{{.*}} to %[[EVEN]]
  // CHECK: %[[STEPS_BEGIN:.*]] = arith.muli %[[BEGIN]], %{{.*}} : i64
  // CHECK: %[[STEPS_END:.*]] = arith.muli %[[END]], %{{.*}} : i64
  // CHECK: scf.for %[[STEP:.*]] = %[[STEPS_BEGIN]] to %[[STEPS_END]]
  // CHECK: arith.divui %[[STEP]], %{{.*}} : i64
  // CHECK: scf.if %[[FIRST]] -> (vector<4xf32>, vector<4xf32>)
  // CHECK: } else {
  // CHECK: llvm.load %{{.*}} -> vector<4xf32>
  // CHECK: lut.dot
  // CHECK: scf.for %{{.*}} = %[[EVEN]] to %[[M]]
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
  // CHECK: lut.dot
  func.func @blocksOfGroups(%x: tensor<?x160xf32>, %w: !lut.weights<16 x 160, <w2g32>>) -> tensor<?x16xf32> {
    %q = lut.quantize_activations %x : tensor<?x160xf32> -> <160, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 2, tokens = 2, token_block = 8, k_block = 64, rows_inner = true, batch_row_vectors = 1> : !lut.activations<160, group = 32>, !lut.weights<16 x 160, <w2g32>> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }
}

// -----

// Four tables side by side, summed by a dot product with the weight of the plane: 1 and 2, times the radix 32 of a digit.
#target = #lut.target<name = "permute", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK-LABEL: func.func @product_a8_w2_quad_1x1_permute(
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
  // CHECK-LABEL: func.func @product_a8_w2k16m_dot_1x1_plain(
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
  // CHECK-LABEL: func.func @product_a8_fp4g32e_dot_1x1_plain(
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

// Vectors of a code book: numbers find entries of four magnitudes in memory, all signs of a row lie in a word, and what
// is stored is the value less the smallest. Multiples lie beside the signs, s as 2 s + 1.
#target = #lut.target<name = "plain", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK: llvm.mlir.global private constant @book_iq3xxs("\04\04\04\04{{.*}}") {{.*}}alignment = 64
  // CHECK-LABEL: func.func @unpack_iq3xxs_book_1x1_plain(
  // CHECK: %[[TABLE:.*]] = llvm.mlir.addressof @book_iq3xxs
  // CHECK: %[[NUMBER:.*]] = vector.extract %{{.*}}[0] : i32 from vector<4xi32>
  // CHECK: %[[ENTRY:.*]] = llvm.load %{{.*}} -> i32
  // CHECK: vector.insert %[[ENTRY]], %{{.*}} [0] : i32 into vector<4xi32>
  // CHECK: arith.subi %{{.*}} : vector<16xi8>
  // CHECK: arith.addi %{{.*}} : vector<16xi8>
  // CHECK: arith.select
  // CHECK-LABEL: func.func @unpack_iq3xxs_book_1x1k32
  // CHECK: call @unpack_iq3xxs_book_1x1_plain
  // CHECK: arith.trunci %{{.*}} : vector<4xi32> to vector<4xi8>
  // CHECK-LABEL: func.func @unpacked_a8_255k32_1x1x1d3f
  // CHECK: call_indirect
  // CHECK-LABEL: func.func @product_a8_iq3xxs_book_1x0
  // CHECK: call @unpacked_a8_255k32_1x1x1d3f
  // CHECK-NOT: lut.dot
  // CHECK: return
  func.func @vectors(%x: tensor<?x256xf32>, %w: !lut.weights<8 x 256, <iq3xxs>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x256xf32> -> <256, group = 256, subgroup = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = book, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, unpack_tokens = 1> : !lut.activations<256, group = 256, subgroup = 32>, !lut.weights<8 x 256, <iq3xxs>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

// Where lookups reach 128 entries, those of 256 vectors are two for each half of the digits, and none is in memory.
#target = #lut.target<name = "plain", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 10, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // CHECK-NOT: llvm.mlir.global
  // CHECK-LABEL: func.func @unpack_iq2xxs_book_1x1_plain(
  // CHECK-COUNT-2: lut.lookup %{{.*}} entries 128
  // CHECK: arith.select
  // CHECK-COUNT-2: lut.lookup %{{.*}} entries 128
  // CHECK: arith.select
  // CHECK-COUNT-8: lut.lookup %{{.*}} entries 16
  func.func @vectorsInRegisters(%x: tensor<?x256xf32>, %w: !lut.weights<32 x 256, <iq2xxs>>) -> tensor<?x32xf32> {
    %q = lut.quantize_activations %x : tensor<?x256xf32> -> <256, group = 256, subgroup = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = book, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0, unpack_tokens = 1> : !lut.activations<256, group = 256, subgroup = 32>, !lut.weights<32 x 256, <iq2xxs>> -> tensor<?x32xf32>
    return %y : tensor<?x32xf32>
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

// -----

// Products whose pairs have sums of 16 bits: as many as these hold are added before they are widened.
#target = #lut.target<name = "pairs", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // 8 products of codes up to 15, all of the group.
  // CHECK-LABEL: func.func @product_a8_w4g32_dot_1x1_pairs(
  // CHECK: %[[ONES:.*]] = arith.constant dense<1> : vector<16xi16>
  // CHECK-COUNT-8: lut.dot %{{.*}} max 15 : vector<16xi16>, vector<32xi8>
  // CHECK-NEXT: lut.add_pairs %{{.*}}, %{{.*}}, %[[ONES]] : vector<8xi32>, vector<16xi16>
  // CHECK-NOT: lut.add_pairs
  func.func @run(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w4g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 32>, !lut.weights<8 x 64, <w4g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // 4 of codes up to 31.
  // CHECK-LABEL: func.func @product_a8_w5g32_dot_1x1_pairs(
  // CHECK-COUNT-4: lut.dot %{{.*}} max 31
  // CHECK-NEXT: lut.add_pairs
  // CHECK-COUNT-4: lut.dot %{{.*}} max 31
  // CHECK-NEXT: lut.add_pairs
  func.func @twoRuns(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <w5g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 32>, !lut.weights<8 x 64, <w5g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Of 8 bits, signed and each alone; the code book has its own values.
  // CHECK-LABEL: func.func @product_a8_nl4g32_dot_1x1_pairs(
  // CHECK: %[[BOOK:.*]] = arith.constant dense<[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]> : vector<16xi8>
  // CHECK: %[[LEVELS:.*]] = lut.lookup %[[BOOK]]
  // CHECK-NEXT: %[[PAIRS:.*]] = lut.dot %{{.*}}, signed %[[LEVELS]], %{{.*}} max 128
  // CHECK: lut.add_pairs %{{.*}}, %[[PAIRS]], %{{.*}}
  func.func @signed(%x: tensor<?x64xf32>, %w: !lut.weights<8 x 64, <nl4g32>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x64xf32> -> <64, group = 32>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<64, group = 32>, !lut.weights<8 x 64, <nl4g32>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }

  // Multiples of a subgroup widen its sums. What the sum factor adds comes first: two subgroups' sums of activations,
  // times their multiples.
  // CHECK-LABEL: func.func @product_a8_w3k16_dot_1x1_pairs(
  // CHECK: %[[TWO:.*]] = vector.shuffle %{{.*}}, %{{.*}} [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15] : vector<8xi8>, vector<8xi8>
  // CHECK: %[[FACTORS:.*]] = arith.extsi %[[TWO]] : vector<16xi8> to vector<16xi16>
  // CHECK: lut.add_pairs %{{.*}}, %{{.*}}, %[[FACTORS]]
  // CHECK: arith.muli %{{.*}} : vector<8xi32>
  // CHECK: %[[ONE:.*]] = vector.shuffle %[[MULTIPLES:.*]], %[[MULTIPLES]] [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15]
  // CHECK: %[[FACTORS:.*]] = arith.extsi %[[ONE]] : vector<16xi8> to vector<16xi16>
  // CHECK-COUNT-4: lut.dot %{{.*}} max 7
  // CHECK-NEXT: lut.add_pairs %{{.*}}, %{{.*}}, %[[FACTORS]]
  func.func @multiples(%x: tensor<?x256xf32>, %w: !lut.weights<8 x 256, <w3k16>>) -> tensor<?x8xf32> {
    %q = lut.quantize_activations %x : tensor<?x256xf32> -> <256, group = 256, subgroup = 16>
    %y = lut.dot_gemm %q, %w schedule <strategy = dot, layout = dot, row_vectors = 1, tokens = 1, token_block = 8, k_block = 0> : !lut.activations<256, group = 256, subgroup = 16>, !lut.weights<8 x 256, <w3k16>> -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}
