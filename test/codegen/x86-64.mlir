// lut-lower for every x86-64 CPU: scalar loads, 16-bit products, f16 by integer arithmetic.
// RUN: lut-opt %s --lut-lower -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "x86_64", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // A scalar load for every byte of the index.
  // CHECK-LABEL: @lookup16(
  // CHECK-SAME: %[[POINTER:[a-z0-9]+]]: !llvm.ptr, %[[INDEX:[a-z0-9]+]]: vector<16xi8>)
  // CHECK-DAG: %[[MASK:.*]] = arith.constant dense<15> : vector<16xi8>
  // CHECK: %[[MASKED:.*]] = arith.andi %[[INDEX]], %[[MASK]]
  // CHECK: %[[I0:.*]] = vector.extract %[[MASKED]][0]
  // CHECK: %[[OFFSET0:.*]] = arith.extui %[[I0]] : i8 to i64
  // CHECK: %[[ENTRY0:.*]] = llvm.getelementptr %[[POINTER]][%[[OFFSET0]]]
  // CHECK: llvm.load %[[ENTRY0]] {{.*}} -> i8
  // CHECK: vector.insert {{.*}} [0]
  // CHECK: vector.insert {{.*}} [15]
  func.func @lookup16(%pointer: !llvm.ptr, %index: vector<16xi8>) -> vector<16xi8> {
    %table = llvm.load %pointer : !llvm.ptr -> vector<16xi8>
    %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<16xi8>
    return %v : vector<16xi8>
  }

  // A table that is known is compared with, entry by entry.
  // CHECK-LABEL: @known(
  // CHECK: arith.andi
  // CHECK-COUNT-16: arith.cmpi eq
  // CHECK-NOT: llvm.load
  func.func @known(%index: vector<16xi8>) -> vector<16xi8> {
    %table = arith.constant dense<[12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0]> : vector<16xi8>
    %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<16xi8>
    return %v : vector<16xi8>
  }

  // Byte 1 reads the second table, byte 4 the first.
  // CHECK-LABEL: @sideBySide(
  // CHECK-SAME: %[[POINTER:[a-z0-9]+]]: !llvm.ptr
  // CHECK: vector.extract {{.*}}[1]
  // CHECK: %[[TABLE1:.*]] = llvm.getelementptr %[[POINTER]][16]
  // CHECK: llvm.getelementptr %[[TABLE1]][%
  // CHECK: vector.extract {{.*}}[4]
  // CHECK: llvm.getelementptr %[[POINTER]][%
  func.func @sideBySide(%pointer: !llvm.ptr, %index: vector<16xi8>) -> vector<16xi8> {
    %table = llvm.load %pointer : !llvm.ptr -> vector<64xi8>
    %v = lut.lookup %table[%index] entries 16 : vector<64xi8>, vector<16xi8>
    return %v : vector<16xi8>
  }

  // CHECK-LABEL: @lookup128(
  // CHECK-DAG: %[[MASK:.*]] = arith.constant dense<127> : vector<16xi8>
  // CHECK: arith.andi %{{.*}}, %[[MASK]]
  // CHECK-COUNT-16: -> i8
  // CHECK-NOT: -> i8
  func.func @lookup128(%pointer: !llvm.ptr, %index: vector<16xi8>) -> vector<16xi8> {
    %table = llvm.load %pointer : !llvm.ptr -> vector<128xi8>
    %v = lut.lookup %table[%index] entries 128 : vector<128xi8>, vector<16xi8>
    return %v : vector<16xi8>
  }

  // Products of 16 bits cannot overflow, whatever the codes.
  // CHECK-LABEL: @dot(
  // CHECK: arith.extui %{{.*}} : vector<16xi8> to vector<16xi16>
  // CHECK: arith.extsi %{{.*}} : vector<16xi8> to vector<16xi16>
  // CHECK: %[[LOW:.*]] = llvm.call_intrinsic "llvm.x86.sse2.pmadd.wd"
  // CHECK: %[[HIGH:.*]] = llvm.call_intrinsic "llvm.x86.sse2.pmadd.wd"
  // CHECK: vector.shuffle %[[LOW]], %[[HIGH]] [0, 2, 4, 6]
  // CHECK: vector.shuffle %[[LOW]], %[[HIGH]] [1, 3, 5, 7]
  func.func @dot(%acc: vector<4xi32>, %codes: vector<16xi8>, %values: vector<16xi8>) -> vector<4xi32> {
    %v = lut.dot %acc, %codes, %values max 255 : vector<4xi32>, vector<16xi8>
    return %v : vector<4xi32>
  }

  // CHECK-LABEL: @addPairs(
  // CHECK: llvm.call_intrinsic "llvm.x86.sse2.pmadd.wd"
  func.func @addPairs(%acc: vector<4xi32>, %words: vector<8xi16>, %factors: vector<8xi16>) -> vector<4xi32> {
    %v = lut.add_pairs %acc, %words, %factors : vector<4xi32>, vector<8xi16>
    return %v : vector<4xi32>
  }

  // CHECK-LABEL: @accumulate(
  // CHECK-SAME: %[[BYTES:[a-z0-9]+]]: vector<16xi8>, %[[EVEN:[a-z0-9]+]]: vector<8xi16>, %[[ODD:[a-z0-9]+]]: vector<8xi16>)
  // CHECK: %[[WORDS:.*]] = vector.bitcast %[[BYTES]] : vector<16xi8> to vector<8xi16>
  // CHECK: %[[NEWEVEN:.*]] = arith.addi %[[EVEN]], %[[WORDS]]
  // CHECK: %[[HIGH:.*]] = arith.shrui %[[WORDS]]
  // CHECK: %[[NEWODD:.*]] = arith.addi %[[ODD]], %[[HIGH]]
  // CHECK: return %[[NEWEVEN]], %[[NEWODD]]
  func.func @accumulate(%bytes: vector<16xi8>, %even: vector<8xi16>, %odd: vector<8xi16>) -> (vector<8xi16>, vector<8xi16>) {
    %a, %b = lut.accumulate %bytes, %even, %odd : vector<16xi8>, vector<8xi16>
    return %a, %b : vector<8xi16>, vector<8xi16>
  }

  // f16 is widened by integer arithmetic and one multiplication by 2^112.
  // CHECK-LABEL: @widen(
  // CHECK-NOT: arith.extf
  // CHECK: arith.mulf %{{.*}} : vector<4xf32>
  // CHECK: %[[SPECIAL:.*]] = arith.cmpi uge
  // CHECK: arith.select %[[SPECIAL]]
  // CHECK-NOT: arith.extf
  func.func @widen(%half: vector<4xf16>) -> vector<4xf32> {
    %v = arith.extf %half : vector<4xf16> to vector<4xf32>
    return %v : vector<4xf32>
  }

  // Other conversions stay.
  // CHECK-LABEL: @widenFurther(
  // CHECK: arith.extf
  func.func @widenFurther(%single: vector<4xf32>) -> vector<4xf64> {
    %v = arith.extf %single : vector<4xf32> to vector<4xf64>
    return %v : vector<4xf64>
  }
}

// -----

#target = #lut.target<name = "x86_64", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  // There is no instruction that reaches into a register by an index.
  func.func @tableInRegister(%table: vector<16xi8>, %index: vector<16xi8>) -> vector<16xi8> {
    // expected-error@+1 {{has no lowering for x86_64}}
    %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<16xi8>
    return %v : vector<16xi8>
  }
}

// -----

#target = #lut.target<name = "itanium", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

// expected-error@+1 {{no instruction set named itanium in the target table}}
module attributes {lut.target = #target} {}

// -----

// expected-error@+1 {{the module has no attribute lut.target}}
module {}

// -----

#target = #lut.target<name = "x86_64", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @product(%x: tensor<?x64xf32>, %w: !lut.weights<10 x 64, <w2>>) -> tensor<?x10xf32> {
    // expected-error@+1 {{has no lowering for x86_64}}
    %y = lut.mpgemm %x, %w numerics a8 : tensor<?x64xf32>, !lut.weights<10 x 64, <w2>> -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }
}

// -----

// Vectors have the width of the target's registers.
#target = #lut.target<name = "x86_64", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>

module attributes {lut.target = #target} {
  func.func @wideDot(%acc: vector<8xi32>, %codes: vector<32xi8>) -> vector<8xi32> {
    // expected-error@+1 {{has no lowering for x86_64}}
    %v = lut.dot %acc, %codes, %codes max 3 : vector<8xi32>, vector<32xi8>
    return %v : vector<8xi32>
  }
}
