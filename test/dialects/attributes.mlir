// Attributes parse and print, in IR and in its generic form.
// RUN: lut-opt %s | lut-opt | FileCheck %s
// RUN: lut-opt %s --mlir-print-op-generic | lut-opt | FileCheck %s

// CHECK: lut.target = #lut.target<name = "toy", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 6, permute2_cycles10 = 7, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>
module attributes {lut.target = #lut.target<name = "toy", vector_bytes = 32, registers = 16, dot = pairs, permute_bytes = 16, permute2_bytes = 0, dot_cycles10 = 5, permute_cycles10 = 6, permute2_cycles10 = 7, simple_cycles10 = 3, l1_bytes = 32768, stream_bytes_per_100_cycles = 900>} {

  // CHECK-LABEL: @schedules
  // CHECK-SAME: #lut.schedule<strategy = dot, layout = dot, row_vectors = 4, tokens = 4, token_block = 32, k_block = 0>
  // CHECK-SAME: #lut.schedule<strategy = lookup, layout = quad, row_vectors = 2, tokens = 1, token_block = 8, k_block = 0>
  // CHECK-SAME: #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 4, widen = 256>
  // CHECK-SAME: #lut.schedule<strategy = lookup, layout = base3, row_vectors = 1, tokens = 2, token_block = 8, k_block = 140, run = 7, widen = 36>
  func.func private @schedules() attributes {
    a = #lut.schedule<strategy = dot, layout = dot, row_vectors = 4, tokens = 4, token_block = 32, k_block = 0>,
    // run and widen are 0 where they are left out.
    b = #lut.schedule<strategy = lookup, layout = quad, row_vectors = 2, tokens = 1, token_block = 8, k_block = 0, run = 0, widen = 0>,
    c = #lut.schedule<strategy = lookup, layout = column, row_vectors = 1, tokens = 2, token_block = 8, k_block = 0, run = 4, widen = 256>,
    d = #lut.schedule<strategy = lookup, layout = base3, row_vectors = 1, tokens = 2, token_block = 8, k_block = 140, run = 7, widen = 36>
  }
}
