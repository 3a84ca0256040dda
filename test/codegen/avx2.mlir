// lut-lower for AVX2: 16-entry shuffles and saturating byte products on 32 bytes.
// RUN: lut-opt %s --lut-lower -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "avx2", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // The table goes to every 128-bit lane; one shuffle looks it up.
  // CHECK-LABEL: @lookup16(
  // CHECK: %[[INDEX:.*]] = arith.andi
  // CHECK: %[[TABLE:.*]] = vector.shuffle {{.*}} : vector<16xi8>, vector<16xi8>
  // CHECK: %[[V:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"(%[[TABLE]], %[[INDEX]])
  // CHECK-NEXT: return %[[V]]
  func.func @lookup16(%table: vector<16xi8>, %index: vector<32xi8>) -> vector<32xi8> {
    %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<32xi8>
    return %v : vector<32xi8>
  }

  // 128 entries are 8 shuffles, of which one is not 0.
  // CHECK-LABEL: @lookup128(
  // CHECK: llvm.intr.uadd.sat
  // CHECK: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
  // CHECK-COUNT-7: arith.ori
  // CHECK-NOT: arith.ori
  func.func @lookup128(%table: vector<128xi8>, %index: vector<32xi8>) -> vector<32xi8> {
    %v = lut.lookup %table[%index] entries 128 : vector<128xi8>, vector<32xi8>
    return %v : vector<32xi8>
  }

  // 8 products of codes up to 15 fit 16 bits, 9 do not.
  // CHECK-LABEL: @dots(
  // CHECK: "llvm.x86.avx2.pmadd.ub.sw"
  // CHECK-NEXT: "llvm.x86.avx2.pmadd.wd"
  // CHECK-COUNT-8: "llvm.x86.avx2.pmadd.ub.sw"
  // CHECK: "llvm.x86.avx2.pmadd.wd"
  // CHECK-NOT: pmadd
  // CHECK: return
  func.func @dots(%acc: vector<8xi32>, %c: vector<32xi8>, %v: vector<32xi8>) -> vector<8xi32> {
    %0 = lut.dot %acc, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    %1 = lut.dot %0, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    %2 = lut.dot %1, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    %3 = lut.dot %2, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    %4 = lut.dot %3, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    %5 = lut.dot %4, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    %6 = lut.dot %5, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    %7 = lut.dot %6, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    %8 = lut.dot %7, %c, %v max 15 : vector<8xi32>, vector<32xi8>
    return %8 : vector<8xi32>
  }

  // CHECK-LABEL: @dot(
  // CHECK-SAME: %[[ACC:[a-z0-9]+]]: vector<8xi32>, %[[CODES:[a-z0-9]+]]: vector<32xi8>, %[[VALUES:[a-z0-9]+]]: vector<32xi8>)
  // CHECK: %[[ONES:.*]] = arith.constant dense<1> : vector<16xi16>
  // CHECK: %[[PAIRS:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"(%[[CODES]], %[[VALUES]])
  // CHECK: %[[QUADS:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[PAIRS]], %[[ONES]])
  // CHECK: arith.addi %[[ACC]], %[[QUADS]]
  func.func @dot(%acc: vector<8xi32>, %codes: vector<32xi8>, %values: vector<32xi8>) -> vector<8xi32> {
    %v = lut.dot %acc, %codes, %values max 15 : vector<8xi32>, vector<32xi8>
    return %v : vector<8xi32>
  }

  // 2 * 128 * -128 is the smallest 16-bit integer: the largest codes whose products do not saturate.
  // CHECK-LABEL: @largest(
  // CHECK-NOT: lut.dot
  func.func @largest(%acc: vector<8xi32>, %codes: vector<32xi8>, %values: vector<32xi8>) -> vector<8xi32> {
    %v = lut.dot %acc, %codes, %values max 128 : vector<8xi32>, vector<32xi8>
    return %v : vector<8xi32>
  }

  // CHECK-LABEL: @accumulate(
  // CHECK-SAME: %[[BYTES:[a-z0-9]+]]: vector<32xi8>, %[[EVEN:[a-z0-9]+]]: vector<16xi16>, %[[ODD:[a-z0-9]+]]: vector<16xi16>)
  // CHECK: %[[WORDS:.*]] = vector.bitcast %[[BYTES]] : vector<32xi8> to vector<16xi16>
  // CHECK: %[[NEWEVEN:.*]] = arith.addi %[[EVEN]], %[[WORDS]]
  // CHECK: %[[HIGH:.*]] = arith.shrui %[[WORDS]]
  // CHECK: %[[NEWODD:.*]] = arith.addi %[[ODD]], %[[HIGH]]
  // CHECK: return %[[NEWEVEN]], %[[NEWODD]]
  func.func @accumulate(%bytes: vector<32xi8>, %even: vector<16xi16>, %odd: vector<16xi16>) -> (vector<16xi16>, vector<16xi16>) {
    %a, %b = lut.accumulate %bytes, %even, %odd : vector<32xi8>, vector<16xi16>
    return %a, %b : vector<16xi16>, vector<16xi16>
  }

  // F16C widens scales: nothing to do here.
  // CHECK-LABEL: @widen(
  // CHECK: arith.extf
  func.func @widen(%half: vector<8xf16>) -> vector<8xf32> {
    %v = arith.extf %half : vector<8xf16> to vector<8xf32>
    return %v : vector<8xf32>
  }
}

// -----

#target = #lut.target<name = "avx2", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // A shuffle cannot choose a table by the position of a byte.
  func.func @sideBySide(%table: vector<64xi8>, %index: vector<32xi8>) -> vector<32xi8> {
    // expected-error@+1 {{has no lowering for avx2}}
    %v = lut.lookup %table[%index] entries 16 : vector<64xi8>, vector<32xi8>
    return %v : vector<32xi8>
  }
}

// -----

#target = #lut.target<name = "avx2", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @fewEntries(%table: vector<8xi8>, %index: vector<32xi8>) -> vector<32xi8> {
    // expected-error@+1 {{has no lowering for avx2}}
    %v = lut.lookup %table[%index] entries 8 : vector<8xi8>, vector<32xi8>
    return %v : vector<32xi8>
  }
}

// -----

#target = #lut.target<name = "avx2", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // 2 * 129 * -128 would saturate: low halves and high halves of the codes, times 16.
  // CHECK-LABEL: @halves(
  // CHECK-COUNT-2: pmadd.ub.sw
  func.func @halves(%acc: vector<8xi32>, %codes: vector<32xi8>, %values: vector<32xi8>) -> vector<8xi32> {
    %v = lut.dot %acc, %codes, %values max 129 : vector<8xi32>, vector<32xi8>
    return %v : vector<8xi32>
  }
}

// -----

// Vectors have the width of the target's registers.
#target = #lut.target<name = "avx2", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @wideLookup(%table: vector<16xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    // expected-error@+1 {{has no lowering for avx2}}
    %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }
}

// -----

#target = #lut.target<name = "avx2", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @wideDot(%acc: vector<16xi32>, %codes: vector<64xi8>) -> vector<16xi32> {
    // expected-error@+1 {{has no lowering for avx2}}
    %v = lut.dot %acc, %codes, %codes max 3 : vector<16xi32>, vector<64xi8>
    return %v : vector<16xi32>
  }
}
