// lut-lower for AVX-512BW: 16-entry shuffles and saturating byte products on 64 bytes.
// RUN: lut-opt %s --lut-lower -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "avx512bw", vector_bytes = 64, registers = 32, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 10, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // The table goes to every 128-bit lane; one shuffle looks it up.
  // CHECK-LABEL: @lookup16(
  // CHECK: %[[INDEX:.*]] = arith.andi
  // CHECK: %[[TABLE:.*]] = vector.shuffle {{.*}} : vector<16xi8>, vector<16xi8>
  // CHECK: %[[V:.*]] = llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"(%[[TABLE]], %[[INDEX]])
  // CHECK-NEXT: return %[[V]]
  func.func @lookup16(%table: vector<16xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }

  // 128 entries are 8 shuffles, of which one is not 0.
  // CHECK-LABEL: @lookup128(
  // CHECK: llvm.intr.uadd.sat
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
  // CHECK-COUNT-7: arith.ori
  // CHECK-NOT: arith.ori
  func.func @lookup128(%table: vector<128xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    %v = lut.lookup %table[%index] entries 128 : vector<128xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }

  // CHECK-LABEL: @dot(
  // CHECK-SAME: %[[ACC:[a-z0-9]+]]: vector<32xi16>, %[[CODES:[a-z0-9]+]]: vector<64xi8>, %[[VALUES:[a-z0-9]+]]: vector<64xi8>)
  // CHECK: %[[PAIRS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddubs.w.512"(%[[CODES]], %[[VALUES]])
  // CHECK: arith.addi %[[PAIRS]], %[[ACC]]
  func.func @dot(%acc: vector<32xi16>, %codes: vector<64xi8>, %values: vector<64xi8>) -> vector<32xi16> {
    %v = lut.dot %acc, %codes, %values max 15 : vector<32xi16>, vector<64xi8>
    return %v : vector<32xi16>
  }

  // The first of a run is not added.
  // CHECK-LABEL: @first(
  // CHECK: %[[PAIRS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddubs.w.512"
  // CHECK-NEXT: return %[[PAIRS]]
  func.func @first(%codes: vector<64xi8>, %values: vector<64xi8>) -> vector<32xi16> {
    %zero = arith.constant dense<0> : vector<32xi16>
    %v = lut.dot %zero, %codes, %values max 15 : vector<32xi16>, vector<64xi8>
    return %v : vector<32xi16>
  }

  // Magnitudes times values with the signs of the codes.
  // CHECK-LABEL: @signed(
  // CHECK-SAME: %[[ACC:[a-z0-9]+]]: vector<32xi16>, %[[CODES:[a-z0-9]+]]: vector<64xi8>, %[[VALUES:[a-z0-9]+]]: vector<64xi8>)
  // CHECK: %[[NEGATIVE:.*]] = arith.cmpi slt, %[[CODES]], %{{.*}} : vector<64xi8>
  // CHECK: %[[MINUS:.*]] = arith.subi %{{.*}}, %[[VALUES]]
  // CHECK: %[[SIGNED:.*]] = arith.select %[[NEGATIVE]], %[[MINUS]], %[[VALUES]]
  // CHECK: %[[MAGNITUDES:.*]] = "llvm.intr.abs"(%[[CODES]])
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.pmaddubs.w.512"(%[[MAGNITUDES]], %[[SIGNED]])
  func.func @signed(%acc: vector<32xi16>, %codes: vector<64xi8>, %values: vector<64xi8>) -> vector<32xi16> {
    %v = lut.dot %acc, signed %codes, %values max 128 : vector<32xi16>, vector<64xi8>
    return %v : vector<32xi16>
  }

  // CHECK-LABEL: @addPairs(
  // CHECK-SAME: %[[ACC:[a-z0-9]+]]: vector<16xi32>, %[[WORDS:[a-z0-9]+]]: vector<32xi16>, %[[FACTORS:[a-z0-9]+]]: vector<32xi16>)
  // CHECK: %[[SUMS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"(%[[WORDS]], %[[FACTORS]])
  // CHECK: arith.addi %[[SUMS]], %[[ACC]]
  func.func @addPairs(%acc: vector<16xi32>, %words: vector<32xi16>, %factors: vector<32xi16>) -> vector<16xi32> {
    %v = lut.add_pairs %acc, %words, %factors : vector<16xi32>, vector<32xi16>
    return %v : vector<16xi32>
  }

  // CHECK-LABEL: @accumulate(
  // CHECK-SAME: %[[BYTES:[a-z0-9]+]]: vector<64xi8>, %[[EVEN:[a-z0-9]+]]: vector<32xi16>, %[[ODD:[a-z0-9]+]]: vector<32xi16>)
  // CHECK: %[[WORDS:.*]] = vector.bitcast %[[BYTES]] : vector<64xi8> to vector<32xi16>
  // CHECK: %[[NEWEVEN:.*]] = arith.addi %[[EVEN]], %[[WORDS]]
  // CHECK: %[[HIGH:.*]] = arith.shrui %[[WORDS]]
  // CHECK: %[[NEWODD:.*]] = arith.addi %[[ODD]], %[[HIGH]]
  // CHECK: return %[[NEWEVEN]], %[[NEWODD]]
  func.func @accumulate(%bytes: vector<64xi8>, %even: vector<32xi16>, %odd: vector<32xi16>) -> (vector<32xi16>, vector<32xi16>) {
    %a, %b = lut.accumulate %bytes, %even, %odd : vector<64xi8>, vector<32xi16>
    return %a, %b : vector<32xi16>, vector<32xi16>
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

#target = #lut.target<name = "avx512bw", vector_bytes = 64, registers = 32, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 10, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // A shuffle cannot choose a table by the position of a byte.
  func.func @sideBySide(%table: vector<64xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    // expected-error@+1 {{has no lowering for avx512bw}}
    %v = lut.lookup %table[%index] entries 16 : vector<64xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }
}

// -----

#target = #lut.target<name = "avx512bw", vector_bytes = 64, registers = 32, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 10, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @fewEntries(%table: vector<8xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    // expected-error@+1 {{has no lowering for avx512bw}}
    %v = lut.lookup %table[%index] entries 8 : vector<8xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }
}

// -----

#target = #lut.target<name = "avx512bw", vector_bytes = 64, registers = 32, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 10, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // Sums of four products have no instruction.
  func.func @quads(%acc: vector<16xi32>, %codes: vector<64xi8>, %values: vector<64xi8>) -> vector<16xi32> {
    // expected-error@+1 {{has no lowering for avx512bw}}
    %v = lut.dot %acc, %codes, %values max 15 : vector<16xi32>, vector<64xi8>
    return %v : vector<16xi32>
  }
}

// -----

// Vectors have the width of the target's registers.
#target = #lut.target<name = "avx512bw", vector_bytes = 64, registers = 32, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 10, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @narrowLookup(%table: vector<16xi8>, %index: vector<32xi8>) -> vector<32xi8> {
    // expected-error@+1 {{has no lowering for avx512bw}}
    %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<32xi8>
    return %v : vector<32xi8>
  }
}

// -----

#target = #lut.target<name = "avx512bw", vector_bytes = 64, registers = 32, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 10, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @narrowDot(%acc: vector<16xi16>, %codes: vector<32xi8>) -> vector<16xi16> {
    // expected-error@+1 {{has no lowering for avx512bw}}
    %v = lut.dot %acc, %codes, %codes max 3 : vector<16xi16>, vector<32xi8>
    return %v : vector<16xi16>
  }
}
