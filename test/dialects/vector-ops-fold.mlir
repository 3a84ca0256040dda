// RUN: lut-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @lookup
// CHECK: dense<[13, 10, 11, 12]> : vector<4xi8>
// CHECK-NOT: lut.lookup
func.func @lookup() -> vector<4xi8> {
  %table = arith.constant dense<[10, 11, 12, 13]> : vector<4xi8>
  %index = arith.constant dense<[3, 0, 1, 2]> : vector<4xi8>
  %v = lut.lookup %table[%index] entries 4 : vector<4xi8>, vector<4xi8>
  return %v : vector<4xi8>
}

// Byte b reads table b mod 2; index bits above the 4 entries are ignored, the sign bit among them.
// CHECK-LABEL: @sideBySide
// CHECK: dense<[10, 20, 13, 23, 11, 22]> : vector<6xi8>
// CHECK-NOT: lut.lookup
func.func @sideBySide() -> vector<6xi8> {
  %table = arith.constant dense<[10, 11, 12, 13, 20, 21, 22, 23]> : vector<8xi8>
  %index = arith.constant dense<[0, 0, 7, 3, -3, 126]> : vector<6xi8>
  %v = lut.lookup %table[%index] entries 4 : vector<8xi8>, vector<6xi8>
  return %v : vector<6xi8>
}

// The same entry whatever the index.
// CHECK-LABEL: @splatTable
// CHECK: dense<7> : vector<64xi8>
// CHECK-NOT: lut.lookup
func.func @splatTable(%index: vector<64xi8>) -> vector<64xi8> {
  %table = arith.constant dense<7> : vector<16xi8>
  %v = lut.lookup %table[%index] entries 16 : vector<16xi8>, vector<64xi8>
  return %v : vector<64xi8>
}

// CHECK-LABEL: @unknownIndex
// CHECK: lut.lookup
func.func @unknownIndex(%index: vector<4xi8>) -> vector<4xi8> {
  %table = arith.constant dense<[10, 11, 12, 13]> : vector<4xi8>
  %v = lut.lookup %table[%index] entries 4 : vector<4xi8>, vector<4xi8>
  return %v : vector<4xi8>
}

// CHECK-LABEL: @dotOfZeroCodes(
// CHECK-SAME: %[[ACC:.*]]: vector<4xi32>
// CHECK-NEXT: return %[[ACC]]
func.func @dotOfZeroCodes(%acc: vector<4xi32>, %values: vector<16xi8>) -> vector<4xi32> {
  %zero = arith.constant dense<0> : vector<16xi8>
  %v = lut.dot %acc, %zero, %values max 3 : vector<4xi32>, vector<16xi8>
  return %v : vector<4xi32>
}

// CHECK-LABEL: @dotOfZeroValues(
// CHECK-SAME: %[[ACC:.*]]: vector<4xi32>
// CHECK-NEXT: return %[[ACC]]
func.func @dotOfZeroValues(%acc: vector<4xi32>, %codes: vector<16xi8>) -> vector<4xi32> {
  %zero = arith.constant dense<0> : vector<16xi8>
  %v = lut.dot %acc, %codes, %zero max 3 : vector<4xi32>, vector<16xi8>
  return %v : vector<4xi32>
}

// CHECK-LABEL: @dotOfOnes
// CHECK: lut.dot
func.func @dotOfOnes(%acc: vector<4xi32>, %codes: vector<16xi8>) -> vector<4xi32> {
  %one = arith.constant dense<1> : vector<16xi8>
  %v = lut.dot %acc, %codes, %one max 3 : vector<4xi32>, vector<16xi8>
  return %v : vector<4xi32>
}

// CHECK-LABEL: @accumulateZero(
// CHECK-SAME: %[[EVEN:.*]]: vector<8xi16>, %[[ODD:.*]]: vector<8xi16>
// CHECK-NEXT: return %[[EVEN]], %[[ODD]]
func.func @accumulateZero(%even: vector<8xi16>, %odd: vector<8xi16>) -> (vector<8xi16>, vector<8xi16>) {
  %zero = arith.constant dense<0> : vector<16xi8>
  %a, %b = lut.accumulate %zero, %even, %odd : vector<16xi8>, vector<8xi16>
  return %a, %b : vector<8xi16>, vector<8xi16>
}

// CHECK-LABEL: @accumulateOnes
// CHECK: lut.accumulate
func.func @accumulateOnes(%even: vector<8xi16>, %odd: vector<8xi16>) -> (vector<8xi16>, vector<8xi16>) {
  %one = arith.constant dense<1> : vector<16xi8>
  %a, %b = lut.accumulate %one, %even, %odd : vector<16xi8>, vector<8xi16>
  return %a, %b : vector<8xi16>, vector<8xi16>
}
