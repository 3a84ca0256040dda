// Ops on vectors parse and print, in IR and in its generic form.
// RUN: lut-opt %s | lut-opt | FileCheck %s
// RUN: lut-opt %s --mlir-print-op-generic | lut-opt | FileCheck %s

// CHECK-LABEL: @lookup
// CHECK: lut.lookup %{{.*}}[%{{.*}}] entries 16 : vector<16xi8>, vector<64xi8>
// CHECK: lut.lookup %{{.*}}[%{{.*}}] entries 16 : vector<64xi8>, vector<64xi8>
// CHECK: lut.lookup %{{.*}}[%{{.*}}] entries 128 : vector<128xi8>, vector<64xi8>
func.func @lookup(%t16: vector<16xi8>, %t64: vector<64xi8>, %t128: vector<128xi8>, %index: vector<64xi8>) {
  %a = lut.lookup %t16[%index] entries 16 : vector<16xi8>, vector<64xi8>
  %b = lut.lookup %t64[%index] entries 16 : vector<64xi8>, vector<64xi8>
  %c = lut.lookup %t128[%index] entries 128 : vector<128xi8>, vector<64xi8>
  return
}

// CHECK-LABEL: @dot
// CHECK: lut.dot %{{.*}}, %{{.*}}, %{{.*}} max 15 : vector<8xi32>, vector<32xi8>
// CHECK: lut.dot %{{.*}}, %{{.*}}, %{{.*}} max 15 : vector<16xi16>, vector<32xi8>
// CHECK: lut.dot %{{.*}}, signed %{{.*}}, %{{.*}} max 128 : vector<16xi16>, vector<32xi8>
func.func @dot(%acc: vector<8xi32>, %pairs: vector<16xi16>, %codes: vector<32xi8>, %values: vector<32xi8>) {
  %a = lut.dot %acc, %codes, %values max 15 : vector<8xi32>, vector<32xi8>
  %b = lut.dot %pairs, %codes, %values max 15 : vector<16xi16>, vector<32xi8>
  %c = lut.dot %pairs, signed %codes, %values max 128 : vector<16xi16>, vector<32xi8>
  return
}

// CHECK-LABEL: @addPairs
// CHECK: lut.add_pairs %{{.*}}, %{{.*}}, %{{.*}} : vector<8xi32>, vector<16xi16>
func.func @addPairs(%acc: vector<8xi32>, %words: vector<16xi16>, %factors: vector<16xi16>) {
  %a = lut.add_pairs %acc, %words, %factors : vector<8xi32>, vector<16xi16>
  return
}

// CHECK-LABEL: @accumulate
// CHECK: %{{.*}}, %{{.*}} = lut.accumulate %{{.*}}, %{{.*}}, %{{.*}} : vector<16xi8>, vector<8xi16>
func.func @accumulate(%bytes: vector<16xi8>, %even: vector<8xi16>, %odd: vector<8xi16>) {
  %a, %b = lut.accumulate %bytes, %even, %odd : vector<16xi8>, vector<8xi16>
  return
}
