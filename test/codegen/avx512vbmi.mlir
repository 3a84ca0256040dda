// lut-lower for AVX-512 with VBMI and VNNI: full byte permutes, exact sums of four byte products.
// RUN: lut-opt %s --lut-lower -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "avx512vbmi", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // One small table: a shuffle, as in AVX-512BW.
  // CHECK-LABEL: @lookup16(
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
  func.func @lookup16(%table: vector<16xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }

  // Four tables fill a register: the position of a byte becomes the high bits of its index.
  // CHECK-LABEL: @sideBySide(
  // CHECK-SAME: %[[TABLE:[a-z0-9]+]]: vector<64xi8>
  // CHECK-DAG: %[[BASE:.*]] = arith.constant dense<[0, 16, 32, 48, 0, 16, 32, 48,
  // CHECK-DAG: %[[ENTRY:.*]] = arith.andi
  // CHECK: %[[INDEX:.*]] = arith.ori %[[ENTRY]], %[[BASE]]
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"(%[[TABLE]], %[[INDEX]])
  func.func @sideBySide(%table: vector<64xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    %v = lut.lookup %table[%index] entries 16 : vector<64xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }

  // CHECK-LABEL: @lookup64(
  // CHECK-NOT: arith.ori
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"
  func.func @lookup64(%table: vector<64xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    %v = lut.lookup %table[%index] entries 64 : vector<64xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }

  // Two registers of 64 entries.
  // CHECK-LABEL: @lookup128(
  // CHECK-SAME: %[[TABLE:[a-z0-9]+]]: vector<128xi8>, %[[INDEX:[a-z0-9]+]]: vector<64xi8>)
  // CHECK: %[[LOW:.*]] = vector.extract_strided_slice %[[TABLE]] {offsets = [0]
  // CHECK: %[[HIGH:.*]] = vector.extract_strided_slice %[[TABLE]] {offsets = [64]
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"(%[[LOW]], %[[INDEX]], %[[HIGH]])
  func.func @lookup128(%table: vector<128xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    %v = lut.lookup %table[%index] entries 128 : vector<128xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }

  // CHECK-LABEL: @dot(
  // CHECK-SAME: %[[ACC:[a-z0-9]+]]: vector<16xi32>, %[[CODES:[a-z0-9]+]]: vector<64xi8>, %[[VALUES:[a-z0-9]+]]: vector<64xi8>)
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[ACC]], %[[CODES]], %[[VALUES]])
  func.func @dot(%acc: vector<16xi32>, %codes: vector<64xi8>, %values: vector<64xi8>) -> vector<16xi32> {
    %v = lut.dot %acc, %codes, %values max 255 : vector<16xi32>, vector<64xi8>
    return %v : vector<16xi32>
  }

  // The sign of every byte is one affine transformation, which AVX-512 lacks as a shift.
  // CHECK-LABEL: @sign(
  // CHECK: llvm.call_intrinsic "llvm.x86.vgf2p8affineqb.512"
  func.func @sign(%bytes: vector<64xi8>) -> vector<64xi8> {
    %seven = arith.constant dense<7> : vector<64xi8>
    %v = arith.shrsi %bytes, %seven : vector<64xi8>
    return %v : vector<64xi8>
  }

  // Other shifts stay.
  // CHECK-LABEL: @shift(
  // CHECK: arith.shrsi
  func.func @shift(%bytes: vector<64xi8>) -> vector<64xi8> {
    %six = arith.constant dense<6> : vector<64xi8>
    %v = arith.shrsi %bytes, %six : vector<64xi8>
    return %v : vector<64xi8>
  }

  // CHECK-LABEL: @addPairs(
  // CHECK: llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
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

#target = #lut.target<name = "avx512vbmi", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // Two tables of 64 entries are more than one permute chooses from by position.
  func.func @twoOf64(%table: vector<128xi8>, %index: vector<64xi8>) -> vector<64xi8> {
    // expected-error@+1 {{has no lowering for avx512vbmi}}
    %v = lut.lookup %table[%index] entries 64 : vector<128xi8>, vector<64xi8>
    return %v : vector<64xi8>
  }
}

// -----

// Vectors have the width of the target's registers.
#target = #lut.target<name = "avx512vbmi", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @narrowLookup(%table: vector<64xi8>, %index: vector<32xi8>) -> vector<32xi8> {
    // expected-error@+1 {{has no lowering for avx512vbmi}}
    %v = lut.lookup %table[%index] entries 16 : vector<64xi8>, vector<32xi8>
    return %v : vector<32xi8>
  }
}

// -----

#target = #lut.target<name = "avx512vbmi", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @narrowDot(%acc: vector<8xi32>, %codes: vector<32xi8>) -> vector<8xi32> {
    // expected-error@+1 {{has no lowering for avx512vbmi}}
    %v = lut.dot %acc, %codes, %codes max 3 : vector<8xi32>, vector<32xi8>
    return %v : vector<8xi32>
  }
}
