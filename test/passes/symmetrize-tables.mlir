// lut-symmetrize-tables, by example. A table of 5 trits has 3^5 = 243 entries, more than the 128 that this target reaches
// in one lookup. T[-c] = -T[c], so 122 of them are enough:
//
//   %t = lut.precompute %q                    ==>    %t = lut.precompute %q
//        : ... -> <..., mirrored = false, ...>            : ... -> <..., mirrored = true, ...>
//
// RUN: lut-opt %s --lut-symmetrize-tables -split-input-file -verify-diagnostics | FileCheck %s

#target = #lut.target<name = "avx512vbmi", vector_bytes = 64, registers = 32, dot = quads, permute_bytes = 64, permute2_bytes = 128, dot_cycles10 = 10, permute_cycles10 = 10, permute2_cycles10 = 15, simple_cycles10 = 5, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!bits7 = !lut.tables<64, group = 64, unit = 7, trits = false, mirrored = false, digits = 0, radix = 0>
!bits8 = !lut.tables<64, group = 64, unit = 8, trits = false, mirrored = false, digits = 0, radix = 0>
!trits = !lut.tables<64, group = 64, unit = 5, trits = true, mirrored = false, digits = 0, radix = 0>
!digits = !lut.tables<64, group = 64, unit = 5, trits = true, mirrored = false, digits = 2, radix = 36>

module attributes {lut.target = #target} {
  // CHECK-LABEL: @example(
  // CHECK: lut.precompute {{.*}} mirrored = true, digits = 0, radix = 0>
  // CHECK-NEXT: lut.lookup_gemm {{.*}} mirrored = true, digits = 0, radix = 0>,
  func.func @example(%q: !lut.activations<64, group = 64>, %w: !lut.weights<10 x 64, <w158>, trits>) -> tensor<?x10xf32> {
    %t = lut.precompute %q : !lut.activations<64, group = 64> -> !trits
    %y = lut.lookup_gemm %t, %w : !trits, !lut.weights<10 x 64, <w158>, trits> -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }

  // 256 entries are too many, 128 are not.
  // CHECK-LABEL: @reach(
  // CHECK: unit = 8, {{.*}} mirrored = true
  // CHECK: unit = 7, {{.*}} mirrored = false
  func.func @reach(%x: tensor<?x64xf32>) {
    %t8 = lut.precompute %x : tensor<?x64xf32> -> !bits8
    %t7 = lut.precompute %x : tensor<?x64xf32> -> !bits7
    return
  }

  // Quantized tables keep their entries.
  // CHECK-LABEL: @quantized(
  // CHECK: lut.precompute {{.*}} mirrored = false, digits = 2
  func.func @quantized(%q: !lut.activations<64, group = 64>) {
    %t = lut.precompute %q : !lut.activations<64, group = 64> -> !digits
    return
  }
}

// -----

// 16 entries stay whole even where no instruction looks them up.
#target = #lut.target<name = "x86_64", vector_bytes = 16, registers = 16, dot = none, permute_bytes = 0, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 5, permute2_cycles10 = 5, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
!bits4 = !lut.tables<64, group = 64, unit = 4, trits = false, mirrored = false, digits = 0, radix = 0>
!bits5 = !lut.tables<64, group = 64, unit = 5, trits = false, mirrored = false, digits = 0, radix = 0>

module attributes {lut.target = #target} {
  // CHECK-LABEL: @noPermute(
  // CHECK: unit = 4, {{.*}} mirrored = false
  // CHECK: unit = 5, {{.*}} mirrored = true
  func.func @noPermute(%x: tensor<?x64xf32>) {
    %t4 = lut.precompute %x : tensor<?x64xf32> -> !bits4
    %t5 = lut.precompute %x : tensor<?x64xf32> -> !bits5
    return
  }
}

// -----

// expected-error@+1 {{the module has no attribute lut.target = #lut.target<...>: passes need the target's facts}}
module {}
